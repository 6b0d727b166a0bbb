/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

static const struct error_row error_rows[ERR_COUNT] = {
	[OK] = { 200, "", "" },
#define ERROR(id, status, code, message) [id] = { status, code, message },
#include "error.def"
#undef ERROR
};

const struct error_row *
error_row(err e)
{
	/* An err from outside the table would be a bug; the client then reads the general failure. */
	if ((unsigned)e >= ERR_COUNT)
		e = E_UNEXPECTED_FAILURE;
	return (&error_rows[e]);
}
