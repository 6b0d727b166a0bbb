&1.id as session_id, &1.user_id as session_user_id, coalesce(&1.aal, 'aal1') as session_aal, &1.created_at as session_created_at,
&1.refreshed_at at time zone 'UTC' as session_refreshed_at, &1.not_after as session_not_after,
&1.oauth_client_id as session_client_id
