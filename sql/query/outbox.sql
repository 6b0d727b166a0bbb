-- outbox_put(id, letter, user_id, kind, hash, recipient, key_id, sealed, message_id, now) -> none
insert into postern.outbox (id, letter, user_id, kind, hash, recipient, key_id, sealed, message_id, created_at, due_at)
values (:id::uuid, :letter, :user_id::uuid, :kind, :hash, :recipient, :key_id, decode(:sealed::text, 'hex'), :message_id,
    :now::timestamptz, clock_timestamp());

-- A statement of its own: a commit that carries a NOTIFY waits for every other such commit.
-- outbox_notify() -> none
notify postern_outbox;

-- outbox_listen() -> none
listen postern_outbox;

-- The process at the other end, for who wants to know whether a pooler sits between.
-- outbox_backend() -> final one pid:int
select pg_backend_pid() as pid;

-- The letter that waits the longest becomes ours for a time.  stale: its token was used, replaced, or went with its user.
-- outbox_claim(seconds, lifetime) -> final maybe id, letter, recipient, key_id, sealed, message_id, claim, created_at:time, stale:bool, expired:bool
update postern.outbox o set claimed_until = clock_timestamp() + make_interval(secs => :seconds::float8), attempts = o.attempts + 1
from (
    select w.id from postern.outbox w
    where w.failed_at is null and w.due_at <= clock_timestamp() and (w.claimed_until is null or w.claimed_until <= clock_timestamp())
    order by w.due_at limit 1 for update skip locked) w
where o.id = w.id
returning o.id, o.letter, o.recipient, o.key_id, encode(o.sealed, 'hex') as sealed, o.message_id, o.claimed_until as claim,
    o.created_at,
    o.hash is not null and not exists (select from auth.one_time_tokens t
        where t.user_id = o.user_id and t.token_type::text = o.kind and t.token_hash = o.hash) as stale,
    o.hash is not null and o.created_at + make_interval(secs => :lifetime::float8) <= clock_timestamp() as expired;

-- Delivered, or of no use any more.
-- outbox_remove(id) -> final maybe id
delete from postern.outbox where id = :id::uuid returning id;

-- Kept for the operator.  Whoever has claimed the row meanwhile decides.
-- outbox_fail(id, claim, error) -> final maybe id
update postern.outbox set failed_at = clock_timestamp(), claimed_until = null, last_error = :error
where id = :id::uuid and claimed_until = :claim::timestamptz
returning id;

-- Another try after 2, 4, 8 ... 900 seconds, a quarter more or less; none after two days.
-- Where the mail server can't be reached at all the letter is not to blame: it was no try, and the mailer does the waiting.
-- outbox_postpone(id, claim, error, unreached) -> final maybe failed:bool
update postern.outbox set claimed_until = null, last_error = :error,
    attempts = attempts - :unreached::bool::int,
    due_at = clock_timestamp() + make_interval(secs => case when :unreached::bool then 0
        else least(power(2, least(attempts, 20)), 900) * (0.75 + random() / 2) end),
    failed_at = case when created_at < clock_timestamp() - interval '2 days' then clock_timestamp() end
where id = :id::uuid and claimed_until = :claim::timestamptz
returning failed_at is not null as failed;

-- age: of the letter that has waited the longest, in seconds.
-- outbox_state() -> one waiting:int, failed:int, age:int
select count(*) filter (where failed_at is null) as waiting, count(*) filter (where failed_at is not null) as failed,
    coalesce(extract(epoch from clock_timestamp() - min(created_at) filter (where failed_at is null)), 0)::int8 as age
from postern.outbox;

-- Page by page, the oldest first; after: the last id of the page before.
-- outbox_list(after) -> many id, letter, recipient, state, attempts:int, created_at, last_error
select o.id, o.letter, o.recipient,
    case when o.failed_at is not null then 'failed' when o.claimed_until > clock_timestamp() then 'sending' else 'waiting' end as state,
    o.attempts, %iso(o.created_at) as created_at, o.last_error
from postern.outbox o
where :after::uuid is null or (o.created_at, o.id) > (select p.created_at, p.id from postern.outbox p where p.id = :after::uuid)
order by o.created_at, o.id limit 1000;

-- One by its id, or every failed letter when that is null.
-- outbox_revive(id) -> one count:int
with revived as (
    update postern.outbox set failed_at = null, attempts = 0, due_at = clock_timestamp()
    where case when :id::uuid is null then failed_at is not null else id = :id::uuid end
    returning 1)
select count(*) from revived;

-- outbox_drop(id) -> one count:int
with dropped as (
    delete from postern.outbox
    where case when :id::uuid is null then failed_at is not null else id = :id::uuid end
    returning 1)
select count(*) from dropped;
