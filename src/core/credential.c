/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "core/breached.h"
#include "core/credential.h"
#include "query/user.h"
#include "sec/password.h"
#include "sec/secret.h"

#define PASSWORD_MAX 72 /* bytes: what bcrypt reads */

/* Whether the text has one of the characters (which may be longer than a byte). */
static bool
has_any(const char *text, const char *characters)
{
	char one[5];

	for (size_t len; (len = utf8_first(characters)) > 0 && len < sizeof(one); characters += len) {
		memcpy(one, characters, len);
		one[len] = '\0';
		if (strstr(text, one) != NULL)
			return (true);
	}
	return (false);
}

static bool
has_required_characters(const char *password)
{
	for (char **set = cfg->gotrue_password_required_characters; *set != NULL; set++)
		if (**set != '\0' && !has_any(password, *set))
			return (false);
	return (true);
}

struct weakness {
	struct buf message, reasons; /* reasons: a JSON array */
	enum breached breached;
};

static void
weakness_add(struct weakness *w, const char *reason, const char *message)
{
	json_put_text(&w->reasons, NULL, reason);
	buf_printf(&w->message, "%s%s", w->message.len > 0 ? " " : "", message);
}

static void
weakness_find(struct request *r, const char *password, enum breached_use use, struct weakness *w)
{
	struct arena *a = r->arena;

	w->message = buf_new(a);
	w->reasons = buf_new(a);
	json_array_begin(&w->reasons, NULL);
	if ((int64_t)strlen(password) < cfg->gotrue_password_min_length)
		weakness_add(w, "length",
		    arena_printf(a, "Password should be at least %lld characters.", (long long)cfg->gotrue_password_min_length));
	if (!has_required_characters(password))
		weakness_add(w, "characters",
		    arena_printf(a, "Password should contain at least one character of each: %s.",
			str_join(a, cfg->gotrue_password_required_characters, ", ")));
	w->breached = breached_look(r, password, use);
	if (w->breached == BREACHED_YES)
		weakness_add(w, "pwned", "Password is known to be weak and easy to guess, please choose a different one.");
	json_array_end(&w->reasons);
}

static const char *
weakness_json(struct arena *a, const char *weakness)
{
	return (json_pairs(a, "#weak_password", weakness, NULL));
}

err
credential_check_length(struct request *r, const char *password)
{
	if (strlen(password) > PASSWORD_MAX)
		return (fail(r, E_VALIDATION_FAILED, "Password cannot be longer than %d characters", PASSWORD_MAX));
	return (OK);
}

err
credential_check_strength(struct request *r, const char *password)
{
	struct weakness w;

	TRY(credential_check_length(r, password));
	weakness_find(r, password, BREACHED_DECIDES, &w);
	if (w.breached == BREACHED_UNKNOWN && cfg->gotrue_password_hibp_fail_closed)
		return (fail(r, E_UNEXPECTED_FAILURE, "Unable to perform password strength check with HaveIBeenPwned.org."));
	if (w.message.len == 0)
		return (OK);
	r->failure.extra = weakness_json(r->arena, json_pairs(r->arena, "#reasons", w.reasons.data, NULL));
	return (fail(r, E_WEAK_PASSWORD, "%s", w.message.data));
}

const char *
credential_weakness(struct request *r, const char *password)
{
	struct weakness w = { 0 };

	if (strlen(password) <= PASSWORD_MAX)
		weakness_find(r, password, BREACHED_TELLS, &w);
	if (w.message.len == 0)
		return (weakness_json(r->arena, "null"));
	return (weakness_json(r->arena, json_pairs(r->arena, "message", w.message.data, "#reasons", w.reasons.data, NULL)));
}

static char *
credential_seal(struct request *r, const char *user_id, char *hash)
{
	return (cfg->gotrue_security_db_encryption_encrypt ? secret_seal(r->arena, user_id, hash) : hash);
}

char *
credential_new(struct request *r, const char *user_id, const char *password)
{
	if (str_empty(password))
		return (NULL);
	return (credential_seal(r, user_id, password_hash(r->arena, password)));
}

char *
credential_unknown(struct request *r, const char *user_id)
{
	return (credential_seal(r, user_id, password_unknown(r->arena)));
}

/* An imported hash may be too long to be sealed. */
static const char *
credential_renewed(struct request *r, const char *user_id, const char *hash, const char *password, bool reseal)
{
	const char *sealed = reseal ? secret_seal(r->arena, user_id, hash) : NULL;

	if (password_outdated(hash) || utf8_count(sealed) > PASSWORD_COLUMN)
		return (credential_new(r, user_id, password));
	return (sealed);
}

/* Ids are chance, so the one that follows a keyed hash of the name is anybody's, and the same each time. */
static const char *
neighbour_hash(struct request *r, const char *name)
{
	const char *info = arena_printf(r->arena, "postern neighbour %s", name);
	struct user_with_password found;
	unsigned char id[16];

	hkdf_sha256(cfg->gotrue_jwt_secret, strlen(cfg->gotrue_jwt_secret), info, id, sizeof(id));
	if (user_with_password(r->db, &found, .from = hex_encode(r->arena, id, sizeof(id))) != OK || !found.found)
		return (NULL);
	return (secret_unseal(r->arena, found.id, found.password, NULL));
}

/*
 * Takes the time that somebody else's password takes, so that who is not there is like those who are, whatever the site's hashes are.
 * Also a wrong password looks for the neighbour, whose hash has no work then.
 */
static void
neighbour_waste(struct request *r, const char *name, const char *password, bool worked)
{
	const char *hash = neighbour_hash(r, name);

	if (!worked && (hash == NULL || password_verify(r->arena, hash, password) == PASSWORD_BAD_HASH))
		password_waste(r->arena, password);
}

bool
credential_verify(struct request *r, const struct user *u, const char *name, const char *password, const char **renewed)
{
	enum password_verdict verdict = PASSWORD_BAD_HASH;
	const char *hash = NULL;
	bool reseal = false;

	if (renewed != NULL)
		*renewed = NULL;
	if (u != NULL && !str_empty(u->password))
		hash = secret_unseal(r->arena, u->id, u->password, &reseal);
	if (hash != NULL && (verdict = password_verify(r->arena, hash, password)) == PASSWORD_BAD_HASH)
		log_event(LOG_ERROR, "the stored password of a user is not a hash that can be read", "user_id", u->id, NULL);
	if (verdict != PASSWORD_RIGHT)
		neighbour_waste(r, name, password, verdict == PASSWORD_WRONG);
	else if (renewed != NULL)
		*renewed = credential_renewed(r, u->id, hash, password, reseal);
	return (verdict == PASSWORD_RIGHT);
}
