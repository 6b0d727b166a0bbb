-- Recovery codes.  What writes stands behind factor_hold().

-- All of a factor, used ones too.  rest: for how many seconds they are locked, because wrong ones were typed too often.
-- recovery_codes_of(factor_id) -> many set_id, rest:int, id, hash, used:bool
select s.id as set_id, %recovery_rest(s) as rest, c.id, c.code_hash as hash, c.consumed_at is not null as used
from auth.mfa_recovery_code_sets s join auth.mfa_recovery_codes c on c.mfa_recovery_code_set_id = s.id
where s.mfa_factor_id = :factor_id::uuid
order by c.created_at, c.id;

-- A user who has none; else the request begins anew.
-- recovery_codes_assert_none(user_id) -> none
select postern.assert(not exists (select from auth.mfa_factors f
    where f.user_id = :user_id::uuid and f.factor_type::text = 'recovery_code'), 'changed');

-- recovery_set_add(id, user_id, factor_id, now) -> none
insert into auth.mfa_recovery_code_sets (id, user_id, mfa_factor_id, created_at, updated_at)
values (:id::uuid, :user_id::uuid, :factor_id::uuid, :now::timestamptz, :now::timestamptz);

-- recovery_codes_add(set_id, ids, hashes, now) -> none
insert into auth.mfa_recovery_codes (id, mfa_recovery_code_set_id, code_hash, created_at)
select n.id, :set_id::uuid, n.hash, :now::timestamptz from unnest(:ids::uuid[], :hashes::text[]) n (id, hash);

-- A set without codes, for new ones; the lock goes with the old ones.
-- recovery_set_empty(id, now) -> none
with emptied as (
    update auth.mfa_recovery_code_sets set failed_verification_count = 0, verification_locked_until = null, updated_at = :now::timestamptz
    where id = :id::uuid returning id
)
delete from auth.mfa_recovery_codes c using emptied e where c.mfa_recovery_code_set_id = e.id;

-- An attempt: the code (null: none was right) is used, or else one more is counted as wrong; while the set is locked, neither.
-- recovery_attempt(set_id, code_id, most, life, now) -> maybe rest:int, spent:bool, remaining:int
with held as (
    select s.id, %recovery_rest(s) as rest,
        case when s.verification_locked_until is null then s.failed_verification_count else 0 end as failed
    from auth.mfa_recovery_code_sets s where s.id = :set_id::uuid for no key update
), spent as (
    update auth.mfa_recovery_codes c set consumed_at = :now::timestamptz from held h
    where c.mfa_recovery_code_set_id = h.id and h.rest = 0 and c.id = :code_id::uuid and c.consumed_at is null
    returning c.id
), counted as (
    update auth.mfa_recovery_code_sets s set updated_at = :now::timestamptz,
        failed_verification_count = case when exists (select from spent) then 0 else h.failed + 1 end,
        verification_locked_until = case when h.failed + 1 >= :most::int and not exists (select from spent) then now() + %life end
    from held h where s.id = h.id and h.rest = 0
)
select h.rest, exists (select from spent) as spent, (select count(*) from auth.mfa_recovery_codes c
    where c.mfa_recovery_code_set_id = h.id and c.consumed_at is null and c.id is distinct from :code_id::uuid) as remaining
from held h;
