(u.email like '%' || &1 || '%' or u.raw_user_meta_data ->> 'full_name' ilike '%' || &1 || '%')
