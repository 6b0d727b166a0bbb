-- external_state_add(id, provider, auth_code, challenge, challenge_method, referrer, invite_token, client_state_id, target_id,
--     email_optional, now) -> none
insert into auth.flow_state (id, provider_type, authentication_method, auth_code, code_challenge, code_challenge_method, referrer, invite_token,
    oauth_client_state_id, linking_target_id, email_optional, provider_access_token, provider_refresh_token, created_at, updated_at)
values (:id::uuid, :provider, 'oauth', :auth_code, :challenge, :challenge_method::auth.code_challenge_method, :referrer, :invite_token,
    :client_state_id::uuid, :target_id::uuid, :email_optional::bool, '', '', :now::timestamptz, :now::timestamptz);

-- external_verifier_add(id, provider, verifier, now) -> none
insert into auth.oauth_client_states (id, provider_type, code_verifier, created_at)
values (:id::uuid, :provider, :verifier, :now::timestamptz);

-- external_state_by_id(id) -> maybe id, provider, auth_code, challenge, used:bool, created_at:time, referrer, invite_token,
--     client_state_id, target_id, email_optional:bool, target_gone:bool
select f.id, f.provider_type as provider, f.auth_code, coalesce(f.code_challenge, '') as challenge, f.user_id is not null as used,
    f.created_at, f.referrer, f.invite_token, f.oauth_client_state_id as client_state_id,
    f.linking_target_id as target_id, f.email_optional,
    f.linking_target_id is not null and not exists (select from auth.users u
        where u.id = f.linking_target_id and u.instance_id = %nil) as target_gone
from auth.flow_state f where f.id = :id::uuid;

-- Taken by itself: whoever comes second has no verifier.
-- external_verifier_take(id) -> maybe provider, verifier, created_at:time
delete from auth.oauth_client_states where id = :id::uuid
returning provider_type as provider, code_verifier as verifier, created_at;

-- The state ends in a code (PKCE), which one of many gets.
-- external_state_claim(id, user_id, token, refresh_token, now) -> none
with claimed as (
    update auth.flow_state set user_id = :user_id::uuid, provider_access_token = :token, provider_refresh_token = :refresh_token,
        auth_code_issued_at = :now::timestamptz, updated_at = :now::timestamptz
    where id = :id::uuid and user_id is null
    returning id
)
select postern.assert(exists (select from claimed), 'changed');

-- The state ends in a session, which one of many gets.
-- external_state_end(id) -> none
with ended as (delete from auth.flow_state where id = :id::uuid returning id)
select postern.assert(exists (select from ended), 'changed');
