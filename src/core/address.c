/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "core/address.h"

#define EMAIL_MAX 255
#define LABEL_MAX 63
#define PHONE_MIN 2
#define PHONE_MAX 15

/* Labels of letters, digits and inner hyphens, joined by dots. */
static bool
domain_valid(const char *domain)
{
	for (;;) {
		size_t len = strcspn(domain, ".");

		if (len == 0 || len > LABEL_MAX || domain[0] == '-' || domain[len - 1] == '-')
			return (false);
		for (size_t i = 0; i < len; i++)
			if (!isascii(domain[i]) || (!isalnum((unsigned char)domain[i]) && domain[i] != '-'))
				return (false);
		if (domain[len] == '\0')
			return (true);
		domain += len + 1;
	}
}

/* The form that HTML's input type=email has. */
static bool
email_valid(const char *email)
{
	static const char local[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&'*+/=?^_`{|}~-";
	size_t len = strspn(email, local);

	return (len > 0 && email[len] == '@' && domain_valid(email + len + 1));
}

err
address_check_email(struct request *r, const char **email)
{
	if (str_empty(*email))
		return (fail(r, E_VALIDATION_FAILED, "An email address is required"));
	if (strlen(*email) > EMAIL_MAX)
		return (fail(r, E_VALIDATION_FAILED, "An email address is too long"));
	if (!email_valid(*email))
		return (fail(r, E_VALIDATION_FAILED, "Unable to validate email address: invalid format"));
	*email = str_lower(r->arena, *email);
	return (OK);
}

char *
address_phone(struct arena *a, const char *phone)
{
	return (str_replace(a, phone + (*phone == '+'), " ", ""));
}

err
address_check_phone(struct request *r, const char **phone)
{
	const char *digits = address_phone(r->arena, *phone);
	size_t len = strlen(digits);

	if (len < PHONE_MIN || len > PHONE_MAX || digits[0] == '0' || strspn(digits, "0123456789") != len)
		return (fail(r, E_VALIDATION_FAILED, "Invalid phone number format (E.164 required)"));
	*phone = digits;
	return (OK);
}
