/* SPDX-License-Identifier: Apache-2.0 */
/* sec/breached_file.h: what is put in is found, and nothing else; what is no such file is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/setting.h"
#include "base/str.h"
#include "fixture.h"
#include "sec/breached_file.h"

#define ZEROS "00000000000000000000000000000000000000"
#define TEXT                                                   \
	"00" ZEROS                                             \
	":3\r\n"                                               \
	"0000000000000001000000000000000000000000:1\r\n"       \
	"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD7:0\r\n"       \
	"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9659365\r\n" \
	"5baa61e4c9b93f3f0682250b6cf8331b7ee68fd9:12\n"        \
	"5BAB61E4C9B93F3F0682250B6CF8331B7EE68FD8:1\n"         \
	"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF:1"

static char folder[] = "/tmp/test_breached.XXXXXX", *path;
static struct settings settings;

static const char *
make(struct arena *a, const char *text)
{
	FILE *in = fmemopen(arena_strdup(a, *text != '\0' ? text : "\n"), *text != '\0' ? strlen(text) : 1, "r");
	const char *wrong = breached_file_make(a, in, path);

	fclose(in);
	return (wrong);
}

static bool
has(const char *hex)
{
	unsigned char sha1[SHA1_LEN];
	bool known;

	assert_true(hex_read(hex, sha1, sizeof(sha1)));
	assert_true(breached_file_find(sha1, &known));
	return (known);
}

static void
test_found(void **state)
{
	struct stat st;

	assert_null(make(*state, TEXT));
	assert_null(breached_file_open(*state));
	assert_true(has("00" ZEROS));
	assert_true(has("0000000000000001000000000000000000000000"));
	assert_true(has("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8"));
	assert_true(has("5bab61e4c9b93f3f0682250b6cf8331b7ee68fd8"));
	assert_true(has("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"));
	assert_false(has("0000000000000002000000000000000000000000"));
	assert_false(has("5BAA61E4C9B93F3E0682250B6CF8331B7EE68FD8"));
	assert_false(has("5BAC61E4C9B93F3F0682250B6CF8331B7EE68FD8"));
	assert_false(has("FFFFFFFFFFFFFFFE000000000000000000000000"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(st.st_size, BREACHED_ENTRIES + 5 * BREACHED_ENTRY_LEN); /* two are one, and one has a count of 0 */
}

/* Ten thousand in their order, and as many that are between them. */
static void
test_many(void **state)
{
	struct arena *a = *state;
	struct buf text = buf_new(a);

	for (unsigned i = 0; i < 10000; i++)
		buf_printf(&text,
		    "%08X%08X"
		    "000000000000000000000000:1\n",
		    i * 400000u, i * 7919u);
	assert_null(make(a, text.data));
	assert_null(breached_file_open(a));
	for (unsigned i = 0; i < 10000; i++) {
		assert_true(has(arena_printf(a,
		    "%08X%08X"
		    "000000000000000000000000",
		    i * 400000u, i * 7919u)));
		assert_false(has(arena_printf(a,
		    "%08X%08X"
		    "000000000000000000000000",
		    i * 400000u, i * 7919u + 1)));
	}
}

/* What was there stays, and nothing lies about. */
static void
test_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} row[] = {
		{ "", "line 1 is not" },
		{ "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD7:0\n", "has no passwords" },
		{ "00" ZEROS ":1\n\n", "line 2 is not" },
		{ "00" ZEROS ":\n", "line 1 is not" },
		{ "00" ZEROS " 1\n", "line 1 is not" },
		{ "00" ZEROS ":1x\n", "line 1 is not" },
		{ "0x" ZEROS ":1\n", "line 1 is not" },
		{ ZEROS ":1\n", "line 1 is not" },
		{ "00" ZEROS "0:1\n", "line 1 is not" },
		{ "FF" ZEROS ":1\n00" ZEROS ":1\n", "line 2 comes before" },
		{ "<html>\n", "line 1 is not" },
	};

	assert_null(make(*state, TEXT));
	for (size_t i = 0; i < LENGTH(row); i++) {
		const char *wrong = make(*state, row[i].text);

		assert_non_null(wrong);
		assert_non_null(strstr(wrong, row[i].why));
	}
	assert_null(breached_file_open(*state));
	assert_true(has("00" ZEROS));
	path = arena_printf(*state, "%s/nowhere/file", folder);
	assert_non_null(strstr(make(*state, TEXT), "can't be made"));
	path = (char *)cfg->postern_password_breached_file;
}

static void
spoil(long offset, char byte)
{
	FILE *f = fopen(path, "r+");

	fseek(f, offset, SEEK_SET);
	putc(byte, f);
	fclose(f);
}

/* The file that is open stays in use. */
static void
test_damaged(void **state)
{
	static const long spoilt[] = { 0, (long)BREACHED_INDEX, (long)BREACHED_INDEX + 8 * 1000, (long)BREACHED_ENTRIES - 1,
		(long)BREACHED_ENTRIES - 8 };

	for (size_t i = 0; i < LENGTH(spoilt); i++) {
		assert_null(make(*state, TEXT));
		assert_null(breached_file_open(*state));
		spoil(spoilt[i], '\x7f');
		assert_non_null(strstr(breached_file_open(*state), "POSTERN_PASSWORD_BREACHED_FILE"));
		assert_true(has("5BAB61E4C9B93F3F0682250B6CF8331B7EE68FD8"));
	}
	for (long len = 0; len < (long)BREACHED_ENTRIES + 30; len += 10007) {
		assert_null(make(*state, TEXT));
		assert_int_equal(truncate(path, len), 0);
		assert_non_null(breached_file_open(*state));
	}
	assert_int_equal(unlink(path), 0);
	assert_non_null(breached_file_open(*state));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_non_null(strstr(breached_file_open(*state), "not a file that postern breached has made"));
	assert_int_equal(unlink(path), 0);
}

/* Cut off while it is open: an error and not the end. */
static void
test_cut_off(void **state)
{
	unsigned char sha1[SHA1_LEN] = { 0 };
	bool known;

	assert_null(make(*state, TEXT));
	assert_null(breached_file_open(*state));
	assert_int_equal(truncate(path, (off_t)BREACHED_ENTRIES), 0);
	assert_false(breached_file_find(sha1, &known));
	assert_false(known);
	settings.postern_password_breached_file = "";
	assert_null(breached_file_open(*state));
	assert_false(breached_file_find(sha1, &known));
	settings.postern_password_breached_file = path;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(test_found),
		arena_test(test_many),
		arena_test(test_refused),
		arena_test(test_damaged),
		arena_test(test_cut_off),
	};
	char name[sizeof(folder) + 8];
	int failed;

	if (mkdtemp(folder) == NULL)
		return (1);
	snprintf(name, sizeof(name), "%s/file", folder);
	settings.postern_password_breached_file = path = name;
	cfg = &settings;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(name);
	return (failed != 0 || rmdir(folder) != 0); /* nothing else lies about */
}
