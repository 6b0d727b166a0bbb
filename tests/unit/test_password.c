/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "base/str.h"
#include "fixture.h"
#include "sec/password.h"
#include "sec/recovery_code.h"

static struct settings settings;

/* The cheapest costs: the tests are about the forms. */
static int
cheap_setup(void **state)
{
	settings = (struct settings){
		.postern_password_hash = "scrypt",
		.postern_scrypt_log_n = 4,
		.postern_scrypt_r = 1,
		.postern_scrypt_p = 2,
		.postern_bcrypt_cost = 4,
		.postern_password_rehash = true,
	};
	cfg = &settings;
	return (arena_setup(state));
}

#define cheap_test(test) cmocka_unit_test_setup_teardown(test, cheap_setup, arena_teardown)

#define TEN "xxxxxxxxxx"
#define EIGHTY TEN TEN TEN TEN TEN TEN TEN TEN
#define UTF8 "p\303\244ssw\303\266rd \342\234\223"
#define FBSCRYPT                                                              \
	"$fbscrypt$v=1,n=4,r=1,p=3,sk=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYm" \
	"NkZWY=$c2FsdHNhbHRzYWx0c2FsdA==$SYZop99j9sy2jrtc6byFN2IMvftoG+k5woGXnqldqEo="
#define ARGON2I "$argon2i$v=19$m=64,t=2,p=2$c29tZXNhbHQxMjM0NTY3OA$Ec/D120jbJKZ3p9pu3vK3AB4s0z1XmID"
#define BCRYPT "$2a$04$4nKIgUhe1qn5iUGWpeBxKOuoZWo1mmCf51fHkACJ6xFgjxMZhdOjm"

/* Hashes that the reference has made or accepted. */
static const struct {
	const char *password, *hash;
} vectors[] = {
	{ "password", BCRYPT },
	{ "password", "$2y$04$4nKIgUhe1qn5iUGWpeBxKOuoZWo1mmCf51fHkACJ6xFgjxMZhdOjm" },
	{ "password", "$2b$04$4nKIgUhe1qn5iUGWpeBxKOuoZWo1mmCf51fHkACJ6xFgjxMZhdOjm" },
	{ "password", "$2$04$4nKIgUhe1qn5iUGWpeBxKOuoZWo1mmCf51fHkACJ6xFgjxMZhdOjm" },
	{ EIGHTY, "$2a$04$k6KbzmvGMWCcDyAT5zhxaOJlmUP9lPcSH5Ri8cAOFneW626o3QRqe" },
	{ EIGHTY EIGHTY EIGHTY EIGHTY EIGHTY EIGHTY EIGHTY EIGHTY, "$2a$04$k6KbzmvGMWCcDyAT5zhxaOJlmUP9lPcSH5Ri8cAOFneW626o3QRqe" },
	{ UTF8, "$2a$04$zOsThvo75n/LJpxoYQ5FAuT8oET5mlofDZ0qCe.3i805buRGcrWjm" },
	{ "password", ARGON2I },
	{ "password", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$KovyxkqWI8NiIbnVTsHJGtWda07axUqoJVIuPotqICc" },
	{ "password",
	    "$fbscrypt$v=1,n=10,r=8,p=1,ss=Bw==,sk=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5"
	    "$c2FsdHNhbHRzYWx0c2FsdA==$UMr2d0Nqr0Xj94mRGMHKXU/UJJVzUem1q+DvUS45fhEz8qtyXGojLBRi" },
	{ "password", FBSCRYPT },
};

static void
test_vectors(void **state)
{
	for (size_t i = 0; i < LENGTH(vectors); i++) {
		assert_true(password_hash_valid(vectors[i].hash));
		assert_int_equal(password_verify(*state, vectors[i].hash, vectors[i].password), PASSWORD_RIGHT);
		assert_int_equal(password_verify(*state, vectors[i].hash, "passworD"), PASSWORD_WRONG);
		assert_int_equal(password_verify(*state, vectors[i].hash, ""), PASSWORD_WRONG);
	}
}

static void
test_not_hashes(void **state)
{
	static const char *const bad[] = { "", "$", "$2", "$2a", "$2a$", "$2a$04$", "secret12",
		"$2a$03$4nKIgUhe1qn5iUGWpeBxKOuoZWo1mmCf51fHkACJ6xFgjxMZhdOjm",
		"$2a$32$4nKIgUhe1qn5iUGWpeBxKOuoZWo1mmCf51fHkACJ6xFgjxMZhdOjm",
		"$2a$04$4nKIgUhe1qn5iUGWpeBxKOuoZWo1mmCf51fHkACJ6xFgjxMZhdOj",
		"$3a$04$4nKIgUhe1qn5iUGWpeBxKOuoZWo1mmCf51fHkACJ6xFgjxMZhdOjm",
		"$argon2d$v=19$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$KovyxkqWI8NiIbnV",
		"$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$KovyxkqWI8NiIbnV",
		"$argon2id$v=19$m=1048577,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$KovyxkqWI8NiIbnV",
		"$argon2id$v=19$m=64,t=21,p=1$c29tZXNhbHQxMjM0NTY3OA$KovyxkqWI8NiIbnV",
		"$argon2id$v=19$m=640,t=1,p=17$c29tZXNhbHQxMjM0NTY3OA$KovyxkqWI8NiIbnV",
		"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQxMjM0NTY3OA$KovyxkqWI8NiIbnV",
		"$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQxMjM0NTY3OA$KovyxkqWI8NiIbnV", "$argon2id$v=19$m=64,t=1,p=1$$KovyxkqWI8NiIbnV",
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$",
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA==$KovyxkqWI8NiIbnV",
		"$argon2id$v=19$m=64,t=1,p=1,keyid=x$c29tZXNhbHQxMjM0NTY3OA$KovyxkqWI8NiIbnV",
		"$argon2id$v=19$m=64,t=1,p=1,data=x$c29tZXNhbHQxMjM0NTY3OA$KovyxkqWI8NiIbnV",
		"$argon2id$v=19$m=18446744073709551680,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$KovyxkqWI8NiIbnV",
		"$fbscrypt$v=2,n=4,r=1,p=3,sk=MDEy$c2FsdA==$SYZo", "$fbscrypt$v=1,n=0,r=1,p=3,sk=MDEy$c2FsdA==$SYZo",
		"$fbscrypt$v=1,n=30,r=8,p=1,sk=MDEy$c2FsdA==$SYZo", "$fbscrypt$v=1,n=24,r=1024,p=1,sk=MDEy$c2FsdA==$SYZo",
		"$fbscrypt$v=1,n=4294967297,r=8,p=1,sk=MDEy$c2FsdA==$SYZo", "$fbscrypt$v=1,n=4,r=0,p=1,sk=MDEy$c2FsdA==$SYZo",
		"$fbscrypt$v=1,n=4,r=1,p=256,sk=MDEy$c2FsdA==$SYZo", "$fbscrypt$v=1,n=4,r=1,p=0,sk=MDEy$c2FsdA==$SYZo",
		"$fbscrypt$v=1,n=4,r=1,p=1,sk=!!!$c2FsdA==$SYZo", "$fbscrypt$v=1,n=4,r=1,p=1,sk=MDEy$!!!$SYZo",
		"$fbscrypt$v=1,n=4,r=1,p=1,sk=MDEy$c2FsdA==$!!!", "$fbscrypt$v=1,n=4,r=1,p=1,sk=MDEy$c2FsdA==$",
		"$fbscrypt$v=1,n=4,r=1,p=1,sk=MDEy$c2FsdA==" };

	for (size_t i = 0; i < LENGTH(bad); i++) {
		if (password_hash_valid(bad[i]))
			fail_msg("%s is taken for a hash", bad[i]);
		assert_int_equal(password_verify(*state, bad[i], "password"), PASSWORD_BAD_HASH);
	}
}

/* Can be stored, but no password fits: without a signer key anything could. */
static void
test_fbscrypt_without_signer(void **state)
{
	assert_true(password_hash_valid("$fbscrypt$v=1,n=4,r=1,p=1$c2FsdA==$SYZo"));
	assert_int_equal(password_verify(*state, "$fbscrypt$v=1,n=4,r=1,p=1$c2FsdA==$SYZo", ""), PASSWORD_BAD_HASH);
	assert_int_equal(password_verify(*state, "$fbscrypt$v=1,n=4,r=1,p=1,sk=MDEy$c2FsdA==$SYZoSYZo", ""), PASSWORD_WRONG);
}

static void
test_scrypt_by_default(void **state)
{
	char *hash = password_hash(*state, EIGHTY);

	assert_true(str_starts(hash, "$fbscrypt$v=1,n=4,r=1,p=2,sk="));
	assert_int_equal(password_verify(*state, hash, EIGHTY), PASSWORD_RIGHT);
	assert_int_equal(password_verify(*state, hash, EIGHTY "x"), PASSWORD_WRONG);
	assert_string_not_equal(password_hash(*state, EIGHTY), hash);
	password_waste(*state, "password");
}

static void
test_bcrypt_where_configured(void **state)
{
	char *hash;

	settings.postern_password_hash = "bcrypt";
	hash = password_hash(*state, UTF8);
	assert_true(str_starts(hash, "$2a$04$"));
	assert_int_equal(strlen(hash), 60);
	assert_int_equal(password_verify(*state, hash, UTF8), PASSWORD_RIGHT);
	assert_int_equal(password_verify(*state, hash, "password"), PASSWORD_WRONG);
	password_waste(*state, "password");
}

static void
test_unknown(void **state)
{
	for (size_t i = 0; i < 50; i++) {
		char *scrypt = (settings.postern_password_hash = "scrypt", password_unknown(*state));
		char *bcrypt = (settings.postern_password_hash = "bcrypt", password_unknown(*state));

		assert_true(str_starts(scrypt, "$fbscrypt$v=1,n=4,r=1,p=2,sk=") && str_starts(bcrypt, "$2a$04$"));
		assert_int_equal(strlen(bcrypt), 60);
		assert_non_null(strchr(".CGKOSWaeimquy26", bcrypt[59])); /* the only ones that a digest ends with */
		assert_true(password_hash_valid(scrypt) && password_hash_valid(bcrypt));
		assert_int_equal(password_verify(*state, scrypt, ""), PASSWORD_WRONG);
		assert_int_equal(password_verify(*state, bcrypt, ""), PASSWORD_WRONG);
		assert_string_not_equal(bcrypt + 29, password_unknown(*state) + 29);
	}
}

static void
test_outdated(void **state)
{
	(void)state;
	assert_true(password_outdated(BCRYPT));
	assert_false(password_outdated(ARGON2I));
	assert_false(password_outdated(FBSCRYPT));
	settings.postern_scrypt_log_n = 5;
	assert_true(password_outdated(FBSCRYPT));
	assert_false(password_outdated("secret12"));
	settings.postern_password_hash = "bcrypt";
	assert_false(password_outdated(FBSCRYPT));
	assert_false(password_outdated(BCRYPT));
	settings.postern_bcrypt_cost = 5;
	assert_true(password_outdated(BCRYPT));
	settings.postern_password_rehash = false;
	assert_false(password_outdated(BCRYPT));
}

/* The second: by another program. */
static void
test_recovery_code(void **state)
{
	static const char foreign[] = "$argon2id$v=19$m=19456,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$htb1uOkrH9w5QpuJyiekFOYVslGnIsU9PT3IvnJmlSA";
	const char *hash = recovery_code_hash(*state, "abcdefgh12345678");

	assert_int_equal(strlen(hash), strlen(foreign));
	assert_true(str_starts(hash, "$argon2id$v=19$m=19456,t=1,p=1$"));
	assert_string_not_equal(hash, recovery_code_hash(*state, "abcdefgh12345678"));
	assert_int_equal(password_verify(*state, hash, "abcdefgh12345678"), PASSWORD_RIGHT);
	assert_int_equal(password_verify(*state, hash, "abcdefgh12345679"), PASSWORD_WRONG);
	assert_int_equal(password_verify(*state, foreign, "abcdefgh12345678"), PASSWORD_RIGHT);
}

static void
test_recovery_code_canonical(void **state)
{
	static const struct {
		const char *typed, *canonical;
	} row[] = {
		{ "", "" },
		{ " -\t\r\n\v\f--", "" },
		{ "ABCD-efgh 2345", "abcdefgh2345" },
		{ "\302\205a\302\240b\341\232\200c\342\200\203d\342\200\250e\342\200\257f\342\201\237g\343\200\200h", "abcdefgh" },
		{ "a\342\200\220b\342\200\213c", "a\342\200\220b\342\200\213c" },   /* another hyphen, and what has no width */
		{ "\342\204\252\303\204\304\260", "\342\204\252\303\204\304\260" }, /* no capitals of ASCII */
		{ "a\377\302", "a\377\302" },
	};

	for (size_t i = 0; i < LENGTH(row); i++)
		assert_string_equal(recovery_code_canonical(*state, row[i].typed), row[i].canonical);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cheap_test(test_vectors),
		cheap_test(test_not_hashes),
		cheap_test(test_fbscrypt_without_signer),
		cheap_test(test_scrypt_by_default),
		cheap_test(test_bcrypt_where_configured),
		cheap_test(test_unknown),
		cheap_test(test_outdated),
		cheap_test(test_recovery_code),
		cheap_test(test_recovery_code_canonical),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
