-- What people are told of that nothing else lists: no keys, no secrets.  id: the last one that was seen, null at first.
-- row exported: id, text:str

-- export_passkeys(user_id, id, most) -> many exported
select c.id, jsonb_build_object('id', c.id, 'friendly_name', c.friendly_name, 'created_at', %iso(c.created_at), 'updated_at', %iso(c.updated_at),
    'last_used_at', %iso(c.last_used_at)) as text
from auth.webauthn_credentials c
where c.user_id = :user_id::uuid and c.id > coalesce(:id::uuid, %nil)
order by c.id limit :most::bigint;

-- export_consents(user_id, id, most) -> many exported
select c.id, jsonb_build_object('id', c.id, 'client_id', c.client_id, 'client_name', o.client_name, 'scopes', c.scopes,
    'granted_at', %iso(c.granted_at), 'revoked_at', %iso(c.revoked_at)) as text
from auth.oauth_consents c join auth.oauth_clients o on o.id = c.client_id
where c.user_id = :user_id::uuid and c.id > coalesce(:id::uuid, %nil)
order by c.id limit :most::bigint;
