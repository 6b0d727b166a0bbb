md5(concat_ws('|', &1.decision, &1.identity_id, &1.user_id, &1.taken, &2.email, &2.email_confirmed_at is null,
    &2.phone_confirmed_at is null, coalesce(&2.banned_until > now(), false), &2.is_anonymous))
