/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdint.h>
#include <string.h>

#include "base/clock.h"

#define SECOND UINT64_C(1000000000)
#define ANSWER_MAX 4096
#define HOSTS_MAX 64

struct lookup {
	struct arena *arena;
	struct __res_state *state;
	uint64_t deadline;
	char **hosts;
	size_t len;
};

/* glibc waits one second for each server in each round; what it waits in all is set so that the deadline holds. */
static bool
time_ration(struct lookup *l, int servers)
{
	uint64_t now = clock_mono_ns();
	int seconds = now < l->deadline ? (int)((l->deadline - now) / SECOND) : 0;

	if (seconds == 0 || servers == 0)
		return (false);
	l->state->nscount = servers < seconds ? servers : seconds;
	l->state->retrans = 1;
	l->state->retry = seconds / l->state->nscount;
	return (true);
}

static void
host_add(struct lookup *l, const ns_msg *answer, const ns_rr *rr)
{
	char name[NS_MAXDNAME] = "";

	if (ns_rr_type(*rr) == ns_t_mx && ns_rr_rdlen(*rr) > NS_INT16SZ &&
	    dn_expand(ns_msg_base(*answer), ns_msg_end(*answer), ns_rr_rdata(*rr) + NS_INT16SZ, name, sizeof(name)) >= 0)
		l->hosts[l->len++] = arena_printf(l->arena, "%s.", name);
	else if (ns_rr_type(*rr) == ns_t_a && ns_rr_rdlen(*rr) == NS_INADDRSZ &&
		 inet_ntop(AF_INET, ns_rr_rdata(*rr), name, sizeof(name)) != NULL)
		l->hosts[l->len++] = arena_strdup(l->arena, name);
	else if (ns_rr_type(*rr) == ns_t_aaaa && ns_rr_rdlen(*rr) == NS_IN6ADDRSZ &&
		 inet_ntop(AF_INET6, ns_rr_rdata(*rr), name, sizeof(name)) != NULL)
		l->hosts[l->len++] = arena_strdup(l->arena, name);
}

static enum dns_result
type_ask(struct lookup *l, const char *domain, ns_type type, int servers)
{
	unsigned char bytes[ANSWER_MAX];
	ns_msg answer;
	ns_rr rr;
	int len;

	if (!time_ration(l, servers))
		return (DNS_UNKNOWN);
	len = res_nquery(l->state, domain, ns_c_in, type, bytes, sizeof(bytes));
	if (len < 0)
		return (l->state->res_h_errno == HOST_NOT_FOUND || l->state->res_h_errno == NO_DATA ? DNS_NOT_FOUND : DNS_UNKNOWN);
	if (len > ANSWER_MAX || ns_initparse(bytes, len, &answer) != 0)
		return (DNS_UNKNOWN);
	for (int i = 0; i < ns_msg_count(answer, ns_s_an) && l->len < HOSTS_MAX; i++)
		if (ns_parserr(&answer, ns_s_an, i, &rr) == 0 && ns_rr_type(rr) == type)
			host_add(l, &answer, &rr);
	return (DNS_FOUND);
}

static enum dns_result
domain_ask(struct lookup *l, const char *domain)
{
	int servers = l->state->nscount;
	enum dns_result mx = type_ask(l, domain, ns_t_mx, servers), a, aaaa;

	if (mx != DNS_NOT_FOUND)
		return (mx);
	a = type_ask(l, domain, ns_t_a, servers);
	aaaa = type_ask(l, domain, ns_t_aaaa, servers);
	if (a == DNS_FOUND || aaaa == DNS_FOUND)
		return (DNS_FOUND);
	return (a == DNS_NOT_FOUND && aaaa == DNS_NOT_FOUND ? DNS_NOT_FOUND : DNS_UNKNOWN);
}

enum dns_result
dns_mail_hosts(struct arena *a, const char *domain, unsigned seconds, char ***hosts)
{
	struct __res_state state;
	struct lookup l = { .arena = a, .state = &state, .deadline = clock_mono_ns() + seconds * SECOND + SECOND / 20 };
	enum dns_result result;

	*hosts = l.hosts = arena_new_array(a, char *, HOSTS_MAX + 1);
	memset(&state, 0, sizeof(state));
	if (res_ninit(&state) != 0)
		return (DNS_UNKNOWN);
	state.options |= RES_USE_EDNS0 | RES_IGNTC; /* TCP has no time limit of ours */
	result = domain_ask(&l, domain);
	res_nclose(&state);
	return (result);
}
