-- Recovery codes as the reference has them from version 2.197 on, which is newer than 80-versions.sql: where it has made them, they are used
-- as they are.  Those made here are marked by the comment, and postern migrate --remove-extras takes them out again.
do $$
begin
    if exists (select from auth.schema_migrations where version = '20260824000001') then
        return;
    end if;
    alter type auth.factor_type add value if not exists 'recovery_code';
    create table auth.mfa_recovery_code_sets (
        id uuid primary key,
        user_id uuid not null unique references auth.users (id) on delete cascade,
        mfa_factor_id uuid not null unique references auth.mfa_factors (id) on delete cascade,
        failed_verification_count integer not null default 0 check (failed_verification_count >= 0),
        verification_locked_until timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
    );
    create table auth.mfa_recovery_codes (
        id uuid primary key,
        mfa_recovery_code_set_id uuid not null references auth.mfa_recovery_code_sets (id) on delete cascade,
        code_hash text not null,
        consumed_at timestamptz,
        created_at timestamptz not null default now()
    );
    create index mfa_recovery_codes_set_id_idx on auth.mfa_recovery_codes (mfa_recovery_code_set_id);
    comment on table auth.mfa_recovery_code_sets is 'postern: made ahead of the reference, which has it from version 2.197 on';
    insert into auth.schema_migrations (version) values ('20260824000000'), ('20260824000001') on conflict do nothing;
exception when insufficient_privilege then
    raise warning 'no tables for recovery codes, so nobody can have any: %', sqlerrm;
end $$;
