(select count(*) from hits) as total,
%listed_users(array(select h.id from hits h
    order by case when :oldest::bool then h.created_at end, case when :oldest::bool then h.id end, h.created_at desc, h.id desc
    limit :most::bigint offset :skip::bigint), p.k) as users
