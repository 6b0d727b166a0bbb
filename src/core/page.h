/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_PAGE_H
#define CORE_PAGE_H

#include <stdint.h>

#include "web/request.h"

/* Lists by page number: ?page= and ?per_page=, and the headers that lead to the other pages. */
struct page {
	uint64_t number, size;
	uint64_t most, skip; /* the same in rows, within what the database has numbers for */
};

/* 400 validation_failed. */
checked err page_read(struct request *, struct page *);

/* Link and X-Total-Count. */
void page_headers(struct request *, const struct page *, long long total);

/* This request's own address with another query: "/admin/users?page=2". */
char *page_url(struct request *, const struct query *);

/* Decimal digits as Go's strconv.ParseUint reads them.  The words after its name are in the failure: 400 validation_failed. */
checked err page_number(struct request *, const char *text, uint64_t *);

#endif
