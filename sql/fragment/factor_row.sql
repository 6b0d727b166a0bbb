array[&1.created_at::text, &1.id::text, &1.updated_at::text, &1.status::text, &1.factor_type::text, &1.phone, &1.last_challenged_at::text,
    &1.friendly_name, &1.web_authn_aaguid::text, &1.last_webauthn_challenge_data::text]
