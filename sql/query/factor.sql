-- Second factors.  Behind user_hold().

-- A factor that is changed or goes is there; else the request begins anew, and does not find it.
-- factor_assert(id, user_id) -> none
select postern.assert(exists (select from auth.mfa_factors f where f.id = :id::uuid and f.user_id = :user_id::uuid), 'changed');

-- Null leaves as it is.  Codes that went to another number are void.
-- factor_alter(id, friendly_name, phone, now) -> final one factors
with void as (
    delete from auth.mfa_challenges c using auth.mfa_factors f
    where f.id = :id::uuid and c.factor_id = f.id and c.verified_at is null and f.phone is distinct from :phone::text and :phone::text is not null
)
update auth.mfa_factors f set friendly_name = coalesce(:friendly_name, f.friendly_name), phone = coalesce(:phone, f.phone),
    updated_at = case when coalesce(:friendly_name, :phone) is null then f.updated_at else :now::timestamptz end
where f.id = :id::uuid
returning array[%factor_row(f)] as factors;

-- factor_drop(id) -> final one id
delete from auth.mfa_factors where id = :id::uuid returning id;

-- What a user has when the factors are gone that nobody verified in time, everybody's, and theirs with this number (null: none).
-- factor_tidy(user_id, number, life) -> one factors
with stale as materialized (
    select f.id from auth.mfa_factors f
    where f.status = 'unverified' and f.created_at < now() - %life
      and not exists (select from auth.mfa_challenges c where c.factor_id = f.id)
    for update skip locked
), same as materialized (
    select f.id from auth.mfa_factors f
    where f.user_id = :user_id::uuid and f.phone = :number::text and f.factor_type = 'phone' and f.status = 'unverified'
), gone as (
    delete from auth.mfa_factors f where f.id in (select s.id from stale s union select s.id from same s) returning f.id
)
select array(select %factor_row(f) from auth.mfa_factors f
    where f.user_id = :user_id::uuid and not exists (select from gone g where g.id = f.id)) as factors;

-- factor_insert(id, user_id, type, friendly_name, status, phone, secret, now) -> none
insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, phone, secret, created_at, updated_at)
values (:id::uuid, :user_id::uuid, :friendly_name, :type::auth.factor_type, :status::auth.factor_status, :phone::text, coalesce(:secret::text, ''),
    :now::timestamptz, :now::timestamptz);

-- A client whose address is none has the same each time.
-- factor_challenge_add(id, factor_id, address, code, session_data, now) -> final one id
with challenged as (
    update auth.mfa_factors set last_challenged_at = :now::timestamptz where id = :factor_id::uuid
)
insert into auth.mfa_challenges (id, factor_id, ip_address, otp_code, web_authn_session_data, created_at)
values (:id::uuid, :factor_id::uuid, %client_address, :code, :session_data::jsonb, :now::timestamptz)
returning id;

-- All that a verification is decided on.  open: it is unused, and this client's; step: whose code was accepted last.
-- factor_challenged(id, factor_id, address) -> maybe id, created_at:time, open:bool, code:str, session_data, secret:str, step:int
select c.id, c.created_at, c.verified_at is null and c.ip_address = %client_address as open, c.otp_code as code,
    c.web_authn_session_data::text as session_data, f.secret, u.step
from auth.mfa_challenges c join auth.mfa_factors f on f.id = c.factor_id left join postern.factor_use u on u.factor_id = f.id
where c.id = :id::uuid and c.factor_id = :factor_id::uuid;

-- factor_challenge_drop(id) -> none
delete from auth.mfa_challenges where id = :id::uuid;

-- One of many that answer a challenge uses it; for the others the request begins anew, and finds it used.
-- factor_challenge_use(id, now) -> none
with used as (
    update auth.mfa_challenges set verified_at = :now::timestamptz where id = :id::uuid and verified_at is null returning id
)
select postern.assert(exists (select from used), 'changed');

-- most: of those that are verified; for one too many the request begins anew, and finds them.
-- factor_mark_verified(id, user_id, most, now) -> none
with verified as (
    update auth.mfa_factors set status = 'verified', updated_at = :now::timestamptz where id = :id::uuid
)
select postern.assert((select count(*) from auth.mfa_factors f
    where f.user_id = :user_id::uuid and f.status = 'verified' and f.id <> :id::uuid) < :most::bigint, 'changed');

-- factor_drop_unverified(user_id, type) -> none
delete from auth.mfa_factors where user_id = :user_id::uuid and factor_type = :type::auth.factor_type and status = 'unverified';

-- factor_reseal(id, was, secret) -> none
update auth.mfa_factors set secret = :secret::text where id = :id::uuid and secret = :was::text;

-- factor_challenge_reseal(id, was, code) -> none
update auth.mfa_challenges set otp_code = :code::text where id = :id::uuid and otp_code = :was::text;

-- Of many that send a code at once one keeps it; for the others the request begins anew, and finds that it is too soon.
-- factor_assert_challenged(id, at) -> none
select postern.assert(exists (select from auth.mfa_factors f
    where f.id = :id::uuid and f.last_challenged_at is not distinct from :at::timestamptz), 'changed');

-- Those that are shown by WebAuthn, verified.
-- webauthn_factors(user_id) -> many id, credential
select f.id, f.web_authn_credential::text as credential from auth.mfa_factors f
where f.user_id = :user_id::uuid and f.factor_type = 'webauthn' and f.status = 'verified' and f.web_authn_credential is not null
order by f.created_at, f.id;

-- A factor is shown as the status says, by the credential of one that is still there (owner); credential, aaguid: what a new one makes
-- known, else null.
-- webauthn_factor_shown(id, status, owner, credential, aaguid, shown, now) -> none
with kept as (
    update auth.mfa_factors f set web_authn_credential = coalesce(:credential::jsonb, f.web_authn_credential),
        web_authn_aaguid = coalesce(:aaguid::uuid, f.web_authn_aaguid), last_webauthn_challenge_data = :shown::jsonb, updated_at = :now::timestamptz
    where f.id = :id::uuid and f.status = :status::auth.factor_status
      and exists (select from auth.mfa_factors o where o.id = :owner::uuid and o.user_id = f.user_id)
    returning f.id
)
select postern.assert(exists (select from kept), 'changed');

-- Takes an attempt.  From so many wrong ones in a row on, each makes the factor rest: for 5 minutes, then twice as long each time, for an hour
-- at most.
-- factor_attempt(id, most) -> final one allowed:bool, rest:int
insert into postern.factor_use as u (factor_id, attempts, rests_until)
values (:id::uuid, 1, case when :most::int = 1 then clock_timestamp() + interval '5 minutes' end)
on conflict (factor_id) do update set
    attempts = u.attempts + (not %resting(u))::int,
    rests_until = case when %resting(u) then u.rests_until when u.attempts + 1 >= :most::int
        then clock_timestamp() + least(interval '5 minutes' * 2 ^ least(u.attempts + 1 - :most::int, 4), interval '1 hour') end,
    allowed = not %resting(u), used_at = clock_timestamp()
returning u.allowed, ceil(extract(epoch from u.rests_until - clock_timestamp()))::bigint as rest;

-- A right code ends the counting.  once: no code of this step or an earlier one was right before; of many at once one is, and the requests of
-- the others begin anew.
-- factor_used(id, step, once) -> none
with used as (
    insert into postern.factor_use as u (factor_id, step) values (:id::uuid, :step::bigint)
    on conflict (factor_id) do update set attempts = 0, rests_until = null, step = greatest(u.step, excluded.step), used_at = excluded.used_at
    where not :once::bool or u.step < excluded.step
    returning u.step
)
select postern.assert(exists (select from used), 'changed');
