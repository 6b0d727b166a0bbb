/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "net/network.h"

static const struct sockaddr *
at(const char *text)
{
	static struct sockaddr_storage kept;
	struct sockaddr_in *four = (struct sockaddr_in *)&kept;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&kept;

	memset(&kept, 0, sizeof(kept));
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1)
		kept.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1)
		kept.ss_family = AF_INET6;
	return ((const struct sockaddr *)&kept);
}

static void
test_special(void **state)
{
	static const struct {
		const char *address, *kind;
	} cases[] = {
		/* clang-format off */
		{ "1.1.1.1", NULL }, { "9.255.255.255", NULL }, { "10.0.0.0", "private" }, { "10.255.255.255", "private" }, { "11.0.0.0", NULL },
		{ "0.0.0.0", "this network" }, { "100.63.255.255", NULL }, { "100.64.0.0", "carrier private" },
		{ "100.127.255.255", "carrier private" }, { "100.128.0.0", NULL }, { "127.0.0.1", "loopback" }, { "169.254.169.254", "link-local" },
		{ "172.15.255.255", NULL }, { "172.16.0.1", "private" }, { "172.31.255.255", "private" }, { "172.32.0.0", NULL },
		{ "192.0.0.9", "protocol assignment" }, { "192.0.1.1", NULL }, { "192.168.1.1", "private" }, { "198.17.255.255", NULL },
		{ "198.18.0.0", "benchmarking" }, { "198.19.255.255", "benchmarking" }, { "198.20.0.0", NULL }, { "224.0.0.1", "multicast" },
		{ "255.255.255.255", "reserved" }, { "::", "unspecified" }, { "::1", "loopback" }, { "::ffff:8.8.8.8", "IPv4-mapped" },
		{ "::10.0.0.1", "reserved" }, { "64:ff9b::808:808", "NAT64" }, { "64:ff9b:1::1", "NAT64" }, { "2001:db8::1", "documentation" },
		{ "2001::1", "protocol assignment" }, { "2002:a00:1::1", "6to4" }, { "2606:4700:4700::1111", NULL }, { "2a00::1", NULL },
		{ "fc00::1", "private" }, { "fd12::1", "private" }, { "fe80::1", "link-local" }, { "fec0::1", "reserved" }, { "ff02::1", "multicast" },
		{ "4000::1", "reserved" }, { "100::1", "reserved" }, { "nonsense", "not an Internet" },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!str_equal(network_special(at(cases[i].address)), cases[i].kind))
			fail_msg("%s: %s", cases[i].address, network_special(at(cases[i].address)));
}

static void
test_networks(void **state)
{
	static const char *const good[] = { "10.0.0.0/8", "1.2.3.4", "0.0.0.0/0", "::/0", "fd00::/8", "::1", "1.2.3.4/32", "::/128" };
	static const char *const bad[] = { "", "/", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "x/8",
		"10.0.0.0/8x", " 10.0.0.0/8", "10.0.0.0/99999999999999999999",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/8" };
	char *lifted[] = { "nonsense", "10.1.0.0/20", "fd00::/8", "127.0.0.1", NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(network_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(network_valid(bad[i]));
	assert_true(network_within(at("10.1.15.255"), lifted));
	assert_false(network_within(at("10.1.16.0"), lifted));
	assert_true(network_within(at("127.0.0.1"), lifted));
	assert_false(network_within(at("127.0.0.2"), lifted));
	assert_false(network_within(at("::ffff:127.0.0.1"), lifted));
	assert_true(network_within(at("fd00::7"), lifted));
	assert_false(network_within(at("fd00::7"), NULL));
	assert_true(network_within(at("8.8.8.8"), (char *[]){ "0.0.0.0/0", NULL }));
	assert_false(network_within(at("::1"), (char *[]){ "0.0.0.0/0", NULL }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_special), cmocka_unit_test(test_networks) };

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
