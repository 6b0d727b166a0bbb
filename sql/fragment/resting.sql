coalesce(&1.rests_until > clock_timestamp(), false)
