/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What providers say: a line with an identity token, a line with a key set; or one line, which is a discovery document and user data to every
 * row of provider.def.  Reading ends, and what comes of it is JSON.
 */
#include "base/setting.h"
#include "base/str.h"
#include "external/id_token.h"
#include "external/provider_row.h"
#include "fuzz.h"

static char *none[] = { NULL };

static void
profile_look(struct arena *a, const struct profile *p)
{
	const char *text = profile_json(p);

	PROMISE(json_kind(json_parse(a, text, strlen(text), NULL)) == JSON_OBJECT);
}

static void
token_try(struct request *r, const char *text, const char *keys)
{
	char *algs[] = { arena_strdup(r->arena, "ES256"), arena_strdup(r->arena, "RS256"), NULL };
	struct profile profile = profile_new(r->arena);
	struct id_token t;
	const char *why;

	if (!id_token_read(r->arena, text, &t, &why)) {
		PROMISE(why != NULL);
		return;
	}
	PROMISE(json_kind(t.claims) == JSON_OBJECT && t.issuer != NULL && t.audience != NULL);
	if (id_token_verify(r->arena, &t, algs, keys, &why) == ID_TOKEN_GOOD)
		PROMISE(str_equal(t.alg, "ES256") || str_equal(t.alg, "RS256"));
	(void)id_token_in_time(&t, 0, &why);
	(void)id_token_fits(r->arena, &t, "access");
	if (id_token_map(r, &t, &profile) == OK)
		profile_look(r->arena, &profile);
}

/* A quirk that asks a second time would go over the network. */
static bool
row_asks_again(const struct provider_row *row)
{
	return (row->more == quirk_bitbucket_emails || row->more == quirk_github_emails || row->more == quirk_gitlab_emails ||
		row->more == quirk_linkedin_name);
}

static void
rows_try(struct request *r, json *said)
{
	for (size_t i = 0; i < PROVIDER_COUNT; i++) {
		const struct provider p = { .row = &provider_rows[i] };
		struct exchange v = { .r = r, .p = &p, .userinfo = said, .profile = profile_new(r->arena) };

		if (!row_asks_again(p.row) && provider_map(&v) == OK)
			profile_look(r->arena, &v.profile);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct settings settings;
	struct request r = { .arena = arena_new() };
	char *text = arena_strndup(r.arena, (const char *)data, len), *line = strchr(text, '\n');
	struct oidc_document doc;
	const char *why = NULL;
	json *said;

	for (size_t i = 0; i < PROVIDER_COUNT; i++)
		settings.provider[i] =
		    (struct provider_settings){ .url = "", .client_id = none, .secret = "", .redirect_uri = "", .api_url = "" };
	cfg = &settings;
	if (line != NULL) {
		*line = '\0';
		token_try(&r, text, line + 1);
	} else if ((said = json_parse(r.arena, text, strlen(text), NULL)) != NULL) {
		(void)oidc_document_read(r.arena, text, strlen(text), NULL, &doc, &why);
		rows_try(&r, said);
	}
	arena_free(r.arena);
	return (0);
}
