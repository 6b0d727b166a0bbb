case &2 when 'confirmation_token' then &1.confirmation_token when 'recovery_token' then &1.recovery_token
    when 'email_change_token_current' then &1.email_change_token_current when 'email_change_token_new' then &1.email_change_token_new
    when 'phone_change_token' then &1.phone_change_token when 'reauthentication_token' then &1.reauthentication_token end
