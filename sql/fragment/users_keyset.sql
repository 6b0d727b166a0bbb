select %listed_user(u), null::bigint as total from %users_of(:aud::text) and %users_asked
    and (u.created_at, u.id) &1 (coalesce(:created_at::timestamptz, &3), coalesce(:id::uuid, &4))
order by u.created_at &2, u.id &2 limit :most::bigint
