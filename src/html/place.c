/* SPDX-License-Identifier: Apache-2.0 */
#include "html/place.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "html/escape.h"

#define SPACES " \t\n\f\r"

struct span {
	const char *p;
	size_t len;
};

static bool
is_space(char c)
{
	return (c != '\0' && strchr(SPACES, c) != NULL);
}

static bool
is_letter(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
}

static bool
is_alnum(char c)
{
	return (is_letter(c) || (c >= '0' && c <= '9'));
}

static bool
is_hex(char c)
{
	return ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
}

static size_t
spaces(struct span s)
{
	size_t i = 0;

	while (i < s.len && is_space(s.p[i]))
		i++;
	return (i);
}

static bool
span_starts(struct span s, const char *prefix)
{
	size_t n = strlen(prefix);

	return (s.len >= n && strncasecmp(s.p, prefix, n) == 0);
}

/* "x-y" and "x:y" are names, "x-" is not. */
static size_t
tag_name(struct span s)
{
	size_t i = 0;

	if (s.len == 0 || !is_letter(*s.p))
		return (0);
	for (i = 1; i < s.len;)
		if (is_alnum(s.p[i]))
			i++;
		else if ((s.p[i] == ':' || s.p[i] == '-') && i + 1 < s.len && is_alnum(s.p[i + 1]))
			i += 2;
		else
			break;
	return (i);
}

static const char *const elements[] = {
	[ELEMENT_SCRIPT] = "script",
	[ELEMENT_STYLE] = "style",
	[ELEMENT_TEXTAREA] = "textarea",
	[ELEMENT_TITLE] = "title",
	[ELEMENT_META] = "meta",
};

static void
element_enter(struct place *at, struct span name)
{
	*at = (struct place){ .state = PLACE_TAG };
	for (int i = ELEMENT_SCRIPT; i <= ELEMENT_META; i++)
		if (strlen(elements[i]) == name.len && strncasecmp(elements[i], name.p, name.len) == 0)
			at->element = i;
}

static const char *const url_attributes[] = { "action", "archive", "background", "cite", "classid", "codebase", "data", "formaction",
	"href", "icon", "longdesc", "manifest", "poster", "profile", "src", "usemap", "xmlns" };

static bool
name_has(struct span name, const char *part)
{
	return (memmem(name.p, name.len, part, strlen(part)) != NULL);
}

/* The name in small letters.  What ends or begins like an address is taken for one, as the heuristics of html/template do. */
static int
attribute_of_name(struct span name)
{
	const char *colon;

	if (span_starts(name, "data-"))
		name = (struct span){ name.p + 5, name.len - 5 };
	else if ((colon = memchr(name.p, ':', name.len)) != NULL) {
		if (colon - name.p == 5 && span_starts(name, "xmlns"))
			return (ATTR_URL);
		name = (struct span){ colon + 1, name.len - (size_t)(colon + 1 - name.p) };
	}
	for (size_t i = 0; i < sizeof(url_attributes) / sizeof(url_attributes[0]); i++)
		if (strlen(url_attributes[i]) == name.len && span_starts(name, url_attributes[i]))
			return (ATTR_URL);
	if ((name.len == 5 && span_starts(name, "style")) || (name.len == 6 && span_starts(name, "srcset")) || span_starts(name, "on"))
		return (ATTR_CODE);
	if (name.len == 6 && span_starts(name, "srcdoc"))
		return (ATTR_PLAIN);
	if (name.len == 7 && span_starts(name, "srclang"))
		return (ATTR_PLAIN);
	return (name_has(name, "src") || name_has(name, "uri") || name_has(name, "url") ? ATTR_URL : ATTR_PLAIN);
}

static int
attribute_of(const struct place *at, struct span name)
{
	char small[64];
	size_t n = name.len < sizeof(small) ? name.len : sizeof(small);

	for (size_t i = 0; i < n; i++)
		small[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
	if (at->element == ELEMENT_META && n == 7 && memcmp(small, "content", 7) == 0)
		return (ATTR_CODE);
	return (attribute_of_name((struct span){ small, n }));
}

/* Each step moves over the start of the text and says how much, or why it can't. */
struct step {
	size_t len;
	const char *why;
};

static struct step
step_text(struct place *at, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		struct span rest = { s.p + i, s.len - i };
		bool end;
		size_t name;

		if (*rest.p != '<')
			continue;
		if (span_starts(rest, "<!--")) {
			*at = (struct place){ .state = PLACE_COMMENT };
			return ((struct step){ i + 4, NULL });
		}
		end = rest.len > 1 && rest.p[1] == '/';
		rest = (struct span){ rest.p + 1 + end, rest.len - 1 - end };
		name = tag_name(rest);
		if (name > 0) {
			element_enter(at, (struct span){ rest.p, end ? 0 : name });
			return ((struct step){ (size_t)(rest.p - s.p) + name, NULL });
		}
	}
	return ((struct step){ s.len, NULL });
}

/* How much of the text is the name of an attribute; -1 where the HTML is too broken to be followed. */
static long
attribute_name(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (is_space(s.p[i]) || s.p[i] == '=' || s.p[i] == '>')
			return ((long)i);
		if (s.p[i] == '"' || s.p[i] == '\'' || s.p[i] == '<')
			return (-1);
	}
	return ((long)s.len);
}

static struct step
step_tag(struct place *at, struct span s)
{
	/* clang-format off */
	static const enum place_state inside[] = { [ELEMENT_NONE] = PLACE_TEXT, [ELEMENT_SCRIPT] = PLACE_RAW, [ELEMENT_STYLE] = PLACE_RAW,
		[ELEMENT_TEXTAREA] = PLACE_RCDATA, [ELEMENT_TITLE] = PLACE_RCDATA, [ELEMENT_META] = PLACE_TEXT };
	/* clang-format on */
	size_t i = spaces(s);
	struct span rest = { s.p + i, s.len - i };
	long name;

	if (rest.len == 0)
		return ((struct step){ s.len, NULL });
	if (*rest.p == '>') {
		*at = (struct place){ .state = inside[at->element], .element = at->element == ELEMENT_META ? ELEMENT_NONE : at->element };
		return ((struct step){ i + 1, NULL });
	}
	name = attribute_name(rest);
	if (name <= 0)
		return ((struct step){ i, "a quote, \"<\" or \"=\" where a tag should end or have an attribute" });
	at->attr = attribute_of(at, (struct span){ rest.p, (size_t)name });
	at->state = (size_t)name == rest.len ? PLACE_ATTR_NAME : PLACE_AFTER_NAME;
	return ((struct step){ i + (size_t)name, NULL });
}

static struct step
step_attr_name(struct place *at, struct span s)
{
	long name = attribute_name(s);

	if (name < 0)
		return ((struct step){ 0, "a quote or \"<\" in the name of an attribute" });
	if ((size_t)name < s.len)
		at->state = PLACE_AFTER_NAME;
	return ((struct step){ (size_t)name, NULL });
}

static struct step
step_after_name(struct place *at, struct span s)
{
	size_t i = spaces(s);

	if (i == s.len)
		return ((struct step){ i, NULL });
	at->state = s.p[i] == '=' ? PLACE_BEFORE_VALUE : PLACE_TAG;
	return ((struct step){ i + (s.p[i] == '='), NULL });
}

static struct step
step_before_value(struct place *at, struct span s)
{
	size_t i = spaces(s);

	if (i == s.len)
		return ((struct step){ i, NULL });
	at->state = PLACE_VALUE;
	at->delim = s.p[i] == '"' ? DELIM_DOUBLE : s.p[i] == '\'' ? DELIM_SINGLE : DELIM_SPACE;
	return ((struct step){ i + (at->delim != DELIM_SPACE), NULL });
}

/* "&#63;" is a question mark and not a "#", "&Tab;" is a blank: what the browser makes of a character of the value. */
static char
character_of_entity(struct span s, size_t *len)
{
	static const struct {
		const char *entity;
		char is;
	} named[] = { { "&num;", '#' }, { "&quest;", '?' }, { "&Tab;", '\t' }, { "&NewLine;", '\n' } };
	bool hex = s.len > 2 && (s.p[2] == 'x' || s.p[2] == 'X');
	const char *digits = s.p + 2 + hex;
	unsigned long code;
	char *end;

	*len = 1;
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (s.len >= strlen(named[i].entity) && memcmp(s.p, named[i].entity, strlen(named[i].entity)) == 0) {
			*len = strlen(named[i].entity);
			return (named[i].is);
		}
	if (!span_starts(s, "&#") || digits >= s.p + s.len || !(hex ? is_hex(*digits) : *digits >= '0' && *digits <= '9'))
		return (*s.p);
	code = strtoul(digits, &end, hex ? 16 : 10);
	end += end < s.p + s.len && *end == ';';
	*len = (size_t)(end - s.p);
	return (code < 0x80 && (is_space((char)code) || code == '#' || code == '?') ? (char)code : 'x');
}

static void
url_pass(struct place *at, struct span s)
{
	size_t n;

	for (size_t i = 0; i < s.len; i += n) {
		char c = character_of_entity((struct span){ s.p + i, s.len - i }, &n);

		if (c == '#' || c == '?')
			at->url = URL_QUERY;
		else if (at->url == URL_START && !is_space(c))
			at->url = URL_PATH;
	}
}

static struct step
step_value(struct place *at, struct span s)
{
	static const char *const ends[] = { [DELIM_DOUBLE] = "\"", [DELIM_SINGLE] = "'", [DELIM_SPACE] = SPACES ">" };
	size_t i = 0;

	while (i < s.len && strchr(ends[at->delim], s.p[i]) == NULL) {
		if (at->delim == DELIM_SPACE && strchr("\"'<=`", s.p[i]) != NULL)
			return ((struct step){ i, "a quote, \"<\", \"=\" or \"`\" in a value without quotes" });
		i++;
	}
	if (at->attr == ATTR_URL)
		url_pass(at, (struct span){ s.p, i });
	if (i < s.len) {
		i += at->delim != DELIM_SPACE;
		*at = (struct place){ .state = PLACE_TAG, .element = at->element };
	}
	return ((struct step){ i, NULL });
}

static struct step
step_comment(struct place *at, struct span s)
{
	const char *end = memmem(s.p, s.len, "-->", 3);

	if (end == NULL)
		return ((struct step){ s.len, NULL });
	*at = (struct place){ .state = PLACE_TEXT };
	return ((struct step){ (size_t)(end - s.p) + 3, NULL });
}

/* The inside of an element that only its own end tag ends.  The tag itself is left for the text. */
static struct step
step_special(struct place *at, struct span s)
{
	const char *name = elements[at->element];
	size_t n = strlen(name);

	for (size_t i = 0; i + 2 + n < s.len; i++)
		if (s.p[i] == '<' && s.p[i + 1] == '/' && strncasecmp(s.p + i + 2, name, n) == 0 &&
		    strchr("> \t\n\f/", s.p[i + 2 + n]) != NULL) {
			*at = (struct place){ .state = PLACE_TEXT };
			return ((struct step){ i, NULL });
		}
	return ((struct step){ s.len, NULL });
}

static struct step (*const steps[])(struct place *, struct span) = {
	[PLACE_TEXT] = step_text,
	[PLACE_TAG] = step_tag,
	[PLACE_ATTR_NAME] = step_attr_name,
	[PLACE_AFTER_NAME] = step_after_name,
	[PLACE_BEFORE_VALUE] = step_before_value,
	[PLACE_VALUE] = step_value,
	[PLACE_COMMENT] = step_comment,
	[PLACE_RCDATA] = step_special,
	[PLACE_RAW] = step_special,
};

/* A "<" that opens nothing is text, and so that it stays text whatever follows it is written as one. */
static void
text_put(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == '<' && !span_starts((struct span){ s.p + i, s.len - i }, "<!DOCTYPE"))
			buf_puts(out, "&lt;");
		else
			buf_putc(out, s.p[i]);
}

/* What is printed of the text that one step passed. */
static void
passed_put(struct buf *out, enum place_state from, const struct place *to, struct span s)
{
	size_t tag = s.len;

	if (from == PLACE_COMMENT)
		return;
	if (from != PLACE_TEXT && from != PLACE_RCDATA) {
		buf_put(out, s.p, s.len);
		return;
	}
	if (from == PLACE_TEXT && to->state != from)
		while (s.p[--tag] != '<')
			;
	text_put(out, (struct span){ s.p, tag });
	if (to->state != PLACE_COMMENT)
		buf_put(out, s.p + tag, s.len - tag);
}

const char *
place_pass(struct place *at, const char *text, size_t len, struct buf *out, size_t *where)
{
	struct span s = { text, len };

	while (s.len > 0) {
		enum place_state from = at->state;
		struct step step = steps[from](at, s);

		if (step.why != NULL) {
			*where = len - s.len + step.len;
			return (step.why);
		}
		passed_put(out, from, at, (struct span){ s.p, step.len });
		s = (struct span){ s.p + step.len, s.len - step.len };
	}
	return (NULL);
}

/* A value behind "=" begins the attribute's value. */
static void
place_nudge(struct place *at)
{
	if (at->state == PLACE_BEFORE_VALUE) {
		at->state = PLACE_VALUE;
		at->delim = DELIM_SPACE;
	}
}

static const char *
value_in_attribute(const struct place *at, unsigned *escapes)
{
	static const unsigned urls[] = {
		[URL_START] = ESCAPE_URL_FILTER | ESCAPE_URL_NORMAL, [URL_PATH] = ESCAPE_URL_NORMAL, [URL_QUERY] = ESCAPE_URL_PART
	};

	*escapes = at->delim == DELIM_SPACE ? ESCAPE_NOSPACE : ESCAPE_HTML;
	if (at->attr == ATTR_CODE)
		return ("no value may stand in a style, a script, a srcset or the content of meta");
	if (at->attr == ATTR_URL && at->url == URL_UNSURE)
		return ("whether this is in the path or the query of the URL depends on an if before it");
	if (at->attr == ATTR_URL)
		*escapes |= urls[at->url];
	return (NULL);
}

const char *
place_value(struct place *at, unsigned *escapes)
{
	place_nudge(at);
	switch (at->state) {
	case PLACE_TEXT:
	case PLACE_RCDATA:
		*escapes = ESCAPE_HTML;
		return (NULL);
	case PLACE_COMMENT:
		*escapes = ESCAPE_AWAY;
		return (NULL);
	case PLACE_VALUE:
		return (value_in_attribute(at, escapes));
	case PLACE_RAW:
		return ("no value may stand in a script or a style");
	default:
		return ("no value may stand in a tag but in the value of an attribute");
	}
}

const char *
place_safe_url(struct place *at, unsigned *escapes)
{
	bool refresh = at->element == ELEMENT_META && at->attr == ATTR_CODE;

	if (at->state != PLACE_VALUE || at->delim == DELIM_SPACE || (at->attr != ATTR_URL && !refresh))
		return ("safeURL may only stand in quotes, in an attribute that is a URL or the content of meta");
	*escapes = ESCAPE_HTML;
	return (NULL);
}

static bool
place_same(const struct place *a, const struct place *b)
{
	return (a->state == b->state && a->delim == b->delim && a->attr == b->attr && a->element == b->element);
}

bool
place_equal(const struct place *a, const struct place *b)
{
	return (place_same(a, b) && a->url == b->url);
}

bool
place_join(struct place *at, const struct place *other)
{
	struct place nudged = *other;

	if (at->state != other->state) {
		place_nudge(at);
		place_nudge(&nudged);
	}
	if (!place_same(at, &nudged))
		return (false);
	if (at->url != nudged.url)
		at->url = URL_UNSURE;
	return (true);
}
