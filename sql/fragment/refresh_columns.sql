&1.refresh_token_hmac_key as hmac_key, &1.refresh_token_counter as counter, &1.oauth_client_id as client_id, &1.scopes,
    case when exists (select from auth.mfa_amr_claims c where c.session_id = &1.id and %aal2_method(c)) then 'aal2' else 'aal1' end as aal,
    %amr(&1) as amr,
    :single::bool and exists (select from auth.sessions o
        where o.user_id = &1.user_id and o.id <> &1.id and %session_tag(o) is not distinct from %session_tag(&1)
          and coalesce(o.not_after > now(), true)
          and coalesce(o.created_at + :timebox::interval > now(), true)
          and coalesce(coalesce(o.refreshed_at at time zone 'UTC', o.created_at) + :inactivity::interval > now(), true)
          and not coalesce(coalesce(o.aal, 'aal1') < 'aal2' and o.created_at + :low_aal::interval < now()
              and exists (select from auth.mfa_factors m where m.user_id = o.user_id and m.status = 'verified'), false)
          and coalesce(o.refreshed_at at time zone 'UTC', o.created_at) > k.last) as newer
