/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transport.h"

#include "base/setting.h"
#include "base/str.h"

static const struct transport transports[] = {
	{ "smtp", smtp_send, smtp_probe },
	{ "sendmail", sendmail_send, sendmail_probe },
	{ "maildir", maildir_send, maildir_probe },
};

static const struct transport *
transport_named(const char *name)
{
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++)
		if (str_equal(transports[i].name, name))
			return (&transports[i]);
	return (NULL);
}

const struct transport *
transport_in_use(void)
{
	const struct transport *t = transport_named(cfg->postern_mail_transport);

	return (t != NULL && t->send == smtp_send && *cfg->gotrue_smtp_host == '\0' ? NULL : t);
}

bool
transport_known(const char *name)
{
	return (str_equal(name, "none") || transport_named(name) != NULL);
}

bool
mail_address_sane(const char *address)
{
	if (str_empty(address))
		return (false);
	for (; *address != '\0'; address++)
		if ((unsigned char)*address < ' ' || *address == 0x7f || *address == '<' || *address == '>')
			return (false);
	return (true);
}
