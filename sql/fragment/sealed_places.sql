(
    select text 'users.encrypted_password' as place, id, encrypted_password::text as stored, %password_room as room from auth.users
    union all select text 'sessions.refresh_token_hmac_key', id, refresh_token_hmac_key::text, 0 from auth.sessions
    union all select text 'custom_oauth_providers.client_secret', id, client_secret, 0 from auth.custom_oauth_providers
    union all select text 'mfa_factors.secret', id, secret, 0 from auth.mfa_factors
    union all select text 'mfa_challenges.otp_code', id, otp_code, 0 from auth.mfa_challenges
    union all select text 'waiting.password', user_id, password, 0 from postern.waiting
)
