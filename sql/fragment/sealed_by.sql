case when &1 like '{%"alg":"aes-gcm-hkdf"%' then nullif(split_part(split_part(&1, '"key_id":"', 2), '"', 1), '') end
