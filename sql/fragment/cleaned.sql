with gone as (
    delete from &1 where &2 in (
        select &2 from &1 where &3 limit :rows::int / &4 for update skip locked)
    returning 1
)
select count(*) * &4 as count from gone
