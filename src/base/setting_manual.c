/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"

#include <ctype.h>

#include "base/setting_parse.h"

/* A heading (title alone) or a setting of the manual. */
static const struct manual_line {
	const char *title, *name, *fallback, *sentence;
	enum setting_state state;
	const struct setting_type *type;
} manual_table[] = {
#define SECTION(title) { title, NULL, NULL, NULL, LIVE, NULL },
#define SETTING(type, field, name, fallback, state, sentence) { NULL, name, fallback, sentence, state, &setting_type_##type },
#include "setting.def"
	{ "Each sign-in provider", NULL, NULL, NULL, LIVE, NULL },
#define FIELD(id, type, member, name, fallback, state, sentence) \
	{ NULL, "GOTRUE_EXTERNAL_" #id "_" name, fallback, sentence, state, &setting_type_##type },
	SETTING_PROVIDER_FIELDS(FIELD, PROVIDER)
#undef FIELD
};

static const struct {
	const char *alias, *name;
} manual_alias[] = {
#define ALIAS(alias, name) { alias, name },
#include "setting.def"
};

static const char manual_head[] =
    ".\\\" Made from setting.def: change it there.\n"
    ".Dd November 24, 2026\n"
    ".Dt POSTERN.CONF 5\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm postern.conf\n"
    ".Nd settings of the authentication server\n"
    ".Sh DESCRIPTION\n"
    ".Xr postern 8\n"
    "takes its settings from environment variables and from the file that\n"
    ".Fl c\n"
    "names; the file wins.\n"
    "The names that begin with\n"
    ".Dv GOTRUE_\n"
    "are those of Supabase Auth and mean the same; our own begin with\n"
    ".Dv POSTERN_ .\n"
    ".Ss The file\n"
    "A line is\n"
    ".Ql NAME=value ;\n"
    ".Ql export\n"
    "may stand before it.\n"
    "Lines that begin with\n"
    ".Ql #\n"
    "are comments; so is what follows a blank and\n"
    ".Ql #\n"
    "behind a value without quotes.\n"
    "A value in single quotes stands as it is and may have several lines.\n"
    "In double quotes\n"
    ".Ql \\en\n"
    "is a new line and a backslash takes the meaning from what follows.\n"
    "Nothing is substituted.\n"
    "Keep the file readable for the server alone: it holds secrets.\n"
    ".Ss Values\n"
    ".Bl -tag -width Ds\n"
    ".It true or false\n"
    "Also 1, t, T, TRUE, True and 0, f, F, FALSE, False.\n"
    ".It duration\n"
    "Numbers with units: 300ms, 90s, 1h30m.\n"
    ".It list\n"
    "Separated by commas; blanks around an item do no harm.\n"
    ".It map\n"
    "name:value,name:value.\n"
    ".It rate\n"
    "n in an hour; or n/duration: a bucket of n that gets one back in each duration.\n"
    ".El\n"
    ".Pp\n"
    "A text or list that is set to nothing has its default; other types refuse it.\n"
    "The server does not start with a value that it can't read, and warns of names that it does not know.\n"
    ".Ic postern check\n"
    "tells all that is wrong with the settings.\n"
    ".Ss Redirects\n"
    "Clients may have their users sent to\n"
    ".Ev GOTRUE_SITE_URL\n"
    "(its scheme, host and port, any path), to an IP address of their own machine (http://127.0.0.1:3000/cb), and to what a pattern of\n"
    ".Ev GOTRUE_URI_ALLOW_LIST\n"
    "takes.\n"
    "The first of redirect_to and the Referer that is allowed counts, else they land at\n"
    ".Ev GOTRUE_SITE_URL ;\n"
    "the log names a redirect_to that is not allowed, without its query.\n"
    "In a pattern\n"
    ".Ql *\n"
    "is any text without . and /;\n"
    ".Ql **\n"
    "any text;\n"
    ".Ql \\&?\n"
    "any one character but those two;\n"
    ".Ql [abc] ,\n"
    ".Ql [!abc] ,\n"
    ".Ql [a-z]\n"
    "and\n"
    ".Ql [!a-z]\n"
    "one of a set.\n"
    "Each stays in its part of the URL: the scheme, the host, the port, or the path with the query;\n"
    ".Ql **\n"
    "that ends a pattern without a path (exp://**) takes all that follows.\n"
    "All else is compared as it is written: https://example.com/** does not take https://example.com, http://localhost:*/** wants a port, "
    "and\n"
    "capitals count; what follows # does not.\n"
    "No pattern takes a user name, a backslash, .. in the path, or the schemes blob, data, file, ftp, javascript, vbscript, ws and wss.\n"
    "The host of http and https has letters, digits, dots and hyphens only; an IP address there wants a pattern without wildcards\n"
    "(http://192.168.1.20:3000/cb).\n"
    ".Ic postern check\n"
    "warns of a pattern that takes nothing.\n"
    ".Sh SETTINGS\n";

static const char manual_foot[] =
    ".Sh OTHER NAMES\n"
    "Of two names that are set, the one with\n"
    ".Dv GOTRUE_\n"
    "in front counts.\n";

/* Text that no formatter takes for a request; a new sentence is a new line. */
static void
put_text(FILE *f, const char *text)
{
	char before = '\0';

	if (*text == '.' || *text == '\'')
		fputs("\\&", f);
	for (; *text != '\0'; before = *text++) {
		if (*text == '\\')
			fputs("\\e", f);
		else if (*text == ' ' && before == '.' && isupper((unsigned char)text[1]))
			fputc('\n', f);
		else
			fputc(*text, f);
	}
}

static void
put_setting(FILE *f, const struct manual_line *line)
{
	static const char *const note[] = { [LIVE] = "", [NOT_BUILT] = "Not built yet: ", [NO_EFFECT] = "Without effect here: " };

	fprintf(f, ".It Ev %s Pq %s\n", line->name, line->type->name);
	fputs(note[line->state], f);
	put_text(f, line->sentence);
	fputc('\n', f);
	if (*line->fallback == '\0')
		return;
	fputs("The default is \\(lq", f);
	put_text(f, line->fallback);
	fputs("\\(rq.\n", f);
}

static void
put_section(FILE *f, const char *title, bool first)
{
	fprintf(f, "%s.Ss %s\n.Bl -tag -width Ds\n", first ? "" : ".El\n", title);
}

static void
put_providers(FILE *f)
{
	static const char *const id[] = {
#define PROVIDER(id, ...) #id,
#include "provider.def"
#undef PROVIDER
	};

	fputs(".Dv PROVIDER\nis one of\n", f);
	for (size_t i = 0; i < PROVIDER_COUNT; i++)
		fprintf(f, "%s%s", id[i], i + 1 < PROVIDER_COUNT ? ",\n" : ".\n");
}

void
settings_manual(FILE *f)
{
	fputs(manual_head, f);
	for (size_t i = 0; i < sizeof(manual_table) / sizeof(manual_table[0]); i++) {
		if (manual_table[i].title != NULL)
			put_section(f, manual_table[i].title, i == 0);
		else
			put_setting(f, &manual_table[i]);
	}
	fputs(".El\n.Pp\n", f);
	put_providers(f);
	fputs(manual_foot, f);
	fputs(".Bl -tag -width Ds\n", f);
	for (size_t i = 0; i < sizeof(manual_alias) / sizeof(manual_alias[0]); i++)
		fprintf(f, ".It Ev %s\nfor\n.Ev %s\n", manual_alias[i].alias, manual_alias[i].name);
	fputs(".El\n.Sh SEE ALSO\n.Xr postern 8\n", f);
}
