/* SPDX-License-Identifier: Apache-2.0 */
#include "external/custom_url.h"

#include "base/setting.h"
#include "base/str.h"
#include "base/url.h"
#include "net/network.h"
#include "net/http.h"

/* Narrower than the list of net/network.c, because it is the reference's; in its order. */
static const struct {
	const char *words;
	char *network[8];
} refused[] = {
	{ "URL cannot resolve to loopback addresses", { "127.0.0.0/8", "::1/128" } },
	{ "URL cannot resolve to private network addresses", { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7" } },
	{ "URL cannot resolve to link-local addresses",
	    { "169.254.0.0/16", "fe80::/10", "224.0.0.0/24", "ff02::/16", "ff12::/16", "ff32::/16", "ff72::/16" } },
	{ "URL cannot resolve to multicast addresses", { "224.0.0.0/4", "ff00::/8" } },
	{ "URL cannot resolve to unspecified addresses", { "0.0.0.0/32", "::/128" } },
};

static bool
is_localhost(struct arena *a, const char *host)
{
	static char *const names[] = { "localhost", "127.0.0.1", "::1", "0.0.0.0", "::", NULL };
	const char *name = str_lower(a, host);

	return (strs_have(names, name) || str_ends(name, ".localhost"));
}

static bool
all_allowed(const struct addresses *found)
{
	for (size_t i = 0; i < found->len; i++)
		if (!network_within((const struct sockaddr *)&found->at[i], cfg->postern_http_private_networks))
			return (false);
	return (found->len > 0);
}

static const char *
address_refusal(const struct sockaddr *at)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (network_within(at, refused[i].network))
			return (refused[i].words);
	return (NULL);
}

/* What the operator allows wins over what the reference refuses. */
static const char *
host_refusal(struct arena *a, const struct url *url)
{
	struct addresses found = network_resolve(a, http_host_of(a, url));
	const char *words = NULL;

	if (all_allowed(&found))
		return (NULL);
	if (is_localhost(a, url->host))
		return ("URL cannot point to localhost or loopback addresses");
	if (found.len == 0)
		return ("Unable to resolve hostname");
	for (size_t i = 0; i < found.len && words == NULL; i++)
		if (!network_within((const struct sockaddr *)&found.at[i], cfg->postern_http_private_networks))
			words = address_refusal((const struct sockaddr *)&found.at[i]);
	return (words);
}

const char *
custom_url_refusal(struct arena *a, const char *text)
{
	struct url url;

	if (!url_parse(a, text, &url))
		return ("Invalid URL format");
	if (!str_equal(url.scheme, "https"))
		return ("URL must use HTTPS");
	if (str_empty(url.host))
		return ("URL must have a valid hostname");
	return (host_refusal(a, &url));
}
