-- Takes one token from a bucket that refills evenly; an empty one stays as it is.
-- limit_take_one(key, burst, per_second) -> final one allowed:bool
insert into postern.limits as l (key, tokens, refilled, allowed)
values (:key, :burst::float8 - 1, clock_timestamp(), :burst::float8 >= 1)
on conflict (key) do update set
    tokens = %bucket(l) - (%bucket(l) >= 1)::int, refilled = clock_timestamp(), allowed = %bucket(l) >= 1
returning l.allowed;
