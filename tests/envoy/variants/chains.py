"""Certificates and chains of every kind, and servers that show them."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from ..scenes.http1 import plain, serving, writes
from ..scenes.scene import Scene
from ..scenes.tls import Terms, context, sending_alerts, threaded
from .catalogue import Play, variant

SHA256 = hashes.SHA256()
PLAIN_TERMS = Terms()
OK = serving(writes(plain(200)))
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
NAME = "up.lab.test"
FITTING = x509.SubjectAlternativeName([x509.DNSName(NAME)])
CA_USAGE = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
ROUTE: dict[str, Any] = {
    "to": "https://127.0.0.1:{port}",
    "tls_upstream_server_name": NAME,
    "tls_custom_ca_file": "{dir}/trusted.pem",
    "timeout": "3s",
}
Extensions = Sequence[tuple[x509.ExtensionType, bool]]


@dataclass(frozen=True)
class Made:
    certificate: x509.Certificate
    key: Any


def make(
    subject: str = "leaf",
    issuer: Made | None = None,
    extensions: Extensions = ((FITTING, False),),
    *,
    ca: bool | None = None,
    key: Any = None,
    begin: dt.datetime = NOW - DAY,
    end: dt.datetime = NOW + 300 * DAY,
    path: int | None = None,
    digest: Any = SHA256,
    signer: Any = None,
    issuer_name: x509.Name | None = None,
    critical: bool = True,
) -> Made:
    """A certificate. ca: basicConstraints, None for none at all."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else [])
    builder = x509.CertificateBuilder(
        issuer_name or (issuer.certificate.subject if issuer else name), name, key.public_key(), x509.random_serial_number()
    )
    builder = builder.not_valid_before(begin).not_valid_after(end)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, path), critical)
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, is_critical)
    with_key = signer or (issuer.key if issuer else key)
    return Made(builder.sign(with_key, None if isinstance(with_key, ed25519.Ed25519PrivateKey) else digest), key)


def root(subject: str = "root", extensions: Extensions = ((CA_USAGE, True),), **more: Any) -> Made:
    return make(subject, None, extensions, ca=True, **more)


def middle(issuer: Made, extensions: Extensions = ((CA_USAGE, True),), **more: Any) -> Made:
    return make(more.pop("subject", "middle"), issuer, extensions, **({"ca": True} | more))


Chain = Callable[[], tuple[Sequence[Made], Sequence[Made]]]
"""What the server sends, leaf first, and what is trusted."""


def chained(chain: Chain, terms: Terms = PLAIN_TERMS) -> Play:
    async def play(made: Scene) -> None:
        sent, trusted = chain()
        write(made.folder / "trusted.pem", [one.certificate for one in trusted])
        leaf = made.folder / "leaf.pem"
        write(leaf, [one.certificate for one in sent])
        leaf.with_suffix(".key").write_bytes(
            sent[0].key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        server = context(leaf, terms)
        made.ports.append(made.stack.enter_context(threaded(sending_alerts(server))))

    return play


def write(path: Path, certificates: Sequence[x509.Certificate]) -> None:
    path.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates))


def case(name: str, chain: Chain, terms: Terms = PLAIN_TERMS, **route: Any) -> None:
    variant(f"tls-{name}", play=chained(chain, terms), **(ROUTE | route))


def direct(**leaf: Any) -> Chain:
    """A leaf straight from a trusted root."""

    def chain() -> tuple[Sequence[Made], Sequence[Made]]:
        top = root()
        return [make(issuer=top, **leaf)], [top]

    return chain


def under(over: Callable[[Made], Made], **leaf: Any) -> Chain:
    """A leaf from an intermediate, which is sent with it."""

    def chain() -> tuple[Sequence[Made], Sequence[Made]]:
        top = root()
        between = over(top)
        return [make(issuer=between, **leaf), between], [top]

    return chain


def names(*sans: str | x509.GeneralName) -> Extensions:
    return ((x509.SubjectAlternativeName([_general(san) for san in sans]), False),)


def _general(san: str | x509.GeneralName) -> x509.GeneralName:
    if isinstance(san, x509.GeneralName):
        return san
    try:
        return x509.IPAddress(ipaddress.ip_address(san))
    except ValueError:
        return x509.DNSName(san)
