/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "fuzz.h"
#include "sec/password.h"
#include "sec/password_form.h"

/* What would keep the fuzzer waiting is only taken apart. */
static bool
form_cheap(const struct password_form *form)
{
	if (form->kind == PASSWORD_BCRYPT)
		return (form->cost <= 4);
	if (form->kind == PASSWORD_FBSCRYPT)
		return (((uint64_t)1 << form->cost) * form->memory * form->lanes <= 1024);
	return (form->memory * form->cost <= 1024 && form->hash.len <= 256);
}

/* A hash either is read and verified, or is a bad one to all functions. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct settings settings = {
		.postern_password_hash = "scrypt",
		.postern_scrypt_log_n = 14,
		.postern_scrypt_r = 8,
		.postern_scrypt_p = 5,
		.postern_password_rehash = true,
	};
	struct arena *arena = arena_new();
	char *hash = arena_strndup(arena, (const char *)bytes, len);
	struct password_form form;
	bool parsed = password_form_parse(arena, hash, &form);

	cfg = &settings;
	PROMISE(password_hash_valid(hash) == parsed);
	if (!parsed) {
		PROMISE(!password_outdated(hash));
		PROMISE(password_verify(arena, hash, "password") == PASSWORD_BAD_HASH);
	} else if (form_cheap(&form))
		(void)password_verify(arena, hash, "password");
	arena_free(arena);
	return (0);
}
