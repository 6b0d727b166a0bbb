-- What makes lists of a million users quick: an index, and a count of each audience that triggers keep right whoever writes, the reference
-- too.  All that we put into the reference's schema is called postern_*; postern migrate --remove-extras takes it out again.
-- A count is spread over several rows, so that sign-ups need not wait for each other; the total is their sum.
create table if not exists postern.user_counts (
    id bigint not null generated always as identity primary key,
    users regclass not null,
    instance_id uuid,
    aud text,
    n bigint not null
) with (fillfactor = 50);
create index if not exists user_counts_aud_idx on postern.user_counts (users, aud);

-- Adds to a row that nobody else is adding to, or begins another.  A transaction that sees the past can't change a row of the present.
create or replace function postern.user_count_add(counted regclass, instance uuid, audience text, change bigint) returns void
language plpgsql as $$
begin
    if current_setting('transaction_isolation') = 'read committed' then
        update postern.user_counts c set n = c.n + change
        where c.id = (
            select f.id from postern.user_counts f
            where f.users = counted and f.instance_id is not distinct from instance and f.aud is not distinct from audience
            limit 1 for update skip locked);
        if found then
            return;
        end if;
    end if;
    insert into postern.user_counts (users, instance_id, aud, n) values (counted, instance, audience, change);
end $$;

-- As its owner: whoever may write users need not be allowed into our schema.
create or replace function postern.count_users() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    case tg_op
    when 'INSERT' then
        perform postern.user_count_add(tg_relid, r.instance_id, r.aud, r.n)
        from (select instance_id, aud, count(*) as n from added group by 1, 2) r;
    when 'DELETE' then
        perform postern.user_count_add(tg_relid, r.instance_id, r.aud, -r.n)
        from (select instance_id, aud, count(*) as n from removed group by 1, 2) r;
    when 'UPDATE' then
        perform postern.user_count_add(tg_relid, old.instance_id, old.aud, -1);
        perform postern.user_count_add(tg_relid, new.instance_id, new.aud, 1);
    else
        delete from postern.user_counts where users = tg_relid;
    end case;
    return null;
end $$;

-- The triggers lock out writers until we commit, so no user is counted twice or not at all.
do $$
begin
    create index postern_users_list on auth.users (instance_id, aud, created_at, id);
    create trigger postern_count_insert after insert on auth.users
        referencing new table as added for each statement execute function postern.count_users();
    create trigger postern_count_delete after delete on auth.users
        referencing old table as removed for each statement execute function postern.count_users();
    create trigger postern_count_update after update of instance_id, aud on auth.users for each row
        when (old.instance_id is distinct from new.instance_id or old.aud is distinct from new.aud) execute function postern.count_users();
    create trigger postern_count_truncate after truncate on auth.users for each statement execute function postern.count_users();
    insert into postern.user_counts (users, instance_id, aud, n)
        select (select typrelid from pg_type where oid = pg_typeof(null::auth.users)), instance_id, aud, count(*)
        from auth.users group by instance_id, aud;
exception when insufficient_privilege then
    raise warning 'no index and no count for lists of users, which will be slow where there are many: %', sqlerrm;
end $$;

-- Codes for a new number are looked for by that number, for which the reference has no index.
do $$
begin
    create index postern_users_phone_change on auth.users (phone_change) where phone_change <> '';
exception when insufficient_privilege then
    raise warning 'no index on new phone numbers, so their codes are slow to check where there are many users: %', sqlerrm;
end $$;
