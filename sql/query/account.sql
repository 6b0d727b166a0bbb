-- Whose an account is that nobody has proven yet, and what is undone when somebody does, or changes a password: core/owner.h.

-- Behind the letter or message that waits.
-- account_wait(user_id, password, identity_id) -> none
insert into postern.waiting (user_id, link, password, identity_id)
select t.user_id, t.token_hash, :password, :identity_id::uuid
from auth.one_time_tokens t where t.user_id = :user_id::uuid and t.token_type = 'confirmation_token'
on conflict (user_id) do update set link = excluded.link, password = excluded.password, identity_id = excluded.identity_id, made_at = now();

-- Where only identities of others stand in an unconfirmed account, that of the sign-up takes their place, with its metadata.
-- account_identity(id, user_id, provider, data, now) -> none
with held as (
    select u.id from auth.users u
    where u.id = :user_id::uuid and u.email_confirmed_at is null and u.phone_confirmed_at is null
        and not exists (select from auth.identities i where i.user_id = u.id and i.provider = :provider)
    for update
), gone as (
    delete from auth.identities i using held where i.user_id = held.id
), made as (
    insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
    select :id::uuid, held.id::text, held.id, :data::jsonb, :provider, :now::timestamptz, :now::timestamptz, :now::timestamptz from held
)
update auth.users u set updated_at = :now::timestamptz,
    raw_user_meta_data = :data::jsonb - array(select key from jsonb_each(:data::jsonb) where value = 'null'),
    raw_app_meta_data = %object(u.raw_app_meta_data)
        || jsonb_build_object('provider', :provider::text, 'providers', jsonb_build_array(:provider::text))
from held where u.id = held.id;

-- An unconfirmed account is in the audience of who asked for it last.
-- account_move(user_id, aud, now) -> none
update auth.users set aud = :aud, updated_at = :now::timestamptz
where id = :user_id::uuid and email_confirmed_at is null and phone_confirmed_at is null;

-- The identity of an address that is proven, where there is none.
-- account_address(id, user_id, email, now) -> none
insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
values (:id::uuid, :user_id::uuid::text, :user_id::uuid,
    jsonb_build_object('sub', :user_id::uuid, 'email', :email::text, 'email_verified', true, 'phone_verified', false), 'email',
    :now::timestamptz, :now::timestamptz, :now::timestamptz)
on conflict (provider_id, provider) do nothing;

-- Undoes a write that rests on an address not being proven.
-- account_assert(user_id, provider) -> none
select postern.assert((select case :provider::text when 'phone' then u.phone_confirmed_at is null else u.email_confirmed_at is null end
                       from auth.users u where u.id = :user_id::uuid for update), 'changed');

-- Of an unconfirmed account whose address of this provider is now proven there remain one identity, the password of who asked, and nothing
-- else: no session, factor, other address.  decided: password and identity are what is left (null: no password, the provider's own
-- identity); else what waits beside the link counts.  What waits beside another one says that the password may be a stranger's: it goes; where
-- nothing waits, it stays.  A code that is not ours to compare has no link: then whatever was sent last counts.
-- account_settle(user_id, link, provider, decided, password, identity_id, metadata, now) -> none
with waits as (
    delete from postern.waiting c where c.user_id = :user_id::uuid returning c.link, c.password, c.identity_id
), claim as (
    select w.password, w.identity_id from waits w
    where not :decided::bool and w.link = coalesce(:link::text, (select t.token_hash from auth.one_time_tokens t
        where t.user_id = :user_id::uuid and t.token_type = 'confirmation_token'))
    union all
    select :password::text, :identity_id::uuid where :decided::bool
), owner as (
    update auth.users u set updated_at = :now::timestamptz, is_anonymous = false,
        encrypted_password = case when exists (select from claim) or exists (select from waits)
            then (select c.password from claim c) else u.encrypted_password end,
        raw_user_meta_data = coalesce(:metadata::jsonb, u.raw_user_meta_data),
        email = case when :provider::text <> 'phone' then u.email end, phone = case when :provider::text = 'phone' then u.phone end
    where u.id = :user_id::uuid and u.email_confirmed_at is null and u.phone_confirmed_at is null
    returning u.id
), kept as (
    select coalesce((select i.id from claim c join auth.identities i on i.id = c.identity_id where i.user_id = owner.id),
        (select i.id from auth.identities i where i.user_id = owner.id and i.provider = :provider limit 1)) as id, owner.id as user_id
    from owner
), sessions as (
    delete from auth.sessions s using owner where s.user_id = owner.id
), factors as (
    delete from auth.mfa_factors f using owner where f.user_id = owner.id
), credentials as (
    delete from auth.webauthn_credentials c using owner where c.user_id = owner.id
)
delete from auth.identities i using kept where i.user_id = kept.user_id and i.id <> kept.id;

-- Passkeys and factors of an unconfirmed account.
-- account_drop_keys(user_id) -> none
with nobodys as (
    select u.id from auth.users u where u.id = :user_id::uuid and u.email_confirmed_at is null and u.phone_confirmed_at is null
), factors as (
    delete from auth.mfa_factors f using nobodys where f.user_id = nobodys.id
)
delete from auth.webauthn_credentials c using nobodys where c.user_id = nobodys.id;

-- What was begun by whoever had the account until now is void: changes of address, nonces, sign-ins on their way; flows of links too where
-- all is set.
-- account_undo(user_id, all) -> none
with undone as (
    update auth.users u set email_change = '', email_change_token_current = '', email_change_token_new = '', email_change_confirm_status = 0,
        phone_change = '', phone_change_token = '', reauthentication_token = ''
    where u.id = :user_id::uuid
    returning u.id
), tokens as (
    delete from auth.one_time_tokens t using undone
    where t.user_id = undone.id
        and t.token_type in ('email_change_token_current', 'email_change_token_new', 'phone_change_token', 'reauthentication_token')
)
delete from auth.flow_state f using undone
where (f.user_id = undone.id and (f.authentication_method = 'oauth' or :all::bool)) or f.linking_target_id = undone.id;
