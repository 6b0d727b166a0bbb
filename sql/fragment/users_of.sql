auth.users u where u.instance_id = %nil and u.aud = &1
