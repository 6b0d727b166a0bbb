/* SPDX-License-Identifier: Apache-2.0 */
/* SMTP by libcurl; POSTERN_SMTP_TLS says how much TLS. */
#include <string.h>
#include <strings.h>

#include "base/setting.h"
#include "base/str.h"
#include "base/url.h"
#include "net/curl_handle.h"
#include "net/transport.h"

struct talk {
	struct arena *arena;
	const struct mail *mail;
	size_t sent;
	bool letter_begun; /* MAIL FROM was said: from here a 5xx is about the letter, before it about us */
	bool signs_in;
	bool knows_auth, knows_tls; /* the server has offered them */
	const char *line;           /* the server's last refusal */
	char error[CURL_ERROR_SIZE];
	struct curl_slist *to;
};

static size_t
letter_read(char *into, size_t size, size_t n, void *arg)
{
	struct talk *t = arg;
	size_t len = t->mail->len - t->sent;

	if (len > size * n)
		len = size * n;
	memcpy(into, t->mail->data + t->sent, len);
	t->sent += len;
	return (len);
}

/* A line of the answer to EHLO: "250-AUTH PLAIN LOGIN", or with "AUTH=", as old ones write. */
static void
offer_watch(struct talk *t, const char *line, size_t len)
{
	t->knows_auth = t->knows_auth || (len > 8 && strncasecmp(line + 4, "AUTH", 4) == 0 && strchr(" =", line[8]) != NULL);
	t->knows_tls = t->knows_tls || (len >= 12 && strncasecmp(line + 4, "STARTTLS", 8) == 0);
}

static int
line_watch(CURL *c, curl_infotype type, char *bytes, size_t len, void *arg)
{
	struct talk *t = arg;

	(void)c;
	if (type == CURLINFO_HEADER_OUT && len > 9 && memcmp(bytes, "MAIL FROM", 9) == 0)
		t->letter_begun = true;
	if (type == CURLINFO_HEADER_IN && len > 3 && memcmp(bytes, "250", 3) == 0)
		offer_watch(t, bytes, len);
	if (type == CURLINFO_HEADER_IN && len > 3 && (*bytes == '4' || *bytes == '5'))
		t->line = str_trim(t->arena, arena_strndup(t->arena, bytes, len < 500 ? len : 500));
	return (0);
}

static bool
host_is_local(const char *host)
{
	return (str_equal(host, "localhost") || str_equal(host, "127.0.0.1") || str_equal(host, "::1"));
}

/* The name that we greet with: our public host, as the reference does. */
static const char *
greeting_name(struct arena *a)
{
	struct url own;

	if (!url_parse(a, cfg->api_external_url, &own) || str_empty(own.host) || strchr(own.host, ':') != NULL)
		return ("localhost");
	return (url_path_escape(a, own.host));
}

/* POSTERN_SMTP_TLS. */
static const struct tls {
	const char *name;
	bool implicit; /* from the start */
	long starttls;
	bool any;           /* certificate */
	bool password_bare; /* may be said without TLS */
} ways[] = {
	{ "", false, CURLUSESSL_TRY, false, false },
	{ "require", false, CURLUSESSL_ALL, false, false },
	{ "opportunistic", false, CURLUSESSL_TRY, true, false },
	{ "off", false, CURLUSESSL_NONE, true, true },
	{ "implicit", true, CURLUSESSL_ALL, false, false },
};

/* Nobody stands between us and this machine.  Port 465 is TLS from the start, where nothing else is said. */
static struct tls
tls_wanted(void)
{
	struct tls tls = ways[0];

	for (size_t i = 1; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (str_equal(cfg->postern_smtp_tls, ways[i].name))
			return (ways[i]);
	tls.any = tls.password_bare = host_is_local(cfg->gotrue_smtp_host);
	tls.implicit = cfg->gotrue_smtp_port == 465;
	return (tls);
}

static void
tls_apply(const struct talk *t, const struct tls *tls, CURL *c)
{
	/* A password goes over a sealed line only, else who drops the word STARTTLS would read it. */
	bool must = t->signs_in && !tls->password_bare;

	curl_easy_setopt(c, CURLOPT_USE_SSL, must ? (long)CURLUSESSL_ALL : tls->starttls);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, tls->any ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, tls->any ? 0L : 2L);
	if (*cfg->postern_smtp_ca_file != '\0')
		curl_easy_setopt(c, CURLOPT_CAINFO, cfg->postern_smtp_ca_file);
	if (t->signs_in) {
		curl_easy_setopt(c, CURLOPT_USERNAME, cfg->gotrue_smtp_user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, cfg->gotrue_smtp_pass);
	}
}

static void
server_apply(const struct talk *t, CURL *c)
{
	const char *host = cfg->gotrue_smtp_host;
	struct tls tls = tls_wanted();
	bool six = strchr(host, ':') != NULL;
	long ms = (long)(cfg->postern_smtp_timeout / 1000000);
	char *url = arena_printf(t->arena, "%s://%s%s%s:%lld/%s", tls.implicit ? "smtps" : "smtp", six ? "[" : "", host, six ? "]" : "",
	    (long long)cfg->gotrue_smtp_port, greeting_name(t->arena));

	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(c, CURLOPT_MAXAGE_CONN, 20L); /* servers hang up on the idle; a dead connection would delay a letter */
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, ms > 0 ? ms : 1L);
	tls_apply(t, &tls, c);
}

static void
talk_watch(struct talk *t, CURL *c)
{
	curl_easy_setopt(c, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, line_watch);
	curl_easy_setopt(c, CURLOPT_DEBUGDATA, t);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->error);
}

static void
letter_apply(struct talk *t, CURL *c)
{
	t->to = curl_slist_append(NULL, t->mail->to);
	curl_easy_setopt(c, CURLOPT_MAIL_FROM, t->mail->from);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, t->to);
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->mail->len);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, letter_read);
	curl_easy_setopt(c, CURLOPT_READDATA, t);
}

/* What the server said when it refused, else what libcurl says. */
static const char *
talk_why(const struct talk *t, CURLcode code, long status)
{
	if (t->signs_in && t->knows_auth && !t->knows_tls && (code == CURLE_USE_SSL_FAILED || code == CURLE_REMOTE_ACCESS_DENIED))
		return ("the mail server offers AUTH without TLS, so the password is not said; POSTERN_SMTP_TLS=off says it in the clear");
	if (status >= 400 && t->line != NULL)
		return (t->line);
	return (arena_strdup(t->arena, t->error[0] != '\0' ? t->error : curl_easy_strerror(code)));
}

/* A server that has neither AUTH nor TLS has nobody sign in: a relay of the house. */
static bool
has_no_door(const struct talk *t, CURLcode code)
{
	return (t->signs_in && !t->letter_begun && !t->knows_auth && !t->knows_tls && tls_wanted().starttls != CURLUSESSL_ALL &&
		(code == CURLE_USE_SSL_FAILED || code == CURLE_REMOTE_ACCESS_DENIED));
}

static CURLcode
talk_once(struct talk *t, CURL *c, void (*task)(struct talk *, CURL *), long *status)
{
	CURLcode code;

	server_apply(t, c);
	talk_watch(t, c);
	task(t, c);
	code = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
	curl_easy_reset(c);
	curl_slist_free_all(t->to);
	t->to = NULL;
	return (code);
}

static CURLcode
talk_run(struct talk *t, CURL *c, void (*task)(struct talk *, CURL *), long *status)
{
	CURLcode code;

	t->signs_in = *cfg->gotrue_smtp_user != '\0';
	code = talk_once(t, c, task, status);
	if (has_no_door(t, code)) {
		t->signs_in = false;
		code = talk_once(t, c, task, status);
	}
	return (code);
}

/* 530, 534, 535 and 538 are about signing in, whenever they come. */
static bool
is_about_letter(const struct talk *t, long status)
{
	return (t->letter_begun && status >= 500 && status < 600 && status != 530 && status != 534 && status != 535 && status != 538);
}

enum mail_outcome
smtp_send(struct arena *a, const struct mail *mail, const char **why)
{
	struct talk t = { .arena = a, .mail = mail };
	CURL *c = curl_handle(CURL_SMTP);
	CURLcode code;
	long status = 0;

	*why = NULL;
	if (!mail_address_sane(mail->from) || !mail_address_sane(mail->to)) {
		*why = "the sender's or the recipient's address can't be said in SMTP";
		return (MAIL_REFUSED);
	}
	if (c == NULL) {
		*why = "libcurl could not start";
		return (MAIL_LATER);
	}
	code = talk_run(&t, c, letter_apply, &status);
	if (code == CURLE_OK)
		return (MAIL_DELIVERED);
	*why = talk_why(&t, code, status);
	return (is_about_letter(&t, status) ? MAIL_REFUSED : MAIL_LATER);
}

static void
probe_apply(struct talk *t, CURL *c)
{
	(void)t;
	curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, "NOOP");
}

const char *
smtp_probe(struct arena *a)
{
	struct talk t = { .arena = a };
	CURL *c = curl_handle(CURL_SMTP);
	CURLcode code;
	long status = 0;

	if (c == NULL)
		return ("libcurl could not start");
	code = talk_run(&t, c, probe_apply, &status);
	return (code == CURLE_OK ? NULL
				 : arena_printf(a, "%s (GOTRUE_SMTP_HOST is %s, GOTRUE_SMTP_PORT %lld)", talk_why(&t, code, status),
				       cfg->gotrue_smtp_host, (long long)cfg->gotrue_smtp_port));
}
