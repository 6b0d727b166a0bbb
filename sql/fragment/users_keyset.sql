with page as materialized (
    select array(select u.id from %users_of(:aud::text)
                 and (:filter::text is null or %user_matches(:filter::text))
                 and (u.created_at, u.id) &1 (coalesce(:created_at::timestamptz, &3), coalesce(:id::uuid, &4))
                 order by u.created_at &2, u.id &2 limit :most::bigint + 1) as ids)
select coalesce(cardinality(page.ids) > :most::bigint, false) as more, %listed_users(page.ids[1 : :most::bigint], p.k) as users,
    last.id as last_id, %iso(last.created_at) as last_created_at
from page left join auth.users last on last.id = page.ids[:most::bigint]
