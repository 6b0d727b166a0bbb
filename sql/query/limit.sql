-- Takes one token from a bucket that refills evenly; an empty one stays as it is.
-- limit_take_one(key, burst, per_second) -> final one allowed:bool
insert into postern.limits as l (key, tokens, refilled, allowed, full_at)
values (:key, :burst::float8 - 1, clock_timestamp(), :burst::float8 >= 1,
    clock_timestamp() + make_interval(secs => least(:burst::float8 / greatest(:per_second::float8, 1e-9), 1e10)))
on conflict (key) do update set
    tokens = %bucket(l) - (%bucket(l) >= 1)::int, refilled = clock_timestamp(), allowed = %bucket(l) >= 1, full_at = excluded.full_at
returning l.allowed;

-- Takes one of so many in a span that begins with the first; an exhausted span stays as it is.
-- limit_take_in_span(key, events, seconds) -> final one allowed:bool
insert into postern.limits as l (key, tokens, refilled, allowed, full_at)
values (:key, :events::float8 - 1, clock_timestamp(), :events::float8 >= 1,
    clock_timestamp() + make_interval(secs => least(:seconds::float8, 1e10)))
on conflict (key) do update set
    tokens = case when %span_over(l) then :events::float8 - 1 when l.tokens >= 1 then l.tokens - 1 else l.tokens end,
    refilled = case when %span_over(l) then clock_timestamp() else l.refilled end,
    allowed = case when %span_over(l) then :events::float8 >= 1 else l.tokens >= 1 end,
    full_at = excluded.full_at
returning l.allowed;

-- Counts one that is let through in any case.
-- limit_note(key) -> none
update postern.limits set tokens = greatest(tokens - 1, 0) where key = :key;

-- sending_noted(key) -> maybe at:time
select refilled as at from postern.limits where key = :key;

-- sending_note_at(key, now, seconds) -> none
insert into postern.limits (key, tokens, refilled, allowed, full_at)
values (:key, 0, :now::timestamptz, false, :now::timestamptz + make_interval(secs => least(:seconds::float8, 1e10)))
on conflict (key) do update set refilled = excluded.refilled, full_at = excluded.full_at;
