-- A session is written only for what was seen: somebody who is there, not banned, with the password that was compared (null: none was).
-- session_assert(user_id, password) -> none
select postern.assert(u.id is not null, 'gone'), postern.assert(not coalesce(u.banned_until > now(), false), 'banned'),
    postern.assert(:password::text is null or u.encrypted_password = :password::text, 'password')
from (values (1)) one (one)
left join lateral (select o.id, o.banned_until, o.encrypted_password from auth.users o where o.id = :user_id::uuid for no key update) u on true;

-- A change is written only for a bearer who is not banned, and whose session is there (null: they named none), which another password ends.
-- Else the request begins anew, and is refused.  Behind user_hold().
-- session_assert_bearer(user_id, session) -> none
select postern.assert(not %banned(:user_id::uuid)
    and (:session::text is null or exists (select from auth.sessions s where s.id = :session::uuid)), 'changed');

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

-- All sessions of a user but one; except null: all.
-- session_end_others(user_id, except) -> none
delete from auth.sessions where user_id = :user_id::uuid and id is distinct from :except::uuid;

-- Whether a session was begun by proof of an address.
-- session_proven(id) -> one proven:bool
select exists (select from auth.mfa_amr_claims c where c.session_id = :id::uuid
    and c.authentication_method in ('otp', 'magiclink', 'recovery')) as proven;
