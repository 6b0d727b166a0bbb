-- identity_by_provider(provider_id, provider) -> maybe id, user_id
select id, user_id from auth.identities where provider_id = :provider_id and provider = :provider;

-- identity_add(id, provider_id, user_id, provider, data, now) -> none
insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
values (:id::uuid, :provider_id, :user_id::uuid, :data::jsonb, :provider, :now::timestamptz, :now::timestamptz, :now::timestamptz);

-- What was proven of an address holds for the identities that have it.
-- identity_email_verified(user_id, now) -> none
update auth.identities i set identity_data = i.identity_data || '{"email_verified": true}', updated_at = :now::timestamptz
from auth.users u where u.id = :user_id::uuid and i.user_id = u.id and i.email <> '' and %identity_address(i) = lower(u.email collate "C");

-- The identity of an address of the user's own: made, or told what is new of it.
-- identity_merge(id, user_id, provider, data, change, now) -> none
insert into auth.identities as i (id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
values (:id::uuid, :user_id::uuid::text, :user_id::uuid, :data::jsonb, :provider, :now::timestamptz, :now::timestamptz, :now::timestamptz)
on conflict (provider_id, provider) do update set identity_data = i.identity_data || :change::jsonb, updated_at = excluded.updated_at;

-- A first password of a user whose address is confirmed: from now on they sign in by address, and there is an identity for that.
-- identity_of_password(id, user_id, now) -> none
with made as (
    insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
    select :id::uuid, u.id::text, u.id,
        jsonb_build_object('sub', u.id, 'email', lower(u.email collate "C"), 'email_verified', true, 'phone_verified', false), 'email',
        :now::timestamptz, :now::timestamptz, :now::timestamptz
    from auth.users u
    where u.id = :user_id::uuid and not u.is_sso_user and not u.is_anonymous and u.email <> '' and u.email_confirmed_at is not null
        and not exists (select from auth.identities i where i.user_id = u.id and i.provider = 'email')
    returning user_id
), now_has as (
    select made.user_id, coalesce(
        (select jsonb_agg(p.provider order by p.since)
         from (select i.provider, min(i.created_at) as since from auth.identities i where i.user_id = made.user_id group by 1) p), '[]')
            || '["email"]' as providers
    from made
)
update auth.users u set raw_app_meta_data = %object(u.raw_app_meta_data) || jsonb_build_object('provider', h.providers -> 0, 'providers', h.providers)
from now_has h where u.id = h.user_id;
