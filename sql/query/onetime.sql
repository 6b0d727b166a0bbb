-- The one-time secret of a kind that a user has, as it stands in links; a new one takes the place of the old, and what waits beside that
-- goes on with it while it goes to the same address.  auth.users has what is typed.
-- onetime_set(id, user_id, kind, hash, relates_to, now) -> none
with before as (
    select t.token_hash as link from auth.one_time_tokens t
    where t.user_id = :user_id::uuid and t.token_type::text = :kind::text and t.token_type = 'confirmation_token'
        and t.relates_to = lower(:relates_to::text collate "C")
), goes_on as (
    update postern.waiting w set link = :hash from before where w.user_id = :user_id::uuid and w.link = before.link
)
insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at, updated_at)
values (:id::uuid, :user_id::uuid, :kind::auth.one_time_token_type, :hash, lower(:relates_to::text collate "C"),
    :now::timestamptz at time zone 'UTC', :now::timestamptz at time zone 'UTC')
on conflict (user_id, token_type) do update set id = excluded.id, token_hash = excluded.token_hash, relates_to = excluded.relates_to,
    created_at = excluded.created_at, updated_at = excluded.updated_at;

-- onetime_clear(user_id) -> none
delete from auth.one_time_tokens where user_id = :user_id::uuid;

-- onetime_clear_kind(user_id, kind) -> none
delete from auth.one_time_tokens where user_id = :user_id::uuid and token_type = :kind::auth.one_time_token_type;

-- Who holds a link of one of these kinds, if it went to the address that they have.  What went to a phone opens nothing here.
-- onetime_holder(link, kinds) -> maybe user, kind
select %user_columns(u), %no_session, t.token_type as kind
from auth.one_time_tokens t join auth.users u on u.id = t.user_id
where t.token_hash = :link and t.token_type::text = any (:kinds::text[])
    and t.relates_to = lower(%sent_to(u, t.token_type::text) collate "C")
order by array_position(:kinds::text[], t.token_type::text)
limit 1;

-- Who asked for a change of address, by the code that one of the two addresses got.
-- onetime_changer(address, typed, kinds) -> maybe user, kind, link, typed
select %user_columns(u), %no_session, t.token_type as kind, t.token_hash as link, c.typed
from auth.one_time_tokens t join auth.users u on u.id = t.user_id
cross join lateral (select %token_column(u, t.token_type::text) as typed) c
where t.relates_to = lower(:address::text collate "C") collate "default" and t.token_type::text = any (:kinds::text[])
    and c.typed = any (:typed::text[])
order by array_position(:kinds::text[], t.token_type::text)
limit 1;

-- The unexpired codes of these kinds that were sent to an address.
-- onetime_sent_to(address, kinds, life) -> many typed
select %token_column(u, t.token_type::text) as typed from auth.one_time_tokens t join auth.users u on u.id = t.user_id
where t.relates_to = lower(:address::text collate "C") collate "default" and t.token_type::text = any (:kinds::text[])
    and %sent_at(u, t.token_type::text) + :life::float8 * interval '1 second' >= clock_timestamp();

-- Takes a secret, which one of many can, if its user may still use it; gives the user as the lock has them.
-- onetime_take(user_id, kind, hash, life) -> maybe user
with locked as (
    select h.id from auth.users h
    where h.id = :user_id::uuid and not coalesce(h.banned_until > now(), false)
      and %sent_at(h, :kind::text) + :life::float8 * interval '1 second' >= clock_timestamp()
    for update
), taken as (
    delete from auth.one_time_tokens t using locked
    where t.user_id = locked.id and t.token_type::text = :kind::text and t.token_hash = :hash
    returning t.user_id
)
select %user_columns(u), %no_session from auth.users u join taken on u.id = taken.user_id for update of u;

-- Takes a code that only stands in the user's row.
-- onetime_take_column(user_id, kind, hash, life) -> maybe user, link
with locked as (
    select h.id from auth.users h
    where h.id = :user_id::uuid and %token_column(h, :kind::text) = :hash::text and :hash::text <> ''
      and not coalesce(h.banned_until > now(), false)
      and %sent_at(h, :kind::text) + :life::float8 * interval '1 second' >= clock_timestamp()
    for update
), cleared as (
    delete from auth.one_time_tokens t using locked where t.user_id = locked.id and t.token_type::text = :kind::text
    returning t.token_hash as link
)
update auth.users u set %token_changed(u, :kind::text, '')
from locked where u.id = locked.id
returning %user_columns(u), %no_session, (select c.link from cleared c) as link;

-- Takes as long as the writing of one row about somebody.
-- decoy_write() -> none
update postern.decoy d set a = r.x || 'a', b = r.x || 'b', c = r.x || 'c',
    d = r.x || 'd', e = r.x || 'e', f = r.x || 'f', g = r.x || 'g', h = r.x || 'h'
from (select id, md5(random()::text) as x from postern.decoy order by random() limit 1 for update skip locked) r
where d.id = r.id;

-- The typed form of a secret, and that it is sent now.
-- user_set_token(id, kind, hash, invited, phone, now) -> none
update auth.users u set %token_changed(u, :kind::text, :hash::text), %sent_changed(u, :kind::text, :now::timestamptz),
    invited_at = case when :invited::bool then :now::timestamptz else u.invited_at end,
    phone_change = coalesce(:phone::text, u.phone_change), updated_at = :now::timestamptz
where id = :id::uuid;

-- A null hash leaves the half as it is.
-- user_set_email_change(id, email, current, fresh, now) -> none
update auth.users set email_change = :email, email_change_sent_at = :now::timestamptz, email_change_confirm_status = 0,
    email_change_token_current = coalesce(:current, email_change_token_current),
    email_change_token_new = coalesce(:fresh, email_change_token_new), updated_at = :now::timestamptz
where id = :id::uuid;

-- One half of an email change is proven; the other is still waited for.
-- user_half_changed(id, kind, now) -> none
update auth.users u set email_change_confirm_status = 1, updated_at = :now::timestamptz, %token_changed(u, :kind::text, '')
where id = :id::uuid;

-- user_change_email(id, email, now) -> none
update auth.users set email = :email, email_change = '', email_change_token_current = '', email_change_token_new = '',
    email_change_confirm_status = 0, is_anonymous = false, updated_at = :now::timestamptz
where id = :id::uuid;

-- An address that nobody has proven does not stay with somebody whose number is: who proves it later would share their account.
-- user_change_phone(id, phone, now) -> none
update auth.users set email = case when email_confirmed_at is not null then email end, confirmation_token = '', phone = :phone, phone_change = '',
    phone_change_token = '', phone_confirmed_at = :now::timestamptz,
    is_anonymous = false, updated_at = :now::timestamptz
where id = :id::uuid;

-- user_recovered(id, now) -> none
update auth.users set recovery_token = '', updated_at = :now::timestamptz where id = :id::uuid;

-- user_no_longer_anonymous(id, now) -> none
update auth.users set is_anonymous = false, updated_at = :now::timestamptz where id = :id::uuid and is_anonymous;

-- The providers of a user's identities, in the order in which they came, as app_metadata shows them.
-- user_refresh_providers(id, now) -> none
update auth.users u set updated_at = :now::timestamptz,
    raw_app_meta_data = coalesce(u.raw_app_meta_data, '{}') || p.shown
from (select jsonb_build_object('providers', coalesce(jsonb_agg(provider order by first_at), '[]'))
           || case when count(*) > 0 then jsonb_build_object('provider', (array_agg(provider order by first_at))[1]) else '{}' end as shown
      from (select provider, min(created_at) as first_at from auth.identities where user_id = :id::uuid group by provider) i) p
where u.id = :id::uuid;
