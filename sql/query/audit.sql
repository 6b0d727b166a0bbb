-- By the clock, so that the rows of one request have an order.
-- audit_add(id, payload, address) -> none
insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
values ('00000000-0000-0000-0000-000000000000', :id::uuid, :payload::json, clock_timestamp(), coalesce(:address::text, ''));

-- Newest first; who: in the names of the actor.  Whatever is not asked for is null.
-- audit_page(who, action, type, most, skip) -> one total:int, entries
select (select count(*) from %audit_entries) as total,
    coalesce((select string_agg(json_build_object('id', e.id, 'payload', coalesce(e.payload, '{}'), 'created_at', %iso(e.created_at),
            'ip_address', e.ip_address)::text, ',' order by e.created_at desc, e.id)
        from (select * from %audit_entries order by a.created_at desc, a.id limit :most::bigint offset :skip::bigint) e), '') as entries;

-- audit_recent(who, action, type, most) -> many created_at, action, actor, address, traits
select %iso(a.created_at) as created_at, a.payload ->> 'action' as action, a.payload ->> 'actor_username' as actor, a.ip_address as address,
    a.payload ->> 'traits' as traits
from %audit_entries order by a.created_at desc, a.id limit :most::bigint;
