/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"
#include "base/str.h"
#include "db/db.h"
#include "fuzz.h"
#include "web_double.h"

struct inner {
	const char *code;
};
struct outer {
	const char *email;
	const char *phone;
	bool create;
	const bool *maybe;
	int64_t count;
	double ratio;
	char **words;
	const char *data;
	json *any;
	struct inner inner;
};

static const struct param inner_fields[] = { PARAM(struct inner, text, code), PARAM_END };
static const struct param fields[] = { PARAM(struct outer, text, email), PARAM(struct outer, maybe_text, phone),
	PARAM(struct outer, boolean, create), PARAM(struct outer, maybe_bool, maybe), PARAM(struct outer, integer, count),
	PARAM(struct outer, real, ratio), PARAM(struct outer, strings, words), PARAM(struct outer, raw_object, data),
	PARAM(struct outer, value, any), PARAM_NESTED(struct outer, inner, inner_fields), PARAM_END };

/*
 * The first line is the query string, the second the content type, the rest the body.  Whatever they are, texts are UTF-8, the
 * raw object is JSON, and the reply to an error is JSON, too.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *arena = arena_new();
	char *text = arena_strndup(arena, (const char *)bytes, len);
	size_t query = strcspn(text, "\n"), head = query + (text[query] != '\0');
	size_t type = strcspn(text + head, "\n"), body = head + type + (text[head + type] != '\0');
	char *const variables[] = { "REQUEST_METHOD=POST", arena_printf(arena, "QUERY_STRING=%.*s", (int)query, text),
		arena_printf(arena, "CONTENT_TYPE=%.*s", (int)type, text + head), arena_printf(arena, "PATH_INFO=/%.*s", (int)query, text),
		arena_printf(arena, "REQUEST_URI=/%.*s", (int)query, text),
		arena_printf(arena, "HTTP_X_FORWARDED_FOR=%.*s", (int)type, text + head), NULL };
	struct request *r = double_request(arena, variables, text + body, strlen(text + body));
	struct outer o;
	err error;

	memset(&o, 0, sizeof(o));
	PROMISE(utf8_valid(r->path, strlen(r->path)));
	error = params_read(r, fields, &o);
	if (error == OK) {
		PROMISE(o.email != NULL && o.inner.code != NULL);
		PROMISE(utf8_valid(o.email, strlen(o.email)));
		PROMISE(o.data == NULL || json_kind(json_parse(arena, o.data, strlen(o.data), NULL)) == JSON_OBJECT);
	} else {
		reply_failure(r, error);
		PROMISE(json_kind(json_parse(arena, r->reply.body, r->reply.len, NULL)) == JSON_OBJECT);
	}
	PROMISE(request_form_value(r, "grant_type") != NULL);
	memset(&o, 0, sizeof(o));
	if (form_read(r, r->form.len > 0 ? &r->form : &r->query, fields, &o) == OK) {
		PROMISE(utf8_valid(o.email, strlen(o.email)) && (o.phone == NULL || *o.phone != '\0'));
		PROMISE(o.words == NULL || o.words[0] != NULL);
		PROMISE(o.data == NULL && o.any == NULL);
	}
	arena_free(arena);
	return (0);
}
