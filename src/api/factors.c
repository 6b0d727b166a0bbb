/* SPDX-License-Identifier: Apache-2.0 */
/* /factors: users add second factors, use them, and take them away. */
#include "api/api.h"
#include "base/buf.h"
#include "base/json.h"
#include "factor/factor.h"

/* POST /factors */
err
factors_post(struct request *r)
{
	static const struct param fields[] = {
		PARAM(struct factor_enrolment, text, factor_type),
		PARAM(struct factor_enrolment, text, friendly_name),
		PARAM(struct factor_enrolment, text, issuer),
		PARAM(struct factor_enrolment, text, phone),
		PARAM_END,
	};
	struct factor_enrolment p = { 0 };
	struct buf b = buf_new(r->arena);

	TRY(params_read(r, fields, &p));
	TRY(factor_enroll(r, &p));
	json_object_begin(&b, NULL);
	json_put_text(&b, "id", p.id);
	json_put_text(&b, "type", p.factor_type);
	json_put_text(&b, "friendly_name", p.friendly_name);
	json_put_members(&b, p.shown);
	json_object_end(&b);
	return (reply_json(r, 200, b.data));
}

/* POST /factors/{factor_id}/challenge */
err
factor_challenge_post(struct request *r)
{
	struct factor_challenge c = { 0 };
	struct buf b = buf_new(r->arena);

	TRY(factor_challenge(r, &c));
	json_object_begin(&b, NULL);
	json_put_text(&b, "id", c.id);
	json_put_text(&b, "type", r->factor->type);
	json_put_number(&b, "expires_at", c.expires_at);
	json_put_members(&b, c.shown);
	json_object_end(&b);
	return (reply_json(r, 200, b.data));
}

/* POST /factors/{factor_id}/verify */
err
factor_verify_post(struct request *r)
{
	static const struct param fields[] = {
		PARAM(struct factor_answer, maybe_text, challenge_id),
		PARAM(struct factor_answer, text, code),
		PARAM(struct factor_answer, raw_object, webauthn),
		PARAM_END,
	};
	struct factor_answer p = { 0 };
	struct tokens t = { 0 };

	TRY(params_read(r, fields, &p));
	TRY(factor_verify(r, &p, &t));
	return (reply_tokens(r, &t));
}

/* DELETE /factors/{factor_id} */
err
factor_delete_own(struct request *r)
{
	TRY(factor_unenroll(r));
	return (reply_json(r, 200, json_pairs(r->arena, "id", r->factor->id, NULL)));
}
