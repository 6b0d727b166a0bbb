# SPDX-License-Identifier: Apache-2.0
"""A software authenticator with its browser: what navigator.credentials.create() and .get() give, as the JSON that clients send.

    device = Authenticator("https://example.com", algorithm="ES384", attestation="packed")
    answer = device.create(options)                      # what the server's registration options ask for
    answer = device.get(options)                         # an assertion with the last credential, or with credential=
    answer = device.get(options, origin="https://x")     # ... that says something else than it ought to, rightly signed

What may be said wrong: type, challenge (bytes), origin, rp_id, id (bytes), user_handle (bytes), flags (those to turn over), sign_count, and
client, a dict of more members of the client data.  signature and statement (of an attestation) are functions that make another one of the right one.
"""

import base64
import datetime
import hashlib
import json
import os
import struct
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

ORIGIN = "https://app.test"
RP = {"GOTRUE_WEBAUTHN_RP_ID": "app.test", "GOTRUE_WEBAUTHN_RP_DISPLAY_NAME": "App", "GOTRUE_WEBAUTHN_RP_ORIGINS": ORIGIN}  # settings
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
SHA = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {"ES256": (1, ec.SECP256R1()), "ES384": (2, ec.SECP384R1()), "ES512": (3, ec.SECP521R1())}
ALGORITHMS = {"ES256": -7, "ES384": -35, "ES512": -36, "RS256": -257, "RS384": -258, "RS512": -259, "PS256": -37, "PS384": -38, "PS512": -39, "EdDSA": -8}
ATTESTATIONS = "none", "packed", "packed-x5c", "fido-u2f", "tpm"  # packed alone is signed by the credential itself; the last two have ES256 keys
RS1 = -65535
AAGUID_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor(value):
    """CTAP2's form of integers, bytes, texts, booleans, lists, and dicts that are in the right order."""
    def head(major, number):
        if number < 24:
            return bytes([major << 5 | number])
        width = next(w for w in range(4) if number < 1 << (8 << w))
        return bytes([major << 5 | 24 + width]) + number.to_bytes(1 << width, "big")

    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, (list, tuple)):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def key_new(algorithm):
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm][1])
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def sign(algorithm, key, text):
    sha = SHA.get(algorithm[2:])
    if algorithm == "EdDSA":
        return key.sign(text)
    if algorithm.startswith("ES"):
        return key.sign(text, ec.ECDSA(sha))
    scheme = padding.PKCS1v15() if algorithm.startswith("RS") else padding.PSS(padding.MGF1(sha), sha.digest_size)
    return key.sign(text, scheme, sha)


def cose(algorithm, key):
    number, public = ALGORITHMS[algorithm], key.public_key()
    if algorithm in CURVES:
        size, numbers = (public.key_size + 7) // 8, public.public_numbers()
        x, y = (n.to_bytes(size, "big") for n in (numbers.x, numbers.y))
        return cbor({1: 2, 3: number, -1: CURVES[algorithm][0], -2: x, -3: y})
    if algorithm == "EdDSA":
        return cbor({1: 1, 3: number, -1: 6, -2: public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)})
    n, e = ((x.bit_length() + 7) // 8 for x in (public.public_numbers().n, public.public_numbers().e))
    return cbor({1: 3, 3: number, -1: public.public_numbers().n.to_bytes(n, "big"), -2: public.public_numbers().e.to_bytes(e, "big")})


@dataclass
class Credential:
    id: bytes
    algorithm: str
    key: object
    rp_id: str
    user_handle: bytes
    sign_count: int


class Authenticator:
    """
    algorithm: None takes the first that is offered.  backup: 0, BE or BE | BS.  step: what the counter goes up by; 0 is one that has none.
    certificate: a dict of what certificate() takes.  maker: the key that attests; without one it is a new one.
    """

    def __init__(self, origin, algorithm="ES256", attestation="none", aaguid=bytes(16), uv=True, backup=BE | BS, step=1, certificate=None, maker=None):
        self.origin, self.algorithm, self.attestation, self.aaguid = origin, algorithm, attestation, aaguid
        self.certificate = {"aaguid": aaguid} | ({"subject": ""} if attestation == "tpm" else {}) | (certificate or {})
        self.maker, self.flags, self.step = maker, UP | (UV if uv else 0) | backup, step
        self.credentials = []

    def client_data(self, type_, options, said):
        members = {"type": said.get("type", type_), "challenge": base64url(said.get("challenge", unbase64url(options["challenge"]))),
                   "origin": said.get("origin", self.origin), "crossOrigin": False} | said.get("client", {})
        return json.dumps(members, separators=(",", ":")).encode()

    def data(self, credential, said, more=0, attested=b"", extensions=None):
        flags = (self.flags | more | (ED if extensions else 0)) ^ said.get("flags", 0)
        rp_id = said.get("rp_id", credential.rp_id).encode()
        return (hashlib.sha256(rp_id).digest() + struct.pack(">BI", flags, said.get("sign_count", credential.sign_count)) + attested +
                (cbor(extensions) if extensions else b""))

    def create(self, options, extensions=None, **said):
        offered = [p["alg"] for p in options["pubKeyCredParams"]]
        algorithm = self.algorithm or next(a for a, n in ALGORITHMS.items() if n == offered[0])
        credential = Credential(os.urandom(32), algorithm, key_new(algorithm), options["rp"]["id"], unbase64url(options["user"]["id"]), self.step)
        public = cose(algorithm, credential.key)
        attested = self.aaguid + struct.pack(">H", len(credential.id)) + credential.id + public
        client, data = self.client_data("webauthn.create", options, said), self.data(credential, said, AT, attested, extensions)
        statement = said.get("statement", dict)(self.statement(credential, data, client, said.get("signature", bytes)))
        self.credentials.append(credential)
        return self.answer(said.get("id", credential.id), {
            "clientDataJSON": base64url(client),
            "attestationObject": base64url(cbor({"fmt": self.attestation.removesuffix("-x5c"), "attStmt": statement, "authData": data})),
            "authenticatorData": base64url(data), "publicKeyAlgorithm": ALGORITHMS[algorithm], "transports": ["internal"]})

    def get(self, options, credential=None, extensions=None, **said):
        credential = credential or self.credentials[-1]
        credential.sign_count += self.step
        client, data = self.client_data("webauthn.get", options, said), self.data(credential, said, extensions=extensions)
        signature = sign(credential.algorithm, credential.key, data + hashlib.sha256(client).digest())
        return self.answer(said.get("id", credential.id), {
            "clientDataJSON": base64url(client), "authenticatorData": base64url(data), "signature": base64url(said.get("signature", bytes)(signature)),
            "userHandle": base64url(said.get("user_handle", credential.user_handle))})

    def answer(self, id_, response):
        return {"id": base64url(id_), "rawId": base64url(id_), "type": "public-key", "authenticatorAttachment": "platform",
                "clientExtensionResults": {}, "response": response}

    def statement(self, credential, data, client, change):
        digest = hashlib.sha256(client).digest()
        algorithm = {"fido-u2f": "ES256", "tpm": "RS256"}.get(self.attestation, credential.algorithm)
        number, key = ALGORITHMS[algorithm], credential.key if self.attestation == "packed" else self.maker or key_new(algorithm)
        if self.attestation == "none":
            return {}
        if self.attestation == "packed":
            return {"alg": number, "sig": change(sign(algorithm, key, data + digest))}
        chain = [certificate(key, **self.certificate)]
        if self.attestation == "packed-x5c":
            return {"alg": number, "sig": change(sign(algorithm, key, data + digest)), "x5c": chain}
        public = credential.key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        if self.attestation == "fido-u2f":
            return {"sig": change(sign(algorithm, key, b"\0" + data[:32] + digest + credential.id + public)), "x5c": chain}
        area, info = tpm_certified(public, data + digest)
        signature = key.sign(info, padding.PKCS1v15(), hashes.SHA1())
        return {"alg": RS1, "sig": change(signature), "ver": "2.0", "x5c": chain, "pubArea": area, "certInfo": info}


def certificate(key, aaguid, subject="CN=Batch 1,OU=Authenticator Attestation,O=Maker,C=SE", ca=False, years=(2020, 9999), usage="2.23.133.8.3",
                critical=False):
    """One that fits packed and, without a subject, tpm; nobody has to trust who signed it."""
    name = x509.Name.from_rfc4514_string(subject) if subject else x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(datetime.datetime(years[0], 1, 1)).not_valid_after(datetime.datetime(years[1], 1, 1))
    for extension in (x509.BasicConstraints(ca=ca, path_length=None), x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage)]),
                      x509.UnrecognizedExtension(AAGUID_EXTENSION, b"\x04\x10" + aaguid)):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def tpm_certified(public, text):
    """TPM 2.0: the public area of a P-256 key, and what a TPM says of it when it certifies it for a text."""
    x, y = public[1:33], public[33:]
    area = bytes.fromhex("0023000b00060472") + sized(bytes(32)) + bytes.fromhex("0010001000030010") + sized(x) + sized(y)
    clock = struct.pack(">QIIB", 1, 1, 1, 1)
    signer = name = b"\0\x0b" + hashlib.sha256(area).digest()
    info = b"\xffTCG\x80\x17" + sized(signer) + sized(hashlib.sha1(text).digest()) + clock + bytes(8) + sized(name) + sized(name)
    return area, info


def sized(data):
    return struct.pack(">H", len(data)) + data
