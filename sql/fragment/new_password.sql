encrypted_password = :password, updated_at = :now::timestamptz, confirmation_token = '', recovery_token = '', %never_sent
