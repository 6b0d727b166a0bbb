/* SPDX-License-Identifier: Apache-2.0 */
/* GET /admin/audit: what happened, newest first. */
#include "api/api.h"
#include "core/audit_list.h"

err
admin_audit_get(struct request *r)
{
	return (audit_list(r));
}
