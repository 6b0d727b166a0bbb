-- Pages of users for operators.  users: JSON objects with commas between.  oldest: oldest first, otherwise newest first.

-- From whichever end is nearer, so that no page is further than the middle.
-- user_page(aud, most, skip, oldest) -> one total:int, users
with counted as materialized (
    select %users_total(:aud::text) as n
), ends as materialized (
    select n, near, near = :oldest::bool as upward,
        case when near then :skip::bigint else greatest(n - :skip::bigint - :most::bigint, 0) end as skip,
        case when near then :most::bigint else greatest(least(:most::bigint, n - :skip::bigint), 0) end as most
    from (select n, 2 * :skip::bigint <= n as near from counted) placed
)
select ends.n as total,
    %listed_users(case when ends.upward
        then array(select u.id from %users_of(:aud::text) order by u.created_at, u.id limit ends.most offset ends.skip)
        else array(select u.id from %users_of(:aud::text) order by u.created_at desc, u.id desc limit ends.most offset ends.skip)
    end, case when ends.near then p.k else -p.k end) as users
from ends;

-- user_page_filtered(aud, filter, most, skip, oldest) -> one total:int, users
with hits as materialized (select u.id, u.created_at from %users_of(:aud::text) and %user_matches(:filter::text))
select %listed_hits;

-- Those with exactly this address or number; whatever is not asked for is null.
-- user_page_exact(aud, email, phone, filter, most, skip, oldest) -> one total:int, users
with hits as materialized (
    select u.id, u.created_at from %users_of(:aud::text)
    and (%same_address(u.email, :email::text) or u.phone = :phone::text)
    and (:email::text is null or %same_address(u.email, :email::text)) and (:phone::text is null or u.phone = :phone::text)
    and (:filter::text is null or %user_matches(:filter::text))
)
select %listed_hits;

-- Pages behind a user of the page before; null: the first.
-- user_page_newer(aud, filter, most, created_at, id) -> one more:bool, users, last_id, last_created_at
%users_keyset(>, asc, '-infinity', '00000000-0000-0000-0000-000000000000');

-- user_page_older(aud, filter, most, created_at, id) -> one more:bool, users, last_id, last_created_at
%users_keyset(<, desc, 'infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff');
