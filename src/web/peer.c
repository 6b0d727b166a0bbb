/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/setting.h"
#include "base/str.h"
#include "web/peer.h"

const char *
peer_canonical(struct arena *a, const char *text)
{
	char out[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, text, &four) == 1)
		return (arena_strdup(a, inet_ntop(AF_INET, &four, out, sizeof(out))));
	if (inet_pton(AF_INET6, text, &six) != 1)
		return (NULL);
	if (IN6_IS_ADDR_V4MAPPED(&six))
		return (arena_strdup(a, inet_ntop(AF_INET, &six.s6_addr[12], out, sizeof(out))));
	return (arena_strdup(a, inet_ntop(AF_INET6, &six, out, sizeof(out))));
}

/* The first address of a list; with only_first, the first member or nothing. */
static const char *
address_listed(const struct request *r, const char *header, bool only_first)
{
	const char *list = request_header(r, header);
	const char *address = NULL;

	if (str_empty(list))
		return (NULL);
	for (char **item = str_split(r->arena, list, ','); *item != NULL; item++) {
		address = peer_canonical(r->arena, str_trim(r->arena, *item));
		if (address != NULL || only_first)
			break;
	}
	return (address);
}

static const char *
peer_told(const struct request *r)
{
	for (char *const *entry = r->variables; *entry != NULL; entry++)
		if (str_starts(*entry, "REMOTE_ADDR="))
			return (*entry + sizeof("REMOTE_ADDR=") - 1);
	return ("");
}

const char *
peer_forwarded(const struct request *r)
{
	if (!cfg->gotrue_security_sb_forwarded_for_enabled)
		return (NULL);
	return (address_listed(r, "Sb-Forwarded-For", true));
}

const char *
peer_address(const struct request *r)
{
	const char *address = peer_forwarded(r), *peer;

	if (address == NULL)
		address = address_listed(r, "X-Forwarded-For", false);
	if (address != NULL)
		return (address);
	peer = peer_told(r);
	return (str_or(peer_canonical(r->arena, peer), peer));
}
