/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>

#include "base/err.h"

/*
 * One JSON object a line on standard error or GOTRUE_LOG_FILE: {"level":"info","msg":...,"time":...} and the given fields.
 * Fields are name, value (string) pairs up to a NULL name; pairs with a NULL value are left out.  A name that starts with
 * '#' has its value written as it is (JSON): log_event(LOG_INFO, "request completed", "path", p, "#status", "200", NULL).
 * No secret may be given to it.
 */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_open(enum log_level, const char *file); /* NULL or "": standard error */
void log_event(enum log_level, const char *msg, ...) __attribute__((sentinel));
void log_line(enum log_level, const char *fmt, ...) printf_like(2, 3); /* just a message */
void log_context(const char *request_id);                              /* added to every line until changed; NULL: none.  Not copied. */

#endif
