%user_plain(&1),
array(select array[i.created_at::text, i.id::text, i.provider_id, i.provider, i.identity_data::text, i.last_sign_in_at::text,
          i.updated_at::text, i.email]
      from auth.identities i where i.user_id = &1.id) as identities,
array(select %factor_row(f) from auth.mfa_factors f where f.user_id = &1.id) as factors,
null as told
