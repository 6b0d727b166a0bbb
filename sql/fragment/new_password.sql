encrypted_password = :password, updated_at = :now::timestamptz, confirmation_token = '', confirmation_sent_at = null,
    recovery_token = '', recovery_sent_at = null, email_change_sent_at = null, phone_change_sent_at = null, reauthentication_sent_at = null
