/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_INVITATION_H
#define EXTERNAL_INVITATION_H

#include "query/onetime.h"
#include "web/request.h"

/* Whom the link of an invitation is for, where they go on with a provider: holder->found is false when it is nobody's. */
checked err invitation_find(struct request *, const char *token, struct onetime_holder *);

#endif
