/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/json.h"
#include "base/str.h"

static const struct unit {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xC2\xB5s", 1000 }, /* U+00B5 */
	{ "\xCE\xBCs", 1000 }, /* U+03BC */
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ "h", 3600000000000 },
};

#define LARGEST ((uint64_t)1 << 63) /* the size of the smallest negative number */

static bool
digit_is(char c)
{
	return (c >= '0' && c <= '9');
}

static bool
whole_take(const char **text, uint64_t *whole)
{
	*whole = 0;
	for (; digit_is(**text); (*text)++) {
		if (__builtin_mul_overflow(*whole, (uint64_t)10, whole) ||
		    __builtin_add_overflow(*whole, (uint64_t)(**text - '0'), whole) || *whole > LARGEST)
			return (false);
	}
	return (true);
}

/* Digits beyond what 63 bits hold do not count. */
static void
fraction_take(const char **text, uint64_t *fraction, double *scale)
{
	*fraction = 0;
	*scale = 1;
	for (; digit_is(**text); (*text)++) {
		if (*fraction > ((uint64_t)INT64_MAX - 9) / 10)
			continue;
		*fraction = *fraction * 10 + (uint64_t)(**text - '0');
		*scale *= 10;
	}
}

/* A unit's name goes up to the next digit or dot. */
static const struct unit *
unit_take(const char **text)
{
	size_t len = strcspn(*text, ".0123456789");

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strlen(units[i].name) == len && memcmp(units[i].name, *text, len) == 0) {
			*text += len;
			return (&units[i]);
		}
	}
	return (NULL);
}

/* One number and its unit, as "1.5h". */
static bool
term_take(const char **text, uint64_t *ns)
{
	const char *start = *text;
	const struct unit *unit;
	uint64_t whole, fraction = 0;
	double scale = 1;
	bool digits;

	if (!whole_take(text, &whole))
		return (false);
	digits = *text != start;
	if (**text == '.') {
		start = ++*text;
		fraction_take(text, &fraction, &scale);
		digits = digits || *text != start;
	}
	if (!digits || (unit = unit_take(text)) == NULL || __builtin_mul_overflow(whole, unit->ns, ns) || *ns > LARGEST)
		return (false);
	*ns += (uint64_t)((double)fraction * ((double)unit->ns / scale));
	return (*ns <= LARGEST);
}

bool
duration_parse(const char *text, int64_t *ns)
{
	uint64_t sum = 0, term;
	bool negative;

	text = str_or(text, "");
	negative = *text == '-';
	if (*text == '-' || *text == '+')
		text++;
	if (*text == '\0')
		return (false);
	if (strcmp(text, "0") == 0)
		text++;
	for (; *text != '\0'; sum += term) {
		if (!term_take(&text, &term) || term > LARGEST - sum)
			return (false);
	}
	if (sum == LARGEST && !negative)
		return (false);
	*ns = negative ? (int64_t)(0 - sum) : (int64_t)sum;
	return (true);
}

/* The first mistake in it; what is left then is a number too large. */
char *
duration_complaint(struct arena *a, const char *text)
{
	const char *at = text + (*text == '-' || *text == '+');
	const char *quoted = json_quote(a, text);
	uint64_t whole, fraction;
	double scale;

	while (*at != '\0') {
		const char *start = at;
		size_t digits, unit;

		if (!whole_take(&at, &whole))
			break;
		digits = (size_t)(at - start);
		if (*at == '.') {
			start = ++at;
			fraction_take(&at, &fraction, &scale);
			digits += (size_t)(at - start);
		}
		unit = strcspn(at, ".0123456789");
		if (digits == 0)
			break;
		if (unit == 0)
			return (arena_printf(a, "time: missing unit in duration %s", quoted));
		if (unit_take(&at) == NULL)
			return (arena_printf(a, "time: unknown unit %s in duration %s", json_quote(a, arena_strndup(a, at, unit)), quoted));
	}
	return (arena_printf(a, "time: invalid duration %s", quoted));
}

char *
duration_seconds(struct arena *arena, int64_t ns)
{
	return (arena_printf(arena, "%.9g", (double)ns / 1e9));
}
