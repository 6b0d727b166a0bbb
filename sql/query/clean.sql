-- Rows that nobody can need any more; src/clean.def says after which life.  Each takes its table's locks in the order of HACKING.md, waits
-- for nobody.  %cleaned(table, key, which, weight): a row weighs 10 where others go with it.

-- clean_limits(rows, life) -> final one count:int
%cleaned(postern.limits, key, full_at < clock_timestamp() - %life, 1);

-- A code that was issued late is good for a while from then on.
-- clean_flows(rows, life) -> final one count:int
%cleaned(auth.flow_state, id, created_at < now() - %life and coalesce(auth_code_issued_at, created_at) < now() - %life, 1);

-- clean_client_states(rows, life) -> final one count:int
%cleaned(auth.oauth_client_states, id, created_at < now() - %life, 1);

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
%cleaned(postern.waiting w, w.user_id,
    w.made_at < now() - %life
    and not exists (select from auth.one_time_tokens t where t.user_id = w.user_id and t.token_hash = w.link), 1);

-- clean_attempts(rows, life) -> final one count:int
%cleaned(postern.attempts, hash, first_at < now() - %life, 1);

-- clean_factor_use(rows, life) -> final one count:int
%cleaned(postern.factor_use, factor_id, used_at < now() - %life, 1);

-- clean_issuers(rows, life) -> final one count:int
with gone as (
    delete from postern.oidc_cache where (issuer, discovery_url) in (
        select issuer, discovery_url from postern.oidc_cache
        where greatest(document_at, keys_at, busy_until) < now() - %life limit :rows::int for update skip locked)
    returning 1
)
select count(*) as count from gone;

-- clean_revoked_tokens(rows, life) -> final one count:int
%cleaned(auth.refresh_tokens, id, revoked and updated_at < now() - %life, 1);

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
%cleaned(auth.sessions, id, not_after < now() - %life, 10);

-- clean_relay_states(rows, life) -> final one count:int
%cleaned(auth.saml_relay_states, id, created_at < now() - %life, 1);

-- clean_challenges(rows, life) -> final one count:int
%cleaned(auth.mfa_challenges, id, created_at < now() - %life, 1);

-- clean_webauthn_challenges(rows, life) -> final one count:int
%cleaned(auth.webauthn_challenges, id, expires_at < now() - %life, 1);

-- clean_unverified_factors(rows, life) -> final one count:int
%cleaned(auth.mfa_factors, id, created_at < now() - %life and status = 'unverified', 1);

-- clean_anonymous_users(rows, life) -> final one count:int
%cleaned(auth.users, id, created_at < now() - %life and is_anonymous, 10);

-- clean_old_sessions(rows, life) -> final one count:int
%cleaned(auth.sessions, id, created_at < now() - %life, 10);

-- A session that was never refreshed has been used when its token was made.
-- clean_idle_sessions(rows, life) -> final one count:int
%cleaned(auth.sessions s, s.id,
    s.created_at < now() - %life
    and coalesce(s.refreshed_at at time zone 'UTC', greatest(s.created_at,
        (select max(t.updated_at) from auth.refresh_tokens t where t.session_id = s.id and not t.revoked))) < now() - %life, 10);
