least(:burst::float8, &1.tokens + extract(epoch from clock_timestamp() - &1.refilled)::float8 * :per_second::float8)
