"""TLS upstreams: versions, ciphers, curves, protocols, alerts, what is no TLS, client certificates."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage

from ..scenes.http1 import raw
from ..scenes.scene import Scene
from ..scenes.tls import Terms, context, sending_alerts, threaded
from .catalogue import Play, variant
from .chains import DAY, NOW, ROUTE, Made, case, chained, direct, make, root, write
from .tls import KEYS, UNKNOWN, keyed

GOOD = direct()
RSA = keyed(KEYS["rsa2048"])
for cipher in (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-ECDSA-AES256-CCM",
):
    case(f"cipher-{cipher.lower()}", GOOD, Terms(highest="TLSv1_2", ciphers=cipher))
for cipher in (
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-RSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA384",
    "AES128-SHA",
    "AES256-SHA",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA256",
    "DHE-RSA-AES128-GCM-SHA256",
    "CAMELLIA128-SHA",
):
    case(f"cipher-{cipher.lower()}", RSA, Terms(highest="TLSv1_2", ciphers=f"{cipher}:@SECLEVEL=0"))
for curve in ("prime256v1", "secp384r1", "secp521r1", "X25519", "X448", "secp256k1"):
    for version in ("TLSv1_2", "TLSv1_3"):
        case(f"curve-{curve.lower()}-{version[-1]}", GOOD, Terms(lowest=version, highest=version, curve=curve))
for version in ("TLSv1", "TLSv1_1"):
    case(f"version-{version.lower()}", RSA, Terms(lowest=version, highest=version, ciphers="ALL:@SECLEVEL=0"))
for protocols in (("h2",), ("http/1.1",), ("http/1.0",), ("foo",), ("foo", "http/1.1")):
    case("alpn-" + "-".join(protocols).replace("/", ""), GOOD, Terms(alpn=protocols))
HANDSHAKES = {
    "version-cut": b"\x16\x03\x03\x00\x30\x02\x00\x00\x2c\x03\x03" + b"\x11" * 32 + b"\x00\xc0\x2f\x00\x00\x04\x00\x2b\x00\x00",
    "http-answer": b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
    "html": b"<html>",
    "one-byte": b"x",
    "record-cut": b"\x16\x03\x03\x00\x7a",
    "record-type-99": b"\x63\x03\x03\x00\x02ok",
    "sslv2": b"\x80\x2e\x01\x00\x02",
    "application-data": b"\x17\x03\x03\x00\x05hello",
    "change-cipher": b"\x14\x03\x03\x00\x01\x01",
    "empty-handshake": b"\x16\x03\x03\x00\x00",
    "oversize": b"\x16\x03\x03\x48\x01" + b"x" * 100,
    "client-hello": b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
    "server-hello-done": b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00",
    "hello-request": b"\x16\x03\x03\x00\x04\x00\x00\x00\x00",
    "version-0": b"\x16\x00\x00\x00\x04\x02\x00\x00\x00",
    "warning": b"\x15\x03\x03\x00\x02\x01\x70",
    "warnings": b"\x15\x03\x03\x00\x02\x01\x70" * 6,
    "close-notify": b"\x15\x03\x03\x00\x02\x01\x00",
    "alert-level-3": b"\x15\x03\x03\x00\x02\x03\x28",
    "alert-short": b"\x15\x03\x03\x00\x01\x02",
    "mysql": b"J\x00\x00\x00\n8.0.36\x00",
}
for label, data in HANDSHAKES.items():
    variant(f"tls-says-{label}", raw(data), to="https://127.0.0.1:{port}", timeout="3s", tls_custom_ca_file="{pki}/ca.pem")
for number in (
    0,
    10,
    20,
    21,
    22,
    30,
    40,
    41,
    42,
    43,
    44,
    45,
    46,
    47,
    48,
    49,
    50,
    51,
    60,
    70,
    71,
    80,
    86,
    90,
    100,
    109,
    110,
    111,
    112,
    113,
    114,
    115,
    116,
    120,
    121,
    255,
):
    variant(
        f"tls-alert-{number}",
        raw(b"\x15\x03\x03\x00\x02\x02" + bytes((number,))),
        to="https://127.0.0.1:{port}",
        timeout="3s",
        tls_custom_ca_file="{pki}/ca.pem",
    )
CLIENT: dict[str, Any] = {"tls_client_cert_file": "{dir}/client.pem", "tls_client_key_file": "{dir}/client.key"}


def mutual(client: Callable[[Made], Made | None], version: str, *, optional: bool = False) -> Play:
    """A server that asks for a certificate of its own root; the route has the one given."""

    async def play(made: Scene) -> None:
        top = root()
        await chained(lambda: ([make(issuer=top)], [top]))(made)
        server = context(made.folder / "leaf.pem", Terms(lowest=version, highest=version, client_ca=made.folder / "trusted.pem"))
        if optional:
            server.verify_mode = ssl.CERT_OPTIONAL
        made.ports[:] = [made.stack.enter_context(threaded(sending_alerts(server)))]
        one = client(top)
        if one:
            write(made.folder / "client.pem", [one.certificate])
            (made.folder / "client.key").write_bytes(
                one.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            )

    return play


CLIENTS: dict[str, Callable[[Made], Made | None]] = {
    "none": lambda top: None,
    "good": lambda top: make("client", top, ((x509.ExtendedKeyUsage([Usage.CLIENT_AUTH]), False),)),
    "stranger": lambda top: make("client", root("stranger"), ()),
    "expired": lambda top: make("client", top, (), begin=NOW - 9 * DAY, end=NOW - DAY),
    "future": lambda top: make("client", top, (), begin=NOW + DAY),
    "server-only": lambda top: make("client", top, ((x509.ExtendedKeyUsage([Usage.SERVER_AUTH]), False),)),
    "self-signed": lambda top: make("client", None, ()),
    "rsa": lambda top: make("client", top, (), key=rsa.generate_private_key(65537, 2048)),
    "p384": lambda top: make("client", top, (), key=ec.generate_private_key(ec.SECP384R1())),
    "ed25519": lambda top: make("client", top, (), key=ed25519.Ed25519PrivateKey.generate()),
    "critical": lambda top: make("client", top, ((UNKNOWN, True),)),
    "p521": lambda top: make("client", top, (), key=ec.generate_private_key(ec.SECP521R1())),
}
for label, client in CLIENTS.items():
    for version in ("TLSv1_2", "TLSv1_3"):
        for optional in (False, True):
            more: dict[str, Any] = {} if label == "none" else CLIENT
            variant(
                f"tls-mutual-{label}-{version[-1]}" + "-optional" * optional,
                play=mutual(client, version, optional=optional),
                **(ROUTE | more),
            )
