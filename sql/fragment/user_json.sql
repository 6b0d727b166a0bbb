(%plain_user_json(&1)
|| jsonb_build_object(
    'identities', (select coalesce(jsonb_agg(%identity_json(i) order by i.created_at, i.id), '[]')
                   from auth.identities i where i.user_id = &1.id))
|| coalesce((select jsonb_build_object('factors', jsonb_agg(%factor_json(f) order by f.created_at))
             from auth.mfa_factors f where f.user_id = &1.id having count(*) > 0), '{}'))
