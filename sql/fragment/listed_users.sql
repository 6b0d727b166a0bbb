coalesce((select string_agg((select (%plain_user_json(u) || '{"identities": null}')::text from auth.users u where u.id = p.id), ',' order by &2)
          from unnest(&1) with ordinality p(id, k)), '')
