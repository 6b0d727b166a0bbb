-- What issuers say about themselves (discovery documents) and their keys, shared by all workers: sql/query/issuer.sql.
create table if not exists postern.oidc_cache (
    issuer text not null,
    discovery_url text not null,
    document text,
    document_at timestamptz,
    keys text,
    keys_at timestamptz,
    busy_until timestamptz not null default '-infinity',
    primary key (issuer, discovery_url)
);

-- Undoes a write whose conditions no longer hold; what says which.  See external/linking.h.
create or replace function postern.insist(holds boolean, what text) returns void language plpgsql as $$
begin
    if holds is not true then
        raise exception '%', what using errcode = 'PO001';
    end if;
end;
$$;
