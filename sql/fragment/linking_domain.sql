(case when &1 like 'sso:%' then &1 else coalesce(:domains::jsonb ->> &1, 'default') end)
