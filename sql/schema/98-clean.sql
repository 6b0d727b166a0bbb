-- When a bucket is full again at the latest: then its row says nothing.  One that was there before has a day.
alter table postern.limits add column if not exists full_at timestamptz not null default now() + interval '1 day';
