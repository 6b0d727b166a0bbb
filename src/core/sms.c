/* SPDX-License-Identifier: Apache-2.0 */
/* Placeholder so that the tree links; the hooks helper replaces this file. */
#include "core/sms.h"

bool
sms_provider_verifies(void)
{
	return (false);
}

err
sms_provider_check(struct request *r, const char *phone, const char *code)
{
	(void)phone;
	(void)code;
	return (fail(r, E_OTP_EXPIRED, NULL));
}

err
sms_deliver(struct request *r, const struct user *u, const struct sms *s, const char **id)
{
	(void)u;
	(void)s;
	(void)id;
	return (fail(r, E_UNEXPECTED_FAILURE, "Unable to get SMS provider"));
}

const char *
sms_test_code(struct request *r, const char *phone)
{
	(void)r;
	(void)phone;
	return (NULL);
}
