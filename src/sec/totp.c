/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "sec/secret.h"
#include "sec/totp.h"

#define SECRET_LEN 20
#define MODULO 1000000 /* of so many digits */

char *
totp_secret(struct arena *a)
{
	unsigned char secret[SECRET_LEN];
	char *text;

	secret_random(secret, sizeof(secret));
	text = base32_encode(a, secret, sizeof(secret));
	secret_wipe(secret, sizeof(secret));
	return (text);
}

/* RFC 4226 section 5.3. */
static char *
step_code(struct arena *a, const unsigned char *key, size_t len, int64_t step)
{
	unsigned char counter[8], mac[20], *at;

	for (int i = 7; i >= 0; i--, step >>= 8)
		counter[i] = (unsigned char)(step & 255);
	hmac_sha1(key, len, counter, sizeof(counter), mac);
	at = mac + (mac[19] & 15);
	return (arena_printf(a, "%0*u", TOTP_DIGITS,
	    ((at[0] & 127u) << 24 | (unsigned)at[1] << 16 | (unsigned)at[2] << 8 | (unsigned)at[3]) % MODULO));
}

int64_t
totp_step(struct arena *a, const char *secret, const char *code, int64_t seconds)
{
	size_t len;
	unsigned char *key = base32_decode(a, secret, &len);
	int64_t now = seconds / TOTP_PERIOD, found = 0;

	if (key == NULL)
		return (0);
	for (int64_t step = now - 1; step <= now + 1; step++)
		if (secret_equal_text(step_code(a, key, len, step), code))
			found = step;
	secret_wipe(key, len);
	return (found);
}
