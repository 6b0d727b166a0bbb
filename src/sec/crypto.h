/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEC_CRYPTO_H
#define SEC_CRYPTO_H

#include <stdbool.h>

/* Shared by the files of sec/.  A library call that can fail only when the library is broken or memory is out: says which, and aborts. */
void crypto_assert(bool worked, const char *what);

#endif
