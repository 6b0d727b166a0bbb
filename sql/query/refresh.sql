-- refresh_token_add(token, user_id, session_id, parent, now) -> none
insert into auth.refresh_tokens (instance_id, token, user_id, session_id, parent, revoked, created_at, updated_at)
values (%nil, :token, :user_id, :session_id::uuid, nullif(:parent::text, ''), false, :now::timestamptz, :now::timestamptz);

-- All that a refresh is decided on, by a token of auth.refresh_tokens.
-- refresh_by_token(token) -> maybe user, hmac_key, counter:int, client_id, scopes, methods, token_updated_at:time, revoked:bool
select %user_columns(u), %session_columns(s), %refresh_columns(s),
    t.updated_at as token_updated_at, t.revoked
from auth.refresh_tokens t
join auth.users u on u.id = t.user_id::uuid
left join auth.sessions s on s.id = t.session_id
where t.token = :token::text;

-- The token that is active where a revoked one was sent.
-- refresh_active(session_id) -> maybe token, parent
select token, parent from auth.refresh_tokens where session_id = :session_id::uuid and revoked is false order by id desc limit 1;

-- The same by a session, for v2 tokens.
-- refresh_by_session(session_id) -> maybe user, hmac_key, counter:int, client_id, scopes, methods
select %user_columns(u), %session_columns(s), %refresh_columns(s)
from auth.sessions s
join auth.users u on u.id = s.user_id
where s.id = :session_id::uuid;

-- Whether another session of the user, used later, outdates this one.
-- refresh_outdated(session_id, last, tags, timebox, inactivity, low_aal) -> one newer:bool
select exists (select from auth.sessions s where s.id = :session_id::uuid and %session_outdated(s, :last::timestamptz)) as newer;

-- Revokes the token and puts a fresh one in its place, if it is still as it was read: of many at once, one does it.
-- With hmac_key the session moves on to v2 tokens and the fresh one is born revoked.  held: the session before its tokens, as whoever
-- ends it goes; a ban that came meanwhile counts.
-- refresh_swap(token, was_revoked, fresh, user_id, session_id, hmac_key, counter, now, user_agent, address, audit_address, refreshed,
--     swapped) -> final one done:bool
with held as materialized (
    select s.id from auth.sessions s where s.id = :session_id::uuid and not %banned(s.user_id) for no key update
), old as (
    update auth.refresh_tokens t set revoked = true, updated_at = :now::timestamptz
    from held where t.token = :token and coalesce(t.revoked, false) = :was_revoked::bool
    returning t.id
), fresh as (
    insert into auth.refresh_tokens (instance_id, token, user_id, session_id, parent, revoked, created_at, updated_at)
    select %nil, :fresh, :user_id, :session_id::uuid, :token, :hmac_key::text is not null,
        :now::timestamptz, :now::timestamptz
    from old
), touched as (
    update auth.sessions s set refresh_token_hmac_key = coalesce(:hmac_key::text, s.refresh_token_hmac_key),
        refresh_token_counter = coalesce(:counter::bigint, s.refresh_token_counter), %refreshed(:now)
    where s.id = :session_id::uuid and exists (select from old)
), audited as (
    insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
    select %nil, gen_random_uuid(), v.payload::json, clock_timestamp(), coalesce(:audit_address::text, '')
    from old, (values (:refreshed::text), (:swapped::text)) v (payload)
    where v.payload is not null
)
select exists (select from old) as done;

-- Notes that a session was refreshed and, if its counter is still the one that was read, moves it on.
-- refresh_touch(session_id, counter, next, now, user_agent, address, audit_address, refreshed) -> final one done:bool
with touched as (
    update auth.sessions s set refresh_token_counter = :next::bigint, %refreshed(:now)
    where s.id = :session_id::uuid and s.refresh_token_counter is not distinct from :counter::bigint and not %banned(s.user_id)
    returning s.id
), audited as (
    insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
    select %nil, gen_random_uuid(), :refreshed::json, clock_timestamp(), coalesce(:audit_address::text, '')
    from touched where :refreshed::text is not null
)
select exists (select from touched) as done;

-- A fresh token in the place of the active one; behind the session's lock.
-- refresh_replace(token, fresh, user_id, session_id, now) -> none
with old as (
    update auth.refresh_tokens set revoked = true, updated_at = :now::timestamptz
    where token = :token::text and session_id = :session_id::uuid and revoked is false
    returning token
), fresh as (
    insert into auth.refresh_tokens (instance_id, token, user_id, session_id, parent, revoked, created_at, updated_at)
    select '00000000-0000-0000-0000-000000000000', :fresh, :user_id, :session_id::uuid, old.token, false, :now::timestamptz, :now::timestamptz
    from old
    returning token
)
select postern.assert(exists (select from fresh), 'changed');

-- refresh_revoke_all(session_id, now) -> none
update auth.refresh_tokens set revoked = true, updated_at = :now::timestamptz where session_id = :session_id::uuid and revoked is false;

-- refresh_forget(token) -> none
delete from auth.refresh_tokens where token = :token;
