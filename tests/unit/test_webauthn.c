/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "fixture.h"
#include "sec/webauthn.h"
#include "webauthn_vectors.h"
#include "made_vectors.h" /* of the same struct */

static char *origins[] = { "https://other.example", "https://example.org", NULL };

static struct bytes
unhex(struct arena *arena, const char *hex)
{
	struct bytes bytes = { NULL, 0 };

	bytes.data = hex_decode(arena, hex, &bytes.len);
	assert_non_null(bytes.data);
	return (bytes);
}

static struct webauthn_expected
expected_of(struct arena *arena, const char *challenge)
{
	struct bytes bytes = unhex(arena, challenge);

	return ((struct webauthn_expected){ base64url_encode(arena, bytes.data, bytes.len), "example.org", origins, false });
}

static const char *
vector_register(struct arena *arena, const struct vector *vector, struct webauthn_credential *credential)
{
	struct webauthn_expected expected = expected_of(arena, vector->create_challenge);
	struct webauthn_registration registration = { unhex(arena, vector->id), unhex(arena, vector->create_client_data),
		unhex(arena, vector->attestation_object) };
	const char *why = webauthn_registration_read(arena, &registration);

	return (why == NULL ? webauthn_registration_verify(arena, &registration, &expected, credential) : why);
}

static const char *
vector_assert(struct arena *arena, const struct vector *vector, struct webauthn_credential *credential)
{
	struct webauthn_expected expected = expected_of(arena, vector->get_challenge);
	struct webauthn_assertion assertion = { unhex(arena, vector->id), unhex(arena, vector->get_client_data),
		unhex(arena, vector->authenticator_data), unhex(arena, vector->signature) };
	const char *why = webauthn_assertion_read(arena, &assertion);

	return (why == NULL ? webauthn_assertion_verify(arena, &assertion, &expected, credential) : why);
}

/* libfido2 does not do the tpm attestation of this algorithm; the formats of Android and Apple are not taken at all. */
static const char *
vector_refused(const struct vector *vector)
{
	if (str_equal(vector->format, "tpm"))
		return ("signature of attestation");
	return (str_starts(vector->format, "a") ? "attestation format" : NULL);
}

static void
test_vectors(void **state)
{
	for (size_t i = 0; i < LENGTH(vectors); i++) {
		struct webauthn_credential credential = { .id = unhex(*state, vectors[i].id) };

		assert_text_or_null(vector_register(*state, &vectors[i], &credential), vector_refused(&vectors[i]));
		if (vector_refused(&vectors[i]) != NULL)
			continue;
		assert_string_equal(credential.format, vectors[i].format);
		assert_null(vector_assert(*state, &vectors[i], &credential));
		assert_false(credential.clone_warning);
	}
}

static void
test_all_algorithms_and_attestations(void **state)
{
	for (size_t i = 0; i < LENGTH(made_vectors); i++) {
		struct webauthn_credential credential = { 0 };

		assert_null(vector_register(*state, &made_vectors[i], &credential));
		assert_string_equal(credential.format, made_vectors[i].format);
		assert_string_equal(credential.aaguid, "00010203-0405-0607-0809-0a0b0c0d0e0f");
		assert_int_equal(credential.sign_count, 1);
		assert_null(vector_assert(*state, &made_vectors[i], &credential));
		assert_int_equal(credential.sign_count, 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_vectors),
		arena_test(test_all_algorithms_and_attestations),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
