-- Who an identity belongs to, or to whom it would be joined.  emails: its verified ones; email: its primary one; domains: the linking
-- domains of providers as a JSON object; domain: the provider's.  snapshot: what the decision rests on.
-- linking_look(provider, sub, emails, email, aud, domains, domain) -> one user, decision, identity_id, taken:bool, snapshot
select %user_columns(u), %no_session, w.decision, w.identity_id, w.taken, %linking_print(w, u) as snapshot
from %linking_snapshot w left join auth.users u on u.id = w.user_id;

-- Waits until nobody else writes about one of these names; until the end of the transaction.
-- linking_lock(names) -> none
select pg_advisory_xact_lock(k) from (select distinct hashtextextended(n, 77) as k from unnest(:names::text[]) n order by 1 offset 0) names;

-- linking_assert_unchanged(provider, sub, emails, email, aud, domains, domain, snapshot) -> none
select postern.assert(%linking_print(w, u) = :snapshot::text, 'changed')
from %linking_snapshot w left join auth.users u on u.id = w.user_id;

-- A user to whom an identity is to be added by hand.  owner: who has the identity already.
-- linking_target(provider, sub, user_id) -> maybe user, owner
select %user_columns(u), %no_session, (select i.user_id from auth.identities i where i.provider = :provider and i.provider_id = :sub) as owner
from auth.users u where u.instance_id = %nil and u.id = :user_id::uuid;

-- linking_assert_target(provider, sub, user_id, email) -> none
select postern.assert(not exists (select from auth.identities i where i.provider = :provider and i.provider_id = :sub)
    and exists (select from auth.users u where u.id = :user_id::uuid and coalesce(u.email, '') = :email::text), 'changed');

-- linking_assert_invite(user_id, hash) -> none
select postern.assert(exists (select from auth.one_time_tokens t
    where t.user_id = :user_id::uuid and t.token_hash = :hash and t.token_type = 'confirmation_token'), 'changed');

-- The address that a user would have by their identities, without one of them, with one more: kept when one has the address they have, else
-- the best that nobody else has (verified before unverified before none, old before new).
-- linking_pick_email(user_id, without, email, verified) -> maybe kept:bool, possible:bool, email, verified:bool
with candidate as (
    select i.id::text as id, coalesce(%identity_address(i), '') collate "default" as email,
        coalesce(i.identity_data -> 'email_verified' = 'true', false) as verified, i.created_at
    from auth.identities i where i.user_id = :user_id::uuid and i.id is distinct from :without::uuid
    union all
    select 'new', lower(:email::text collate "C") collate "default", coalesce(:verified::bool, false), now() where :email::text is not null
)
select exists (select from candidate c where c.email = coalesce(u.email, '')) as kept, p.id is not null as possible, p.email, p.verified
from auth.users u
left join lateral (
    select * from candidate c
    where not exists (select from auth.users o
        where o.instance_id = %nil and c.email <> '' and %same_address(o.email, c.email) and o.aud = u.aud
          and not o.is_sso_user)
    order by %identity_rank(c), c.created_at, c.id limit 1) p on true
where u.id = :user_id::uuid;

-- Another address of the user's identities takes the place of theirs: what was begun with the old one is void.
-- One that is not proven does not go to somebody whose number is.
-- linking_take_email(id, email, confirmed, now) -> none
update auth.users set email = case when :confirmed::bool or phone_confirmed_at is null then nullif(:email::text, '') end,
    updated_at = :now::timestamptz, %no_tokens, %never_sent, email_change = '', email_change_confirm_status = 0, phone_change = '',
    email_confirmed_at = case when :confirmed::bool then email_confirmed_at end,
    raw_user_meta_data = %object(raw_user_meta_data) || case when :confirmed::bool then '{}' else '{"email_verified": false}'::jsonb end
where id = :id::uuid;

-- What is new of an identity that signs in.
-- linking_renew(id, data, now) -> none
update auth.identities set identity_data = :data::jsonb, last_sign_in_at = :now::timestamptz, updated_at = :now::timestamptz
where id = :id::uuid;

-- An address that is not proven, of somebody whose number is, gives way to who proves it.
-- linking_yield(email, aud, now) -> none
update auth.users u set email = null, confirmation_token = '', recovery_token = '', updated_at = :now::timestamptz
where u.instance_id = %nil and %same_address(u.email, :email::text) and u.aud = :aud::text
    and not u.is_sso_user and %yields_email(u);

-- An identity of a user, and how many they have.
-- linking_identity(user_id, id) -> maybe count:int, id, provider, provider_id
select (select count(*) from auth.identities a where a.user_id = u.id) as count, i.id, i.provider, i.provider_id
from auth.users u left join auth.identities i on i.user_id = u.id and i.id = :id::uuid where u.id = :user_id::uuid;

-- linking_remove(id) -> none
delete from auth.identities where id = :id::uuid;

-- linking_drop_phone(id, now) -> none
update auth.users set phone = null, phone_confirmed_at = null, updated_at = :now::timestamptz where id = :id::uuid;
