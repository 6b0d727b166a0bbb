/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "sec/crypto.h"
#include "sec/password.h"
#include "sec/secret.h"

#define KEY_LEN 32
#define ALGORITHM "aes-gcm-hkdf"

static EVP_CIPHER_CTX *
gcm_start(const unsigned char key[KEY_LEN], const unsigned char *nonce, struct bytes aad, bool sealing)
{
	static EVP_CIPHER *algorithm;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int len;

	if (algorithm == NULL)
		algorithm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	crypto_assert(algorithm != NULL && context != NULL && aad.len <= INT_MAX, "fetching AES-256-GCM");
	crypto_assert(EVP_CipherInit_ex2(context, algorithm, key, nonce, sealing, NULL) == 1, "starting AES-256-GCM");
	if (aad.len > 0)
		crypto_assert(EVP_CipherUpdate(context, NULL, &len, aad.data, (int)aad.len) == 1, "AES-256-GCM");
	return (context);
}

struct bytes
gcm_seal(struct arena *arena, const unsigned char key[KEY_LEN], struct bytes aad, struct bytes plain)
{
	unsigned char *sealed = arena_alloc(arena, GCM_NONCE + plain.len + GCM_TAG), *text = sealed + GCM_NONCE;
	EVP_CIPHER_CTX *context;
	int len;

	secret_random(sealed, GCM_NONCE);
	context = gcm_start(key, sealed, aad, true);
	crypto_assert(plain.len <= INT_MAX && EVP_CipherUpdate(context, text, &len, plain.data, (int)plain.len) == 1 &&
			  EVP_CipherFinal_ex(context, text + plain.len, &len) == 1 &&
			  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, text + plain.len) == 1,
	    "AES-256-GCM");
	EVP_CIPHER_CTX_free(context);
	return ((struct bytes){ sealed, GCM_NONCE + plain.len + GCM_TAG });
}

struct bytes
gcm_open(struct arena *arena, const unsigned char key[KEY_LEN], struct bytes aad, struct bytes sealed)
{
	const unsigned char *nonce = sealed.data, *text = nonce + GCM_NONCE;
	unsigned char tag[GCM_TAG], *plain;
	EVP_CIPHER_CTX *context;
	size_t text_len;
	bool fits;
	int len;

	if (sealed.len < GCM_NONCE + GCM_TAG || sealed.len > INT_MAX)
		return ((struct bytes){ NULL, 0 });
	text_len = sealed.len - GCM_NONCE - GCM_TAG;
	memcpy(tag, text + text_len, GCM_TAG);
	plain = arena_alloc(arena, text_len + 1);
	context = gcm_start(key, nonce, aad, false);
	fits = EVP_CipherUpdate(context, plain, &len, text, (int)text_len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, tag) == 1 &&
	       EVP_CipherFinal_ex(context, plain + text_len, &len) == 1;
	EVP_CIPHER_CTX_free(context);
	ERR_clear_error(); /* it would be taken for TLS's */
	if (!fits)
		secret_wipe(plain, text_len);
	return (fits ? (struct bytes){ plain, text_len } : (struct bytes){ NULL, 0 });
}

/* The column's key: bound to the row, so that a value can't be moved to another. */
static bool
row_key(struct arena *arena, const char *setting, const char *row_id, unsigned char key[KEY_LEN])
{
	size_t len;
	unsigned char *raw = base64url_decode(arena, setting, &len);

	if (raw == NULL || len != KEY_LEN)
		return (false);
	hkdf_sha256(raw, len, row_id, key, KEY_LEN);
	secret_wipe(raw, len);
	return (true);
}

char *
secret_seal(struct arena *arena, const char *row_id, const char *plain)
{
	struct bytes none = { NULL, 0 }, sealed;
	const unsigned char *bytes;
	unsigned char key[KEY_LEN];

	if (!cfg->gotrue_security_db_encryption_encrypt)
		return (arena_strdup(arena, plain));
	crypto_assert(row_key(arena, cfg->gotrue_security_db_encryption_encryption_key, row_id, key), "the database encryption key");
	sealed = gcm_seal(arena, key, none, (struct bytes){ plain, strlen(plain) });
	secret_wipe(key, sizeof(key));
	bytes = sealed.data;
	return (json_pairs(arena, "key_id", cfg->gotrue_security_db_encryption_encryption_key_id, "alg", ALGORITHM, "data",
	    base64_encode(arena, bytes + GCM_NONCE, sealed.len - GCM_NONCE), "nonce", base64_encode(arena, bytes, GCM_NONCE), NULL));
}

/* The parts of a sealed value; anything that is not wholly one is plain text. */
struct sealed {
	const char *key_id;
	struct bytes box; /* as gcm_open() wants it */
};

static bool
sealed_parse(struct arena *arena, const char *stored, struct sealed *sealed)
{
	json *object;
	const char *data, *nonce;
	unsigned char *data_bytes, *nonce_bytes, *box;
	size_t data_len, nonce_len;

	if (!str_starts(stored, "{") || (object = json_parse_text(arena, stored)) == NULL)
		return (false);
	sealed->key_id = json_string(json_get(object, "key_id"));
	data = json_string(json_get(object, "data"));
	nonce = json_string(json_get(object, "nonce"));
	if (str_empty(sealed->key_id) || !str_equal(json_string(json_get(object, "alg")), ALGORITHM) || str_empty(data) || str_empty(nonce))
		return (false);
	data_bytes = base64_decode(arena, data, &data_len);
	nonce_bytes = base64_decode(arena, nonce, &nonce_len);
	if (data_bytes == NULL || data_len == 0 || nonce_bytes == NULL || nonce_len != GCM_NONCE)
		return (false);
	box = arena_alloc(arena, GCM_NONCE + data_len);
	memcpy(box, nonce_bytes, GCM_NONCE);
	memcpy(box + GCM_NONCE, data_bytes, data_len);
	sealed->box = (struct bytes){ box, GCM_NONCE + data_len };
	return (true);
}

static const char *
decryption_key(const char *id)
{
	for (setting_map pair = cfg->gotrue_security_db_encryption_decryption_keys; pair->name != NULL; pair++)
		if (str_equal(pair->name, id))
			return (pair->value);
	return (NULL);
}

bool
secret_key_known(const char *id)
{
	return (decryption_key(id) != NULL);
}

char *
secret_unseal(struct arena *arena, const char *row_id, const char *stored, bool *reseal)
{
	struct bytes none = { NULL, 0 }, plain;
	struct sealed sealed;
	unsigned char key[KEY_LEN];
	const char *setting;
	bool is_sealed = sealed_parse(arena, stored, &sealed);

	if (reseal != NULL)
		*reseal = cfg->gotrue_security_db_encryption_encrypt &&
			  (!is_sealed || !str_equal(sealed.key_id, cfg->gotrue_security_db_encryption_encryption_key_id));
	if (!is_sealed)
		return (arena_strdup(arena, stored));
	setting = decryption_key(sealed.key_id);
	if (setting == NULL || !row_key(arena, setting, row_id, key))
		return (NULL);
	plain = gcm_open(arena, key, none, sealed.box);
	secret_wipe(key, sizeof(key));
	/* A NUL inside would cut the text short for everyone behind us. */
	if (plain.data == NULL || memchr(plain.data, '\0', plain.len) != NULL)
		return (NULL);
	return (arena_strndup(arena, plain.data, plain.len));
}

static bool
key_usable(struct arena *arena, const char *text)
{
	size_t len;
	unsigned char *raw = base64url_decode(arena, text, &len);

	return (raw != NULL && len == KEY_LEN);
}

/* Of two that are usable. */
static bool
key_same(struct arena *arena, const char *one, const char *other)
{
	size_t len;

	return (secret_equal(base64url_decode(arena, one, &len), base64url_decode(arena, other, &len), KEY_LEN));
}

const char *
secret_keys_check(struct arena *arena)
{
	const char *id = cfg->gotrue_security_db_encryption_encryption_key_id;

	for (setting_map pair = cfg->gotrue_security_db_encryption_decryption_keys; pair->name != NULL; pair++)
		if (!key_usable(arena, pair->value))
			return (arena_printf(arena,
			    "GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS: the key \"%s\" is not 32 bytes in base64url without padding",
			    pair->name));
	if (!cfg->gotrue_security_db_encryption_encrypt)
		return (NULL);
	if (str_empty(id))
		return ("GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID is missing");
	if (!key_usable(arena, cfg->gotrue_security_db_encryption_encryption_key))
		return ("GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY is not 32 bytes in base64url without padding");
	if (str_empty(decryption_key(id)))
		return ("GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS does not have the encryption key");
	if (!key_same(arena, decryption_key(id), cfg->gotrue_security_db_encryption_encryption_key))
		return (arena_printf(arena,
		    "GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS has another key by the name \"%s\" than "
		    "GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY: it could not read what is written",
		    id));
	if (utf8_count(secret_seal(arena, "", password_unknown(arena))) > PASSWORD_COLUMN)
		return (
		    "GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID is so long that no password fits into its column when it is "
		    "encrypted");
	return (NULL);
}
