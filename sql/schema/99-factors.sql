-- How a second factor was used, by its id: how often a wrong code was typed in a row, until when it rests, and the step of RFC 6238 whose code
-- was accepted last.  A row that nobody has touched for a day says nothing: its codes are long over.
create table if not exists postern.factor_use (
    factor_id uuid not null primary key,
    attempts integer not null default 0,
    rests_until timestamptz,
    allowed boolean not null default true,
    step bigint not null default 0,
    used_at timestamptz not null default now()
);
create index if not exists factor_use_used_at_idx on postern.factor_use (used_at);
