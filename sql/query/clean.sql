-- Rows that nobody can need any more; src/clean.def says after which life.  Each takes its table's locks in the order of HACKING.md, waits
-- for nobody, and takes a tenth of the rows where others go with them.

-- clean_limits(rows, life) -> final one count:int
with gone as (
    delete from postern.limits where key in (
        select key from postern.limits where full_at < clock_timestamp() - %life limit :rows::int for update skip locked)
    returning 1
)
select count(*) as count from gone;

-- A code that was issued late is good for a while from then on.
-- clean_flows(rows, life) -> final one count:int
with gone as (
    delete from auth.flow_state where id in (
        select id from auth.flow_state
        where created_at < now() - %life and coalesce(auth_code_issued_at, created_at) < now() - %life
        limit :rows::int for update skip locked)
    returning 1
)
select count(*) as count from gone;

-- clean_client_states(rows, life) -> final one count:int
with gone as (
    delete from auth.oauth_client_states where id in (
        select id from auth.oauth_client_states where created_at < now() - %life limit :rows::int for update skip locked)
    returning 1
)
select count(*) as count from gone;

-- How old a secret is stands in its user's row, too.  One whose letter has not gone yet is what tells why it never will, and what waits
-- beside one says whose password an account nobody has proven gets: the next letter must find it.
-- clean_onetime(rows, life) -> final one count:int
with gone as (
    delete from auth.one_time_tokens where id in (
        select t.id from auth.one_time_tokens t join auth.users u on u.id = t.user_id
        where t.created_at < now() at time zone 'UTC' - %life
          and coalesce(%sent_at(u, t.token_type::text), '-infinity') < now() - %life
          and not exists (select from postern.outbox o where o.user_id = t.user_id and o.kind = t.token_type::text and o.hash = t.token_hash)
          and not exists (select from postern.waiting w where w.user_id = t.user_id and w.link = t.token_hash)
        limit :rows::int for update of t skip locked)
    returning 1
)
select count(*) as count from gone;

-- Beside another link it counts no more.
-- clean_waiting(rows, life) -> final one count:int
with gone as (
    delete from postern.waiting where user_id in (
        select w.user_id from postern.waiting w
        where w.made_at < now() - %life
          and not exists (select from auth.one_time_tokens t where t.user_id = w.user_id and t.token_hash = w.link)
        limit :rows::int for update skip locked)
    returning 1
)
select count(*) as count from gone;

-- clean_attempts(rows, life) -> final one count:int
with gone as (
    delete from postern.attempts where hash in (
        select hash from postern.attempts where first_at < now() - %life limit :rows::int for update skip locked)
    returning 1
)
select count(*) as count from gone;

-- clean_issuers(rows, life) -> final one count:int
with gone as (
    delete from postern.oidc_cache where (issuer, discovery_url) in (
        select issuer, discovery_url from postern.oidc_cache
        where greatest(document_at, keys_at, busy_until) < now() - %life limit :rows::int for update skip locked)
    returning 1
)
select count(*) as count from gone;

-- clean_revoked_tokens(rows, life) -> final one count:int
with gone as (
    delete from auth.refresh_tokens where id in (
        select id from auth.refresh_tokens where revoked and updated_at < now() - %life limit :rows::int for update skip locked)
    returning 1
)
select count(*) as count from gone;

-- So that few are left when their session goes.
-- clean_tokens_of_ended(rows, life) -> final one count:int
with gone as (
    update auth.refresh_tokens set revoked = true, updated_at = now() where id in (
        select t.id from auth.refresh_tokens t join auth.sessions s on t.session_id = s.id
        where s.not_after < now() - %life and not t.revoked limit :rows::int for update of t skip locked)
    returning 1
)
select count(*) as count from gone;

-- clean_ended_sessions(rows, life) -> final one count:int
with gone as (
    delete from auth.sessions where id in (
        select id from auth.sessions where not_after < now() - %life limit :rows::int / 10 for update skip locked)
    returning 1
)
select count(*) * 10 as count from gone;

-- clean_relay_states(rows, life) -> final one count:int
with gone as (
    delete from auth.saml_relay_states where id in (
        select id from auth.saml_relay_states where created_at < now() - %life limit :rows::int for update skip locked)
    returning 1
)
select count(*) as count from gone;

-- clean_challenges(rows, life) -> final one count:int
with gone as (
    delete from auth.mfa_challenges where id in (
        select id from auth.mfa_challenges where created_at < now() - %life limit :rows::int for update skip locked)
    returning 1
)
select count(*) as count from gone;

-- clean_webauthn_challenges(rows, life) -> final one count:int
with gone as (
    delete from auth.webauthn_challenges where id in (
        select id from auth.webauthn_challenges where expires_at < now() - %life limit :rows::int for update skip locked)
    returning 1
)
select count(*) as count from gone;

-- clean_unverified_factors(rows, life) -> final one count:int
with gone as (
    delete from auth.mfa_factors where id in (
        select id from auth.mfa_factors
        where created_at < now() - %life and status = 'unverified' limit :rows::int for update skip locked)
    returning 1
)
select count(*) as count from gone;

-- clean_anonymous_users(rows, life) -> final one count:int
with gone as (
    delete from auth.users where id in (
        select id from auth.users
        where created_at < now() - %life and is_anonymous limit :rows::int / 10 for update skip locked)
    returning 1
)
select count(*) * 10 as count from gone;

-- clean_old_sessions(rows, life) -> final one count:int
with gone as (
    delete from auth.sessions where id in (
        select id from auth.sessions where created_at < now() - %life limit :rows::int / 10 for update skip locked)
    returning 1
)
select count(*) * 10 as count from gone;

-- A session that was never refreshed has been used when its token was made.
-- clean_idle_sessions(rows, life) -> final one count:int
with gone as (
    delete from auth.sessions where id in (
        select s.id from auth.sessions s
        where s.created_at < now() - %life
          and coalesce(s.refreshed_at at time zone 'UTC', greatest(s.created_at,
              (select max(t.updated_at) from auth.refresh_tokens t where t.session_id = s.id and not t.revoked))) < now() - %life
        limit :rows::int / 10 for update skip locked)
    returning 1
)
select count(*) * 10 as count from gone;
