/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/setting.h"
#include "base/str.h"
#include "cli/cli.h"
#include "core/redirect.h"
#include "core/reseal.h"
#include "core/sms.h"
#include "db/db.h"
#include "db/migrate.h"
#include "letter/letter.h"
#include "net/network.h"
#include "net/transport.h"
#include "query/outbox.h"
#include "query/recovery_codes.h"
#include "query/user.h"
#include "sec/breached_file.h"
#include "sec/jwt.h"
#include "sec/password.h"
#include "sec/secret.h"

#define WAITING_TOO_LONG 300 /* seconds */

static const char usage[] =
    "usage: postern check [-c FILE] [-v]\n"
    "\n"
    "Tells what is wrong with the settings, the keys and the database. Changes nothing.\n"
    "\n"
    "  -c, --config FILE  settings of this file win over the environment\n"
    "  -v, --verbose      also show every setting as it is in force, secrets masked\n"
    "\n"
    "Exit status: 0 when all is well, 1 when something is wrong, 2 for a wrong call.\n";

struct report {
	unsigned errors, warnings;
};

static void
report_error(struct report *r, const char *sentence)
{
	printf("error: %s\n", sentence);
	r->errors++;
}

static void
report_warning(struct report *r, const char *sentence)
{
	printf("warning: %s\n", sentence);
	r->warnings++;
}

static void
report_complaints(struct report *r, const struct complaints *c)
{
	for (size_t i = 0; i < c->len; i++) {
		/* The server starts with a feature that is not built, but does not do what it is told. */
		if (c->item[i].fatal || c->item[i].not_built)
			report_error(r, c->item[i].sentence);
		else
			report_warning(r, c->item[i].sentence);
	}
}

static void
show_setting(void *arg, const struct setting_view *view)
{
	(void)arg;
	printf("%s=%s\n", view->name, view->value);
}

static void
check_keys(struct arena *a, struct report *r)
{
	const char *keys = jwt_keys_load(a), *columns = secret_keys_check(a);

	if (keys != NULL)
		report_error(r, keys);
	if (columns != NULL)
		report_error(r, columns);
}

static void
check_breached(struct arena *a, struct report *r)
{
	const char *wrong = breached_file_open(a);

	if (wrong != NULL)
		report_error(r, wrong);
}

static void
check_letters(struct arena *a, struct report *r)
{
	const struct transport *transport = transport_in_use();
	const char *wrong = transport != NULL ? transport->probe(a) : NULL;
	bool needed = cfg->gotrue_external_email_enabled && !cfg->gotrue_mailer_autoconfirm && !cfg->gotrue_hook_send_email_enabled;

	if (needed && str_equal(cfg->postern_mail_transport, "smtp") && str_empty(cfg->gotrue_smtp_host))
		report_warning(r, "GOTRUE_SMTP_HOST is not set: letters go nowhere, so nobody can confirm an e-mail address.");
	if (transport != NULL && !mail_address_sane(cfg->gotrue_smtp_admin_email))
		report_error(r, "GOTRUE_SMTP_ADMIN_EMAIL must be set: the address that letters come from.");
	if (wrong != NULL)
		report_error(r, arena_printf(a, "No letter can be sent by %s: %s", transport->name, wrong));
	for (int i = 0; i < LETTER_COUNT; i++)
		if ((wrong = letter_check(a, (enum letter_id)i, transport != NULL)) != NULL)
			report_error(r, wrong);
}

/* Whether text messages can be sent: their template, and what the gateway needs. */
static void
check_messages(struct arena *a, struct report *r)
{
	const char *template = sms_template_check(a), *gateway = sms_gateway_check(a);

	if (template != NULL)
		report_error(r, template);
	if (gateway != NULL)
		report_warning(r, gateway);
}

static void
check_redirects(struct arena *a, struct report *r)
{
	for (char **entry = cfg->gotrue_uri_allow_list; *entry != NULL; entry++) {
		const char *complaint = redirect_complaint(a, *entry);

		if (complaint != NULL)
			report_warning(r, complaint);
	}
}

static void
check_http(struct arena *a, struct report *r)
{
	for (char **n = cfg->postern_http_private_networks; *n != NULL; n++)
		if (!network_valid(*n))
			report_error(r, arena_printf(a, "POSTERN_HTTP_PRIVATE_NETWORKS: \"%s\" is not a network such as 10.0.0.0/8.", *n));
	if (!str_empty(cfg->postern_http_ca_file) && access(cfg->postern_http_ca_file, R_OK) != 0)
		report_error(r, arena_printf(a, "POSTERN_HTTP_CA_FILE: %s can't be read.", cfg->postern_http_ca_file));
	for (char **to = cfg->postern_http_connect_to; *to != NULL; to++)
		report_warning(r, arena_printf(a, "POSTERN_HTTP_CONNECT_TO is set: calls go elsewhere than their URLs say (%s).", *to));
}

/* What the server said, as one line. */
static const char *
database_words(struct arena *a, struct db *db)
{
	const char *words = str_trim(a, str_or(db_error(db)->message, "no answer"));

	return (str_replace(a, str_replace(a, words, "\n\t", " "), "\n", " "));
}

/* Letters that nobody sends. */
static void
check_outbox(struct arena *a, struct db *db, struct report *r)
{
	struct outbox_state mail;

	if (outbox_state(db, &mail) != OK)
		report_error(r, arena_printf(a, "The waiting letters can't be looked at: %s.", str_or(db_error(db)->message, "no answer")));
	else if (mail.age > WAITING_TOO_LONG)
		report_warning(r,
		    arena_printf(a, "A letter has waited for %lld minutes: does postern serve run, or postern deliver?", mail.age / 60));
}

/* A password as it would be stored, and read again. */
static void
check_password(struct arena *a, struct db *db, struct report *r)
{
	static const char password[] = "a password to try";
	struct user_password_room column = { 0 };
	const char *stored, *hash;

	if (secret_keys_check(a) != NULL)
		return; /* that is told already */
	stored = secret_seal(a, UUID_NIL, password_hash(a, password));
	hash = secret_unseal(a, UUID_NIL, stored, NULL);
	if (user_password_room(db, &column) != OK)
		report_error(r, arena_printf(a, "The table of users can't be looked at: %s.", str_or(db_error(db)->message, "no answer")));
	else if (column.room > 0 && utf8_count(stored) > (size_t)column.room)
		report_error(r,
		    arena_printf(a, "A password takes %zu characters as the settings have it stored, and its column holds %lld.",
			utf8_count(stored), (long long)column.room));
	if (hash == NULL || password_verify(a, hash, password) != PASSWORD_RIGHT)
		report_error(r, "A password can't be read again as the settings have it stored.");
}

/* How much is stored under which key, and what nobody can read any more. */
static void
check_sealed(struct arena *a, struct db *db, struct report *r)
{
	struct sealed_counts_rows counts;

	if (sealed_counts(db, &counts) != OK) {
		report_error(r, arena_printf(a, "What is stored encrypted can't be counted: %s.", database_words(a, db)));
		return;
	}
	for (size_t i = 0; i < counts.len; i++) {
		const struct sealed_counts *rows = &counts.row[i];

		printf("%s: %lld %s", rows->place, rows->count, rows->key_id == NULL ? "not encrypted" : "under the key ");
		cli_put(str_or(rows->key_id, ""));
		putchar('\n');
		if (!reseal_key_known(a, rows))
			report_warning(r,
			    arena_printf(a, "%lld rows of %s are under a key that none of the settings has, so nobody can read them.",
				rows->count, rows->place));
	}
}

static void
check_recovery_codes(struct arena *a, struct db *db, struct report *r)
{
	struct recovery_codes_of_rows none;
	bool wanted = cfg->gotrue_mfa_recovery_codes_enroll_enabled || cfg->gotrue_mfa_recovery_codes_verify_enabled;

	if (wanted && recovery_codes_of(db, &none, .factor_id = UUID_NIL) != OK)
		report_error(r, arena_printf(a,
				    "GOTRUE_MFA_RECOVERY_CODES_ENROLL_ENABLED or _VERIFY_ENABLED is true, but the tables of recovery codes "
				    "can't be read (%s): "
				    "run postern migrate --remove-extras, then postern migrate, as the owner of the type factor_type.",
				    database_words(a, db)));
}

static void
check_schema(struct arena *a, struct db *db, struct report *r)
{
	int pending = 0;

	if (migrate_pending(db, a, &pending) != OK)
		report_error(r, arena_printf(a, "The schema \"%s\" can't be looked at: %s.", cfg->db_namespace,
				    str_or(db_error(db)->message, "no answer")));
	else if (pending > 0)
		report_error(r,
		    arena_printf(a, "The schema \"%s\" is not current, %d to go: run postern migrate.", cfg->db_namespace, pending));
	else {
		check_outbox(a, db, r);
		check_password(a, db, r);
		check_sealed(a, db, r);
		check_recovery_codes(a, db, r);
	}
}

static void
check_database(struct arena *a, struct report *r)
{
	struct db *db = db_new(cfg->database_url, cfg->db_namespace);

	db_limit(db, 0); /* counting takes as long as the tables are large */
	db_start(db, a);
	if (db_ping(db) != OK)
		report_error(r, arena_printf(a, "The database of DATABASE_URL can't be reached: %s", database_words(a, db)));
	else
		check_schema(a, db, r);
	db_free(db);
}

/* It holds the secret that tokens are signed with, and the database's password. */
static void
check_file(struct arena *a, const char *file, struct report *r)
{
	struct stat st;

	if (file != NULL && stat(file, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IROTH) != 0)
		report_warning(r, arena_printf(a, "%s holds secrets and everybody on this machine may read it: chmod 600 %s", file, file));
}

static void
check_all(struct arena *a, const char *file, bool verbose, struct report *r)
{
	struct complaints *complaints = arena_new_object(a, struct complaints);
	const struct settings *settings = settings_load(a, file, complaints);

	report_complaints(r, complaints);
	check_file(a, file, r);
	if (settings == NULL)
		return;
	if (verbose)
		settings_each(a, settings, show_setting, NULL);
	check_letters(a, r);
	check_messages(a, r);
	check_redirects(a, r);
	check_http(a, r);
	check_keys(a, r);
	check_file(a, str_empty(cfg->postern_jwt_keys_file) ? NULL : cfg->postern_jwt_keys_file, r);
	check_breached(a, r);
	check_database(a, r);
}

int
cli_check(int argc, char **argv)
{
	struct report report = { 0 };
	const char *file = NULL;
	bool verbose = false;
	const struct cli_option options[] = { { "v", NULL, &verbose }, { "verbose", NULL, &verbose }, { NULL, NULL, NULL } };
	const struct cli_command command = { .usage = usage, .file = &file, .option = options };
	int status = cli_options(argc, argv, &command);
	struct arena *a;

	if (status != CLI_GO_ON)
		return (status);
	a = arena_new();
	check_all(a, file, verbose, &report);
	printf("%u errors, %u warnings\n", report.errors, report.warnings);
	arena_free(a);
	cfg = NULL;
	return (report.errors == 0 ? 0 : 1);
}
