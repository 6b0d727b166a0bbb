/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "fuzz.h"
#include "sec/webauthn.h"

#define CHALLENGE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define CLIENT_DATA \
	"{\"type\":\"webauthn.create\",\"challenge\":\"" CHALLENGE "\",\"origin\":\"https://example.org\",\"crossOrigin\":false}"

static char *origins[] = { "https://example.org", NULL };
static const struct webauthn_expected expected = { CHALLENGE, "example.org", origins, false };

/* An attestation object, of the client data of tests/unit/made_vectors.py: what is taken can be kept. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *arena = arena_new();
	struct webauthn_registration registration = { .client_data = { CLIENT_DATA, strlen(CLIENT_DATA) },
		.attestation_object = { bytes, len } };
	struct webauthn_credential credential;

	if (webauthn_registration_read(arena, &registration) == NULL) {
		registration.id = registration.data.credential_id;
		if (webauthn_registration_verify(arena, &registration, &expected, &credential) == NULL) {
			PROMISE(credential.id.len >= 1 && credential.id.len <= 1023 && credential.public_key.len > 0);
			PROMISE(credential.algorithm < 0 && uuid_parse(arena, credential.aaguid) != NULL && credential.user_present);
			PROMISE(credential.backup_eligible || !credential.backed_up);
			PROMISE(!str_equal(credential.format, "none") || registration.statement.len == 1);
		}
	}
	arena_free(arena);
	return (0);
}
