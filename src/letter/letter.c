/* SPDX-License-Identifier: Apache-2.0 */
#include "letter/letter.h"

#include <string.h>

#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "html/template.h"
#include "letter/default.h"
#include "letter/source.h"
#include "letter/text.h"

/* What the settings say of a letter, and what stands in their place. */
struct letter_settings {
	const char *end; /* of their names */
	const char *subject, *url;
	bool enabled;
	const char *own_subject, *own_body;
};

static struct letter_settings
settings_of(enum letter_id id)
{
	const struct letter_settings all[] = {
#define ON(name) cfg->gotrue_mailer_notifications_##name##_enabled
#define TEXTS(name) cfg->gotrue_mailer_subjects_##name, cfg->gotrue_mailer_templates_##name
#define LETTER(id, name, type, what, subject, ...) { #id, TEXTS(name), true, subject, letter_default_##name },
#define NOTICE(id, name, on, state, what, subject) { #id "_NOTIFICATION", TEXTS(name), ON(on), subject, letter_default_##name },
#include "letter.def"
	};

	return (all[id]);
}

bool
letter_enabled(enum letter_id id)
{
	return (settings_of(id).enabled);
}

/* NULL when the text is no template, or stops midway: the next source takes its place, and the log says why. */
static char *
parsed_render(struct arena *a, enum letter_id id, struct template *t, const char *why, const json *values)
{
	char *text = t != NULL ? template_render(a, t, values, &why) : NULL;

	if (text == NULL)
		log_event(LOG_ERROR, "a letter's template can't be used", "mail_type", letter_row(id)->name, "error", why, NULL);
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

static const char *
subject_render(struct arena *a, enum letter_id id, const char *languages, const json *values)
{
	struct letter_settings s = settings_of(id);
	const char *subject = subject_text(a, id, source_file(a, letter_row(id)->name, languages, ".subject"), values);

	if (subject == NULL)
		subject = subject_text(a, id, s.subject, values);
	if (subject == NULL)
		subject = subject_text(a, id, s.own_subject, values);
	return (str_trim(a, str_or(subject, "")));
}

static const char *
body_render(struct arena *a, enum letter_id id, const char *languages, const json *values)
{
	struct letter_settings s = settings_of(id);
	const char *body = body_text(a, id, source_file(a, letter_row(id)->name, languages, ".html"), values);

	if (body == NULL && *s.url != '\0')
		body = body_text(a, id, source_url(a, id, s.url), values);
	return (body != NULL ? body : body_text(a, id, s.own_body, values));
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
	const char *why = NULL;

	if (template_parse(a, s.subject, strlen(s.subject), TEMPLATE_TEXT, &why) == NULL)
		return (arena_printf(a, "GOTRUE_MAILER_SUBJECTS_%s: %s", s.end, why));
	if (fetch && *s.url != '\0' && source_fetch(a, id, s.url, &why) == NULL)
		return (arena_printf(a, "GOTRUE_MAILER_TEMPLATES_%s: %s", s.end, why));
	return (source_files_check(a, id));
}
