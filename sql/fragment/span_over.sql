(&1.refilled + :seconds::float8 * interval '1 second' <= clock_timestamp())
