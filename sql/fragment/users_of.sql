auth.users u where u.instance_id = '00000000-0000-0000-0000-000000000000' and u.aud = &1
