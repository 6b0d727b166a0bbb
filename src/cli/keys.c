/* SPDX-License-Identifier: Apache-2.0 */
/* postern keys: the keys that sign tokens change while the server runs. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/setting.h"
#include "base/str.h"
#include "cli/cli.h"
#include "sec/jwt.h"
#include "sec/key_file.h"

static const char usage[] =
    "usage: postern keys new [--algorithm ALGORITHM]  make a key that stands by; the first one signs at once.  Prints its kid\n"
    "       postern keys promote [KID] [--now]        let the key that stands by (or the one of that kid) sign, when everybody can know "
    "it\n"
    "       postern keys retire KID                   refuse what that key has signed, from now on\n"
    "       postern keys list                         kid, algorithm, state, since when\n"
    "\n"
    "  --algorithm  ES256 (which it is without), ES512, RS256, RS512, EdDSA or HS256\n"
    "  --now        do not wait until what others have kept of the key set is 10 minutes old\n"
    "  -c FILE      settings: KEY=value lines, which win over the environment\n"
    "\n"
    "The keys are in POSTERN_JWT_KEYS_FILE. The server looks at it with each request.\n";

#define SECOND INT64_C(1000000)

struct keys {
	struct arena *a;
	const char *algorithm, *kid;
	bool now;
	struct key_change change;
};

static struct key_entry *
entry_find(struct key_file *file, const char *kid)
{
	for (size_t i = 0; i < file->len; i++)
		if (str_equal(file->entry[i].kid, kid))
			return (&file->entry[i]);
	return (NULL);
}

/* The newest in that state. */
static struct key_entry *
entry_in(struct key_file *file, enum key_state state)
{
	struct key_entry *found = NULL;

	for (size_t i = 0; i < file->len; i++)
		if (file->entry[i].state == state)
			found = &file->entry[i];
	return (found);
}

static void
entry_set(struct key_entry *entry, enum key_state state)
{
	entry->state = state;
	entry->since = clock_now();
}

/* What is known of retired keys makes way for new ones, the oldest first. */
static bool
room_make(struct key_file *file)
{
	size_t i = 0;

	if (file->len < KEY_FILE_MOST)
		return (true);
	while (i < file->len && file->entry[i].state != KEY_RETIRED)
		i++;
	if (i == file->len)
		return (false);
	memmove(&file->entry[i], &file->entry[i + 1], (file->len - i - 1) * sizeof(file->entry[0]));
	file->len--;
	return (true);
}

static const char *
alg_taken(struct arena *a, const char *alg)
{
	if (jwt_alg_taken(alg))
		return (NULL);
	return (arena_printf(a,
	    "stays as it is: GOTRUE_JWT_VALID_METHODS does not have %s; add it there, and let the server read it, first", alg));
}

static const char *
run_new(struct keys *k)
{
	struct key_file *file = &k->change.file;
	const char *wrong = alg_taken(k->a, k->algorithm);
	struct key_entry *entry;

	if (wrong != NULL)
		return (wrong);
	if (!room_make(file))
		return ("has 64 keys: retire some that are previous ones");
	k->kid = uuid_new(k->a);
	entry = &file->entry[file->len];
	*entry = (struct key_entry){ .kid = k->kid, .alg = k->algorithm, .jwk = key_make(k->a, k->algorithm, k->kid) };
	entry_set(entry, entry_in(file, KEY_CURRENT) == NULL ? KEY_CURRENT : KEY_STANDBY);
	file->len++;
	return (key_change_write(k->a, &k->change));
}

/* Microseconds until nobody can hold a key set without the key. */
static usec
unknown_for(const struct key_entry *entry)
{
	usec age = clock_now() - entry->since, needed = JWT_KEY_SET_AGE * SECOND;

	if (entry->state != KEY_STANDBY || age >= needed)
		return (0);
	return (age < 0 ? needed : needed - age);
}

/* Without the lock, so that others can be at the file meanwhile: it is then read anew. */
static const char *
known_wait(struct keys *k, const struct key_entry *entry)
{
	unsigned seconds = (unsigned)(unknown_for(entry) / SECOND) + 1;

	key_change_end(&k->change);
	k->kid = entry->kid;
	fprintf(stderr, "postern: waiting for %u s: until then somebody may hold a key set without %s (--now does not wait)\n", seconds,
	    k->kid);
	while (seconds > 0)
		seconds = sleep(seconds);
	return (key_change_begin(k->a, cfg->postern_jwt_keys_file, &k->change));
}

static const char *
promotable(struct keys *k, struct key_entry **entry)
{
	struct key_file *file = &k->change.file;

	*entry = k->kid != NULL ? entry_find(file, k->kid) : entry_in(file, KEY_STANDBY);
	if (*entry == NULL)
		return (k->kid != NULL ? "has no key of that kid" : "has no key that stands by: postern keys new makes one");
	if ((*entry)->state == KEY_RETIRED)
		return ("has that key as a retired one, which does not come back");
	return (alg_taken(k->a, (*entry)->alg));
}

static const char *
run_promote(struct keys *k)
{
	struct key_entry *entry, *current;
	const char *wrong = promotable(k, &entry);

	if (wrong == NULL && !k->now && unknown_for(entry) > 0 && (wrong = known_wait(k, entry)) == NULL)
		wrong = promotable(k, &entry);
	if (wrong != NULL)
		return (wrong);
	k->kid = entry->kid;
	current = entry_in(&k->change.file, KEY_CURRENT);
	if (current == entry)
		return (NULL);
	if (current != NULL)
		entry_set(current, KEY_PREVIOUS);
	entry_set(entry, KEY_CURRENT);
	return (key_change_write(k->a, &k->change));
}

static const char *
run_retire(struct keys *k)
{
	struct key_entry *entry = entry_find(&k->change.file, k->kid);

	if (entry == NULL)
		return ("has no key of that kid");
	if (entry->state == KEY_CURRENT)
		return ("has that key as the one that signs: promote another first");
	if (entry->state == KEY_RETIRED)
		return (NULL);
	entry_set(entry, KEY_RETIRED);
	entry->jwk = json_pairs(k->a, "kid", entry->kid, "alg", entry->alg, NULL);
	return (key_change_write(k->a, &k->change));
}

static void
entry_show(struct arena *a, const struct key_entry *entry)
{
	cli_put(entry->kid);
	putchar('\t');
	cli_put(entry->alg);
	printf("\t%s\t%s\n", key_state_name(entry->state), clock_rfc3339(a, entry->since));
}

static const char *
keys_list(struct keys *k)
{
	struct key_file *file = &k->change.file;
	const char *wrong = key_file_read(k->a, cfg->postern_jwt_keys_file, file);

	for (size_t i = 0; i < file->len && wrong == NULL; i++)
		entry_show(k->a, &file->entry[i]);
	return (wrong);
}

static const char *
keys_change(struct keys *k, const char *(*run)(struct keys *))
{
	const char *wrong = key_change_begin(k->a, cfg->postern_jwt_keys_file, &k->change);

	if (wrong == NULL)
		wrong = run(k);
	key_change_end(&k->change);
	if (wrong == NULL)
		puts(k->kid);
	return (wrong);
}

static const struct action {
	const char *name;
	const char *(*run)(struct keys *); /* NULL: it changes nothing */
	int least, most;
} actions[] = {
	{ "new", run_new, 0, 0 },
	{ "promote", run_promote, 0, 1 },
	{ "retire", run_retire, 1, 1 },
	{ "list", NULL, 0, 0 },
};

static const struct action *
action_find(const char *name, int words)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (str_equal(actions[i].name, name) && words >= actions[i].least && words <= actions[i].most)
			return (&actions[i]);
	return (NULL);
}

static int
keys_run(struct keys *k, const struct action *action, const char *file)
{
	const char *wrong;

	if (!cli_settings_bare(k->a, file))
		return (1);
	if (str_empty(cfg->postern_jwt_keys_file)) {
		fputs("postern: POSTERN_JWT_KEYS_FILE must be set: the file that the keys are in\n", stderr);
		return (1);
	}
	wrong = action->run == NULL ? keys_list(k) : keys_change(k, action->run);
	if (wrong != NULL)
		fprintf(stderr, "postern: %s %s\n", cfg->postern_jwt_keys_file, wrong);
	return (wrong != NULL);
}

int
cli_keys(int argc, char **argv)
{
	struct keys k = { .algorithm = "ES256" };
	const char *file = NULL;
	const struct cli_option options[] = { { "algorithm", &k.algorithm, NULL }, { "now", NULL, &k.now }, { NULL, NULL, NULL } };
	const struct cli_command command = { .usage = usage, .file = &file, .option = options, .least = 1, .most = 2 };
	int status = cli_options(argc, argv, &command);
	const struct action *action;

	if (status != CLI_GO_ON)
		return (status);
	if ((action = action_find(argv[optind], argc - optind - 1)) == NULL) {
		fputs(usage, stderr);
		return (2);
	}
	if (!key_alg_known(k.algorithm))
		return (cli_refuse(usage, "--algorithm must be ES256, ES512, RS256, RS512, EdDSA or HS256."));
	k.kid = argv[optind + 1];
	k.a = arena_new();
	status = keys_run(&k, action, file);
	arena_free(k.a);
	return (status);
}
