-- life: how many seconds a document or key set is good.
-- issuer_known(issuer, discovery_url, life) -> maybe document, keys, document_fresh:bool, keys_fresh:bool, keys_age:int, busy:bool
select document, keys, coalesce(document_at + :life::float8 * interval '1 second' > clock_timestamp(), false) as document_fresh,
    coalesce(keys_at + :life::float8 * interval '1 second' > clock_timestamp(), false) as keys_fresh,
    coalesce(extract(epoch from clock_timestamp() - keys_at)::bigint, 1000000) as keys_age,
    busy_until > clock_timestamp() as busy
from postern.oidc_cache where issuer = :issuer and discovery_url = :discovery_url;

-- One of many may fetch, and has this many seconds for it.
-- issuer_claim(issuer, discovery_url, seconds) -> write maybe issuer
insert into postern.oidc_cache as c (issuer, discovery_url, busy_until)
values (:issuer, :discovery_url, clock_timestamp() + :seconds::float8 * interval '1 second')
on conflict (issuer, discovery_url) do update set busy_until = excluded.busy_until where c.busy_until <= clock_timestamp()
returning issuer;

-- issuer_store_document(issuer, discovery_url, document) -> none
update postern.oidc_cache set document = :document, document_at = clock_timestamp(), busy_until = '-infinity'
where issuer = :issuer and discovery_url = :discovery_url;

-- issuer_store_keys(issuer, discovery_url, keys) -> none
update postern.oidc_cache set keys = :keys, keys_at = clock_timestamp(), busy_until = '-infinity'
where issuer = :issuer and discovery_url = :discovery_url;

-- A fetch that failed: what is known stays, and is not asked for again at once; a row that knows nothing goes.
-- issuer_give_up(issuer, discovery_url) -> none
with gone as (
    delete from postern.oidc_cache where issuer = :issuer and discovery_url = :discovery_url and document is null
)
update postern.oidc_cache set busy_until = clock_timestamp() + interval '5 seconds'
where issuer = :issuer and discovery_url = :discovery_url and document is not null;

-- issuer_drop(issuer) -> none
delete from postern.oidc_cache where issuer = :issuer;
