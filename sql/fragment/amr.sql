coalesce((select json_agg(json_strip_nulls(json_build_object(
                'method', c.authentication_method, 'timestamp', floor(extract(epoch from c.updated_at))::bigint,
                'provider', case when c.authentication_method = 'sso/saml' then
                    (select max(substr(i.provider, 5)) from auth.identities i where i.user_id = &1.user_id
                     having count(*) = 1 and max(i.provider) like 'sso:%') end)) order by c.updated_at desc)
          from auth.mfa_amr_claims c where c.session_id = &1.id), '[]')::text
