-- How often a wrong code was typed against a stored one, by its hash: sql/query/onetime.sql.
create table if not exists postern.tries (
    hash text not null primary key,
    tries integer not null,
    first_at timestamptz not null
);
create index if not exists tries_first_at_idx on postern.tries (first_at);
