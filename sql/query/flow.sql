-- flow_add(id, user_id, auth_code, challenge, challenge_method, provider, method, now) -> none
insert into auth.flow_state (id, user_id, auth_code, code_challenge, code_challenge_method, provider_type, authentication_method,
    provider_access_token, provider_refresh_token, created_at, updated_at)
values (:id::uuid, :user_id::uuid, :auth_code, :challenge, :challenge_method::auth.code_challenge_method, :provider, :method, '', '',
    :now::timestamptz, :now::timestamptz);

-- flow_by_code(auth_code) -> maybe id, user_id, expired:bool
select f.id, f.user_id, false as expired from auth.flow_state f where f.auth_code = :auth_code;
