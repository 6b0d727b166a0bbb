&1.refresh_token_hmac_key as hmac_key, &1.refresh_token_counter as counter, &1.oauth_client_id as client_id, &1.scopes,
    array(select array[c.updated_at::text, c.authentication_method] from auth.mfa_amr_claims c where c.session_id = &1.id) as methods
