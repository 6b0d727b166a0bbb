-- Letters on their way out, sql/query/outbox.sql.  What they print is sealed under key_id; a row goes when its letter is delivered.
-- kind and hash are those of the one-time token in the letter, null in one that goes whatever happens.
create table if not exists postern.outbox (
    id uuid not null primary key,
    letter text not null,
    user_id uuid not null,
    kind text,
    hash text,
    recipient text not null,
    key_id text not null,
    sealed bytea not null,
    message_id text not null,
    created_at timestamptz not null,
    due_at timestamptz not null,
    claimed_until timestamptz,
    tries integer not null default 0,
    dead_at timestamptz,
    last_error text
);
create index if not exists outbox_due_idx on postern.outbox (due_at) where dead_at is null;
create index if not exists outbox_dead_idx on postern.outbox (dead_at) where dead_at is not null;
