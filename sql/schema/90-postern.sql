-- Postern's own tables, in a schema of their own, so that a site can go back to the reference: nothing of it looks in here.
-- The files from 90 on run once each, and are recorded here by their names.
create table if not exists postern.migrations (
    version text not null primary key,
    applied_at timestamptz not null default now()
);

-- Token buckets of the rate limits, sql/query/limit.sql.  Unlogged: after a crash everybody starts with a full bucket.
create unlogged table if not exists postern.limits (
    key text not null primary key,
    tokens double precision not null,
    refilled timestamptz not null,
    allowed boolean not null default true
);
