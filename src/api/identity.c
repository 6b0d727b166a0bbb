/* SPDX-License-Identifier: Apache-2.0 */
/* DELETE /user/identities/{identity_id}: users take identities away. */
#include "api/api.h"
#include "base/str.h"
#include "core/claims.h"
#include "external/linking.h"

err
identity_delete(struct request *r)
{
	const char *id = uuid_parse(r->arena, request_path_arg(r, "identity_id"));

	if (id == NULL)
		return (fail_as(r, E_VALIDATION_FAILED, 404, "identity_id must be an UUID"));
	if (r->claims->aud == NULL || !str_equal(claims_audience(r), r->claims->aud))
		return (fail(r, E_UNEXPECTED_AUDIENCE, NULL));
	TRY(identity_unlink(r, id));
	return (reply_json(r, 200, "{}"));
}
