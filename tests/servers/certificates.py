"""Certificates of every kind, minted in memory: good ones, and those that a CA should not issue."""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

HOST = "up.lab.test"
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
VALID = (NOW - 2 * DAY, NOW + 365 * DAY)
PAST = (NOW - 500 * DAY, NOW - 100 * DAY)
FUTURE = (NOW + 100 * DAY, NOW + 500 * DAY)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
CURVES = {
    "p224": ec.SECP224R1(),
    "p256": ec.SECP256R1(),
    "p384": ec.SECP384R1(),
    "p521": ec.SECP521R1(),
    "k256": ec.SECP256K1(),
}
USAGES = {
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "code": ExtendedKeyUsageOID.CODE_SIGNING,
}
BITS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
Extension = tuple[x509.ExtensionType, bool]


@dataclass(frozen=True, eq=False)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@functools.cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """RSA keys take long to make: one of a size is enough."""
    return rsa.generate_private_key(65537, bits)


def key(kind: str) -> Key:
    if kind.startswith("rsa"):
        return rsa_key(int(kind[3:]))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "ed448":
        return ed448.Ed448PrivateKey.generate()
    return ec.generate_private_key(CURVES[kind])


def unknown(oid: str, value: bytes = b"\x05\x00") -> x509.UnrecognizedExtension:
    """An extension with these very bytes."""
    return x509.UnrecognizedExtension(ObjectIdentifier(oid), value)


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def mint(
    common_name: str = "leaf",
    issuer: Pair | None = None,
    *,
    ca: bool = False,
    constraints: bool = True,
    path_length: int | None = None,
    usage: str | None = "server",
    key_usage: Iterable[str] = (),
    sans: Iterable[str | x509.GeneralName] = (HOST,),
    valid: tuple[dt.datetime, dt.datetime] = VALID,
    kind: str = "p256",
    own_key: Key | None = None,
    signing_key: Key | None = None,
    identifiers: bool = True,
    authority: bool = True,
    authority_key: Key | None = None,
    subject: x509.Name | None = None,
    pss: bool = False,
    extensions: Iterable[Extension] = (),
) -> Pair:
    """A certificate as told; what is not told is as it should be. Without an issuer it signs itself."""
    own = own_key or key(kind)
    above = issuer.key if issuer else own
    subject = name(common_name) if subject is None else subject
    builder = (
        x509.CertificateBuilder(subject_name=subject, public_key=own.public_key(), serial_number=x509.random_serial_number())
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
    )
    if constraints:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length), True)
    bits = set(key_usage) or ({"key_cert_sign", "crl_sign"} if ca else set())
    if bits:
        builder = builder.add_extension(x509.KeyUsage(**{bit: bit in bits for bit in BITS}), True)
    if usage and (not ca or usage != "server"):
        builder = builder.add_extension(x509.ExtendedKeyUsage([USAGES[one] for one in usage.split("+")]), False)
    if sans and not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(one) for one in sans]), False)
    if identifiers:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), False)
    if issuer and authority:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key((authority_key or above).public_key()), False
        )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    signer = signing_key or above
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256()
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH) if pss else None
    return Pair(builder.sign(signer, digest, rsa_padding=scheme), own)


def _general(text: str | x509.GeneralName) -> x509.GeneralName:
    if isinstance(text, x509.GeneralName):
        return text
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


@functools.cache
def root() -> Pair:
    return mint("Root", ca=True)


@functools.cache
def intermediate() -> Pair:
    return mint("Intermediate", root(), ca=True, path_length=0)


@functools.cache
def other_root() -> Pair:
    return mint("Other", ca=True)


def context(
    leaf: Pair,
    *chain: Pair,
    lowest: ssl.TLSVersion | None = None,
    highest: ssl.TLSVersion | None = None,
    ciphers: str = "",
    curve: str = "",
    alpn: Iterable[str] = (),
    client_ca: Pair | None = None,
) -> ssl.SSLContext:
    """A server's context: its certificate, what it sends with it, and what it insists on."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
    made.minimum_version = lowest or ssl.TLSVersion.TLSv1_2
    made.maximum_version = highest or ssl.TLSVersion.TLSv1_3
    with tempfile.TemporaryDirectory() as folder:
        chain_file, key_file = Path(folder, "chain.pem"), Path(folder, "key.pem")
        chain_file.write_bytes(b"".join(one.pem for one in (leaf, *chain)))
        key_file.write_bytes(leaf.key_pem)
        made.load_cert_chain(chain_file, key_file)
    if alpn:
        made.set_alpn_protocols(list(alpn))
    if curve:
        insist(made, curve)
    if client_ca:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(cadata=client_ca.pem.decode())
    return made


class Unable(Exception):
    """This Python cannot play such a server."""


def insist(context: ssl.SSLContext, curve: str) -> None:
    """Let a server have this group alone. Raises Unable where the ssl module knows those of NIST alone (seen with Python 3.11.2)."""
    try:
        context.set_ecdh_curve(curve)
    except ssl.SSLError as error:
        raise Unable(f"the ssl module of this Python cannot insist on {curve}") from error
