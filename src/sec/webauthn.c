/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/webauthn.h"

const int webauthn_algorithms[WEBAUTHN_ALGORITHMS] = { -7, -35, -36, -257, -258, -259, -37, -38, -39, -8 };

static const char not_built[] = "not built yet";

const char *
webauthn_registration_read(struct arena *arena, struct webauthn_registration *registration)
{
	(void)arena, (void)registration;
	return (not_built);
}

const char *
webauthn_registration_verify(struct arena *arena, const struct webauthn_registration *registration,
    const struct webauthn_expected *expected, struct webauthn_credential *credential)
{
	(void)arena, (void)registration, (void)expected, (void)credential;
	return (not_built);
}

const char *
webauthn_assertion_read(struct arena *arena, struct webauthn_assertion *assertion)
{
	(void)arena, (void)assertion;
	return (not_built);
}

const char *
webauthn_assertion_verify(struct arena *arena, const struct webauthn_assertion *assertion, const struct webauthn_expected *expected,
    struct webauthn_credential *credential)
{
	(void)arena, (void)assertion, (void)expected, (void)credential;
	return (not_built);
}
