/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "sec/certificate.h"
#include "sec/crypto.h"

#define VERSION_3 2

/* id-fido-gen-ce-aaguid; tcg-kp-AIKCertificate. */
#define OID_AAGUID "1.3.6.1.4.1.45724.1.1.4"
#define OID_AIK "2.23.133.8.3"

static void
certificate_release(void *certificate)
{
	X509_free(certificate);
}

X509 *
certificate_read(struct arena *arena, struct bytes der)
{
	const unsigned char *at = der.data, *end = at + der.len;
	X509 *certificate = d2i_X509(NULL, &at, (long)der.len);

	ERR_clear_error(); /* it would be taken for TLS's */
	if (certificate == NULL)
		return (NULL);
	arena_defer(arena, certificate_release, certificate);
	return (at == end ? certificate : NULL);
}

bool
certificate_current(const X509 *certificate)
{
	return (X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 && X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0);
}

struct jwk *
certificate_key(struct arena *arena, X509 *certificate)
{
	struct jwk *key = jwk_new(arena);

	key->public = X509_get_pubkey(certificate);
	ERR_clear_error();
	return (key->public != NULL && jwk_public_known(key) ? key : NULL);
}

/* The first part of that kind of the subject's name; no data without one. */
static struct bytes
subject_part(X509 *certificate, int nid)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, nid, -1);
	const ASN1_STRING *text;

	if (at < 0)
		return ((struct bytes){ NULL, 0 });
	text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	return ((struct bytes){ ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text) });
}

static bool
subject_is(X509 *certificate, int nid, const char *wanted)
{
	return (bytes_equal(subject_part(certificate, nid), (struct bytes){ wanted, strlen(wanted) }));
}

static ASN1_OBJECT *
oid(const char *dotted)
{
	ASN1_OBJECT *object = OBJ_txt2obj(dotted, 1);

	crypto_assert(object != NULL, "reading an OID");
	return (object);
}

/* The extension need not be there; what it says is an OCTET STRING in one. */
static bool
aaguid_fits(X509 *certificate, struct bytes aaguid)
{
	ASN1_OBJECT *name = oid(OID_AAGUID);
	X509_EXTENSION *extension = X509_get_ext(certificate, X509_get_ext_by_OBJ(certificate, name, -1));
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
	const unsigned char *inner = value == NULL ? NULL : ASN1_STRING_get0_data(value);

	ASN1_OBJECT_free(name);
	if (extension == NULL)
		return (true);
	return (X509_EXTENSION_get_critical(extension) == 0 && (size_t)ASN1_STRING_length(value) == 2 + aaguid.len &&
		inner[0] == V_ASN1_OCTET_STRING && inner[1] == aaguid.len && memcmp(inner + 2, aaguid.data, aaguid.len) == 0);
}

static const char *
common_check(X509 *certificate, struct bytes aaguid)
{
	if (X509_get_version(certificate) != VERSION_3)
		return ("certificate version");
	if ((X509_get_extension_flags(certificate) & (EXFLAG_CA | EXFLAG_INVALID)) != 0)
		return ("certificate of an authority");
	return (aaguid_fits(certificate, aaguid) ? NULL : "certificate aaguid");
}

const char *
certificate_packed(X509 *certificate, struct bytes aaguid)
{
	if (subject_part(certificate, NID_countryName).len != 2 || subject_part(certificate, NID_organizationName).len == 0 ||
	    subject_part(certificate, NID_commonName).len == 0 ||
	    !subject_is(certificate, NID_organizationalUnitName, "Authenticator Attestation"))
		return ("certificate subject");
	return (common_check(certificate, aaguid));
}

static bool
aik_is(X509 *certificate)
{
	EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	ASN1_OBJECT *wanted = oid(OID_AIK);
	bool found = false;

	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
		found = found || OBJ_cmp(sk_ASN1_OBJECT_value(usages, i), wanted) == 0;
	ASN1_OBJECT_free(wanted);
	sk_ASN1_OBJECT_pop_free(usages, ASN1_OBJECT_free);
	ERR_clear_error();
	return (found);
}

const char *
certificate_tpm(X509 *certificate, struct bytes aaguid)
{
	if (X509_NAME_entry_count(X509_get_subject_name(certificate)) != 0)
		return ("certificate subject");
	if (!aik_is(certificate))
		return ("certificate key usage");
	return (common_check(certificate, aaguid));
}
