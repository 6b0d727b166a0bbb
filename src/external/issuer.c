/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "db/db.h"
#include "external/issuer.h"
#include "query/issuer.h"

#define KEYS_APART 5 /* seconds between two fetches of one key set, whatever key ids tokens come with */
#define WAIT_STEP_MS 50

/* One look-up on its way. */
struct search {
	struct request *r;
	const struct issuer *issuer;
	const char *discovery_url;
	struct issuer_known known;
	const char *why; /* what went wrong so far, for the log */
};

static void
search_start(struct search *s, struct request *r, const struct issuer *i)
{
	*s = (struct search){ .r = r, .issuer = i };
	s->discovery_url = i->discovery_url != NULL ? i->discovery_url : oidc_discovery_url(r->arena, i->url);
}

static err
search_end(const struct search *s)
{
	return (s->why == NULL ? OK : fail_outside(s->r, "%s", s->why));
}

static err
search_look(struct search *s)
{
	const char *life = duration_seconds(s->r->arena, cfg->gotrue_external_oidc_provider_cache_ttl);

	return (issuer_known(s->r->db, &s->known, .issuer = s->issuer->url, .discovery_url = s->discovery_url, .life = life));
}

/* Committed at once, so that others see it while we fetch. */
static err
search_claim(struct search *s, bool *mine)
{
	struct issuer_claim claim;
	const char *seconds = arena_printf(s->r->arena, "%.3f", (double)cfg->gotrue_internal_http_timeout / 1e9 + 1);

	db_autonomous_begin(s->r->db);
	TRY(issuer_claim(s->r->db, &claim, .issuer = s->issuer->url, .discovery_url = s->discovery_url, .seconds = seconds));
	*mine = claim.found;
	return (db_autonomous_end(s->r->db));
}

static err
search_give_up(struct search *s)
{
	log_event(LOG_WARN, "an issuer could not be asked", "issuer", s->issuer->url, "error", s->why, NULL);
	db_autonomous_begin(s->r->db);
	TRY(issuer_give_up(s->r->db, .issuer = s->issuer->url, .discovery_url = s->discovery_url));
	return (db_autonomous_end(s->r->db));
}

static void
pause_shortly(void)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_MS * 1000000L };

	nanosleep(&step, NULL);
}

/* Waits for whoever fetches; *mine when it is to be fetched here. */
static err
search_wait(struct search *s, bool (*there)(const struct search *), bool *mine)
{
	uint64_t end = clock_mono_ns() + (uint64_t)cfg->gotrue_internal_http_timeout;

	for (*mine = false; !*mine && !there(s);) {
		TRY(search_claim(s, mine));
		if (*mine || clock_mono_ns() > end)
			break;
		pause_shortly();
		TRY(search_look(s));
	}
	return (OK);
}

static const char *
expected_name(const struct issuer *i)
{
	return (i->lax ? NULL : i->url);
}

static err
document_fetch(struct search *s, struct oidc_document *doc)
{
	struct arena *a = s->r->arena;

	if (!oidc_discover(a, s->issuer->trust, s->discovery_url, expected_name(s->issuer), doc, &s->why))
		return (search_give_up(s));
	db_autonomous_begin(s->r->db);
	TRY(issuer_store_document(s->r->db, .issuer = s->issuer->url, .discovery_url = s->discovery_url, .document = doc->text));
	return (db_autonomous_end(s->r->db));
}

static bool
document_there(const struct search *s)
{
	return (s->known.found && s->known.document != NULL);
}

static err
document_find(struct search *s, struct oidc_document *doc)
{
	bool mine = false;

	TRY(search_look(s));
	if (!document_there(s))
		TRY(search_wait(s, document_there, &mine));
	else if (!s->known.document_fresh && !s->known.busy)
		TRY(search_claim(s, &mine));
	if (mine) {
		TRY(document_fetch(s, doc));
		if (s->why == NULL || !document_there(s))
			return (OK);
		s->why = NULL; /* the old one serves */
	}
	if (!document_there(s)) {
		s->why = "another worker is waiting for its document";
		return (OK);
	}
	(void)oidc_document_read(s->r->arena, s->known.document, strlen(s->known.document), expected_name(s->issuer), doc, &s->why);
	return (OK);
}

err
issuer_document(struct request *r, const struct issuer *i, struct oidc_document *doc)
{
	struct search s;

	search_start(&s, r, i);
	TRY(document_find(&s, doc));
	return (search_end(&s));
}

static bool
keys_there(const struct search *s)
{
	return (s->known.found && s->known.keys != NULL);
}

static err
keys_fetch(struct search *s, const char *url)
{
	const char *keys;

	if (!oidc_fetch_keys(s->r->arena, s->issuer->trust, url, &keys, &s->why))
		return (search_give_up(s));
	db_autonomous_begin(s->r->db);
	TRY(issuer_store_keys(s->r->db, .issuer = s->issuer->url, .discovery_url = s->discovery_url, .keys = keys));
	TRY(db_autonomous_end(s->r->db));
	s->known.found = true;
	s->known.keys = keys;
	s->known.keys_age = 0;
	return (OK);
}

/* newer: those at hand did not do. */
static err
keys_find(struct search *s, const struct oidc_document *doc, bool newer)
{
	bool mine = false;

	TRY(search_look(s));
	if (!keys_there(s))
		TRY(search_wait(s, keys_there, &mine));
	else if (newer ? s->known.keys_age >= KEYS_APART : !s->known.keys_fresh)
		TRY(search_claim(s, &mine));
	if (mine)
		TRY(keys_fetch(s, doc->jwks));
	if (keys_there(s))
		s->why = NULL;
	else if (s->why == NULL)
		s->why = "another worker is waiting for its keys";
	return (OK);
}

static err
signature_check(struct search *s, const struct oidc_document *doc, const struct id_token *t)
{
	enum id_token_verdict verdict = ID_TOKEN_NO_KEY;

	for (int newer = 0; newer < 2 && verdict == ID_TOKEN_NO_KEY; newer++) {
		TRY(keys_find(s, doc, newer == 1));
		if (s->why != NULL)
			return (OK);
		verdict = id_token_verify(s->r->arena, t, doc->algs, s->known.keys, &s->why);
		if (verdict == ID_TOKEN_GOOD)
			s->why = NULL;
	}
	return (OK);
}

/* Google leaves the scheme out at times. */
static bool
name_fits(const struct issuer *i, const char *name)
{
	if (i->lax)
		return (true); /* whoever is lax has looked at the name */
	return (str_equal(i->url, name) || (str_equal(i->url, "https://accounts.google.com") && str_equal(name, "accounts.google.com")));
}

err
issuer_verify(struct request *r, const struct issuer *i, const struct id_token *t)
{
	struct oidc_document doc;
	struct search s;

	search_start(&s, r, i);
	TRY(document_find(&s, &doc));
	TRY(search_end(&s));
	TRY(signature_check(&s, &doc, t));
	TRY(search_end(&s));
	if (!name_fits(i, t->issuer))
		return (fail_outside(r, "its issuer is \"%s\"", t->issuer));
	(void)id_token_in_time(t, clock_now(), &s.why);
	return (search_end(&s));
}

err
issuer_forget(struct request *r, const char *url)
{
	return (issuer_drop(r->db, .issuer = url));
}
