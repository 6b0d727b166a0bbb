coalesce(nullif(&1, 'null'), '{}')
