/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * Errors are values that must be looked at.  A function that can fail returns err; OK is zero.
 * What the client is told about it (words, extra JSON) is kept in the request: see fail() in web/request.h.
 */
typedef enum err {
	OK = 0,
#define ERROR(id, status, code, message) id,
#include "error.def"
#undef ERROR
	ERR_COUNT
} err;

#define checked __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))

/* Passes an error up. */
#define TRY(call)                          \
	do {                               \
		err try_err_ = (call);     \
		if (try_err_ != OK)        \
			return (try_err_); \
	} while (0)

struct error_row {
	int status;          /* HTTP status */
	const char *code;    /* as in error_code and X-Sb-Error-Code */
	const char *message; /* what is said when fail() gives no words of its own */
};

/* The row of error.def. */
const struct error_row *error_row(err);

#endif
