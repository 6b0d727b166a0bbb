/* SPDX-License-Identifier: Apache-2.0 */
#include "letter/source.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/str.h"
#include "net/http.h"

#define LANGUAGES_MAX 10

static char *
file_read(struct arena *a, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0, most = (size_t)cfg->gotrue_mailer_template_max_size;
	struct stat about;
	char *text = NULL;
	ssize_t n = 1;

	if (fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && (size_t)about.st_size <= most) {
		text = arena_alloc(a, (size_t)about.st_size + 1);
		while (len < (size_t)about.st_size && (n = read(fd, text + len, (size_t)about.st_size - len)) > 0)
			len += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	return (n >= 0 ? text : NULL);
}

/* A language comes from a client and becomes part of a file's name: letters, digits and hyphens only. */
static bool
language_is_sane(const char *language)
{
	size_t len = strspn(language, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return (len > 0 && len < 36 && language[len] == '\0');
}

static char *
language_file(struct arena *a, const char *name, const char *language, const char *ending)
{
	char *text = NULL, *broad;

	if (!language_is_sane(language))
		return (NULL);
	text = file_read(a, arena_printf(a, "%s/%s.%s%s", cfg->postern_mailer_template_dir, name, language, ending));
	broad = arena_strndup(a, language, strcspn(language, "-"));
	if (text == NULL && *broad != '\0' && !str_equal(broad, language))
		text = file_read(a, arena_printf(a, "%s/%s.%s%s", cfg->postern_mailer_template_dir, name, broad, ending));
	return (text);
}

char *
source_file(struct arena *a, const char *name, const char *languages, const char *ending)
{
	char **list = str_split(a, str_or(languages, ""), ','), *text = NULL;

	if (*cfg->postern_mailer_template_dir == '\0')
		return (NULL);
	for (size_t i = 0; list[i] != NULL && i < LANGUAGES_MAX && text == NULL; i++) {
		const char *tag = str_trim(a, arena_strndup(a, list[i], strcspn(list[i], ";")));

		text = language_file(a, name, str_lower(a, tag), ending);
	}
	if (text == NULL)
		text = file_read(a, arena_printf(a, "%s/%s%s", cfg->postern_mailer_template_dir, name, ending));
	return (text);
}

/* What the address is proven by. */
static bool
proves(const struct template *t)
{
	return (template_names(t, "ConfirmationURL") || template_names(t, "Token") || template_names(t, "TokenHash"));
}

struct template *
source_body(struct arena *a, enum letter_id id, const char *text, size_t len, const char **why)
{
	struct template *t = template_parse(a, text, len, TEMPLATE_HTML, why);

	if (t == NULL || letter_row(id)->notice || proves(t))
		return (t);
	*why = "it has none of {{ .ConfirmationURL }}, {{ .Token }} and {{ .TokenHash }}, so nobody could go on with it";
	return (NULL);
}

/* As the reference puts it together: one after the other. */
static const char *
source_place(struct arena *a, const char *url)
{
	const char *site = cfg->gotrue_site_url;

	if (str_starts(url, "http"))
		return (url);

	bool below = *url == '/' || (str_ends(site, "/") && strstr(url, "://") == NULL);

	return (below ? arena_printf(a, "%s%s", site, url) : NULL);
}

char *
source_fetch(struct arena *a, enum letter_id id, const char *url, const char **why)
{
	struct http_call call = { .trust = HTTP_OPERATOR,
		.url = source_place(a, url),
		.timeout_ns = 10000000000,
		.redirects = 10,
		.max_bytes = (size_t)cfg->gotrue_mailer_template_max_size };
	struct http_answer answer;

	if (call.url == NULL) {
		*why = "it must be a URL, or a path that begins with / below GOTRUE_SITE_URL; POSTERN_MAILER_TEMPLATE_DIR is for files";
		return (NULL);
	}
	if (http_do(a, &call, &answer) != HTTP_ANSWERED) {
		*why = answer.why;
		return (NULL);
	}
	if (answer.status != 200) {
		*why = arena_printf(a, "%s answered with status %d", call.url, answer.status);
		return (NULL);
	}
	return (source_body(a, id, answer.body, answer.len, why) != NULL ? arena_strdup(a, answer.body) : NULL);
}

/* The last good template of a URL; settings are those of the process, so a letter has one URL. */
struct memory {
	struct arena *arena;
	const char *text;
	uint64_t fetched_ns, tried_ns;
};

static bool
memory_serves(const struct memory *m, uint64_t now)
{
	if (m->text != NULL && now - m->fetched_ns < (uint64_t)cfg->gotrue_mailer_template_max_age)
		return (true);
	return (m->tried_ns != 0 && now - m->tried_ns < (uint64_t)cfg->gotrue_mailer_template_retry_interval);
}

const char *
source_url(struct arena *a, enum letter_id id, const char *url)
{
	static struct memory memories[LETTER_COUNT];
	struct memory *m = &memories[id];
	uint64_t now = clock_mono_ns();
	const char *why, *text;

	if (!memory_serves(m, now)) {
		m->tried_ns = now;
		text = source_fetch(a, id, url, &why);
		if (text == NULL)
			log_event(LOG_ERROR, "a letter's template can't be used", "mail_type", letter_row(id)->name, "error", why, NULL);
		else {
			if (m->arena == NULL)
				m->arena = arena_new();
			arena_wipe(m->arena);
			m->text = arena_strdup(m->arena, text);
			m->fetched_ns = now;
		}
	}
	return (m->text);
}

static const char *
file_check(struct arena *a, enum letter_id id, const char *path)
{
	const char *text = file_read(a, path), *why = NULL;

	if (text == NULL)
		return (arena_printf(a, "%s can't be read, or has more than GOTRUE_MAILER_TEMPLATE_MAX_SIZE bytes", path));
	if (str_ends(path, ".subject"))
		(void)template_parse(a, text, strlen(text), TEMPLATE_TEXT, &why);
	else
		(void)source_body(a, id, text, strlen(text), &why);
	return (why != NULL ? arena_printf(a, "%s: %s", path, why) : NULL);
}

const char *
source_files_check(struct arena *a, enum letter_id id)
{
	static const char *const patterns[] = { ".html", ".*.html", ".subject", ".*.subject" };
	const char *dir = cfg->postern_mailer_template_dir, *why = NULL;
	glob_t found = { 0 };

	if (*dir == '\0')
		return (NULL);
	if (access(dir, R_OK | X_OK) != 0)
		return (arena_printf(a, "POSTERN_MAILER_TEMPLATE_DIR %s: %s", dir, strerror(errno)));
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		glob(arena_printf(a, "%s/%s%s", dir, letter_row(id)->name, patterns[i]), i > 0 ? GLOB_APPEND : 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc && why == NULL; i++)
		why = file_check(a, id, found.gl_pathv[i]);
	globfree(&found);
	return (why);
}
