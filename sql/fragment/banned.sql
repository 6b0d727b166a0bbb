exists (select from auth.users b where b.id = &1 and b.banned_until > now())
