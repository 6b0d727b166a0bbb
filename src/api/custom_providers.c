/* SPDX-License-Identifier: Apache-2.0 */
/* /admin/custom-providers: OAuth and OpenID Connect providers of the operator's own. */
#include "api/api.h"
#include "base/str.h"
#include "external/custom_provider.h"
#include "query/custom_provider.h"

/* GET /admin/custom-providers, of one ?type when asked so */
err
custom_providers_get(struct request *r)
{
	const char *type = query_get(&r->query, "type");

	if (!str_empty(type) && !str_equal(type, "oauth2") && !str_equal(type, "oidc"))
		return (fail(r, E_VALIDATION_FAILED, "type must be either 'oauth2' or 'oidc'"));
	TRY_DB(r, custom_provider_list(r, str_empty(type) ? NULL : type), "Error retrieving custom OAuth providers");
	return (OK);
}

/* POST /admin/custom-providers */
err
custom_providers_post(struct request *r)
{
	struct custom_provider_input in = { 0 };
	const char *shown;

	TRY(params_read(r, custom_provider_params, &in));
	TRY(custom_provider_create(r, &in, &shown));
	return (reply_json(r, 201, shown));
}

/* GET /admin/custom-providers/{identifier} */
err
custom_provider_get(struct request *r)
{
	const char *identifier = request_path_arg(r, "identifier");
	struct custom_provider_shown row;

	TRY(custom_provider_check_identifier(r, identifier));
	TRY_DB(r, custom_provider_shown(r->db, &row, .identifier = identifier), "Error retrieving custom OAuth provider");
	return (row.found ? reply_json(r, 200, row.json) : fail(r, E_CUSTOM_PROVIDER_NOT_FOUND, NULL));
}

/* PUT /admin/custom-providers/{identifier}: changes what is sent */
err
custom_provider_put(struct request *r)
{
	struct custom_provider_input in = { 0 };
	const char *identifier = request_path_arg(r, "identifier"), *shown;

	TRY(custom_provider_check_identifier(r, identifier));
	TRY(params_read(r, custom_provider_params, &in));
	TRY(custom_provider_alter(r, identifier, &in, &shown));
	return (reply_json(r, 200, shown));
}

/* DELETE /admin/custom-providers/{identifier} */
err
custom_provider_delete(struct request *r)
{
	const char *identifier = request_path_arg(r, "identifier");

	TRY(custom_provider_check_identifier(r, identifier));
	TRY(custom_provider_remove(r, identifier));
	return (reply_empty(r, 204));
}
