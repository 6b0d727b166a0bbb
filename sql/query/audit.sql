-- By the clock, so that the rows of one request have an order.
-- audit_add(id, payload, address) -> none
insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
values ('00000000-0000-0000-0000-000000000000', :id::uuid, :payload::json, clock_timestamp(), coalesce(:address::text, ''));
