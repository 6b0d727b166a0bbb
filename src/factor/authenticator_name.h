/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FACTOR_AUTHENTICATOR_NAME_H
#define FACTOR_AUTHENTICATOR_NAME_H

/* What people call the authenticator with that AAGUID (a UUID in small letters, NULL without): "YubiKey 5 Series"; "Passkey" if nobody knows. */
const char *authenticator_name(const char *aaguid);

#endif
