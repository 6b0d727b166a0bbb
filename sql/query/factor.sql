-- Second factors.  Behind user_hold().

-- A factor that is changed or goes is there; else the request begins anew, and does not find it.
-- factor_assert(id, user_id) -> none
select postern.assert(exists (select from auth.mfa_factors f where f.id = :id::uuid and f.user_id = :user_id::uuid), 'changed');

-- Null leaves as it is.
-- factor_alter(id, friendly_name, phone, now) -> final one factors
update auth.mfa_factors f set friendly_name = coalesce(:friendly_name, f.friendly_name), phone = coalesce(:phone, f.phone),
    updated_at = case when coalesce(:friendly_name, :phone) is null then f.updated_at else :now::timestamptz end
where f.id = :id::uuid
returning array[%factor_row(f)] as factors;

-- factor_drop(id) -> final one id
delete from auth.mfa_factors where id = :id::uuid returning id;
