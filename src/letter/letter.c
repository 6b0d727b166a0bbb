/* SPDX-License-Identifier: Apache-2.0 */
#include "letter/letter.h"

#include <string.h>

#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "letter/default.h"
#include "letter/source.h"
#include "letter/template.h"
#include "letter/text.h"

static const struct letter_row rows[] = {
#define LETTER(id, name, type) { #name, type, false },
#define NOTICE(id, name, enabled) { #name, #name, true },
#include "letter.def"
};

/* What the settings say of a letter. */
struct letter_settings {
	const char *subject, *url;
	bool enabled;
	const char *own; /* our body */
};

static struct letter_settings
settings_of(enum letter_id id)
{
	const struct letter_settings all[] = {
#define LETTER(id, name, type) { cfg->gotrue_mailer_subjects_##name, cfg->gotrue_mailer_templates_##name, true, letter_default_##name },
#define NOTICE(id, name, switch)                                                               \
	{                                                                                      \
		cfg->gotrue_mailer_subjects_##name, cfg->gotrue_mailer_templates_##name,       \
		    cfg->gotrue_mailer_notifications_##switch##_enabled, letter_default_##name \
	}                                                                                      \
	,
#include "letter.def"
	};

	return (all[id]);
}

const struct letter_row *
letter_row(enum letter_id id)
{
	return (&rows[id]);
}

bool
letter_find(const char *name, enum letter_id *id)
{
	for (size_t i = 0; i < LETTER_COUNT; i++)
		if (str_equal(rows[i].name, name)) {
			*id = (enum letter_id)i;
			return (true);
		}
	return (false);
}

bool
letter_enabled(enum letter_id id)
{
	return (settings_of(id).enabled);
}

/* The end of the variables' names. */
static char *
name_in_capitals(struct arena *a, const char *name)
{
	char *capitals = arena_strdup(a, name);

	for (char *p = capitals; *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return (capitals);
}

/* NULL when the text is no template, or stops midway: the next source takes its place, and the log says why. */
static char *
parsed_render(struct arena *a, enum letter_id id, struct template *t, const char *why, const json *values)
{
	char *text = t != NULL ? template_render(a, t, values, &why) : NULL;

	if (text == NULL)
		log_event(LOG_ERROR, "a letter's template can't be used", "mail_type", rows[id].name, "error", why, NULL);
	return (text);
}

static char *
subject_text(struct arena *a, enum letter_id id, const char *text, const json *values)
{
	const char *why = NULL;
	struct template *t = text != NULL ? template_parse(a, text, strlen(text), TEMPLATE_TEXT, &why) : NULL;

	return (text != NULL ? parsed_render(a, id, t, why, values) : NULL);
}

static char *
body_text(struct arena *a, enum letter_id id, const char *text, const json *values)
{
	const char *why = NULL;
	struct template *t = text != NULL ? source_body(a, id, text, strlen(text), &why) : NULL;

	return (text != NULL ? parsed_render(a, id, t, why, values) : NULL);
}

struct subject_of {
	const char *setting, *own;
};

static void
subject_look(void *arg, const struct setting_view *view)
{
	struct subject_of *s = arg;

	if (str_equal(view->name, s->setting))
		s->own = view->fallback;
}

static const char *
subject_own(struct arena *a, enum letter_id id)
{
	struct subject_of s = { arena_printf(a, "GOTRUE_MAILER_SUBJECTS_%s", name_in_capitals(a, rows[id].name)), "" };

	settings_each(a, cfg, subject_look, &s);
	return (s.own);
}

static const char *
subject_render(struct arena *a, enum letter_id id, const char *languages, const json *values)
{
	const char *subject = subject_text(a, id, source_file(a, rows[id].name, languages, ".subject"), values);

	if (subject == NULL)
		subject = subject_text(a, id, settings_of(id).subject, values);
	if (subject == NULL)
		subject = subject_text(a, id, subject_own(a, id), values);
	return (str_trim(a, str_or(subject, "")));
}

static const char *
body_render(struct arena *a, enum letter_id id, const char *languages, const json *values)
{
	struct letter_settings s = settings_of(id);
	const char *body = body_text(a, id, source_file(a, rows[id].name, languages, ".html"), values);

	if (body == NULL && *s.url != '\0')
		body = body_text(a, id, source_url(a, id, s.url), values);
	return (body != NULL ? body : body_text(a, id, s.own, values));
}

void
letter_render(struct arena *a, enum letter_id id, const char *languages, const json *values, struct letter *out)
{
	out->subject = subject_render(a, id, languages, values);
	out->html = body_render(a, id, languages, values);
	out->text = text_of_html(a, out->html);
}

const char *
letter_check(struct arena *a, enum letter_id id, bool fetch)
{
	struct letter_settings s = settings_of(id);
	const char *why = NULL, *end = name_in_capitals(a, rows[id].name);

	if (template_parse(a, s.subject, strlen(s.subject), TEMPLATE_TEXT, &why) == NULL)
		return (arena_printf(a, "GOTRUE_MAILER_SUBJECTS_%s: %s", end, why));
	if (fetch && *s.url != '\0' && source_fetch(a, id, s.url, &why) == NULL)
		return (arena_printf(a, "GOTRUE_MAILER_TEMPLATES_%s: %s", end, why));
	return (source_files_check(a, id));
}
