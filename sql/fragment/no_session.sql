null as session_id, null as session_user_id, null as session_aal, null::timestamptz as session_created_at,
null::timestamptz as session_refreshed_at, null::timestamptz as session_not_after,
null as session_client_id
