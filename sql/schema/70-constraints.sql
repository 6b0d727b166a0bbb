-- Constraints that came later than their tables: there is no "add constraint if not exists".
do $$
declare
    c record;
begin
    for c in
        select * from (values
            ('auth.users', 'users_phone_key', 'unique (phone)'),
            ('auth.users', 'users_email_change_confirm_status_check', 'check (email_change_confirm_status >= 0 and email_change_confirm_status <= 2)'),
            ('auth.identities', 'identities_pkey', 'primary key (id)'),
            ('auth.identities', 'identities_provider_id_provider_unique', 'unique (provider_id, provider)'),
            ('auth.refresh_tokens', 'refresh_tokens_token_unique', 'unique (token)'),
            ('auth.refresh_tokens', 'refresh_tokens_session_id_fkey', 'foreign key (session_id) references auth.sessions (id) on delete cascade'),
            ('auth.sessions', 'sessions_oauth_client_id_fkey', 'foreign key (oauth_client_id) references auth.oauth_clients (id) on delete cascade'),
            ('auth.sessions', 'sessions_scopes_length', 'check (char_length(scopes) <= 4096)'),
            ('auth.mfa_amr_claims', 'amr_id_pk', 'primary key (id)'),
            ('auth.mfa_factors', 'mfa_factors_last_challenged_at_key', 'unique (last_challenged_at)'),
            ('auth.saml_relay_states', 'saml_relay_states_flow_state_id_fkey',
                'foreign key (flow_state_id) references auth.flow_state (id) on delete cascade'),
            ('auth.oauth_authorizations', 'oauth_authorizations_nonce_length', 'check (char_length(nonce) <= 255)'),
            ('auth.oauth_clients', 'oauth_clients_token_endpoint_auth_method_check',
                'check (token_endpoint_auth_method in (''client_secret_basic'', ''client_secret_post'', ''none''))')) v(owner, name, definition)
        where not exists (select from pg_constraint where conrelid = v.owner::regclass and conname = v.name)
    loop
        execute format('alter table %s add constraint %I %s', c.owner, c.name, c.definition);
    end loop;
end $$;

-- Row level security keeps other roles out; postgres, where it exists, may look and may let look.  Once: what an operator changed later stays.
do $$
declare
    t text;
begin
    if exists (select from auth.schema_migrations where version = '20240612123726') then
        return;
    end if;
    foreach t in array array['schema_migrations', 'instances', 'users', 'audit_log_entries', 'saml_relay_states', 'refresh_tokens', 'mfa_factors',
        'sessions', 'sso_providers', 'sso_domains', 'mfa_challenges', 'mfa_amr_claims', 'saml_providers', 'flow_state', 'identities', 'one_time_tokens']
    loop
        execute format('alter table auth.%I enable row level security', t);
        if exists (select from pg_roles where rolname = 'postgres') then
            execute format('grant select on auth.%I to postgres with grant option', t);
        end if;
    end loop;
end $$;

-- What row level security policies of sites ask: who calls?  PostgREST says so in one setting, or, before its version 9, in one a claim.
create or replace function auth.jwt() returns jsonb language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim', true), ''), nullif(current_setting('request.jwt.claims', true), ''))::jsonb
$$;
create or replace function auth.uid() returns uuid language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
create or replace function auth.role() returns text language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.role', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role')
$$;
create or replace function auth.email() returns text language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.email', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email')
$$;
