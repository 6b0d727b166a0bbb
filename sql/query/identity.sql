-- identity_by_provider(provider_id, provider) -> maybe id, user_id
select id, user_id from auth.identities where provider_id = :provider_id and provider = :provider;

-- identity_add(id, provider_id, user_id, provider, data, now) -> none
insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
values (:id::uuid, :provider_id, :user_id::uuid, :data::jsonb, :provider, :now::timestamptz, :now::timestamptz, :now::timestamptz);

-- The identities of an unconfirmed user other than one: nobody has proven them.
-- identity_keep_only(user_id, id) -> none
delete from auth.identities where user_id = :user_id::uuid and id <> :id::uuid;
