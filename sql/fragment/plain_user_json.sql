(jsonb_strip_nulls(jsonb_build_object(
    'id', &1.id, 'aud', coalesce(&1.aud, ''), 'role', coalesce(&1.role, ''),
    'email', coalesce(&1.email, ''), 'email_confirmed_at', %iso(&1.email_confirmed_at),
    'phone', coalesce(&1.phone, ''), 'phone_confirmed_at', %iso(&1.phone_confirmed_at),
    'confirmed_at', %iso(&1.confirmed_at), 'invited_at', %iso(&1.invited_at),
    'confirmation_sent_at', %iso(&1.confirmation_sent_at), 'recovery_sent_at', %iso(&1.recovery_sent_at),
    'new_email', nullif(&1.email_change, ''), 'email_change_sent_at', %iso(&1.email_change_sent_at),
    'new_phone', nullif(&1.phone_change, ''), 'phone_change_sent_at', %iso(&1.phone_change_sent_at),
    'reauthentication_sent_at', %iso(&1.reauthentication_sent_at), 'last_sign_in_at', %iso(&1.last_sign_in_at),
    'created_at', %iso(&1.created_at), 'updated_at', %iso(&1.updated_at),
    'banned_until', %iso(&1.banned_until), 'deleted_at', %iso(&1.deleted_at), 'is_anonymous', &1.is_anonymous))
|| jsonb_build_object('app_metadata', %object(&1.raw_app_meta_data), 'user_metadata', %object(&1.raw_user_meta_data)))
