/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "fixture.h"

static char path[64];

static int
log_setup(void **state)
{
	int fd;

	strcpy(path, "/tmp/test_log.XXXXXX");
	fd = mkstemp(path);
	close(fd);
	log_open(LOG_INFO, path);
	return (arena_setup(state));
}

static int
log_teardown(void **state)
{
	log_context(NULL);
	log_open(LOG_INFO, NULL);
	unlink(path);
	return (arena_teardown(state));
}

/* The lines of the log, each of which must be JSON. */
static char **
lines(struct arena *arena)
{
	static char text[16384];
	int fd = open(path, O_RDONLY);
	ssize_t len = read(fd, text, sizeof(text) - 1);
	char **list;

	close(fd);
	text[len < 0 ? 0 : len] = '\0';
	list = str_split(arena, text, '\n');
	for (char **line = list; *line != NULL && **line != '\0'; line++)
		assert_non_null(json_parse(arena, *line, strlen(*line), NULL));
	return (list);
}

static void
test_fields(void **state)
{
	json *line;
	char **list;

	log_event(LOG_INFO, "done", "path", "/a\"\n\xFF", "nothing", NULL, "#status", "200", NULL);
	list = lines(*state);
	assert_int_equal(strs_len(list), 2);
	line = json_parse(*state, list[0], strlen(list[0]), NULL);
	assert_string_equal(json_string(json_get(line, "level")), "info");
	assert_string_equal(json_string(json_get(line, "msg")), "done");
	assert_string_equal(json_string(json_get(line, "path")), "/a\"\n\xEF\xBF\xBD");
	assert_string_equal(json_number(json_get(line, "status")), "200");
	assert_non_null(json_string(json_get(line, "time")));
	assert_null(json_get(line, "nothing"));
	assert_null(json_get(line, "request_id"));
}

static void
test_levels(void **state)
{
	log_event(LOG_DEBUG, "hidden", NULL);
	log_line(LOG_DEBUG, "%s", "hidden");
	log_line(LOG_WARN, "%s %d", "shown", 7);
	assert_int_equal(strs_len(lines(*state)), 2);
	assert_non_null(strstr(lines(*state)[0], "{\"level\":\"warning\",\"msg\":\"shown 7\","));
}

static void
test_context(void **state)
{
	log_context("r-1");
	log_line(LOG_ERROR, "x");
	log_context(NULL);
	log_line(LOG_ERROR, "y");
	assert_non_null(strstr(lines(*state)[0], "\"request_id\":\"r-1\""));
	assert_null(strstr(lines(*state)[1], "request_id"));
}

static void
test_a_long_message_is_cut(void **state)
{
	char text[5000];

	memset(text, 'x', sizeof(text));
	memcpy(text + 2040, "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4", 10);
	text[sizeof(text) - 1] = '\0';
	log_line(LOG_INFO, "%s", text);
	assert_true(strlen(lines(*state)[0]) < 2200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fields, log_setup, log_teardown),
		cmocka_unit_test_setup_teardown(test_levels, log_setup, log_teardown),
		cmocka_unit_test_setup_teardown(test_context, log_setup, log_teardown),
		cmocka_unit_test_setup_teardown(test_a_long_message_is_cut, log_setup, log_teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
