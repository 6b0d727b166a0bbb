/* SPDX-License-Identifier: Apache-2.0 */
/* Types of settings that are numbers.  The rules are those of Go's strconv and of the decoders that the reference gives to envconfig. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/setting_parse.h"
#include "base/str.h"

static bool
is_base_letter(char c)
{
	return (c != '\0' && strchr("bBoOxX", c) != NULL);
}

/* Go's rule for "_" in numbers: between digits, or between the base's prefix and a digit. */
static bool
underscores_fit(const char *s)
{
	char before = '^'; /* 0: a digit, _: an underscore, anything else: neither */
	bool hex = false;

	if (*s == '-' || *s == '+')
		s++;
	if (s[0] == '0' && is_base_letter(s[1])) {
		hex = tolower((unsigned char)s[1]) == 'x';
		before = '0';
		s += 2;
	}
	for (; *s != '\0'; s++) {
		if (isdigit((unsigned char)*s) || (hex && isxdigit((unsigned char)*s)))
			before = '0';
		else if (*s == '_' && before == '0')
			before = '_';
		else if (*s == '_' || before == '_')
			return (false);
		else
			before = '!';
	}
	return (before != '_');
}

static int
number_base(const char **s)
{
	int base;

	if ((*s)[0] != '0')
		return (10);
	if (!is_base_letter((*s)[1]) || (*s)[2] == '\0') {
		*s += 1;
		return (8);
	}
	base = tolower((unsigned char)(*s)[1]) == 'x' ? 16 : tolower((unsigned char)(*s)[1]) == 'o' ? 8 : 2;
	*s += 2;
	return (base);
}

static int
digit_value(char c)
{
	if (isdigit((unsigned char)c))
		return (c - '0');
	if (isxdigit((unsigned char)c))
		return (tolower((unsigned char)c) - 'a' + 10);
	return (99);
}

/* Go's ParseUint with base 0 (or 10). */
static bool
magnitude_parse(const char *s, int base, uint64_t *out)
{
	uint64_t n = 0;

	if (*s == '\0' || (base == 0 && !underscores_fit(s)))
		return (false);
	if (base == 0)
		base = number_base(&s);
	else if (strchr(s, '_') != NULL)
		return (false);
	for (; *s != '\0'; s++) {
		int digit = digit_value(*s);

		if (*s == '_')
			continue;
		if (digit >= base || __builtin_mul_overflow(n, (uint64_t)base, &n) || __builtin_add_overflow(n, (uint64_t)digit, &n))
			return (false);
	}
	*out = n;
	return (true);
}

static bool
real_parse(struct arena *a, const char *s, double *out)
{
	char *digits = str_replace(a, s, "_", ""), *end;
	bool hex = strpbrk(s, "xX") != NULL;

	if (*s == '\0' || isspace((unsigned char)*s) || !underscores_fit(s) || strchr(s, '(') != NULL)
		return (false);
	if (hex && strpbrk(s, "pP") == NULL)
		return (false);
	errno = 0;
	*out = strtod(digits, &end);
	/* A limit that is not a number would compare false with everything. */
	return (*end == '\0' && !isnan(*out) && !(errno == ERANGE && isinf(*out)));
}

static const char *
parse_bool(struct arena *a, const char *text, void *out)
{
	static const char *const word[] = { "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False" };

	(void)a;
	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++) {
		if (strcmp(text, word[i]) == 0) {
			*(bool *)out = i < 6;
			return (NULL);
		}
	}
	return ("must be true or false");
}

static char *
show_bool(struct arena *a, const void *value)
{
	return (arena_strdup(a, *(const bool *)value ? "true" : "false"));
}

static const char *
parse_int(struct arena *a, const char *text, void *out)
{
	bool negative = *text == '-';
	uint64_t n;

	(void)a;
	if (!underscores_fit(text) || !magnitude_parse(text + (*text == '-' || *text == '+'), 0, &n))
		return ("must be a whole number");
	if (n > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return ("is too large a number");
	*(int64_t *)out = negative ? (int64_t)(0 - n) : (int64_t)n;
	return (NULL);
}

static const char *
parse_uint(struct arena *a, const char *text, void *out)
{
	uint64_t n;

	(void)a;
	if (!magnitude_parse(text, 0, &n))
		return ("must be a whole number, not below 0");
	if (n > INT64_MAX)
		return ("is too large a number");
	*(int64_t *)out = (int64_t)n;
	return (NULL);
}

static char *
show_int(struct arena *a, const void *value)
{
	return (arena_printf(a, "%" PRId64, *(const int64_t *)value));
}

static const char *
parse_real(struct arena *a, const char *text, void *out)
{
	return (real_parse(a, text, out) ? NULL : "must be a number");
}

static char *
show_real(struct arena *a, const void *value)
{
	return (arena_printf(a, "%.12g", *(const double *)value));
}

static const char *
parse_duration(struct arena *a, const char *text, void *out)
{
	(void)a;
	return (duration_parse(text, out) ? NULL : "must be a duration such as 90s, 15m or 1h30m");
}

/* Largest units first; what is left below a second goes by the finest unit that is whole. */
static char *
duration_text(struct arena *a, int64_t ns)
{
	static const struct {
		int64_t ns;
		const char *name;
	} unit[] = { { 3600000000000, "h" }, { 60000000000, "m" }, { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" }, { 1, "ns" } };
	struct buf b = buf_new(a);
	uint64_t left = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	if (ns == 0)
		return (arena_strdup(a, "0s"));
	if (ns < 0)
		buf_putc(&b, '-');
	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++) {
		uint64_t count = left / (uint64_t)unit[i].ns;

		left %= (uint64_t)unit[i].ns;
		if (count > 0)
			buf_printf(&b, "%" PRIu64 "%s", count, unit[i].name);
	}
	return (b.data);
}

static char *
show_duration(struct arena *a, const void *value)
{
	return (duration_text(a, *(const int64_t *)value));
}

static const char *
parse_maybe_duration(struct arena *a, const char *text, void *out)
{
	struct setting_maybe_duration *d = out;

	d->set = true;
	return (parse_duration(a, text, &d->ns));
}

static char *
show_maybe_duration(struct arena *a, const void *value)
{
	const struct setting_maybe_duration *d = value;

	return (d->set ? duration_text(a, d->ns) : arena_strdup(a, ""));
}

static const char *
parse_rate(struct arena *a, const char *text, void *out)
{
	static const char wrong[] = "must be n (in an hour) or n/duration, such as 30 or 5/10m";
	struct setting_rate *rate = out;
	char **half;
	uint64_t events;

	*rate = (struct setting_rate){ .per_ns = 3600000000000, .burst = false };
	if (real_parse(a, text, &rate->events))
		return (NULL);
	half = str_split(a, text, '/');
	/* 52 bits: as many as a double keeps exactly */
	if (strs_len(half) != 2 || !magnitude_parse(half[0], 10, &events) || events >= UINT64_C(1) << 52)
		return (wrong);
	if (!duration_parse(half[1], &rate->per_ns))
		return (wrong);
	rate->events = (double)events;
	rate->burst = true;
	return (NULL);
}

static char *
show_rate(struct arena *a, const void *value)
{
	const struct setting_rate *rate = value;
	char *events = show_real(a, &rate->events);

	return (rate->burst ? arena_printf(a, "%s/%s", events, duration_text(a, rate->per_ns)) : events);
}

const struct setting_type setting_type_bool = { "true or false", parse_bool, show_bool, false, false };
const struct setting_type setting_type_int = { "number", parse_int, show_int, false, false };
const struct setting_type setting_type_uint = { "number", parse_uint, show_int, false, false };
const struct setting_type setting_type_real = { "number", parse_real, show_real, false, false };
const struct setting_type setting_type_duration = { "duration", parse_duration, show_duration, false, false };
const struct setting_type setting_type_maybe_duration = { "duration", parse_maybe_duration, show_maybe_duration, false, false };
const struct setting_type setting_type_rate = { "rate", parse_rate, show_rate, false, false };
