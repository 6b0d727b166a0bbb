(extract(epoch from &1) * 1000000)::bigint
