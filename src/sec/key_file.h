/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_KEY_FILE_H
#define SEC_KEY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/clock.h"

/*
 * POSTERN_JWT_KEYS_FILE, as `postern keys` writes it:
 * {"keys":[{"state":"current","since":"2026-11-24T05:55:00Z","key":{a private JWK with kid and alg}}, ...]}.
 * A key that is retired has lost all but kid and alg.
 */
enum key_state { KEY_STANDBY, KEY_CURRENT, KEY_PREVIOUS, KEY_RETIRED };

#define KEY_FILE_MOST 64

struct key_entry {
	enum key_state state;
	usec since;
	const char *kid, *alg, *jwk; /* jwk: JSON */
};

struct key_file {
	size_t len;
	struct key_entry entry[KEY_FILE_MOST];
};

const char *key_state_name(enum key_state);

/* NULL, or what is wrong with the file, as words behind its name. */
const char *key_file_read(struct arena *, const char *path, struct key_file *);

/* Whether it is another one than when it was asked last; *first: nobody of those who share our memory has seen it so. */
bool key_file_changed(const char *path, bool *first);

/*
 * One change at a time: begin waits for whoever is at it, and finds an empty file where there is none.  write puts the file in the place of
 * the old one, whole or not at all, for the eyes of its owner, and of its group where that could read it before.  Both give NULL, or what is wrong.  end is for both.
 */
struct key_change {
	const char *path;
	int directory; /* locked */
	struct key_file file;
};
const char *key_change_begin(struct arena *, const char *path, struct key_change *);
const char *key_change_write(struct arena *, const struct key_change *);
void key_change_end(struct key_change *);

/* A fresh private JWK (JSON), for an algorithm that we sign with. */
bool key_alg_known(const char *alg);
const char *key_make(struct arena *, const char *alg, const char *kid);

#endif
