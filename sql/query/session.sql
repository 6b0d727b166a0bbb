-- A session is written only for what was seen: somebody who is there, not banned, with the password that was compared (null: none was); with
-- another one, or the same in another form, the request begins anew and compares that.
-- session_assert(user_id, password) -> none
select postern.assert(u.id is not null, 'gone'), postern.assert(not coalesce(u.banned_until > now(), false), 'banned'),
    postern.assert(:password::text is null or u.encrypted_password = :password::text, 'changed')
from (values (1)) one (one)
left join lateral (select o.id, o.banned_until, o.encrypted_password from auth.users o where o.id = :user_id::uuid for no key update) u on true;

-- A change is written only for a bearer who is not banned, and whose session is there (null: they named none), which another password ends,
-- and as strongly signed in as it was, which a factor taken away ends.  Else the request begins anew, and is refused.  Behind user_hold().
-- session_assert_bearer(user_id, session, aal) -> none
select postern.assert(not %banned(:user_id::uuid)
    and (:session::text is null or exists (select from auth.sessions s where s.id = :session::uuid
        and coalesce(s.aal, 'aal1') >= coalesce(nullif(:aal::text, ''), 'aal1')::auth.aal_level)), 'changed');

-- session_add(id, user_id, now, aal, not_after, user_agent, address, tag, client_id, scopes, hmac_key) -> none
insert into auth.sessions (id, user_id, created_at, updated_at, aal, not_after, user_agent, ip, tag, oauth_client_id, scopes,
    refresh_token_hmac_key, refresh_token_counter)
values (:id::uuid, :user_id::uuid, :now::timestamptz, :now::timestamptz, :aal::auth.aal_level, :not_after::timestamptz,
    nullif(:user_agent::text, ''), nullif(:address::text, '')::inet, nullif(:tag::text, ''), :client_id::uuid, nullif(:scopes::text, ''),
    :hmac_key::text, case when :hmac_key::text is not null then 0 end);

-- session_method_add(id, session_id, method, now) -> none
insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
values (:id::uuid, :session_id::uuid, :now::timestamptz, :now::timestamptz, :method)
on conflict on constraint mfa_amr_claims_session_id_authentication_method_pkey do update set updated_at = excluded.updated_at;

-- What a session is that is to be raised.  active: the token of auth.refresh_tokens that its client has, null for v2; token_time: its.
-- session_state(id) -> maybe user, hmac_key, counter:int, client_id, scopes, methods, active, token_time:time
select %user_columns(u), %session_columns(s), %refresh_columns(s), a.token as active, a.updated_at as token_time
from auth.sessions s
join auth.users u on u.id = s.user_id
left join lateral (
    select t.token, t.updated_at from auth.refresh_tokens t where t.session_id = s.id and t.revoked is false order by t.id desc limit 1
) a on true
where s.id = :id::uuid;

-- A session is raised only as it was seen, by a factor that the user has; else the request begins anew.  Behind user_hold().
-- session_assert_unchanged(id, counter, factor_id) -> none
select postern.assert(s.refresh_token_counter is not distinct from :counter::bigint
    and exists (select from auth.mfa_factors f where f.id = :factor_id::uuid and f.user_id = s.user_id), 'changed')
from (values (1)) one (one)
left join lateral (select o.user_id, o.refresh_token_counter from auth.sessions o where o.id = :id::uuid for no key update) s on true;

-- counter: of its v2 tokens, null leaves it.
-- session_raised(id, factor_id, counter, now) -> final one user
update auth.sessions s set aal = 'aal2', factor_id = :factor_id::uuid, updated_at = :now::timestamptz,
    refresh_token_counter = coalesce(:counter::bigint, s.refresh_token_counter)
from auth.users u
where s.id = :id::uuid and u.id = s.user_id
returning %user_columns(u), %session_columns(s);

-- Other sessions of a user that have shown no factor.
-- session_end_lower(user_id, except) -> none
delete from auth.sessions where user_id = :user_id::uuid and id <> :except::uuid and coalesce(aal, 'aal1') < 'aal2';

-- The sessions that a factor has raised fall back to what they were; method: what the factor is in amr.
-- session_lower(user_id, factor_id, method) -> none
with lowered as (
    update auth.sessions s set aal = 'aal1', factor_id = null
    where s.user_id = :user_id::uuid and s.factor_id = :factor_id::uuid
    returning s.id
)
delete from auth.mfa_amr_claims c using lowered where c.session_id = lowered.id and c.authentication_method = :method::text;

-- The lock on a session and its tokens.
-- session_hold(id) -> none
select from auth.sessions where id = :id::uuid for no key update;

-- session_end(id) -> none
delete from auth.sessions where id = :id::uuid;

-- One of a user's.
-- session_end_of(id, user_id) -> maybe id
delete from auth.sessions where id = :id::uuid and user_id = :user_id::uuid returning id;

-- All sessions of a user but one; except null: all.
-- session_end_others(user_id, except) -> none
delete from auth.sessions where user_id = :user_id::uuid and id is distinct from :except::uuid;

-- Whether a session was begun by proof of an address.
-- session_proven(id) -> one proven:bool
select exists (select from auth.mfa_amr_claims c where c.session_id = :id::uuid
    and c.authentication_method in ('otp', 'magiclink', 'recovery')) as proven;

-- row listed_session: id, begun, created_at:time, updated_at:time, refreshed_at:time, not_after:time, token_time:time, aal, methods,
--     user_agent, address, tag, client_id, outdated:bool

-- A user's sessions, newest first.  begun, id: the last one that was seen, null at first.  token_time: of its v1 token; outdated: where a
-- user has but one session (single), another one is.
-- session_page(user_id, begun, id, most, single, tags, timebox, inactivity, low_aal) -> many listed_session
select p.id, p.begun, p.created_at, p.updated_at, p.refreshed_at, p.not_after, p.token_time, p.aal, p.methods, p.user_agent, p.address, p.tag,
    p.client_id,
    :single::bool and %session_outdated(p, coalesce(p.refreshed_at, greatest(p.created_at, p.token_time), '-infinity')) as outdated
from (
    select s.id, s.user_id, coalesce(s.created_at, '-infinity') as begun, s.created_at, s.updated_at,
        s.refreshed_at at time zone 'UTC' as refreshed_at, s.not_after, coalesce(s.aal, 'aal1') as aal, s.user_agent, s.ip as address, s.tag,
        s.oauth_client_id as client_id,
        (select max(t.updated_at) from auth.refresh_tokens t where t.session_id = s.id and t.revoked is false) as token_time,
        array(select array[c.updated_at::text, c.authentication_method] from auth.mfa_amr_claims c where c.session_id = s.id) as methods
    from auth.sessions s
    where s.user_id = :user_id::uuid
        and (:begun::text is null or (coalesce(s.created_at, '-infinity'), s.id) < (:begun::timestamptz, :id::uuid))
    order by begun desc, s.id desc limit :most::bigint
) p
order by p.begun desc, p.id desc;
