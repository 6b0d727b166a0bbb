(%user_json(&1) - 'confirmed_at' || jsonb_build_object('identities',
    (select coalesce(jsonb_agg(%identity_json(i) || jsonb_build_object('identity_data', &1.raw_user_meta_data)), '[]')
     from auth.identities i where i.user_id = &1.id)))
