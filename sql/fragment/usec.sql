case when &1 is not null then (extract(epoch from least(greatest(&1, '0001-01-01'), '9999-12-31')) * 1000000)::bigint end
