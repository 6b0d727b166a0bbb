(case when &1.tag = any (:tags::text[]) then &1.tag else (:tags::text[])[1] end)
