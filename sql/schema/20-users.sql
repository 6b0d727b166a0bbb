-- Users, their identities, and the tokens that letters carry.
create table if not exists auth.users (
    instance_id uuid,
    id uuid not null constraint users_pkey primary key,
    aud varchar(255),
    role varchar(255),
    email varchar(255),
    encrypted_password varchar(255),
    email_confirmed_at timestamptz,
    invited_at timestamptz,
    confirmation_token varchar(255),
    confirmation_sent_at timestamptz,
    recovery_token varchar(255),
    recovery_sent_at timestamptz,
    email_change_token_new varchar(255),
    email_change varchar(255),
    email_change_sent_at timestamptz,
    last_sign_in_at timestamptz,
    raw_app_meta_data jsonb,
    raw_user_meta_data jsonb,
    is_super_admin boolean,
    created_at timestamptz,
    updated_at timestamptz
);

-- The oldest names.  confirmed_at comes back below, computed.
do $$
declare
    rename record;
begin
    for rename in
        select * from (values ('confirmed_at', 'email_confirmed_at'), ('email_change_token', 'email_change_token_new')) v(old, new)
        where not exists (select from pg_attribute where attrelid = 'auth.users'::regclass and attname = v.new)
    loop
        execute format('alter table auth.users rename column %I to %I', rename.old, rename.new);
    end loop;
end $$;

alter table auth.users
    add column if not exists phone text default null::varchar,
    add column if not exists phone_confirmed_at timestamptz,
    add column if not exists phone_change text default ''::varchar,
    add column if not exists phone_change_token varchar(255) default '',
    add column if not exists phone_change_sent_at timestamptz,
    add column if not exists email_change_token_current varchar(255) default '',
    add column if not exists email_change_confirm_status smallint default 0,
    add column if not exists banned_until timestamptz,
    add column if not exists reauthentication_token varchar(255) default '',
    add column if not exists reauthentication_sent_at timestamptz,
    add column if not exists is_sso_user boolean not null default false,
    add column if not exists deleted_at timestamptz,
    add column if not exists is_anonymous boolean not null default false;
alter table auth.users
    add column if not exists confirmed_at timestamptz generated always as (least(email_confirmed_at, phone_confirmed_at)) stored;

-- Phone numbers were varchar(15), and an address unique among all users.  A view on the column, or a foreign key on the constraint, is
-- the operator's: it stays, and the server works, but for the deletion of users that keeps their row, and for SSO.
do $$
begin
    if exists (select from pg_attribute where attrelid = 'auth.users'::regclass and attname in ('phone', 'phone_change') and atttypid <> 'text'::regtype) then
        alter table auth.users alter column phone type text, alter column phone_change type text;
    end if;
exception when feature_not_supported or dependent_objects_still_exist or internal_error then
    raise warning 'the columns phone and phone_change of users stay varchar(15): %', sqlerrm;
end $$;
do $$
begin
    alter table auth.users drop constraint if exists users_email_key;
exception when dependent_objects_still_exist then
    raise warning 'the constraint users_email_key of users stays, so no SSO user can have the address of another user: %', sqlerrm;
end $$;

do $$
begin
    if pg_get_indexdef(to_regclass('auth.users_instance_id_email_idx')) not like '%lower(%' then
        drop index auth.users_instance_id_email_idx;
    end if;
end $$;
create index if not exists users_instance_id_email_idx on auth.users (instance_id, lower(email));
create index if not exists users_instance_id_idx on auth.users (instance_id);
create index if not exists users_is_anonymous_idx on auth.users (is_anonymous);
create unique index if not exists users_email_partial_key on auth.users (email) where is_sso_user = false;

-- Hashed tokens are unique; empty ones and the six digits of old are not.
create unique index if not exists confirmation_token_idx on auth.users (confirmation_token) where confirmation_token !~ '^[0-9 ]*$';
create unique index if not exists recovery_token_idx on auth.users (recovery_token) where recovery_token !~ '^[0-9 ]*$';
create unique index if not exists email_change_token_current_idx on auth.users (email_change_token_current)
    where email_change_token_current !~ '^[0-9 ]*$';
create unique index if not exists email_change_token_new_idx on auth.users (email_change_token_new) where email_change_token_new !~ '^[0-9 ]*$';
create unique index if not exists reauthentication_token_idx on auth.users (reauthentication_token) where reauthentication_token !~ '^[0-9 ]*$';

create table if not exists auth.identities (
    provider_id text not null,
    user_id uuid not null constraint identities_user_id_fkey references auth.users (id) on delete cascade,
    identity_data jsonb not null,
    provider text not null,
    last_sign_in_at timestamptz,
    created_at timestamptz,
    updated_at timestamptz
);

-- The provider's id was called id, and was the key together with the provider; 70-constraints.sql makes the new ones.
do $$
begin
    if not exists (select from pg_attribute where attrelid = 'auth.identities'::regclass and attname = 'provider_id') then
        alter table auth.identities rename column id to provider_id;
        alter table auth.identities drop constraint if exists identities_pkey;
    end if;
end $$;
alter table auth.identities
    add column if not exists email text generated always as (lower(identity_data ->> 'email')) stored,
    add column if not exists id uuid not null default gen_random_uuid();
create index if not exists identities_user_id_idx on auth.identities (user_id);
create index if not exists identities_email_idx on auth.identities (email text_pattern_ops);

-- Users from before there were identities get theirs.  The dates are the reference's: some sites know these rows by them.
insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
select u.id, u.id, jsonb_build_object('sub', u.id, 'email', u.email), 'email', null, '2022-11-25', '2022-11-25'
from auth.users u
where u.encrypted_password <> '' and u.email is not null and not exists (select from auth.identities i where i.user_id = u.id)
    and not exists (select from auth.schema_migrations where version = '20221125140132');

update auth.identities set last_sign_in_at = '2022-11-25'
where last_sign_in_at is null and created_at = '2022-11-25' and updated_at = '2022-11-25' and provider = 'email' and provider_id = user_id::text
    and not exists (select from auth.schema_migrations where version = '20221208132122');

update auth.identities i set identity_data = i.identity_data || jsonb_build_object('email', u.email), updated_at = '2022-11-25'
from auth.users u
where u.id = i.user_id and i.provider = 'email' and i.identity_data ->> 'email' is null
    and not exists (select from auth.schema_migrations where version = '20221215195800');

insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
select u.id, u.id, jsonb_build_object('sub', u.id, 'email', u.email), 'email', null, '2023-01-25', '2023-01-25'
from auth.users u
where u.invited_at is not null and not exists (select from auth.identities i where i.user_id = u.id and i.provider = 'email')
    and not exists (select from auth.schema_migrations where version = '20230131181311');

create table if not exists auth.one_time_tokens (
    id uuid not null constraint one_time_tokens_pkey primary key,
    user_id uuid not null constraint one_time_tokens_user_id_fkey references auth.users (id) on delete cascade,
    token_type auth.one_time_token_type not null,
    token_hash text not null constraint one_time_tokens_token_hash_check check (char_length(token_hash) > 0),
    relates_to text not null,
    created_at timestamp not null default now(),
    updated_at timestamp not null default now()
);
create index if not exists one_time_tokens_token_hash_hash_idx on auth.one_time_tokens using hash (token_hash);
create index if not exists one_time_tokens_relates_to_hash_idx on auth.one_time_tokens using hash (relates_to);
create unique index if not exists one_time_tokens_user_id_token_type_key on auth.one_time_tokens (user_id, token_type);

create table if not exists auth.audit_log_entries (
    instance_id uuid,
    id uuid not null constraint audit_log_entries_pkey primary key,
    payload json,
    created_at timestamptz
);
alter table auth.audit_log_entries add column if not exists ip_address varchar(64) not null default '';
create index if not exists audit_logs_instance_id_idx on auth.audit_log_entries (instance_id);
