jsonb_strip_nulls(jsonb_build_object(
    'identity_id', &1.id, 'id', &1.provider_id, 'user_id', &1.user_id, 'provider', &1.provider,
    'last_sign_in_at', %iso(&1.last_sign_in_at), 'created_at', %iso(&1.created_at), 'updated_at', %iso(&1.updated_at),
    'email', nullif(&1.email, '')))
|| case when &1.identity_data = '{}' then '{}' else jsonb_build_object('identity_data', &1.identity_data) end
