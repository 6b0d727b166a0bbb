(case when &1.email = '' then 2 when &1.verified then 0 else 1 end)
