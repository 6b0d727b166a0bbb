/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

#define WHOLE_MAX 309  /* digits of the greatest double before the point */
#define PLACES_MAX 324 /* and of the least behind it, written as short as can be */
#define EXPONENT_MAX 1000000
#define DIGITS_MAX 17

/* How a number looks when it is written out. */
struct layout {
	bool negative;
	long whole, places; /* digits before and behind the point */
};

static long
exponent_read(const char *text)
{
	long exponent = *text == 'e' || *text == 'E' ? strtol(text + 1, NULL, 10) : 0;

	return (exponent > EXPONENT_MAX ? EXPONENT_MAX : exponent < -EXPONENT_MAX ? -EXPONENT_MAX : exponent);
}

static struct layout
layout_read(const char *text)
{
	static const char digits[] = "0123456789";
	size_t sign = *text == '-', whole = strspn(text + sign, digits), fraction = 0, zeros;
	const char *first = text + sign, *behind = first + whole;
	struct layout layout;
	bool nothing;
	long exponent;

	if (*behind == '.') {
		fraction = strspn(behind + 1, digits);
		behind += 1 + fraction;
	}
	exponent = exponent_read(behind);
	zeros = strspn(first, "0.");
	nothing = first + zeros == behind;
	zeros -= memchr(first, '.', zeros) != NULL;
	layout.negative = sign != 0 && !nothing;
	layout.whole = (long)whole + exponent - (long)zeros;
	if (nothing && exponent <= WHOLE_MAX)
		layout.whole = 1; /* none of the places before the point counts */
	layout.places = (long)fraction - exponent;
	return (layout);
}

static char *
double_shortest(struct arena *a, double number)
{
	char text[32];

	for (int precision = 1; precision <= DIGITS_MAX; precision++) {
		(void)snprintf(text, sizeof(text), "%.*g", precision, number);
		if (fabs(strtod(text, NULL) - number) <= 0)
			break;
	}
	return (arena_strdup(a, text));
}

char *
number_kept(struct arena *a, const char *text, size_t len)
{
	char *kept = arena_strndup(a, text, len);
	struct layout layout = layout_read(kept);
	double number;

	if (layout.whole <= WHOLE_MAX && layout.places <= PLACES_MAX)
		return (kept);
	number = strtod(kept, NULL);
	return (isfinite(number) ? double_shortest(a, number) : kept);
}

size_t
number_written(const char *text)
{
	struct layout layout = layout_read(text);
	size_t whole = layout.whole > 1 ? (size_t)layout.whole : 1;

	return (layout.negative + whole + (layout.places > 0 ? 1 + (size_t)layout.places : 0));
}
