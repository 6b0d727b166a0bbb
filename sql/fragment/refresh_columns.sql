&1.refresh_token_hmac_key as hmac_key, &1.refresh_token_counter as counter, &1.oauth_client_id as client_id, &1.scopes,
    case when exists (select from auth.mfa_amr_claims c where c.session_id = &1.id and %aal2_method(c)) then 'aal2' else 'aal1' end as aal,
    %amr(&1) as amr
