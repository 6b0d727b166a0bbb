/* SPDX-License-Identifier: Apache-2.0 */
#include <argon2.h>
#include <crypt.h>
#include <libscrypt.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/setting.h"
#include "base/str.h"
#include "sec/crypto.h"
#include "sec/work.h"
#include "sec/password.h"
#include "sec/password_form.h"

#define SCRYPT_KEY_LEN 32
/* Sealed, with a key id of 36 characters and the longest of costs, a hash still fits into varchar(255); 15 bytes have no padding. */
#define SIGNER_LEN 15
#define SALT_LEN 15
#define BCRYPT_SALT_LEN 16
/* bcrypt uses no more of a password, and libxcrypt refuses longer ones than 511 bytes where the reference cuts them. */
#define BCRYPT_PASSWORD_LEN 72
#define BCRYPT_SETTING_LEN 29

static bool
configured_bcrypt(void)
{
	return (str_equal(cfg->postern_password_hash, "bcrypt"));
}

/* hash: at least 31 characters, without NUL. */
static bool
bcrypt_compute(struct arena *arena, const struct password_form *form, const char *password, char hash[32])
{
	struct crypt_data *data = arena_alloc(arena, sizeof(*data));
	char *phrase = arena_strndup(arena, password, strnlen(password, BCRYPT_PASSWORD_LEN));
	char *setting = arena_printf(arena, "$2b$%02d$%.22s", (int)form->cost, (const char *)form->salt.data);
	char *out = crypt_rn(phrase, setting, data, sizeof(*data));
	bool worked = out != NULL && strlen(out) == BCRYPT_SETTING_LEN + 31;

	if (worked)
		memcpy(hash, out + BCRYPT_SETTING_LEN, 32);
	secret_wipe(phrase, strlen(phrase));
	secret_wipe(data, sizeof(*data));
	return (worked);
}

static enum password_verdict
bcrypt_verify(struct arena *arena, const struct password_form *form, const char *password)
{
	char hash[32];

	if (!bcrypt_compute(arena, form, password, hash))
		return (PASSWORD_BAD_HASH);
	return (secret_equal(hash, form->hash.data, form->hash.len) ? PASSWORD_RIGHT : PASSWORD_WRONG);
}

/* Version, the configured cost and a fresh salt; the prefix is the reference's, so that hashes do not tell who made them. */
static char *
bcrypt_setting(struct arena *arena)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE], random[BCRYPT_SALT_LEN];

	secret_random(random, sizeof(random));
	crypto_assert(crypt_gensalt_rn("$2a$", (unsigned long)cfg->postern_bcrypt_cost, random, sizeof(random), setting, sizeof(setting)) !=
			  NULL,
	    "making a bcrypt salt");
	return (arena_strndup(arena, setting, BCRYPT_SETTING_LEN));
}

static char *
bcrypt_hash(struct arena *arena, const char *password)
{
	char *setting = bcrypt_setting(arena), hash[32];
	struct password_form form = {
		.kind = PASSWORD_BCRYPT, .cost = (uint64_t)cfg->postern_bcrypt_cost, .salt = { setting + strlen("$2a$10$"), 22 }
	};

	crypto_assert(bcrypt_compute(arena, &form, password, hash), "bcrypt");
	return (arena_printf(arena, "%s%s", setting, hash));
}

/* 184 random bits in bcrypt's base64, whose last character has but four of them. */
static char *
bcrypt_unknown(struct arena *arena)
{
	static const char alphabet[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char random[31];
	char digest[32] = { 0 };

	secret_random(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		digest[i] = alphabet[random[i] & (i + 1 < sizeof(random) ? 63 : 60)];
	return (arena_printf(arena, "%s%s", bcrypt_setting(arena), digest));
}

static enum password_verdict
argon_verify(struct arena *arena, const struct password_form *form, const char *password)
{
	unsigned char *out = arena_alloc(arena, form->hash.len);
	argon2_context context = {
		.out = out,
		.outlen = (uint32_t)form->hash.len,
		.pwd = (uint8_t *)arena_strdup(arena, password),
		.pwdlen = (uint32_t)strlen(password),
		.salt = (uint8_t *)arena_strndup(arena, form->salt.data, form->salt.len),
		.saltlen = (uint32_t)form->salt.len,
		.t_cost = (uint32_t)form->cost,
		.m_cost = (uint32_t)form->memory,
		.lanes = (uint32_t)form->lanes,
		.threads = 1,
		.flags = ARGON2_FLAG_CLEAR_PASSWORD,
		.version = ARGON2_VERSION_13,
	};

	if (argon2_ctx(&context, form->kind == PASSWORD_ARGON2ID ? Argon2_id : Argon2_i) != ARGON2_OK)
		return (PASSWORD_BAD_HASH);
	return (secret_equal(out, form->hash.data, form->hash.len) ? PASSWORD_RIGHT : PASSWORD_WRONG);
}

/* AES-256-CTR from counter zero. */
static void
signer_encrypt(const unsigned char key[SCRYPT_KEY_LEN], struct bytes signer, unsigned char *out)
{
	static const unsigned char zero[16];
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int len;

	crypto_assert(context != NULL && signer.len <= INT_MAX && EVP_EncryptInit_ex2(context, EVP_aes_256_ctr(), key, zero, NULL) == 1 &&
			  EVP_EncryptUpdate(context, out, &len, signer.data, (int)signer.len) == 1,
	    "AES-256-CTR");
	EVP_CIPHER_CTX_free(context);
}

/* out: as long as the signer key.  false when there is no memory for it. */
static bool
fbscrypt_compute(const struct password_form *form, const char *password, unsigned char *out)
{
	unsigned char key[SCRYPT_KEY_LEN];

	if (libscrypt_scrypt((const uint8_t *)password, strlen(password), form->salt.data, form->salt.len, (uint64_t)1 << form->cost,
		(uint32_t)form->memory, (uint32_t)form->lanes, key, sizeof(key)) != 0)
		return (false);
	signer_encrypt(key, form->signer, out);
	secret_wipe(key, sizeof(key));
	return (true);
}

static enum password_verdict
fbscrypt_verify(struct arena *arena, const struct password_form *form, const char *password)
{
	unsigned char *out = arena_alloc(arena, form->signer.len + 1);

	if (form->signer.len == 0 || !fbscrypt_compute(form, password, out))
		return (PASSWORD_BAD_HASH);
	if (form->hash.len != form->signer.len)
		return (PASSWORD_WRONG);
	return (secret_equal(out, form->hash.data, form->hash.len) ? PASSWORD_RIGHT : PASSWORD_WRONG);
}

/* The configured cost with fresh random bytes. */
static struct password_form
fbscrypt_form(struct arena *arena)
{
	unsigned char *random = arena_alloc(arena, SIGNER_LEN + SALT_LEN);

	secret_random(random, SIGNER_LEN + SALT_LEN);
	return ((struct password_form){
	    .kind = PASSWORD_FBSCRYPT,
	    .cost = (uint64_t)cfg->postern_scrypt_log_n,
	    .memory = (uint64_t)cfg->postern_scrypt_r,
	    .lanes = (uint64_t)cfg->postern_scrypt_p,
	    .signer = { random, SIGNER_LEN },
	    .salt = { random + SIGNER_LEN, SALT_LEN },
	});
}

static char *
fbscrypt_text(struct arena *arena, const struct password_form *form, const unsigned char hash[SIGNER_LEN])
{
	return (arena_printf(arena, "$fbscrypt$v=1,n=%d,r=%d,p=%d,sk=%s$%s$%s", (int)form->cost, (int)form->memory, (int)form->lanes,
	    base64_encode(arena, form->signer.data, form->signer.len), base64_encode(arena, form->salt.data, form->salt.len),
	    base64_encode(arena, hash, SIGNER_LEN)));
}

static char *
fbscrypt_hash(struct arena *arena, const char *password)
{
	struct password_form form = fbscrypt_form(arena);
	unsigned char hash[SIGNER_LEN];

	crypto_assert(fbscrypt_compute(&form, password, hash), "scrypt");
	return (fbscrypt_text(arena, &form, hash));
}

static char *
fbscrypt_unknown(struct arena *arena)
{
	struct password_form form = fbscrypt_form(arena);
	unsigned char random[SIGNER_LEN];

	secret_random(random, sizeof(random));
	return (fbscrypt_text(arena, &form, random));
}

/* What is hashed or verified, and what comes of it. */
struct hashing {
	struct arena *arena;
	const char *password;
	const struct password_form *form; /* to verify against */
	char *hash;
	enum password_verdict verdict;
};

static void
hash_slowly(void *arg)
{
	struct hashing *h = arg;

	h->hash = configured_bcrypt() ? bcrypt_hash(h->arena, h->password) : fbscrypt_hash(h->arena, h->password);
}

char *
password_hash(struct arena *arena, const char *password)
{
	struct hashing h = { .arena = arena, .password = password };

	work_slowly(hash_slowly, &h);
	return (h.hash);
}

char *
password_unknown(struct arena *arena)
{
	return (configured_bcrypt() ? bcrypt_unknown(arena) : fbscrypt_unknown(arena));
}

void
password_waste(struct arena *arena, const char *password)
{
	(void)password_hash(arena, password);
}

static void
verify_slowly(void *arg)
{
	static enum password_verdict (*const verify[])(struct arena *, const struct password_form *, const char *) = {
		[PASSWORD_BCRYPT] = bcrypt_verify,
		[PASSWORD_ARGON2I] = argon_verify,
		[PASSWORD_ARGON2ID] = argon_verify,
		[PASSWORD_FBSCRYPT] = fbscrypt_verify,
	};
	struct hashing *h = arg;

	h->verdict = verify[h->form->kind](h->arena, h->form, h->password);
}

enum password_verdict
password_verify(struct arena *arena, const char *hash, const char *password)
{
	struct password_form form;
	struct hashing h = { .arena = arena, .password = password, .form = &form };

	if (!password_form_parse(arena, hash, &form))
		return (PASSWORD_BAD_HASH);
	work_slowly(verify_slowly, &h);
	return (h.verdict);
}

static uint64_t
scrypt_work(uint64_t log_n, uint64_t r, uint64_t p)
{
	return (((uint64_t)1 << log_n) * r * p);
}

static bool
form_outdated(const struct password_form *form)
{
	if (configured_bcrypt())
		return (form->kind == PASSWORD_BCRYPT && form->cost < (uint64_t)cfg->postern_bcrypt_cost);
	if (form->kind == PASSWORD_BCRYPT)
		return (true);
	return (form->kind == PASSWORD_FBSCRYPT &&
		scrypt_work(form->cost, form->memory, form->lanes) <
		    scrypt_work((uint64_t)cfg->postern_scrypt_log_n, (uint64_t)cfg->postern_scrypt_r, (uint64_t)cfg->postern_scrypt_p));
}

bool
password_outdated(const char *hash)
{
	struct password_form form;
	struct arena *arena;
	bool outdated;

	if (!cfg->postern_password_rehash)
		return (false);
	arena = arena_new();
	outdated = password_form_parse(arena, hash, &form) && form_outdated(&form);
	arena_free(arena);
	return (outdated);
}

bool
password_hash_valid(const char *hash)
{
	struct password_form form;
	struct arena *arena = arena_new();
	bool valid = password_form_parse(arena, hash, &form);

	arena_free(arena);
	return (valid);
}
