-- pkce_add(id, user_id, auth_code, challenge, challenge_method, provider, method, now) -> none
insert into auth.flow_state (id, user_id, auth_code, code_challenge, code_challenge_method, provider_type, authentication_method,
    provider_access_token, provider_refresh_token, created_at, updated_at)
values (:id::uuid, :user_id::uuid, :auth_code, :challenge, :challenge_method::auth.code_challenge_method, :provider, :method, '', '',
    :now::timestamptz, :now::timestamptz);

-- A flow that may be changed for tokens, and its user.
-- pkce_by_code(auth_code) -> maybe user, flow_id, challenge, challenge_method, provider, method, provider_token, provider_refresh_token,
--     begun_at:time
select %user_columns(u), %no_session, f.id as flow_id, f.code_challenge as challenge, f.code_challenge_method as challenge_method,
    f.provider_type as provider, f.authentication_method as method, coalesce(f.provider_access_token, '') as provider_token,
    coalesce(f.provider_refresh_token, '') as provider_refresh_token,
    case when f.authentication_method = 'magiclink' then coalesce(f.auth_code_issued_at, f.created_at) else f.created_at end as begun_at
from auth.flow_state f join auth.users u on u.id = f.user_id
where f.auth_code = :auth_code::text;

-- Whoever takes the flow gets the tokens.
-- pkce_take(id) -> maybe id
delete from auth.flow_state where id = :id::uuid returning id;

-- The newest flow that a user began in this way: its code is issued now.
-- pkce_issue_code(user_id, method, now) -> write maybe auth_code
update auth.flow_state set auth_code_issued_at = :now::timestamptz, updated_at = :now::timestamptz
where id = (select id from auth.flow_state where user_id = :user_id::uuid and authentication_method = :method
            order by created_at desc limit 1)
returning auth_code;
