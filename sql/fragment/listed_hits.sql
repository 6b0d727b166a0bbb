%listed_user(u), c.total
from (select count(*) as total from hits) c
left join (select h.id, h.created_at from hits h
    order by case when :oldest::bool then h.created_at end, case when :oldest::bool then h.id end, h.created_at desc, h.id desc
    limit :most::bigint offset :skip::bigint) p on true
left join auth.users u on u.id = p.id
order by case when :oldest::bool then p.created_at end, case when :oldest::bool then p.id end, p.created_at desc, p.id desc
