-- By the clock, so that the rows of one request have an order.
-- audit_add(id, payload, address) -> none
insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
values (%nil, :id::uuid, :payload::json, clock_timestamp(), coalesce(:address::text, ''));

-- Newest first; who: in the names of the actor.  Whatever is not asked for is null.
-- row audit_entry: total:int, id, created_at, payload, address

-- There is one row without an entry where there are none.
-- audit_page(who, action, type, most, skip) -> custom many audit_entry
select c.total, e.id, e.created_at, e.payload, e.ip_address as address
from (select count(*) as total from %audit_entries) c
left join (select * from %audit_entries order by a.created_at desc, a.id limit :most::bigint offset :skip::bigint) e on true
order by e.created_at desc, e.id;

-- Behind an entry.
-- audit_older(who, action, type, most, created_at, id) -> custom many audit_entry
select null::bigint as total, a.id, a.created_at, a.payload, a.ip_address as address
from %audit_entries and a.created_at <= :created_at::timestamptz and (a.created_at < :created_at::timestamptz or a.id > :id::uuid)
order by a.created_at desc, a.id limit :most::bigint;

-- The log goes on behind an entry, oldest first; those not about the user have no payload.  since: when the user came; clocks may differ.
-- Who else did it to them keeps name and address.
-- audit_about(user_id, since, created_at, id, most) -> many audit_entry
select null::bigint as total, a.id, a.created_at,
    case when coalesce(a.payload -> 'traits' ->> 'user_id', a.payload ->> 'actor_id') = :user_id::text
        then case when own then a.payload else (a.payload::jsonb - array['actor_username', 'actor_name'])::json end end as payload,
    case when own then a.ip_address else '' end as address
from auth.audit_log_entries a, lateral (select coalesce(a.payload ->> 'actor_id' = :user_id::text, false) as own) o
where (a.created_at, a.id) > (coalesce(:created_at::timestamptz, :since::timestamptz - interval '1 day', '-infinity'), coalesce(:id::uuid, %nil))
order by a.created_at, a.id limit :most::bigint;

-- audit_recent(who, action, type, most) -> custom many created_at, action, actor, address, traits
select %iso(a.created_at) as created_at, a.payload ->> 'action' as action, a.payload ->> 'actor_username' as actor, a.ip_address as address,
    a.payload ->> 'traits' as traits
from %audit_entries order by a.created_at desc, a.id limit :most::bigint;
