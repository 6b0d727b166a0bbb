/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SETTING_H
#define BASE_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"

/*
 * The settings of this process: one member a row of setting.def, named as the variable in small letters, so that grep finds it.
 * Eight more per row of provider.def, in provider[].  Types and their parsing are the reference's.
 */
typedef const char *setting_text;   /* never NULL, "" when unset */
typedef const char *setting_secret; /* the same; never shown */
typedef bool setting_bool;          /* Go's strconv.ParseBool */
typedef int64_t setting_int;
typedef double setting_real;
typedef int64_t setting_duration;   /* nanoseconds */
struct setting_maybe_duration { bool set; int64_t ns; };
typedef struct setting_maybe_duration setting_maybe_duration;
typedef char **setting_list;        /* split at ",", ends with NULL, never NULL */
struct setting_pair { const char *name, *value; };
typedef struct setting_pair *setting_map; /* "k:v,k:v"; ends with a NULL name, never NULL */
struct setting_rate { double events; int64_t per_ns; bool burst; }; /* "n" is n an hour in windows; "n/1m" a bucket */
typedef struct setting_rate setting_rate;
typedef char **setting_charsets;    /* split at ":", "\:" is a colon */
typedef int64_t setting_time;       /* RFC 3339 as microseconds; 0 when unset */

enum provider_id {
#define PROVIDER(id, ...) PROVIDER_##id,
#include "provider.def"
#undef PROVIDER
	PROVIDER_COUNT
};

struct provider_settings {
	setting_bool enabled;
	setting_list client_id;
	setting_secret secret;
	setting_text redirect_uri, url, api_url;
	setting_bool email_optional, skip_nonce_check;
};

struct settings {
#define SETTING(type, field, name, fallback, state, sentence) setting_##type field;
#include "setting.def"
#undef SETTING
	struct provider_settings provider[PROVIDER_COUNT];
};

/* The settings in force; set once by settings_load() before the first request. */
extern const struct settings *cfg;

/* LIVE: works.  LATER: of a feature that is not built yet.  MOOT: has no meaning here, the sentence says why. */
enum setting_state { LIVE, LATER, MOOT };

/*
 * Reads the environment, then file (KEY=value lines, may be NULL; it wins).  All complaints are collected, one sentence each that names
 * the setting and the cure.  On a mistake gives NULL; warnings alone do not stop.  The result is never freed (a process has few).
 */
struct complaints {
	size_t len;
	struct complaint { bool fatal; const char *setting, *sentence; } item[256];
};
const struct settings *settings_load(struct arena *, const char *file, struct complaints *);

void settings_manual(FILE *); /* postern.conf(5), mdoc */

#endif
