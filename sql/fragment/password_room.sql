coalesce((select case when a.atttypmod > 0 then a.atttypmod - 4 end from pg_attribute a
    where a.attrelid = 'auth.users'::regclass and a.attname = 'encrypted_password'), 0)
