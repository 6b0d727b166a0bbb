%user_plain(&1),
array(select array[i.created_at::text, i.id::text, i.provider_id, i.provider, i.identity_data::text, i.last_sign_in_at::text,
          i.updated_at::text, i.email]
      from auth.identities i where i.user_id = &1.id) as identities,
array(select array[f.created_at::text, f.id::text, f.updated_at::text, f.status::text, f.factor_type::text, f.phone, f.last_challenged_at::text,
          f.friendly_name, f.web_authn_aaguid::text, f.last_webauthn_challenge_data::text]
      from auth.mfa_factors f where f.user_id = &1.id) as factors,
null as told
