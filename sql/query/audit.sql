-- audit_add(id, payload, address, now) -> none
insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
values ('00000000-0000-0000-0000-000000000000', :id::uuid, :payload::json, :now::timestamptz, coalesce(:address::text, ''));
