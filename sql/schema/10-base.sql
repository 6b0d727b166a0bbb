-- The reference's list of versions, and the enums.
--
-- The files up to 80 bring any version of the reference's schema to the one that 80-versions.sql names.  All is written so that it may
-- run again.  What changes rows, or what an operator may have undone on purpose, asks auth.schema_migrations whether it is due.
create table if not exists auth.schema_migrations (
    version varchar(14) not null constraint schema_migrations_pkey primary key
);
alter table auth.schema_migrations alter column version type varchar(14);
create unique index if not exists schema_migrations_version_idx on auth.schema_migrations (version);

-- Without a search_path the reference keeps its list in public; '00' is a version that no other program has.  Only a table of our own
-- owner is believed: anybody may be able to make one there.
do $$
begin
    if exists (select from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'version'
            where c.oid = to_regclass('public.schema_migrations') and c.relkind = 'r' and a.atttypid = 'varchar'::regtype
            and c.relowner = (select relowner from pg_class where oid = 'auth.schema_migrations'::regclass)) then
        execute 'insert into auth.schema_migrations (version) select version from public.schema_migrations
            where exists (select from public.schema_migrations where version = ''00'')
            and not exists (select from auth.schema_migrations where version = ''00'') on conflict do nothing';
    end if;
end $$;

do $$
declare
    type record;
begin
    for type in
        select * from (values
            ('aal_level', 'aal1,aal2,aal3'),
            ('code_challenge_method', 's256,plain'),
            ('factor_status', 'unverified,verified'),
            ('factor_type', 'totp,webauthn,phone'),
            ('oauth_authorization_status', 'pending,approved,denied,expired'),
            ('oauth_client_type', 'public,confidential'),
            ('oauth_registration_type', 'dynamic,manual'),
            ('oauth_response_type', 'code'),
            ('one_time_token_type', 'confirmation_token,reauthentication_token,recovery_token,'
                'email_change_token_new,email_change_token_current,phone_change_token')) v(name, labels)
        where to_regtype('auth.' || v.name) is null
    loop
        execute format('create type auth.%I as enum (%s)', type.name,
            (select string_agg(quote_literal(l), ', ' order by n) from unnest(string_to_array(type.labels, ',')) with ordinality u(l, n)));
    end loop;
end $$;
alter type auth.factor_type add value if not exists 'phone';

create table if not exists auth.instances (
    id uuid not null constraint instances_pkey primary key,
    uuid uuid,
    raw_base_config text,
    created_at timestamptz,
    updated_at timestamptz
);
