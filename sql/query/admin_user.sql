-- What operators do to users.

-- providers: of the identities that are made with it.  A key of app_metadata that is null is left out; those of user_metadata stay.
-- admin_user_add(id, aud, role, email, phone, password, providers, app_metadata, user_metadata, email_confirmed_at, phone_confirmed_at,
--     banned_until, now) -> none
insert into auth.users (instance_id, id, aud, role, email, phone, encrypted_password, email_confirmed_at, phone_confirmed_at, banned_until,
    raw_app_meta_data, raw_user_meta_data, is_sso_user, is_anonymous, created_at, updated_at, confirmation_token, recovery_token, email_change,
    email_change_token_new, email_change_token_current, email_change_confirm_status, phone_change, phone_change_token, reauthentication_token)
values (%nil, :id::uuid, :aud, :role, nullif(:email::text, ''), nullif(:phone::text, ''), :password,
    :email_confirmed_at::timestamptz, :phone_confirmed_at::timestamptz, :banned_until::timestamptz,
    (:providers::jsonb || coalesce(:app_metadata::jsonb, '{}')) - array(select key from jsonb_each(:app_metadata::jsonb) where value = 'null'),
    case when :email_confirmed_at::text is null then :user_metadata::jsonb else %object(:user_metadata::jsonb) || '{"email_verified": true}' end,
    false, false, :now::timestamptz, :now::timestamptz, '', '', '', '', '', 0, '', '', '');

-- Null leaves as it is.  ban: banned_until counts, null ends a ban.  named: no longer anonymous.
-- admin_user_change(id, role, email, phone, ban, banned_until, named, now) -> none
update auth.users set role = coalesce(:role, role), email = coalesce(:email, email), phone = coalesce(:phone, phone),
    banned_until = case when :ban::bool then :banned_until::timestamptz else banned_until end, is_anonymous = is_anonymous and not :named::bool,
    updated_at = :now::timestamptz
where id = :id::uuid;

-- admin_user_counts(id) -> one sessions:int, factors:int
select (select count(*) from auth.sessions s where s.user_id = :id::uuid) as sessions,
    (select count(*) from auth.mfa_factors f where f.user_id = :id::uuid and f.status = 'verified') as factors;
