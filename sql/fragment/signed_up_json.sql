(%user_json(&1) - 'confirmed_at' || jsonb_build_object('identities',
    (select coalesce(jsonb_agg(%identity_json(i) || case when &1.created_at < :now::timestamptz then '{}'
            else jsonb_build_object('identity_data', &1.raw_user_meta_data) end), '[]')
     from auth.identities i where i.user_id = &1.id and i.provider = :provider::text)))
