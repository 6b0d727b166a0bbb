exists (select from auth.sessions o
    where o.user_id = &1.user_id and o.id <> &1.id and %session_tag(o) is not distinct from %session_tag(&1)
      and coalesce(o.not_after > now(), true)
      and coalesce(o.created_at + :timebox::interval > now(), true)
      and coalesce(coalesce(o.refreshed_at at time zone 'UTC', o.created_at) + :inactivity::interval > now(), true)
      and not coalesce(coalesce(o.aal, 'aal1') < 'aal2' and o.created_at + :low_aal::interval < now()
          and exists (select from auth.mfa_factors m where m.user_id = o.user_id and m.status = 'verified'), false)
      and coalesce(o.refreshed_at at time zone 'UTC', o.created_at) > &2)
