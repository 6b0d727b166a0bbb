/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_BREACHED_FILE_H
#define SEC_BREACHED_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "sec/secret.h"

/*
 * Digests (SHA-1) of passwords that were found in breaches, in a file: a mark of 16 bytes; an index of 65537 numbers of 8 bytes, big-endian,
 * which say where the digests with each first two bytes begin, and how many there are; of each digest, in order, the six bytes behind those
 * two.  In a billion of them another digest is found by mistake once in 2^34.
 */
#define BREACHED_MARK "breached sha1 1\n"
#define BREACHED_PREFIXES ((size_t)1 << 16)
#define BREACHED_PREFIX_LEN ((size_t)2)
#define BREACHED_ENTRY_LEN ((size_t)6)
#define BREACHED_INDEX (sizeof(BREACHED_MARK) - 1)
#define BREACHED_ENTRIES (BREACHED_INDEX + (BREACHED_PREFIXES + 1) * sizeof(uint64_t))

/*
 * Opens the file of POSTERN_PASSWORD_BREACHED_FILE in place of the one that is open.  NULL, or one sentence that says what is wrong with
 * it; that one stays then.
 */
const char *breached_file_open(struct arena *);

/* false when it can't be read any more. */
checked bool breached_file_find(const unsigned char sha1[SHA1_LEN], bool *known);

/*
 * What stands behind the colon of a line, as haveibeenpwned.com has it: *counts is false for 0, which only fills up.  Gives what follows it;
 * NULL without a number.
 */
const char *breached_count_read(const char *text, bool *counts);

/*
 * Makes such a file of lines "SHA1:count" in order, as haveibeenpwned.com offers them; those with a count of 0 are left out.  It takes the
 * place of path at once, when it is whole.  NULL, or one sentence that says what is wrong.
 */
const char *breached_file_make(struct arena *, FILE *text, const char *path);

#endif
