(&1.provider <> 'phone' and (&1.identity_data ->> 'email_verified' = 'true'
    or (%identity_address(&1) = lower(&2.email collate "C") and not %yields_email(&2))))
