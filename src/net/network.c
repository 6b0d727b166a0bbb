/* SPDX-License-Identifier: Apache-2.0 */
#include "net/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct network {
	int family;
	unsigned char bytes[16];
	unsigned bits;
};

/* IANA's special purpose registries; the last three lines are all that is not 2000::/3, the only space given out. */
static const struct {
	const char *kind, *cidr;
} special[] = {
	{ "this network", "0.0.0.0/8" },
	{ "private", "10.0.0.0/8" },
	{ "carrier private", "100.64.0.0/10" },
	{ "loopback", "127.0.0.0/8" },
	{ "link-local", "169.254.0.0/16" },
	{ "private", "172.16.0.0/12" },
	{ "protocol assignment", "192.0.0.0/24" },
	{ "documentation", "192.0.2.0/24" },
	{ "6to4 relay", "192.88.99.0/24" },
	{ "private", "192.168.0.0/16" },
	{ "benchmarking", "198.18.0.0/15" },
	{ "documentation", "198.51.100.0/24" },
	{ "documentation", "203.0.113.0/24" },
	{ "multicast", "224.0.0.0/4" },
	{ "reserved", "240.0.0.0/4" },
	{ "unspecified", "::/128" },
	{ "loopback", "::1/128" },
	{ "IPv4-mapped", "::ffff:0:0/96" },
	{ "NAT64", "64:ff9b::/96" },
	{ "NAT64", "64:ff9b:1::/48" },
	{ "protocol assignment", "2001::/23" },
	{ "documentation", "2001:db8::/32" },
	{ "6to4", "2002::/16" },
	{ "documentation", "3fff::/20" },
	{ "private", "fc00::/7" },
	{ "link-local", "fe80::/10" },
	{ "multicast", "ff00::/8" },
	{ "reserved", "::/3" },
	{ "reserved", "4000::/2" },
	{ "reserved", "8000::/1" },
};

static bool
prefix_read(const char *text, unsigned most, unsigned *bits)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return (false);
	errno = 0;
	n = strtoul(text, &end, 10);
	*bits = (unsigned)n;
	return (errno == 0 && *end == '\0' && n <= most);
}

static bool
network_read(const char *cidr, struct network *n)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(cidr, '/');
	size_t len = slash != NULL ? (size_t)(slash - cidr) : strlen(cidr);

	if (len >= sizeof(host))
		return (false);
	memcpy(host, cidr, len);
	host[len] = '\0';
	n->family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
	n->bits = n->family == AF_INET6 ? 128 : 32;
	if (inet_pton(n->family, host, n->bytes) != 1)
		return (false);
	return (slash == NULL || prefix_read(slash + 1, n->bits, &n->bits));
}

static const unsigned char *
address_bytes(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ((const unsigned char *)&((const struct sockaddr_in *)(const void *)sa)->sin_addr);
	if (sa->sa_family == AF_INET6)
		return ((const unsigned char *)&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
	return (NULL);
}

static bool
network_has(const struct network *n, const struct sockaddr *sa)
{
	const unsigned char *at = address_bytes(sa);
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	if (at == NULL || sa->sa_family != n->family || memcmp(at, n->bytes, whole) != 0)
		return (false);
	return (rest == 0 || ((at[whole] ^ n->bytes[whole]) >> (8 - rest)) == 0);
}

bool
network_valid(const char *cidr)
{
	struct network n;

	return (network_read(cidr, &n));
}

bool
network_within(const struct sockaddr *sa, char *const *cidrs)
{
	struct network n;

	for (; cidrs != NULL && *cidrs != NULL; cidrs++)
		if (network_read(*cidrs, &n) && network_has(&n, sa))
			return (true);
	return (false);
}

const char *
network_special(const struct sockaddr *sa)
{
	struct network n;

	if (address_bytes(sa) == NULL)
		return ("not an Internet");
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (network_read(special[i].cidr, &n) && network_has(&n, sa))
			return (special[i].kind);
	return (NULL);
}

char *
network_text(struct arena *a, const struct sockaddr *sa)
{
	char text[INET6_ADDRSTRLEN];
	const unsigned char *at = address_bytes(sa);

	if (at == NULL || inet_ntop(sa->sa_family, at, text, sizeof(text)) == NULL)
		return (arena_strdup(a, "?"));
	return (arena_strdup(a, text));
}

/* "::ffff:10.0.0.1" is 10.0.0.1. */
static void
address_unmap(struct sockaddr_storage *at)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	const unsigned char *bytes = address_bytes((struct sockaddr *)at);

	if (at->ss_family != AF_INET6 || memcmp(bytes, mapped, sizeof(mapped)) != 0)
		return;
	memcpy(&v4.sin_addr, bytes + sizeof(mapped), sizeof(v4.sin_addr));
	memset(at, 0, sizeof(*at));
	memcpy(at, &v4, sizeof(v4));
}

static bool
literal_read(struct arena *a, const char *host, struct sockaddr_storage *at)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	memset(at, 0, sizeof(*at));
	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
		memcpy(at, &v4, sizeof(v4));
		return (true);
	}
	/* Behind "%" stands a zone of this machine, which is no part of the address. */
	if (inet_pton(AF_INET6, arena_strndup(a, host, strcspn(host, "%")), &v6.sin6_addr) != 1)
		return (false);
	memcpy(at, &v6, sizeof(v6));
	return (true);
}

struct addresses
network_resolve(struct arena *a, const char *host)
{
	struct addresses all = { 0, NULL };
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *found = NULL;
	struct sockaddr_storage literal;
	struct in_addr number;

	if (literal_read(a, host, &literal)) {
		all.at = arena_new_object(a, struct sockaddr_storage);
		all.at[all.len++] = literal;
	} else if (inet_aton(host, &number) == 0 && getaddrinfo(host, NULL, &hints, &found) == 0) {
		for (struct addrinfo *f = found; f != NULL; f = f->ai_next)
			all.len++;
		all.at = arena_new_array(a, struct sockaddr_storage, all.len);
		all.len = 0;
		for (struct addrinfo *f = found; f != NULL; f = f->ai_next)
			memcpy(&all.at[all.len++], f->ai_addr, f->ai_addrlen);
		freeaddrinfo(found);
	}
	for (size_t i = 0; i < all.len; i++)
		address_unmap(&all.at[i]);
	return (all);
}
