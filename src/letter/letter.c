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

/* NULL when the text is no template: the next source takes its place, and the log says why. */
static char *
text_render(struct arena *a, const char *name, const char *text, const json *values)
{
	const char *why = NULL;
	struct template *t = text != NULL ? template_parse(a, text, strlen(text), TEMPLATE_HTML, &why) : NULL;

	if (why != NULL)
		log_event(LOG_ERROR, "a letter's template can't be used", "mail_type", name, "error", why, NULL);
	return (t != NULL ? template_render(a, t, values) : NULL);
}

static const char *
subject_render(struct arena *a, enum letter_id id, const char *languages, const json *values)
{
	const char *name = rows[id].name;
	const char *subject = text_render(a, name, source_file(a, name, languages, ".subject"), values);

	if (subject == NULL)
		subject = text_render(a, name, settings_of(id).subject, values);
	return (str_trim(a, str_or(subject, "")));
}

static const char *
body_render(struct arena *a, enum letter_id id, const char *languages, const json *values)
{
	struct letter_settings s = settings_of(id);
	const char *body = text_render(a, rows[id].name, source_file(a, rows[id].name, languages, ".html"), values);

	if (body == NULL && *s.url != '\0')
		body = text_render(a, rows[id].name, source_url(a, id, s.url), values);
	return (body != NULL ? body : text_render(a, rows[id].name, s.own, values));
}

void
letter_render(struct arena *a, enum letter_id id, const char *languages, const json *values, struct letter *out)
{
	out->subject = subject_render(a, id, languages, values);
	out->html = body_render(a, id, languages, values);
	out->text = text_of_html(a, out->html);
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

const char *
letter_check(struct arena *a, enum letter_id id, bool fetch)
{
	struct letter_settings s = settings_of(id);
	const char *why = NULL, *end = name_in_capitals(a, rows[id].name);

	if (template_parse(a, s.subject, strlen(s.subject), TEMPLATE_HTML, &why) == NULL)
		return (arena_printf(a, "GOTRUE_MAILER_SUBJECTS_%s: %s", end, why));
	if (fetch && *s.url != '\0' && source_fetch(a, s.url, &why) == NULL)
		return (arena_printf(a, "GOTRUE_MAILER_TEMPLATES_%s: %s", end, why));
	return (source_files_check(a, rows[id].name));
}
