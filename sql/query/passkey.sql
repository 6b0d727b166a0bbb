-- Passkeys, and what is asked of those who add one or sign in by one.  Bytes travel as hexadecimal digits.

-- user_id: null for a sign-in, whose user is not known yet.  Of a user's, who is not limited otherwise, the newest 32 are kept;
-- behind user_hold().
-- passkey_challenge_add(id, user_id, type, session_data, now, expires_at) -> none
with gone as (
    delete from auth.webauthn_challenges c
    where c.id in (select n.id from auth.webauthn_challenges n where n.user_id = :user_id::uuid order by n.created_at desc, n.id offset 31)
)
insert into auth.webauthn_challenges (id, user_id, challenge_type, session_data, created_at, expires_at)
values (:id::uuid, :user_id::uuid, :type, :session_data::jsonb, :now::timestamptz, :expires_at::timestamptz);

-- Good once, whatever comes with it.
-- passkey_challenge_take(id, user_id, type) -> final maybe session_data, expired:bool
delete from auth.webauthn_challenges c
where c.id = :id::uuid and c.challenge_type = :type and c.user_id is not distinct from :user_id::uuid
returning c.session_data, c.expires_at < clock_timestamp() as expired;

-- passkey_rows(user_id) -> many id, friendly_name:str, created_at, last_used_at, credential
select p.id, p.friendly_name, p.created_at, p.last_used_at, encode(p.credential_id, 'hex') as credential
from auth.webauthn_credentials p where p.user_id = :user_id::uuid order by p.created_at, p.id;

-- Who is hidden (deleted_at) signs in no more: the reference leaves them their passkeys.
-- passkey_by_credential(user_id, credential) -> maybe user, passkey_id, public_key, sign_count:int, backup_eligible:bool
select %user_columns(u), %no_session, p.id as passkey_id, encode(p.public_key, 'hex') as public_key, p.sign_count, p.backup_eligible
from auth.webauthn_credentials p join auth.users u on u.id = p.user_id
where u.instance_id = %nil and u.deleted_at is null and u.id = :user_id::uuid and p.credential_id = decode(:credential::text, 'hex');

-- Behind user_hold().
-- passkey_assert_room(user_id, max) -> none
select postern.assert((select count(*) from auth.webauthn_credentials p where p.user_id = :user_id::uuid) < :max::bigint, 'passkeys');

-- passkey_add(id, user_id, credential, public_key, format, aaguid, sign_count, transports, backup_eligible, backed_up, friendly_name, now) -> final one id
insert into auth.webauthn_credentials (id, user_id, credential_id, public_key, attestation_type, aaguid, sign_count, transports,
    backup_eligible, backed_up, friendly_name, created_at, updated_at)
values (:id::uuid, :user_id::uuid, decode(:credential::text, 'hex'), decode(:public_key::text, 'hex'), :format, :aaguid::uuid,
    :sign_count::bigint, :transports::jsonb, :backup_eligible::bool, :backed_up::bool, :friendly_name, :now::timestamptz, :now::timestamptz)
returning id;

-- One that was taken away meanwhile signs nobody in.  Behind user_hold().
-- passkey_used(id, user_id, sign_count, now) -> none
with used as (
    update auth.webauthn_credentials p set sign_count = greatest(p.sign_count, :sign_count::bigint), last_used_at = :now::timestamptz,
        updated_at = :now::timestamptz
    where p.id = :id::uuid and p.user_id = :user_id::uuid
    returning 1
)
select postern.assert(exists (select from used), 'changed');

-- passkey_rename(id, user_id, friendly_name, now) -> maybe id, friendly_name, created_at, last_used_at
update auth.webauthn_credentials p set friendly_name = :friendly_name, updated_at = :now::timestamptz
where p.id = :id::uuid and p.user_id = :user_id::uuid
returning p.id, p.friendly_name, p.created_at, p.last_used_at;

-- passkey_drop(id, user_id) -> maybe id
delete from auth.webauthn_credentials p where p.id = :id::uuid and p.user_id = :user_id::uuid returning p.id;
