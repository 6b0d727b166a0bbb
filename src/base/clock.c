/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"

#define SECOND 1000000

usec
clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return ((usec)now.tv_sec * SECOND + now.tv_nsec / 1000);
}

uint64_t
clock_mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
}

/* Without zeros at the end, as Go has it. */
static const char *
fraction_text(struct arena *arena, int64_t fraction)
{
	char *text = arena_printf(arena, ".%06d", (int)fraction);
	size_t len = strlen(text);

	while (text[len - 1] == '0')
		len--;
	text[len == 1 ? 0 : len] = '\0';
	return (text);
}

char *
clock_rfc3339(struct arena *arena, usec at)
{
	int64_t fraction = (at % SECOND + SECOND) % SECOND;
	time_t seconds = (at - fraction) / SECOND;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	return (arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, fraction_text(arena, fraction)));
}

char *
clock_iso(struct arena *a, const char *timestamptz)
{
	const char *day = timestamptz, *time = day == NULL ? NULL : strchr(day, ' '), *zone = time == NULL ? NULL : strchr(time, '+');

	if (time == NULL && str_ends(timestamptz, "Z"))
		return (arena_strdup(a, timestamptz));
	if (zone == NULL || strcmp(zone, "+00") != 0)
		return (NULL);
	return (arena_printf(a, "%.*sT%.*sZ", (int)(time - day), day, (int)(zone - time - 1), time + 1));
}

/* Reads exactly count digits. */
static bool
digits_take(const char **text, int count, int *value)
{
	*value = 0;
	for (; count > 0; count--, (*text)++) {
		if (**text < '0' || **text > '9')
			return (false);
		*value = *value * 10 + (**text - '0');
	}
	return (true);
}

static bool
char_take(const char **text, char c)
{
	if (**text != c)
		return (false);
	(*text)++;
	return (true);
}

static int
month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return (days[month - 1] + (month == 2 && leap));
}

static bool
date_take(const char **text, struct tm *tm)
{
	int year, month, day;

	if (!digits_take(text, 4, &year) || !char_take(text, '-') || !digits_take(text, 2, &month) || !char_take(text, '-') ||
	    !digits_take(text, 2, &day))
		return (false);
	if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return (false);
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return (true);
}

static bool
time_take(const char **text, struct tm *tm)
{
	return (digits_take(text, 2, &tm->tm_hour) && char_take(text, ':') && digits_take(text, 2, &tm->tm_min) && char_take(text, ':') &&
		digits_take(text, 2, &tm->tm_sec) && tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60);
}

/* Digits behind the sixth are read and forgotten. */
static bool
fraction_take(const char **text, int *micro)
{
	int unit = SECOND / 10;

	*micro = 0;
	if (!char_take(text, '.'))
		return (true);
	if (**text < '0' || **text > '9')
		return (false);
	for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
		*micro += (**text - '0') * unit;
	return (true);
}

static bool
offset_take(const char **text, int *seconds)
{
	int sign, hours, minutes;

	*seconds = 0;
	if (char_take(text, 'Z'))
		return (true);
	sign = **text == '-' ? -1 : 1;
	if (!char_take(text, '+') && !char_take(text, '-'))
		return (false);
	if (!digits_take(text, 2, &hours) || !char_take(text, ':') || !digits_take(text, 2, &minutes) || hours > 23 || minutes > 59)
		return (false);
	*seconds = sign * (hours * 3600 + minutes * 60);
	return (true);
}

bool
clock_parse_rfc3339(const char *text, usec *at)
{
	struct tm tm = { 0 };
	int micro, offset;

	if (text == NULL || !date_take(&text, &tm) || !char_take(&text, 'T') || !time_take(&text, &tm) || !fraction_take(&text, &micro) ||
	    !offset_take(&text, &offset) || *text != '\0')
		return (false);
	*at = ((usec)timegm(&tm) - offset) * SECOND + micro;
	return (true);
}

/* Something that ended then must not become something that never ends. */
static bool
is_before_christ(const char *timestamptz)
{
	return (str_equal(timestamptz, "-infinity") || str_ends(timestamptz, " BC"));
}

usec
clock_timestamptz(const char *text)
{
	struct tm tm = { 0 };
	int micro;

	if (is_before_christ(text))
		return (CLOCK_YEAR_1);
	if (text == NULL || !date_take(&text, &tm) || !char_take(&text, ' ') || !time_take(&text, &tm) || !fraction_take(&text, &micro) ||
	    strcmp(text, "+00") != 0)
		return (0);
	return ((usec)timegm(&tm) * SECOND + micro);
}
