(select case when exists (select from postern.user_counts c where c.users = t.typrelid) then
    (select coalesce(sum(c.n), 0)::bigint from postern.user_counts c
     where c.users = t.typrelid and c.instance_id = %nil and c.aud = &1)
else (select count(*) from auth.users u where u.instance_id = %nil and u.aud = &1) end
from pg_type t where t.oid = pg_typeof(null::auth.users))
