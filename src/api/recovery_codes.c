/* SPDX-License-Identifier: Apache-2.0 */
/* /factors/recovery-codes: codes that are good once each in place of a second factor. */
#include "api/api.h"
#include "base/buf.h"
#include "base/json.h"
#include "factor/recovery_codes.h"

/* What is not there is left out, as it is of other factors. */
static err
reply_codes(struct request *r, const struct recovery_codes *c)
{
	struct buf b = buf_new(r->arena);

	json_object_begin(&b, NULL);
	json_put_text(&b, "id", c->factor_id);
	json_put_text(&b, "type", "recovery_code");
	json_put_filled(&b, "friendly_name", c->friendly_name);
	json_put_number(&b, "total", (long long)c->total);
	if (c->code == NULL)
		json_put_number(&b, "remaining", (long long)c->remaining);
	else
		json_put_list(&b, "codes", c->code);
	json_object_end(&b);
	return (reply_json(r, 200, b.data));
}

/* GET /factors/recovery-codes */
err
recovery_codes_get(struct request *r)
{
	struct recovery_codes c;

	TRY(recovery_codes_count(r, &c));
	return (reply_codes(r, &c));
}

struct generate {
	const char *friendly_name;
};

/* POST /factors/recovery-codes */
err
recovery_codes_post(struct request *r)
{
	static const struct param fields[] = { PARAM(struct generate, text, friendly_name), PARAM_END };
	struct generate p = { 0 };
	struct recovery_codes c;

	TRY(params_read_optional(r, fields, &p));
	TRY(recovery_codes_generate(r, p.friendly_name, &c));
	return (reply_codes(r, &c));
}

/* POST /factors/recovery-codes/regenerate */
err
recovery_codes_regenerate_post(struct request *r)
{
	struct recovery_codes c;

	TRY(recovery_codes_regenerate(r, &c));
	return (reply_codes(r, &c));
}

struct verify {
	const char *code;
};

/* POST /factors/recovery-codes/verify */
err
recovery_codes_verify_post(struct request *r)
{
	static const struct param fields[] = { PARAM(struct verify, text, code), PARAM_END };
	struct verify p = { 0 };
	struct tokens t = { 0 };

	TRY(params_read(r, fields, &p));
	TRY(recovery_codes_verify(r, p.code, &t));
	return (reply_tokens(r, &t));
}

/* DELETE /factors/recovery-codes */
err
recovery_codes_delete_own(struct request *r)
{
	const char *id;

	TRY_DB(r, recovery_codes_delete(r, &id), "Database error deleting recovery code factor");
	return (reply_json(r, 200, json_pairs(r->arena, "id", id, NULL)));
}
