-- What is stored encrypted, brought under another key.  A place is a column; one more is a line in %sealed_places and one in reseal().

-- key_id: null is in plain.
-- sealed_counts() -> custom many place, key_id, count:int
select s.place, %sealed_by(s.stored) as key_id, count(*) as count from %sealed_places s where s.stored <> '' group by 1, 2
union all
select 'outbox.sealed', o.key_id, count(*) from postern.outbox o group by 1, 2
order by 1, 2 nulls first;

-- room: how many characters the column holds; 0: any number.
-- sealed_columns(place, key, after) -> custom many id, stored, room:int
select s.id, s.stored, s.room from %sealed_places s
where s.place = :place::text and s.stored <> '' and %sealed_by(s.stored) is distinct from :key::text
  and (:after::uuid is null or s.id > :after::uuid)
order by s.id limit 200;

-- sealed_letters(key, after) -> custom many id, letter, recipient, key_id, sealed
select o.id, o.letter, o.recipient, o.key_id, encode(o.sealed, 'hex') as sealed from postern.outbox o
where o.key_id <> :key::text and (:after::uuid is null or o.id > :after::uuid)
order by o.id limit 50;

-- What somebody else is at, or has written meanwhile, stays as it is.
-- reseal(place, rows) -> final custom one count:int
with written as materialized (
    select * from json_to_recordset(:rows::json) as w (id uuid, was text, sealed text, key_id text)
), users as (%resealed('users.encrypted_password', auth.users, encrypted_password, id)
), sessions as (%resealed('sessions.refresh_token_hmac_key', auth.sessions, refresh_token_hmac_key, id)
), providers as (%resealed('custom_oauth_providers.client_secret', auth.custom_oauth_providers, client_secret, id)
), factors as (%resealed('mfa_factors.secret', auth.mfa_factors, secret, id)
), challenges as (%resealed('mfa_challenges.otp_code', auth.mfa_challenges, otp_code, id)
), waiting as (%resealed('waiting.password', postern.waiting, password, user_id)
), letters as (
    update postern.outbox t set key_id = n.key_id, sealed = decode(n.sealed, 'hex')
    from (
        select h.id, w.key_id, w.sealed from written w join postern.outbox h on h.id = w.id and h.sealed = decode(w.was, 'hex')
        where :place::text = 'outbox.sealed'
        for no key update of h skip locked) n
    where t.id = n.id
    returning 1
)
select count(*) as count from (select from users union all select from sessions union all select from providers union all select from factors
    union all select from challenges union all select from waiting union all select from letters) done;
