/* SPDX-License-Identifier: Apache-2.0 */
/* SMTP by libcurl: STARTTLS when it is offered, TLS from the start on port 465. */
#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

#include "base/setting.h"
#include "base/str.h"
#include "base/url.h"
#include "net/transport.h"

struct talk {
	struct arena *arena;
	const struct mail *mail;
	size_t sent;
	bool letter_begun; /* MAIL FROM was said: from here a 5xx is about the letter, before it about us */
	const char *line;  /* the server's last refusal */
	char error[CURL_ERROR_SIZE];
	struct curl_slist *to;
};

/* One handle a process, so that a mailer with many letters keeps its connection.  A child leaves its parent's alone. */
static CURL *
handle(void)
{
	static CURL *kept;
	static pid_t owner;

	if (owner != getpid()) {
		kept = NULL;
		owner = getpid();
	}
	if (kept == NULL)
		kept = curl_easy_init();
	return (kept);
}

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

static int
line_watch(CURL *c, curl_infotype type, char *bytes, size_t len, void *arg)
{
	struct talk *t = arg;

	(void)c;
	if (type == CURLINFO_HEADER_OUT && len > 9 && memcmp(bytes, "MAIL FROM", 9) == 0)
		t->letter_begun = true;
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

static void
server_apply(struct talk *t, CURL *c)
{
	const char *host = cfg->gotrue_smtp_host;
	bool sealed = cfg->gotrue_smtp_port == 465, signs_in = *cfg->gotrue_smtp_user != '\0', six = strchr(host, ':') != NULL;
	long ms = (long)(cfg->postern_smtp_timeout / 1000000);
	char *url = arena_printf(t->arena, "%s://%s%s%s:%lld/%s", sealed ? "smtps" : "smtp", six ? "[" : "", host, six ? "]" : "",
	    (long long)cfg->gotrue_smtp_port, greeting_name(t->arena));

	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(c, CURLOPT_MAXAGE_CONN, 20L); /* servers hang up on the idle; a dead connection would delay a letter */
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, ms > 0 ? ms : 1L);
	/* A password goes over a sealed line only, else who drops the word STARTTLS would read it. */
	curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(signs_in && !host_is_local(host) ? CURLUSESSL_ALL : CURLUSESSL_TRY));
	if (*cfg->postern_smtp_ca_file != '\0')
		curl_easy_setopt(c, CURLOPT_CAINFO, cfg->postern_smtp_ca_file);
	if (signs_in) {
		curl_easy_setopt(c, CURLOPT_USERNAME, cfg->gotrue_smtp_user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, cfg->gotrue_smtp_pass);
	}
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
	if (status >= 400 && t->line != NULL)
		return (t->line);
	return (arena_strdup(t->arena, t->error[0] != '\0' ? t->error : curl_easy_strerror(code)));
}

static CURLcode
talk_run(struct talk *t, CURL *c, long *status)
{
	CURLcode code = curl_easy_perform(c);

	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
	curl_easy_reset(c);
	curl_slist_free_all(t->to);
	return (code);
}

enum mail_outcome
smtp_send(struct arena *a, const struct mail *mail, const char **why)
{
	struct talk t = { .arena = a, .mail = mail };
	CURL *c = handle();
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
	server_apply(&t, c);
	talk_watch(&t, c);
	letter_apply(&t, c);
	code = talk_run(&t, c, &status);
	if (code == CURLE_OK)
		return (MAIL_DELIVERED);
	*why = talk_why(&t, code, status);
	return (t.letter_begun && status >= 500 && status < 600 ? MAIL_REFUSED : MAIL_LATER);
}

const char *
smtp_probe(struct arena *a)
{
	struct talk t = { .arena = a };
	CURL *c = handle();
	CURLcode code;
	long status = 0;

	if (c == NULL)
		return ("libcurl could not start");
	server_apply(&t, c);
	talk_watch(&t, c);
	curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, "NOOP");
	code = talk_run(&t, c, &status);
	return (code == CURLE_OK ? NULL : talk_why(&t, code, status));
}
