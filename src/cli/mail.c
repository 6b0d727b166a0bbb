/* SPDX-License-Identifier: Apache-2.0 */
/* postern mail: the letters that wait, those that died, and the one that a maildir caught last. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/setting.h"
#include "base/str.h"
#include "cli/cli.h"
#include "query/outbox.h"

static const char usage[] =
    "usage: postern mail list         id, state, letter, recipient, attempts, when it was written, the last error\n"
    "       postern mail retry ID|all  send a letter at once; all: every failed one\n"
    "       postern mail drop ID|all   forget a letter; all: every failed one\n"
    "       postern mail newest        show the text of the newest letter in POSTERN_MAILDIR\n"
    "\n"
    "  -c FILE  settings: KEY=value lines, which win over the environment\n";

static err
run_list(struct request *r, char *const *unused)
{
	struct outbox_list_rows page;
	const char *after_id = NULL;

	(void)unused;
	do {
		TRY(outbox_list(r->db, &page, .after = after_id));
		for (size_t i = 0; i < page.len; i++) {
			const struct outbox_list *p = &page.row[i];

			printf("%s\t%s\t%s\t", p->id, p->state, p->letter);
			cli_put(p->recipient);
			printf("\t%lld\t%s\t", p->attempts, p->created_at);
			cli_put(str_or(p->last_error, ""));
			putchar('\n');
		}
		after_id = page.len > 0 ? page.row[page.len - 1].id : NULL;
	} while (after_id != NULL);
	return (OK);
}

/* NULL: all that failed. */
static err
letter_named(struct request *r, const char *word, const char **id)
{
	*id = str_equal(word, "all") ? NULL : uuid_parse(r->arena, word);
	return (*id != NULL || str_equal(word, "all") ? OK : fail(r, E_VALIDATION_FAILED, "\"%s\" is no letter's id", word));
}

static err
count_tell(struct request *r, const char *id, long long count)
{
	if (id != NULL && count == 0)
		return (fail(r, E_VALIDATION_FAILED, "There is no letter %s", id));
	printf("%lld\n", count);
	return (OK);
}

static err
run_retry(struct request *r, char *const *words)
{
	struct outbox_revive revived;
	const char *id;

	TRY(letter_named(r, words[0], &id));
	TRY(outbox_revive(r->db, &revived, .id = id));
	return (count_tell(r, id, revived.count));
}

static err
run_drop(struct request *r, char *const *words)
{
	struct outbox_drop dropped;
	const char *id;

	TRY(letter_named(r, words[0], &id));
	TRY(outbox_drop(r->db, &dropped, .id = id));
	return (count_tell(r, id, dropped.count));
}

/* --- A maildir --- */

struct newest {
	const char *path; /* NULL: none yet */
	struct timespec written;
};

static bool
later(struct timespec a, struct timespec b)
{
	return (a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec);
}

static void
newest_look(struct arena *a, const char *folder, struct newest *n)
{
	const char *path = arena_printf(a, "%s/%s", cfg->postern_maildir, folder);
	DIR *dir = opendir(path);
	struct dirent *entry;
	struct stat st;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		const char *file = arena_printf(a, "%s/%s", path, entry->d_name);

		if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && (n->path == NULL || later(st.st_mtim, n->written)))
			*n = (struct newest){ file, st.st_mtim };
	}
	if (dir != NULL)
		closedir(dir);
}

static const char *
file_read(struct arena *a, const char *path)
{
	struct buf b = buf_new(a);
	FILE *file = fopen(path, "r");
	char part[4096];
	size_t len;

	while (file != NULL && (len = fread(part, 1, sizeof(part), file)) > 0)
		buf_put(&b, part, len);
	if (file != NULL)
		fclose(file);
	return (str_or(b.data, ""));
}

/* A header with its folded lines. */
static void
header_print(const char *letter, const char *name)
{
	const char *end = strstr(letter, "\r\n\r\n"), *at = strstr(letter, name);

	if (at == NULL || end == NULL || at > end)
		return;
	for (at += 2; *at != '\r' || at[2] == ' '; at++)
		if (*at != '\r')
			putchar(*at);
	putchar('\n');
}

static int
hex_digit(char c)
{
	const char *digits = "0123456789ABCDEF", *at = c != '\0' ? strchr(digits, c) : NULL;

	return (at != NULL ? (int)(at - digits) : -1);
}

/* Quoted-printable, as net/mime.c writes it. */
static void
quoted_print(const char *s, const char *end)
{
	for (; s < end; s++)
		if (*s == '=' && s[1] == '\r')
			s += 2;
		else if (*s == '=' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0) {
			putchar(hex_digit(s[1]) * 16 + hex_digit(s[2]));
			s += 2;
		} else if (*s != '\r')
			putchar(*s);
	putchar('\n');
}

static void
letter_print(const char *letter)
{
	const char *part = strstr(letter, "Content-Type: text/plain"), *text = part != NULL ? strstr(part, "\r\n\r\n") : NULL;
	const char *end = text != NULL ? strstr(text, "\r\n--=_") : NULL;

	header_print(letter, "\r\nTo: ");
	header_print(letter, "\r\nSubject: ");
	if (end != NULL)
		quoted_print(text + 2, end);
}

static err
run_newest(struct request *r, char *const *unused)
{
	struct newest newest = { 0 };

	(void)unused;
	if (str_empty(cfg->postern_maildir))
		return (fail(r, E_VALIDATION_FAILED, "POSTERN_MAILDIR is not set"));
	newest_look(r->arena, "new", &newest);
	newest_look(r->arena, "cur", &newest);
	if (newest.path == NULL)
		return (fail(r, E_VALIDATION_FAILED, "There is no letter in %s", cfg->postern_maildir));
	letter_print(file_read(r->arena, newest.path));
	return (OK);
}

/* --- The command --- */

int
cli_mail(int argc, char **argv)
{
	static const struct cli_action actions[] = {
		{ "list", run_list, 0, 0 },
		{ "retry", run_retry, 1, 1 },
		{ "drop", run_drop, 1, 1 },
		{ "newest", run_newest, 0, 0 },
		{ NULL, NULL, 0, 0 },
	};

	return (cli_act(argc, argv, usage, actions));
}
