(&1.email_confirmed_at is null and &1.phone_confirmed_at is not null)
