-- Users for operators, as many as one statement shall bring.  oldest: oldest first, otherwise newest first.
-- row listed_user: user, total:int

-- By number, from whichever end is nearer, so that no page is further than the middle.  There is one row without a user where there are none.
-- user_page(aud, most, skip, oldest) -> custom many listed_user
with counted as materialized (
    select %users_total(:aud::text) as n
), ends as materialized (
    select n, near, near = :oldest::bool as upward,
        case when near then :skip::bigint else greatest(n - :skip::bigint - :most::bigint, 0) end as skip,
        case when near then :most::bigint else greatest(least(:most::bigint, n - :skip::bigint), 0) end as most
    from (select n, 2 * :skip::bigint <= n as near from counted) placed
)
select %listed_user(u), ends.n as total
from ends
left join unnest(case when ends.upward
        then array(select u.id from %users_of(:aud::text) order by u.created_at, u.id limit ends.most offset ends.skip)
        else array(select u.id from %users_of(:aud::text) order by u.created_at desc, u.id desc limit ends.most offset ends.skip)
    end) with ordinality p(id, k) on true
left join auth.users u on u.id = p.id
order by case when ends.near then p.k else -p.k end;

-- user_page_filtered(aud, filter, most, skip, oldest) -> custom many listed_user
with hits as materialized (select u.id, u.created_at from %users_of(:aud::text) and %user_matches(:filter::text))
select %listed_hits;

-- Those with exactly this address or number; whatever is not asked for is null.
-- user_page_exact(aud, email, phone, filter, most, skip, oldest) -> custom many listed_user
with hits as materialized (
    select u.id, u.created_at from %users_of(:aud::text)
    and (%same_address(u.email, :email::text) or u.phone = :phone::text) and %users_asked
)
select %listed_hits;

-- Behind a user; null: from the beginning.
-- user_page_newer(aud, email, phone, filter, most, created_at, id) -> custom many listed_user
%users_keyset(>, asc, '-infinity', %nil);

-- user_page_older(aud, email, phone, filter, most, created_at, id) -> custom many listed_user
%users_keyset(<, desc, 'infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff');
