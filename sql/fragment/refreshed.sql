refreshed_at = &1::timestamptz at time zone 'UTC', user_agent = nullif(:user_agent::text, ''), ip = nullif(:address::text, '')::inet,
        updated_at = &1::timestamptz
