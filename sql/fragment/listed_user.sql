&1.id, &1.created_at, (%plain_user_json(&1) || '{"identities": null}')::text as json
