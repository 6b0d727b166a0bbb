-- The one-time secret of a kind that a user has; a new one takes the place of the old.
-- onetime_set(id, user_id, kind, hash, relates_to, now) -> none
insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at, updated_at)
values (:id::uuid, :user_id::uuid, :kind::auth.one_time_token_type, :hash, lower(:relates_to::text), :now::timestamptz at time zone 'UTC', :now::timestamptz at time zone 'UTC')
on conflict (user_id, token_type) do update set id = excluded.id, token_hash = excluded.token_hash, relates_to = excluded.relates_to,
    created_at = excluded.created_at, updated_at = excluded.updated_at;

-- onetime_clear(user_id) -> none
delete from auth.one_time_tokens where user_id = :user_id::uuid;

-- user_set_confirmation(id, hash, now) -> none
update auth.users set confirmation_token = :hash, confirmation_sent_at = :now::timestamptz, updated_at = :now::timestamptz where id = :id::uuid;

-- user_spend_reauthentication(id, hash) -> maybe id
update auth.users set reauthentication_token = '' where id = :id::uuid and reauthentication_token = :hash and :hash::text <> '' returning id;
