-- How often a wrong code was tried against each of these.
-- attempts_of(hashes) -> many hash, attempts:int
select hash, attempts from postern.attempts where hash = any (:hashes::text[]);

-- attempts_add(hashes) -> none
with old as (
    delete from postern.attempts where hash in (
        select hash from postern.attempts where first_at < now() - interval '2 days' order by first_at limit 100 for update skip locked)
)
insert into postern.attempts (hash, attempts, first_at)
select h, 1, now() from (select distinct h from unnest(:hashes::text[]) h where h <> '' order by h) wrong
on conflict (hash) do update set attempts = postern.attempts.attempts + 1;
