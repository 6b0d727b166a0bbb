(jsonb_build_object(
    'id', &1.id, 'provider_type', &1.provider_type, 'identifier', &1.identifier, 'name', &1.name, 'client_id', &1.client_id,
    'acceptable_client_ids', &1.acceptable_client_ids, 'scopes', &1.scopes, 'pkce_enabled', &1.pkce_enabled,
    'attribute_mapping', &1.attribute_mapping, 'custom_claims_allowlist', &1.custom_claims_allowlist,
    'authorization_params', &1.authorization_params, 'enabled', &1.enabled, 'email_optional', &1.email_optional,
    'skip_nonce_check', &1.skip_nonce_check, 'created_at', %iso(&1.created_at), 'updated_at', %iso(&1.updated_at))
|| jsonb_strip_nulls(jsonb_build_object(
    'issuer', &1.issuer, 'discovery_url', &1.discovery_url, 'discovery_document', &1.cached_discovery,
    'authorization_url', &1.authorization_url, 'token_url', &1.token_url, 'userinfo_url', &1.userinfo_url, 'jwks_uri', &1.jwks_uri)))
