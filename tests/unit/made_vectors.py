# SPDX-License-Identifier: Apache-2.0
"""Prints made_vectors.h: registrations and assertions of tests/authenticator.py, and registrations to refuse."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from authenticator import ALGORITHMS, ATTESTATIONS, Authenticator, base64url, certificate, key_new, unbase64url

VECTORS = """\
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_MADE_VECTORS_H
#define UNIT_MADE_VECTORS_H

/* What made_vectors.py printed, in hex, as in webauthn_vectors.h: each algorithm with each attestation, and registrations to refuse. */
/* clang-format off */
static const struct vector made_vectors[] = {
%s};

static const struct refused_vector {
	const char *about, *why;
	const char *id, *challenge, *client_data, *attestation_object;
} refused_vectors[] = {
%s};
/* clang-format on */

#endif
"""
VERSION_1, VERSION_3 = b"\xa0\x03\x02\x01\x00", b"\xa0\x03\x02\x01\x02"
CHALLENGE = bytes(32)
OPTIONS = {"challenge": base64url(CHALLENGE), "rp": {"id": "example.org"}, "user": {"id": "AA"}, "pubKeyCredParams": [{"alg": -7}]}


def flipped(signature):
    return signature[:-1] + bytes([signature[-1] ^ 1])


def device_of(attestation, **arguments):
    return Authenticator("https://example.org", attestation=attestation, aaguid=bytes(range(16)), **arguments)


def but(**changes):
    """A statement with other members; None takes one away."""
    return lambda statement: {k: v for k, v in (statement | changes).items() if v is not None}


def refused():
    for attestation in ATTESTATIONS[1:]:
        yield "signature of attestation", device_of(attestation), {"signature": flipped}
        yield "signature of attestation", device_of(attestation), {"statement": but(sig=None)}
        yield "signature of attestation", device_of(attestation), {"statement": but(sig="text")}
    yield "statement", device_of("none"), {"statement": but(alg=-7)}
    yield "alg", device_of("packed"), {"statement": but(alg=-8)}
    yield "alg", device_of("packed"), {"statement": but(alg=None)}
    for alg in (None, -8, -257, -65535, -7 - (1 << 32)):
        yield "alg" if alg not in (-8, -257) else "signature of attestation", device_of("packed-x5c"), {"statement": but(alg=alg)}
    for attestation in ATTESTATIONS[2:]:
        yield "x5c", device_of(attestation), {"statement": but(x5c=[])}
        yield "certificate", device_of(attestation), {"statement": but(x5c=[b"x"])}
        yield "certificate", device_of(attestation), {"statement": but(x5c=["x"])}
        yield "certificate", device_of(attestation), {"statement": lambda s: s | {"x5c": [s["x5c"][0] + b"x"]}}
        yield "certificate", device_of(attestation), {"statement": lambda s: s | {"x5c": [s["x5c"][0], b"x"]}}
        yield "certificate time", device_of(attestation, certificate={"years": (2020, 2021)}), {}
        yield "certificate time", device_of(attestation, certificate={"years": (9998, 9999)}), {}
    yield "signature of attestation", device_of("packed-x5c", maker=key_new("ES384")), {}
    for attestation in ("packed-x5c", "tpm"):
        yield "certificate version", device_of(attestation), {"statement": lambda s: s | {"x5c": [s["x5c"][0].replace(VERSION_3, VERSION_1)]}}
        yield "certificate aaguid", device_of(attestation, certificate={"critical": True}), {}
        yield "certificate of an authority", device_of(attestation, certificate={"ca": True}), {}
        yield "certificate aaguid", device_of(attestation, certificate={"aaguid": bytes(16)}), {}
        yield "certificate subject", device_of(attestation, certificate={"subject": "CN=1,OU=Authenticator,O=Maker,C=SE"}), {}
    for subject in ("OU=Authenticator Attestation,O=Maker,C=SE", "CN=1,OU=Authenticator Attestation,C=SE", "CN=1,OU=Authenticator Attestation,O=Maker", ""):
        yield "certificate subject", device_of("packed-x5c", certificate={"subject": subject}), {}
    yield "certificate key usage", device_of("tpm", certificate={"usage": "1.2.3"}), {}
    yield "version", device_of("tpm"), {"statement": but(ver="1.2")}
    yield "version", device_of("tpm"), {"statement": but(ver=None)}
    yield "certificate", device_of("tpm"), {"statement": but(x5c=None)}
    yield "signature of attestation", device_of("tpm"), {"statement": lambda s: s | {"pubArea": flipped(s["pubArea"])}}
    yield "certificate", device_of("fido-u2f"), {"statement": but(x5c=None)}
    yield "certificate", device_of("fido-u2f"), {"statement": lambda s: s | {"x5c": s["x5c"] * 2}}
    yield "certificate", device_of("fido-u2f"), {"statement": but(x5c=[certificate(key_new("ES384"), bytes(range(16)))])}
    yield "certificate", device_of("fido-u2f"), {"statement": but(x5c=[certificate(key_new("RS256"), bytes(range(16)))])}
    yield "alg", device_of("fido-u2f", algorithm="ES384"), {}
    yield "alg", device_of("fido-u2f"), {"statement": but(alg=-257)}


def printed(*values):
    return "".join(f'\t\t"{v if isinstance(v, str) else v.hex()}",\n' for v in values)


def registration(device, **said):
    answer = device.create(OPTIONS, **said)
    return unbase64url(answer["rawId"]), CHALLENGE, *(unbase64url(answer["response"][n]) for n in ("clientDataJSON", "attestationObject"))


def vector(device):
    made = registration(device)
    used = device.get(OPTIONS)["response"]
    answer = CHALLENGE, *(unbase64url(used[n]) for n in ("clientDataJSON", "authenticatorData", "signature"))
    return "\t{\n" + printed(f"{device.algorithm} {device.attestation}", device.attestation.removesuffix("-x5c"), *made, *answer) + "\t},\n"


def refused_vector(why, device, said):
    return "\t{\n" + printed(device.attestation, why, *registration(device, **said)) + "\t},\n"


if __name__ == "__main__":
    devices = [device_of(f, algorithm=a) for a in ALGORITHMS for f in ATTESTATIONS if f not in ("fido-u2f", "tpm") or a == "ES256"]
    print(VECTORS % ("".join(map(vector, devices)), "".join(refused_vector(*r) for r in refused())), end="")
