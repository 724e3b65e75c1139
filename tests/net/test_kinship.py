"""Names of CAs: which trusted one has probably issued the one that is missing."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pomprobe.net import kinship
from pomprobe.net.x509 import X509, parse

KINDS = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "DC": NameOID.DOMAIN_COMPONENT}
KEY = ec.generate_private_key(ec.SECP256R1())


def root(name: str, issuer: str = "") -> X509:
    """A certificate of this name, such as "O=Lab,CN=Lab root"."""
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(
        subject_name=named(name), issuer_name=named(issuer or name), public_key=KEY.public_key(), serial_number=1,
        not_valid_before=now, not_valid_after=now + datetime.timedelta(days=1),
    ).sign(KEY, hashes.SHA256())  # fmt: skip
    return parse(made.public_bytes(serialization.Encoding.DER))


def named(name: str) -> x509.Name:
    pairs = [part.split("=", 1) for part in name.split(",")]
    return x509.Name([x509.NameAttribute(KINDS[kind], text) for kind, text in pairs])


@pytest.mark.parametrize(
    ("missing", "trusted", "found"),
    [
        ("O=Smallstep,CN=Smallstep Intermediate CA", "O=Smallstep,CN=Smallstep Root CA", True),
        ("CN=example.com Intermediate Authority", "CN=example.com", True),  # Vault
        ("DC=corp,DC=example,CN=Issuing CA 1", "DC=corp,DC=example,CN=Root CA", True),  # Active Directory
        ("CN=Lab issuing CA", "CN=Lab root CA", True),
        ("CN=Issuing CA 1", "CN=Root CA 1", False),  # nothing but words that every CA has
        ("CN=ca.other.test", "CN=Lab root CA", False),
        ("O=Internet Widgits Pty Ltd,CN=a", "O=Internet Widgits Pty Ltd,CN=b", False),  # OpenSSL's default
        ("DC=example,CN=x.y", "DC=example,CN=z.w", False),  # one component is a top-level domain
        ("O=Lab,CN=Lab root", "O=Lab,CN=Lab root", False),  # the same name: another key, and no intermediate
        ("CN=R11", "CN=R10", False),
    ],
)
def test_what_belongs_together(missing: str, trusted: str, found: bool) -> None:
    """By organization, domain or a word that is the owner's; it is a hint, and said as one."""
    last = root("CN=app.test", missing)
    assert found == bool(kinship.relative(last.issuer, [root("CN=unrelated"), root(trusted)]))


def test_an_intermediate_among_the_trusted_is_no_root() -> None:
    """Only what signs itself is looked at: an intermediate that is trusted would have ended the chain."""
    last = root("CN=app.test", "O=Lab,CN=Lab issuing 2")
    assert "" == kinship.relative(last.issuer, [root("O=Lab,CN=Lab issuing 1", "O=Lab,CN=Lab root")])
