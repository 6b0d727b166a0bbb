translate(encode(sha256(convert_to(&1 || (&2), 'UTF8')), 'base64'), '+/=', '-_')
