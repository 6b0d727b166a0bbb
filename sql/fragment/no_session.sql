null as session_id, null as session_user_id, null as session_aal, null::bigint as session_created_at,
null::bigint as session_refreshed_at, null::bigint as session_not_after, false as session_recovery
