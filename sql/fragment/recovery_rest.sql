greatest(coalesce(ceil(extract(epoch from &1.verification_locked_until - now())), 0), 0)::bigint
