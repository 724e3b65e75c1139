"""The certificates of the scenes, made once for a run and kept as files in a folder."""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
CURVES = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1(), "k256": ec.SECP256K1()}
USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True)
class Leaf:
    """What a certificate is to be. issuer: "root", "other", "inter", "nc" or "self"; usage: "server", "client" or ""."""

    names: tuple[str, ...] = ("up.lab.test",)
    issuer: str = "root"
    common_name: str = "lab leaf"
    key: str = "p256"
    usage: str = "server"
    expired: bool = False
    sent_with_issuer: bool = False


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key


class Authority:
    """Issues leaves and writes files; the folder also holds what routes name in {pki}/…, and lives as long as the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = _make("Lab Root CA", authority=True)
        self.issuers: dict[str, Pair | None] = {
            "root": self.root,
            "other": _make("Other Root CA", authority=True),
            "inter": _make("Lab Intermediate", authority=True, issuer=self.root),
            "nc": _make("NC Root lab.test", authority=True, permitted="lab.test"),
            "self": None,
        }
        self._write("ca", [self.root.certificate], self.root.key)
        special = self.issuers["nc"]
        assert special is not None
        self._write("ncroot-lab.test", [special.certificate], special.key)
        client = Leaf((), common_name="client", usage="client")
        for name, leaf in {
            "good": Leaf(),
            "selfpin": Leaf(issuer="self"),
            "client": client,
            "clientbad": Leaf((), "other", "client", usage="client"),
            "clienteku": Leaf((), common_name="c"),
        }.items():
            path = self.leaf(leaf)
            for suffix in (".pem", ".key"):
                (folder / (name + suffix)).write_bytes(path.with_suffix(suffix).read_bytes())

    @functools.cache  # noqa: B019
    def leaf(self, leaf: Leaf) -> Path:
        """The file with the chain that is sent; its key has the same name and ends in .key."""
        issuer = self.issuers[leaf.issuer]
        made = _make(leaf.common_name, leaf.names, issuer=issuer, kind=leaf.key, usage=leaf.usage, expired=leaf.expired)
        chain = [made.certificate] + ([issuer.certificate] if leaf.sent_with_issuer and issuer else [])
        return self._write(f"leaf-{abs(hash(leaf)):x}", chain, made.key)

    @functools.cache  # noqa: B019
    def sha1(self) -> Path:
        """An RSA leaf with a SHA-1 signature, under the root rsaroot.pem: made by openssl, since the library refuses to."""
        root = _make("Lab RSA Root", authority=True, kind="rsa4096")
        self._write("rsaroot", [root.certificate], root.key)
        leaf, request, extensions = self.folder / "sha1.pem", self.folder / "sha1.csr", self.folder / "sha1.ext"
        leaf.with_suffix(".key").write_bytes(_pem(_key("rsa2048")))
        extensions.write_text("subjectAltName=DNS:up.lab.test\nextendedKeyUsage=serverAuth\n")
        _openssl("req", "-new", "-key", leaf.with_suffix(".key"), "-subj", "/CN=sha1", "-out", request)
        signer = ("-CA", self.folder / "rsaroot.pem", "-CAkey", self.folder / "rsaroot.key", "-CAcreateserial")
        _openssl("x509", "-req", "-sha1", "-in", request, *signer, "-days", "30", "-extfile", extensions, "-out", leaf)
        return leaf

    def _write(self, name: str, chain: Sequence[x509.Certificate], key: Key) -> Path:
        path = self.folder / f"{name}.pem"
        path.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain))
        path.with_suffix(".key").write_bytes(_pem(key))
        return path


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def _pem(key: Key) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _key(kind: str) -> Key:
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:]))
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(CURVES[kind])


def _make(
    common_name: str,
    names: Sequence[str] = (),
    *,
    issuer: Pair | None = None,
    authority: bool = False,
    kind: str = "p256",
    usage: str = "server",
    expired: bool = False,
    permitted: str = "",
) -> Pair:
    key = _key(kind)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    begin, end = (NOW - 2000 * DAY, NOW - 1000 * DAY) if expired else (NOW - 2 * DAY, NOW + 365 * DAY)
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder(issuer.certificate.subject if issuer else subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )
    if authority:
        builder = builder.add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), True)
    elif usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([USAGES[usage]]), False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), False)
    if permitted:
        builder = builder.add_extension(x509.NameConstraints([x509.DNSName(permitted)], None), True)
    if issuer:
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)
    return Pair(builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()), key)


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
