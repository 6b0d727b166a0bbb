&1.authentication_method in ('totp', 'mfa/phone', 'mfa/webauthn')
