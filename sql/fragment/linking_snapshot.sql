(select case when i.id is not null then 'exists'
             when :emails::text[] = '{}' then 'create'
             when alike.people > 1 then 'multiple'
             when alike.people = 1 then 'link'
             when owners.people > 1 then 'multiple'
             when owners.people = 1 then 'link'
             else 'create' end as decision,
        i.id as identity_id,
        case when i.id is not null then i.user_id
             when :emails::text[] = '{}' then null
             when alike.people = 1 then alike.user_id
             when alike.people = 0 and owners.people = 1 then owners.user_id end as user_id,
        exists (select from auth.identities x join auth.users y on y.id = x.user_id
                where x.email = lower(:email::text) and %identity_address(x) = :email::text and %believed_address(x, y)
                    and %linking_domain(x.provider) = 'default' and y.aud = :aud::text)
        or exists (select from auth.users y
                   where y.instance_id = %nil and %same_address(y.email, :email::text)
                     and not y.is_sso_user) as taken
 from (values (1)) one (one)
 left join auth.identities i on i.provider = :provider::text and i.provider_id = :sub::text
 cross join lateral (select count(distinct x.user_id) as people, (array_agg(x.user_id))[1] as user_id
                     from auth.identities x join auth.users y on y.id = x.user_id
                     where x.email = any (:emails::text[]) and %identity_address(x) = any (:emails::text[]) and %believed_address(x, y)
                         and %linking_domain(x.provider) = :domain::text) alike
 cross join lateral (select count(*) as people, (array_agg(x.id))[1] as user_id from auth.users x
                     where :domain::text = 'default' and x.instance_id = %nil and lower(x.email) = any (:emails::text[])
                         and lower(x.email collate "C") = any (:emails::text[]) and not x.is_sso_user and not %yields_email(x)) owners)
