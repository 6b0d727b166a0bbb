&1.id, &1.aud, &1.role, &1.email, &1.phone, &1.encrypted_password as password, &1.is_sso_user as sso, &1.is_anonymous as anonymous,
&1.banned_until > now() as banned, &1.email_confirmed_at is not null as email_confirmed,
&1.phone_confirmed_at is not null as phone_confirmed, &1.invited_at is not null as invited,
&1.email_change, &1.phone_change, &1.email_change_confirm_status as email_change_status,
&1.confirmation_token, &1.recovery_token, &1.email_change_token_current, &1.email_change_token_new, &1.phone_change_token,
&1.reauthentication_token,
&1.confirmation_sent_at, &1.recovery_sent_at, &1.email_change_sent_at, &1.phone_change_sent_at, &1.reauthentication_sent_at,
&1.raw_app_meta_data as app_metadata, &1.raw_user_meta_data as user_metadata, &1.raw_user_meta_data -> 'full_name' as full_name,
&1.email_confirmed_at, &1.phone_confirmed_at, &1.confirmed_at, &1.invited_at, &1.last_sign_in_at, &1.created_at, &1.updated_at,
&1.banned_until, &1.deleted_at,
array(select array[i.created_at::text, i.id::text, i.provider_id, i.provider, i.identity_data::text, i.last_sign_in_at::text,
          i.updated_at::text, i.email]
      from auth.identities i where i.user_id = &1.id) as identities,
array(select array[f.created_at::text, f.id::text, f.updated_at::text, f.status::text, f.factor_type::text, f.phone, f.last_challenged_at::text,
          f.friendly_name, f.web_authn_aaguid::text, f.last_webauthn_challenge_data::text]
      from auth.mfa_factors f where f.user_id = &1.id) as factors,
null as told
