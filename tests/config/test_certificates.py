"""Certificates in a config: pairs that Go refuses, authorities that Envoy refuses, and what has expired."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pomprobe.config import pem
from pomprobe.model import Failure

from .reading import found, messages, noted, read, refused, route

NOW = datetime.now(UTC)
HTTPS = "routes:\n- from: https://app.example.com\n  to: https://app.internal\n"
PAIR = ("tls_client_cert", "tls_client_key")


@cache
def key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def certificate(start: int = -1, end: int = 365, number: int = 0) -> bytes:
    """A certificate that is valid from `start` to `end`, in days from today."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example CA")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key(number).public_key())
    builder = builder.serial_number(1).not_valid_before(NOW + timedelta(start)).not_valid_after(NOW + timedelta(end))
    return builder.sign(key(number), hashes.SHA256()).public_bytes(Encoding.PEM)


def private(number: int = 0) -> bytes:
    return key(number).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def pair(cert: bytes, private_key: bytes) -> str:
    return HTTPS + f"  tls_client_cert: {b64(cert)}\n  tls_client_key: {b64(private_key)}\n"


def test_pair() -> None:
    """A pair that belongs together is read, from base64 and from files alike."""
    options = read(pair(certificate(), private())).routes[0].tls
    assert (certificate(), private()) == (options.client_cert, options.client_key)


def test_pair_of_files(tmp_path: Path) -> None:
    """Files hold the same as base64."""
    (tmp_path / "c.pem").write_bytes(certificate())
    (tmp_path / "k.pem").write_bytes(private())
    options = route(f"tls_client_cert_file: {tmp_path}/c.pem", f"tls_client_key_file: {tmp_path}/k.pem").tls
    assert (certificate(), private()) == (options.client_cert, options.client_key)
    (tmp_path / "k.pem").write_bytes(private(1))
    text = f"{HTTPS}  tls_client_cert_file: {tmp_path}/c.pem\n  tls_client_key_file: {tmp_path}/k.pem\n"
    assert ["config: couldn't load client cert file tls: private key does not match public key"] == messages(text)


def test_mismatch() -> None:
    """A key of another certificate is refused in Go's words."""
    (problem,) = refused(pair(certificate(), private(1)))
    assert (Failure.CLIENT_CERT_KEY_MISMATCH, "config: couldn't decode client cert tls: private key does not match public key") == (
        problem.failure,
        problem.message,
    )
    assert b64(private(1))[:40] not in repr(problem)


PEM_BLOCK = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
BROKEN = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
BROKEN_KEY = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
ERRORS = [
    (lambda: (b"x", b"x"), "tls: failed to find any PEM data in certificate input"),
    (
        lambda: (private(), private()),
        "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched",
    ),
    (
        lambda: (PEM_BLOCK, private()),
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [PUBLIC KEY]',
    ),
    (lambda: (certificate(), b"x"), "tls: failed to find any PEM data in key input"),
    (lambda: (certificate(), certificate()), "tls: found a certificate rather than a key in the PEM for the private key"),
    (
        lambda: (certificate(), PEM_BLOCK),
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input '
        "after skipping PEM blocks of the following types: [PUBLIC KEY]",
    ),
    (lambda: (BROKEN, private()), "x509: malformed certificate"),
    (lambda: (certificate(), BROKEN_KEY), "tls: failed to parse private key"),
    (
        lambda: (
            certificate(),
            ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        ),
        "tls: private key type does not match public key type",
    ),
    (lambda: (certificate(), private()), ""),
]


@pytest.mark.parametrize(("make", "message"), ERRORS)
def test_pair_errors(make: object, message: str) -> None:
    """tls.X509KeyPair's words."""
    assert callable(make)
    assert message == pem.pair_error(*make())


def test_broken_key_base64() -> None:
    """A key that is no base64 is refused."""
    text = HTTPS + f"  tls_client_cert: {b64(certificate())}\n  tls_client_key: '*'\n"
    assert ["config: couldn't decode client cert failed to decode certificate key: illegal base64 data at input byte 0"] == messages(text)


@pytest.mark.parametrize(("start", "end", "state"), [(-10, -5, "expired"), (5, 10, "not yet valid")])
def test_client_certificate_out_of_date(start: int, end: int, state: str) -> None:
    """A client certificate outside its validity is told of, with its dates."""
    problem = noted(pair(certificate(start, end), private()), Failure.CLIENT_CERT_EXPIRED)
    assert (state, "CN=Example CA", "routes[0].tls_client_cert") == (
        problem.facts["state"],
        problem.facts["subject"],
        problem.place.path,
    )
    assert -6 <= int(str(problem.facts["days_left"])) <= 10
    assert str(problem.facts["not_after"]).endswith("Z")


def test_valid_client_certificate() -> None:
    """A valid one is silent."""
    assert [] == found(read(pair(certificate(), private())), Failure.CLIENT_CERT_EXPIRED)


def test_expired_authority() -> None:
    """Authorities that have all expired are told of; an old one beside a new one is not."""
    problem = noted(HTTPS + f"  tls_custom_ca: {b64(certificate(-10, -5))}\n", Failure.CA_EXPIRED)
    assert (1, 1) == (problem.facts["expired"], problem.facts["certificates"])
    both = certificate(-10, -5) + certificate()
    assert [] == found(read(HTTPS + f"  tls_custom_ca: {b64(both)}\n"), Failure.CA_EXPIRED)
    assert "certificate_authority" == noted(f"certificate_authority: {b64(certificate(-10, -5))}\n{HTTPS}", Failure.CA_EXPIRED).facts["key"]


def test_authority_of_a_file(tmp_path: Path) -> None:
    """The file wins over base64; one without certificates makes Envoy refuse the cluster, naming the file."""
    file = tmp_path / "ca.pem"
    file.write_bytes(certificate())
    inline = b64(b"inline")
    assert certificate() == route(f"tls_custom_ca: {inline}", f"tls_custom_ca_file: {file}").tls.custom_ca
    file.write_bytes(BROKEN)
    config = read(HTTPS + f"  tls_custom_ca_file: {file}\n")
    assert (f"Failed to load trusted CA certificates from {file}",) == config.routes[0].envoy_refusals
    file.write_bytes(b"")
    assert ("DataSource cannot be empty",) == read(HTTPS + f"  tls_custom_ca_file: {file}\n").routes[0].envoy_refusals
    assert ["config: couldn't load client ca file: read /: is a directory"] == messages(HTTPS + "  tls_custom_ca_file: /\n")


def test_authority_file_beside_base64() -> None:
    """With both, Pomerium does not read the file; Envoy misses it."""
    config = read(HTTPS + f"  tls_custom_ca: {b64(certificate())}\n  tls_custom_ca_file: /nonexistent/ca.pem\n")
    assert ("Invalid path: /nonexistent/ca.pem",) == config.routes[0].envoy_refusals


def test_authority_without_tls() -> None:
    """An authority on a plain route is not judged."""
    assert () == route(f"tls_custom_ca: {b64(b'x')}").envoy_refusals


def test_odd_serial_numbers() -> None:
    """Certificates that `cryptography` warns of are read without a word."""
    assert () == pem.certificates(BROKEN)
    assert 1 == len(pem.certificates(b"text before\n" + certificate() + BROKEN))
