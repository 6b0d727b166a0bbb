case &2 when 'confirmation_token' then &1.confirmation_sent_at when 'recovery_token' then &1.recovery_sent_at
    when 'phone_change_token' then &1.phone_change_sent_at when 'reauthentication_token' then &1.reauthentication_sent_at
    else &1.email_change_sent_at end
