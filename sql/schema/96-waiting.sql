-- What an unconfirmed account becomes when the letter or message that waits is followed, by who asked for it: core/owner.h.  link: what
-- auth.one_time_tokens has; a row whose link is another one's counts no more.
create table if not exists postern.waiting (
    user_id uuid not null primary key,
    link text not null,
    password text,
    identity_id uuid,
    made_at timestamptz not null default now()
);
create index if not exists waiting_made_at_idx on postern.waiting (made_at);
