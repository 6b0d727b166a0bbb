coalesce(nullif(:address::text, '')::inet, '::')
