jsonb_build_object(
    'id', &1.id, 'created_at', %iso(&1.created_at), 'updated_at', %iso(&1.updated_at), 'status', &1.status,
    'factor_type', &1.factor_type, 'phone', coalesce(&1.phone, ''), 'last_challenged_at', %iso(&1.last_challenged_at))
|| jsonb_strip_nulls(jsonb_build_object(
    'friendly_name', nullif(&1.friendly_name, ''), 'web_authn_aaguid', &1.web_authn_aaguid,
    'last_webauthn_challenge_data', &1.last_webauthn_challenge_data))
