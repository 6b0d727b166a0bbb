/* SPDX-License-Identifier: Apache-2.0 */
#include "core/outbox.h"

#include "base/json.h"
#include "base/str.h"
#include "core/mailer.h"
#include "core/outbox_seal.h"
#include "db/db.h"
#include "net/mime.h"
#include "net/transport.h"
#include "query/outbox.h"

/* One language of the user's choice, or the browser's list; NULL without either. */
static const char *
letter_language(struct request *r, const struct user *u)
{
	static const char *const names[] = { "language", "locale", "lang" };
	json *metadata = json_parse_text(r->arena, u->user_metadata);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *language = json_string(json_get(metadata, names[i]));

		if (!str_empty(language))
			return (language);
	}
	return (request_header(r, "Accept-Language"));
}

err
outbox_add(struct request *r, const struct user *u, const struct letter_order *order)
{
	struct arena *a = r->arena;
	struct sealed_row row = { .id = uuid_new(a), .letter = letter_row(order->letter)->name, .recipient = order->to };

	if (transport_in_use() == NULL)
		return (OK);
	outbox_seal(a, &row, letter_language(r, u), order->values);
	TRY(outbox_put(r->db, .id = row.id, .letter = row.letter, .user_id = u->id, .kind = order->kind, .hash = order->hash,
	    .recipient = row.recipient, .key_id = row.key_id, .sealed = row.sealed, .message_id = mime_message_id(a), .now = r->now_text));
	r->committed = mailer_wake;
	return (OK);
}
