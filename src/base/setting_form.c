/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting_parse.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "base/url.h"

/* Somebody's quoting that stands in the value, since not every reader of such files takes it off. */
static const char *
quotes_fault(const char *text)
{
	return (strpbrk(text, "\"`") != NULL || *text == '\'' ? "must be written without quotes" : NULL);
}

static bool
has_blank(const char *text)
{
	return (strpbrk(text, " \t\r\n") != NULL);
}

/* A second URL behind a comma and its like: of one in a query no more is seen than its "://". */
static bool
has_second_url(const char *text)
{
	while ((text = strpbrk(text, " ,;|")) != NULL) {
		text += strspn(text, " ,;|");
		if (str_starts(text + strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."), "://"))
			return (true);
	}
	return (false);
}

static const char *
url_fault(struct arena *a, const char *text, struct url *url)
{
	const char *fault = quotes_fault(text);

	if (fault != NULL)
		return (fault);
	if (has_second_url(text))
		return ("must be one URL alone");
	if (has_blank(text) || !url_parse(a, text, url))
		return ("must be a URL such as https://example.com");
	/* "localhost:3000" has a scheme only in the eyes of a parser. */
	if (str_empty(url->scheme) || url->opaque != NULL)
		return ("must begin with a scheme, as in https://example.com");
	if (url_web(url) && str_empty(url->host))
		return ("must be a URL such as https://example.com");
	return (NULL);
}

const char *
form_site(struct arena *a, const char *text)
{
	struct url url;

	return (url_fault(a, text, &url));
}

const char *
form_url(struct arena *a, const char *text)
{
	struct url url;
	const char *fault = url_fault(a, text, &url);

	if (fault == NULL && !url_web(&url))
		return ("must begin with https:// or http://");
	return (fault);
}

/* One colon is a port's; an IPv6 address has more. */
const char *
form_host(struct arena *a, const char *text)
{
	const char *fault = quotes_fault(text), *colon = strchr(text, ':');

	(void)a;
	if (fault == NULL && (has_blank(text) || strpbrk(text, "/@,;[]") != NULL || (colon != NULL && strchr(colon + 1, ':') == NULL)))
		return ("must be a host alone such as mail.example.com, without a scheme or a port");
	return (fault);
}

const char *
form_email(struct arena *a, const char *text)
{
	const char *fault = quotes_fault(text), *at = strchr(text, '@');

	(void)a;
	if (fault == NULL &&
	    (has_blank(text) || strpbrk(text, "<>,;") != NULL || at == NULL || at == text || at[1] == '\0' || strchr(at + 1, '@') != NULL))
		return ("must be a bare address such as auth@example.com");
	return (fault);
}

const char *
form_role(struct arena *a, const char *text)
{
	const char *fault = quotes_fault(text);

	(void)a;
	return (fault == NULL && (has_blank(text) || strpbrk(text, ",;") != NULL) ? "must be one word such as authenticated" : fault);
}
