/* SPDX-License-Identifier: Apache-2.0 */
#include "core/onetime.h"
#include "external/invitation.h"

err
invitation_find(struct request *r, const char *token, struct onetime_holder *holder)
{
	TRY_DB(r, onetime_by_link(r, ONETIME_INVITE, token, holder), "Database error finding user");
	return (OK);
}
