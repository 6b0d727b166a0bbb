/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SETTING_H
#define BASE_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"

/*
 * The settings of this process: one member a row of setting.def, named as the variable in small letters, so that grep finds it; those of
 * letters, hooks and SMS gateways are made there of their own rows.
 * Eight more per row of provider.def, in provider[].  Types and their parsing are the reference's.
 */
typedef const char *setting_text;   /* never NULL, "" when unset */
typedef const char *setting_secret; /* the same; never shown */
typedef bool setting_bool;          /* Go's strconv.ParseBool */
typedef int64_t setting_int;        /* Go's ParseInt with base 0: 0x1f, 0o17, 1_000 */
typedef int64_t setting_uint;       /* the same, not below 0 */
typedef double setting_real;
typedef int64_t setting_duration; /* nanoseconds */
struct setting_maybe_duration {
	bool set;
	int64_t ns;
};
typedef struct setting_maybe_duration setting_maybe_duration;
typedef char **setting_list; /* split at ",", trimmed, empty ones left out; ends with NULL, never NULL */
struct setting_pair {
	const char *name, *value;
};
typedef struct setting_pair *setting_map;        /* "k:v,k:v"; ends with a NULL name, never NULL */
typedef struct setting_pair *setting_secret_map; /* the same; never shown */
typedef struct setting_pair *setting_domains;    /* "k=v,k=v" */
typedef char **setting_secrets;                  /* split at "|", empty ones left out; never shown */
struct setting_rate {
	double events;
	int64_t per_ns;
	bool burst;
}; /* "n" is n an hour in windows; "n/1m" a bucket */
typedef struct setting_rate setting_rate;
typedef char **setting_charsets; /* split at ":", "\:" is a colon */
typedef int64_t setting_time;    /* RFC 3339 as microseconds; 0 when unset */

/* Texts of a form, trimmed; "" when unset. */
typedef const char *setting_url;
typedef const char *setting_site;
typedef const char *setting_email;
typedef const char *setting_host;
typedef const char *setting_role;
typedef char **setting_emails;
typedef char **setting_roles;

enum provider_id {
#define PROVIDER(id, ...) PROVIDER_##id,
#include "provider.def"
#undef PROVIDER
	PROVIDER_COUNT
};

/* FIELD(id, type, member, end of the name, default, state, sentence) */
/* clang-format off */
#define SETTING_PROVIDER_FIELDS(FIELD, id) \
	FIELD(id, bool, enabled, "ENABLED", "false", LIVE, "Sign-in through this provider.") \
	FIELD(id, list, client_id, "CLIENT_ID", "", LIVE, "The client id; more, separated by commas, are accepted as audience of identity tokens.") \
	FIELD(id, secret, secret, "SECRET", "", LIVE, "The client secret.") \
	FIELD(id, url, redirect_uri, "REDIRECT_URI", "", LIVE, "The callback that the provider knows: API_EXTERNAL_URL/callback.") \
	FIELD(id, url, url, "URL", "", LIVE, "The base URL of a provider that is not at its usual place: a tenant, a realm, a house's own.") \
	FIELD(id, url, api_url, "API_URL", "", NO_EFFECT, "The reference reads it and does nothing with it.") \
	FIELD(id, bool, email_optional, "EMAIL_OPTIONAL", "false", LIVE, "Accounts without an e-mail address are taken.") \
	FIELD(id, bool, skip_nonce_check, "SKIP_NONCE_CHECK", "false", LIVE, "The nonce of an identity token is not compared.")
/* clang-format on */

struct provider_settings {
#define FIELD(id, type, member, name, fallback, state, sentence) setting_##type member;
	SETTING_PROVIDER_FIELDS(FIELD, any)
#undef FIELD
};

struct settings {
#define SETTING(type, field, name, fallback, state, sentence) setting_##type field;
#include "setting.def"
#undef SETTING
	struct provider_settings provider[PROVIDER_COUNT];
};

/* The settings in force; set once by settings_load() before the first request. */
extern const struct settings *cfg;

/* A setting in force by its offsetof(struct settings, ...), for rows that name one. */
const void *setting_at(size_t offset);
const char *setting_text_at(size_t offset);

/* LIVE: works.  NOT_BUILT: of a feature that is not built yet.  NO_EFFECT: has no effect here, the sentence says why. */
enum setting_state { LIVE, NOT_BUILT, NO_EFFECT };

/*
 * Reads the environment, then file (KEY=value lines as godotenv reads them, may be NULL; it wins).  All complaints are collected, one
 * sentence each that says what is wrong and the cure.  On a mistake gives NULL and leaves cfg as it was; otherwise sets cfg.
 * Warnings alone do not stop.  The result lives in the arena, which must live as long as it is in force.
 */
struct complaints {
	size_t len;
	struct complaint {
		bool fatal;
		bool not_built; /* switched on, but of a feature that is not built yet */
		const char *setting, *sentence;
	} item[256];
};
const struct settings *settings_load(struct arena *, const char *file, struct complaints *);

/* One setting for people; value is what it is now, "(set)" for a secret. */
struct setting_view {
	const char *name, *type, *value, *fallback, *sentence;
	enum setting_state state;
};
void settings_each(struct arena *, const struct settings *, void (*call)(void *arg, const struct setting_view *), void *arg);

void settings_manual(FILE *); /* postern.conf(5), mdoc */

#endif
