-- Providers that administrators add.  client_secret is sealed (sec/secret.h); no JSON here has it.

-- row listed_provider: id, created_at, json

-- Newest first, behind a provider; null: from the beginning.
-- custom_provider_older(most, created_at, id) -> many listed_provider
select p.id, p.created_at, %custom_provider_json(p)::text as json
from (select * from auth.custom_oauth_providers
    where (created_at, id) < (coalesce(:created_at::timestamptz, 'infinity'), coalesce(:id::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    order by created_at desc, id desc limit :most::bigint) p
order by p.created_at desc, p.id desc;

-- Oldest first: the reference's statement has no order, which comes to the same.
-- custom_provider_newer_of(type, most, created_at, id) -> many listed_provider
select p.id, p.created_at, %custom_provider_json(p)::text as json
from (select * from auth.custom_oauth_providers
    where provider_type = :type::text
        and (created_at, id) > (coalesce(:created_at::timestamptz, '-infinity'), coalesce(:id::uuid, %nil))
    order by created_at, id limit :most::bigint) p
order by p.created_at, p.id;

-- custom_provider_shown(identifier) -> maybe json
select %custom_provider_json(p) as json from auth.custom_oauth_providers p where p.identifier = :identifier::text;

-- Whether an identifier is taken, and how many there are.
-- custom_provider_standing(identifier) -> one taken:bool, total:int
select exists (select from auth.custom_oauth_providers where identifier = :identifier::text) as taken,
    (select count(*) from auth.custom_oauth_providers) as total;

-- custom_provider_by_identifier(identifier) -> maybe id, oidc:bool, client_id, client_secret, acceptable_client_ids, scopes, pkce:bool,
--     attribute_mapping, authorization_params, allowed_claims, enabled:bool, email_optional:bool, skip_nonce_check:bool, issuer,
--     discovery_url, authorization_url, token_url, userinfo_url
select id, provider_type = 'oidc' as oidc, client_id, client_secret, to_json(acceptable_client_ids) as acceptable_client_ids,
    to_json(scopes) as scopes, pkce_enabled as pkce, attribute_mapping, authorization_params,
    to_json(custom_claims_allowlist) as allowed_claims, enabled, email_optional, skip_nonce_check, issuer, discovery_url,
    authorization_url, token_url, userinfo_url
from auth.custom_oauth_providers where identifier = :identifier::text;

-- custom_provider_add(id, type, identifier, name, client_id, client_secret, acceptable_client_ids, scopes, pkce_enabled,
--     attribute_mapping, custom_claims_allowlist, authorization_params, enabled, email_optional, skip_nonce_check, issuer, discovery_url,
--     discovery, authorization_url, token_url, userinfo_url, jwks_uri, now) -> final one json
insert into auth.custom_oauth_providers as p (id, provider_type, identifier, name, client_id, client_secret, acceptable_client_ids, scopes,
    pkce_enabled, attribute_mapping, custom_claims_allowlist, authorization_params, enabled, email_optional, skip_nonce_check, issuer,
    discovery_url, cached_discovery, discovery_cached_at, authorization_url, token_url, userinfo_url, jwks_uri, created_at, updated_at)
values (:id::uuid, :type, :identifier, :name, :client_id, :client_secret, :acceptable_client_ids::text[], :scopes::text[],
    :pkce_enabled::bool, :attribute_mapping::jsonb, :custom_claims_allowlist::text[], :authorization_params::jsonb,
    :enabled::bool, :email_optional::bool, :skip_nonce_check::bool, :issuer, :discovery_url,
    :discovery::jsonb, case when :discovery::jsonb is not null then :now::timestamptz end, :authorization_url, :token_url, :userinfo_url,
    :jwks_uri, :now::timestamptz, :now::timestamptz)
returning %custom_provider_json(p) as json;

-- What is null stays as it is.
-- custom_provider_change(id, name, client_id, client_secret, acceptable_client_ids, scopes, pkce_enabled, attribute_mapping,
--     custom_claims_allowlist, authorization_params, enabled, email_optional, skip_nonce_check, issuer, discovery_url, discovery,
--     authorization_url, token_url, userinfo_url, jwks_uri, now) -> final maybe json
update auth.custom_oauth_providers p set updated_at = :now::timestamptz,
    name = coalesce(:name, name), client_id = coalesce(:client_id, client_id), client_secret = coalesce(:client_secret, client_secret),
    acceptable_client_ids = coalesce(:acceptable_client_ids::text[], acceptable_client_ids),
    scopes = coalesce(:scopes::text[], scopes), pkce_enabled = coalesce(:pkce_enabled::bool, pkce_enabled),
    attribute_mapping = coalesce(:attribute_mapping::jsonb, attribute_mapping),
    custom_claims_allowlist = coalesce(:custom_claims_allowlist::text[], custom_claims_allowlist),
    authorization_params = coalesce(:authorization_params::jsonb, authorization_params), enabled = coalesce(:enabled::bool, enabled),
    email_optional = coalesce(:email_optional::bool, email_optional),
    skip_nonce_check = coalesce(:skip_nonce_check::bool, skip_nonce_check),
    issuer = coalesce(:issuer, issuer), discovery_url = coalesce(:discovery_url, discovery_url),
    cached_discovery = coalesce(:discovery::jsonb, cached_discovery),
    discovery_cached_at = case when :discovery::jsonb is not null then :now::timestamptz else discovery_cached_at end,
    authorization_url = coalesce(:authorization_url, authorization_url), token_url = coalesce(:token_url, token_url),
    userinfo_url = coalesce(:userinfo_url, userinfo_url), jwks_uri = coalesce(:jwks_uri, jwks_uri)
where p.id = :id::uuid
returning %custom_provider_json(p) as json;

-- With it goes what was kept of its issuer.
-- custom_provider_drop(identifier) -> final maybe id
with gone as (delete from auth.custom_oauth_providers where identifier = :identifier::text returning id, issuer),
    forgotten as (delete from postern.oidc_cache c using gone where c.issuer = gone.issuer)
select id from gone;
