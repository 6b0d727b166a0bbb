-- user_by_id(id) -> maybe user
select %user_columns(u), %no_session from auth.users u
where u.instance_id = %nil and u.id = :id::uuid;

-- The bearer of an access token: the user and, when the token names one, the session.
-- user_by_session(id, session) -> maybe user
select %user_columns(u), %session_columns(s)
from auth.users u left join auth.sessions s on s.id = :session::uuid
where u.instance_id = %nil and u.id = :id::uuid;

-- The lock on all that is a user's: whoever writes more of it than a single row takes this first.
-- user_hold(id) -> none
select from auth.users where id = :id::uuid for no key update;

-- An address is one user's, in whichever audience they are: aud: null is any.
-- user_by_email(email, aud) -> maybe user
select %user_columns(u), %no_session from auth.users u
where u.instance_id = %nil and %same_address(u.email, :email::text)
    and (:aud::text is null or u.aud = :aud::text) and not u.is_sso_user
limit 1;

-- user_by_phone(phone, aud) -> maybe user
select %user_columns(u), %no_session from auth.users u
where u.instance_id = %nil and u.phone = :phone::text
    and (:aud::text is null or u.aud = :aud::text) and not u.is_sso_user
limit 1;

-- Who has an address in the default linking domain: by identity that is believed first, then by users.email.  except: a user that does not count;
-- own_domain: providers with linking domains of their own.  aud: null is any.
-- user_holding_email(email, aud, except, own_domain) -> maybe user
select %user_columns(u), %no_session from auth.users u
where u.id = coalesce(
    (select i.user_id from auth.identities i join auth.users o on o.id = i.user_id
     where i.email = lower(:email::text) and %identity_address(i) = lower(:email::text collate "C") and %believed_address(i, o)
       and i.provider not like 'sso:%' and i.provider <> all (coalesce(:own_domain::text[], '{}'))
       and (:aud::text is null or o.aud = :aud::text) and i.user_id is distinct from :except::uuid
     limit 1),
    (select o.id from auth.users o
     where o.instance_id = %nil and %same_address(o.email, :email::text)
       and (:aud::text is null or o.aud = :aud::text) and not o.is_sso_user
     limit 1));

-- user_add(id, aud, role, email, phone, password, app_metadata, user_metadata, drop_nulls, sso, anonymous, now) -> none
insert into auth.users (instance_id, id, aud, role, email, phone, encrypted_password, raw_app_meta_data, raw_user_meta_data, is_sso_user,
    is_anonymous, created_at, updated_at, confirmation_token, recovery_token, email_change, email_change_token_new,
    email_change_token_current, email_change_confirm_status, phone_change, phone_change_token, reauthentication_token)
values (%nil, :id::uuid, :aud, :role, nullif(:email::text, ''), nullif(:phone::text, ''), :password,
    coalesce(:app_metadata::jsonb, '{}'),
    coalesce(:user_metadata::jsonb, '{}')
        - array(select key from jsonb_each(:user_metadata::jsonb) where value = 'null' and :drop_nulls::bool),
    coalesce(:sso::bool, false), coalesce(:anonymous::bool, false),
    :now::timestamptz, :now::timestamptz, '', '', '', '', '', 0, '', '', '');

-- user_confirm_email(id, now) -> none
update auth.users set email_confirmed_at = :now::timestamptz, confirmation_token = '', updated_at = :now::timestamptz,
    raw_user_meta_data = %object(raw_user_meta_data) || '{"email_verified": true}'
where id = :id::uuid;

-- user_confirm_phone(id, now) -> none
update auth.users set phone_confirmed_at = :now::timestamptz, confirmation_token = '', updated_at = :now::timestamptz
where id = :id::uuid;

-- Metadata is merged key by key; a key whose new value is null goes away.  max: how many bytes each may have then, or as many as before.
-- user_merge_metadata(id, user_metadata, app_metadata, max, now) -> none
with merged as (
    update auth.users u set updated_at = :now::timestamptz,
        raw_user_meta_data = (%object(u.raw_user_meta_data) || coalesce(:user_metadata::jsonb, '{}'))
            - array(select key from jsonb_each(coalesce(:user_metadata::jsonb, '{}')) where value = 'null'),
        raw_app_meta_data = (%object(u.raw_app_meta_data) || coalesce(:app_metadata::jsonb, '{}'))
            - array(select key from jsonb_each(coalesce(:app_metadata::jsonb, '{}')) where value = 'null')
    from auth.users was where u.id = :id::uuid and was.id = u.id
    returning octet_length(u.raw_user_meta_data::text) <= greatest(:max::int, octet_length(was.raw_user_meta_data::text))
        and octet_length(u.raw_app_meta_data::text) <= greatest(:max::int, octet_length(was.raw_app_meta_data::text)) as fits
)
select postern.assert(fits or :max::text is null, 'metadata') from merged;

-- A new password ends everything that was begun under the old one; account_undo has the rest.
-- user_set_password(id, password, now) -> none
update auth.users set %new_password where id = :id::uuid;

-- For who has none.
-- user_fill_password(id, password, now) -> none
update auth.users set %new_password where id = :id::uuid and coalesce(encrypted_password, '') = '';

-- Another form of the same password, stored only where the hash is still the one that was checked.
-- user_renew_password(id, was, password) -> none
update auth.users set encrypted_password = :password where id = :id::uuid and encrypted_password = :was;

-- The first user from an id on who has a password; after the last comes the first.  Few of many may have one, so not all are looked at.
-- user_with_password(from) -> maybe id, password
select u.id, u.encrypted_password as password from auth.users u where u.id = coalesce(
    (select n.id from (select id, encrypted_password from auth.users where id >= :from::uuid order by id limit 100) n
     where n.encrypted_password <> '' order by n.id limit 1),
    (select n.id from (select id, encrypted_password from auth.users order by id limit 100) n
     where n.encrypted_password <> '' order by n.id limit 1));

-- user_signed_in(id, now) -> final one user
update auth.users u set last_sign_in_at = :now::timestamptz, updated_at = :now::timestamptz where u.id = :id::uuid
returning %user_columns(u), %no_session;

-- user_written(id) -> final maybe user
select %user_columns(u), %no_session from auth.users u where u.id = :id::uuid;

-- user_delete(id) -> none
delete from auth.users where id = :id::uuid;

-- Keeps the row, so that what points to the user still does, and nothing that tells who it was.
-- user_hide(id, now) -> none
with hidden as (
    update auth.users u set email = %obfuscated(u.id, coalesce(u.email, '')), phone = left(%obfuscated(u.id, coalesce(u.phone, '')), 15),
        email_change = %obfuscated(u.id, coalesce(u.email_change, '')), phone_change = left(%obfuscated(u.id, coalesce(u.phone_change, '')), 15),
        encrypted_password = null, %no_tokens, raw_user_meta_data = '{}', raw_app_meta_data = '{}',
        deleted_at = :now::timestamptz, updated_at = :now::timestamptz
    where u.id = :id::uuid and u.deleted_at is null
    returning u.id
), identities as (
    update auth.identities i set identity_data = '{}', provider_id = %obfuscated(i.user_id, i.provider || ':' || i.provider_id)
    from hidden where i.user_id = hidden.id
), tokens as (
    delete from auth.one_time_tokens t using hidden where t.user_id = hidden.id
), flows as (
    delete from auth.flow_state f using hidden where f.user_id = hidden.id or f.linking_target_id = hidden.id
), factors as (
    delete from auth.mfa_factors f using hidden where f.user_id = hidden.id
), credentials as (
    delete from auth.webauthn_credentials c using hidden where c.user_id = hidden.id
)
delete from auth.sessions s using hidden where s.user_id = hidden.id;

-- A user goes only as they were seen, with the password that was compared; else the request begins anew.  Behind user_hold().
-- user_assert_unchanged(id, password) -> none
select postern.assert(exists (select from auth.users u
    where u.id = :id::uuid and u.deleted_at is null and coalesce(u.encrypted_password, '') = coalesce(:password::text, '')), 'changed');

-- A page of all users, in the order of their ids; after: the last id of the page before.
-- user_overview(after) -> many id, address, last_sign_in_at
select u.id, coalesce(nullif(u.email, ''), nullif(u.phone, ''), '(anonymous)') as address, %iso(u.last_sign_in_at) as last_sign_in_at
from auth.users u where u.id > coalesce(:after::uuid, %nil) order by u.id limit 500;

-- Who wants a number: of several, whose code it is, else who asked last.  contested: another one's code is good, too.
-- user_by_phone_change(phone, aud, typed, life) -> maybe user, contested:bool
with wanting as (
    select u.id, coalesce(u.phone_change_token = :typed::text, false) as fits, u.phone_change_sent_at,
        u.phone_change_sent_at + %life >= clock_timestamp() as good
    from auth.users u
    where u.instance_id = %nil and u.phone_change = :phone::text and u.phone_change <> ''
        and u.aud = :aud::text and not u.is_sso_user
)
select %user_columns(u), %no_session, (select count(*) > 1 from wanting w where w.good) as contested
from auth.users u
where u.id = (select w.id from wanting w order by w.fits desc, w.phone_change_sent_at desc nulls last limit 1);

-- How many characters a stored password may have; 0: any number.
-- user_password_room() -> one room:int
select %password_room as room;
