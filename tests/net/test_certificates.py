"""Certificates as Envoy's BoringSSL reads and judges them: every verdict beside what a real Envoy said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509 as made
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from pomprobe.net import certificates, der, judge, names, trust_store, verify, x509, x509_name
from servers.certificates import HOST, NOW, PAST, VALID, intermediate, mint, other_root, root, unknown
from servers.walks import tls_options

from .chain_cases import Case, all_cases
from .envoy_words import families, family, recorded
from .tls_words import words

ENVOY = recorded("chain_envoy.txt")


def verdict(case: Case) -> str:
    """The verdict on a case, in the words of the recording."""
    trust = b"".join(one.pem for one in case.trust)
    options = tls_options(match_name=case.wanted, trust=trust, skip_verify=case.skip_verify)
    refusal = judge.judge(judge.read([one.der for one in case.sent]), options, case.version)
    return words(refusal.failure, refusal.facts) if refusal else "trusted"


@pytest.mark.parametrize("members", families(ENVOY), ids=family)
def test_a_chain_is_judged_as_envoy_judges_it(members: list[str]) -> None:
    """Chain, purpose, constraints, signatures and names: accepted or refused, at which depth and in which words, as by Envoy."""
    cases = all_cases()
    expected = {name: ENVOY[name] for name in members}
    assert expected == {name: verdict(cases[name]) for name in members}


def test_every_case_is_recorded() -> None:
    """No chain without Envoy's word on it, and no recording without its chain."""
    assert set(ENVOY) == set(all_cases())


def test_facts_for_people() -> None:
    """Names, dates and key are what the certificate says; days are counted from now."""
    subject = made.Name([made.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab, Inc."), made.NameAttribute(NameOID.COMMON_NAME, "app")])
    sans = [HOST, "127.0.0.1", "::1", made.RFC822Name("a@b"), made.UniformResourceIdentifier("u:x")]
    pair = mint(issuer=root(), subject=subject, sans=sans)
    facts = certificates.facts(x509.parse(pair.der), NOW)
    assert facts == {
        "subject": "CN=app,O=Lab\\, Inc.",
        "issuer": "CN=Root",
        "sans": (HOST, "127.0.0.1", "::1", "a@b", "u:x"),
        "not_before": VALID[0].replace(microsecond=0).isoformat(),
        "not_after": VALID[1].replace(microsecond=0).isoformat(),
        "days_left": 364,
        "key_type": "EC P-256",
        "self_signed": False,
    }


def test_days_left_are_negative_when_expired() -> None:
    """A certificate that ended a hundred days ago has -101 whole days left (floor)."""
    assert certificates.facts(x509.parse(mint(valid=PAST).der), NOW)["days_left"] == -101


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("rsa2048", "RSA 2048"), ("rsa1024", "RSA 1024"), ("p384", "EC P-384"), ("k256", "EC secp256k1"), ("ed25519", "Ed25519")],
)
def test_key_types(kind: str, expected: str) -> None:
    """The key is named with its size or curve."""
    assert expected == certificates.key_type(x509.parse(mint(kind=kind).der))


def test_self_signed_is_a_certificate_that_names_itself_as_issuer() -> None:
    """Subject and issuer are the same; signatures play no part."""
    assert [True, False] == [certificates.facts(x509.parse(pair.der))["self_signed"] for pair in (mint(), mint("l", root()))]


def test_addresses_that_are_none_are_left_out_of_the_names() -> None:
    """An iPAddress of three bytes is nothing that could be shown."""
    raw = unknown("2.5.29.17", b"\x30\x12\x87\x03abc\x82\x0bup.lab.test")
    assert (HOST,) == certificates.names(x509.parse(mint(sans=(), extensions=[(raw, False)]).der))


def test_names_with_control_characters_stay_as_they_are() -> None:
    """Facts hold what came; the report cleans it when it prints."""
    raw = unknown("2.5.29.17", b"\x30\x06\x82\x04a\n\x1b\x00")
    assert ("a\n\x1b\x00",) == certificates.names(x509.parse(mint(sans=(), extensions=[(raw, False)]).der))


@given(st.binary(max_size=400))
def test_nothing_but_malformed_comes_of_garbage(data: bytes) -> None:
    """Bytes from a hostile server are read, or are malformed; nothing else happens."""
    with pytest.raises(der.Malformed):
        x509.parse(data)


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=255), st.integers(min_value=1, max_value=8))
def test_a_damaged_certificate_is_judged_or_malformed(position: int, value: int, length: int) -> None:
    """A certificate with a few bytes changed is refused or accepted, never a defect of ours."""
    good = mint("l", root(), own_key=intermediate().key).der
    position %= len(good)
    chain = judge.read([good[:position] + bytes([value]) * length + good[position + length :], intermediate().der])
    assert isinstance(judge.judge(chain, tls_options(), "TLSv1.3"), judge.Refusal | None)
    for certificate in chain:
        assert certificates.facts(certificate)["sans"] is not None


def test_a_leaf_that_cannot_be_read_leaves_no_chain() -> None:
    """What comes after it does not count; an intermediate that cannot be read is skipped."""
    leaf = mint("l", root()).der
    assert () == judge.read([b"garbage", leaf])
    assert [leaf] == [certificate.encoded for certificate in judge.read([leaf, b"garbage"])]


def test_dates_are_compared_with_the_clock() -> None:
    """The same chain is trusted today, not yet yesterday week, and no more in two years."""
    chain, trust = [x509.parse(mint("l", root()).der)], trust_store.read(root().pem)
    moments = (NOW, NOW - timedelta(days=9), NOW + timedelta(days=730))
    assert [0, verify.NOT_YET_VALID, verify.EXPIRED] == [verify.verify(chain, trust, moment).code for moment in moments]


def test_a_bundle_may_hold_comments_and_other_blocks() -> None:
    """Text around PEM blocks, keys among them and blocks that are broken do not hide the certificates."""
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    pem = b"# our root\n" + root().key_pem + broken + root().pem.replace(b"\n", b"\r\n") + other_root().pem
    assert [root().der, other_root().der] == [certificate.encoded for certificate in trust_store.read(pem).certificates]


def test_names_are_compared_as_boringssl_does() -> None:
    """White space is trimmed and collapsed, ASCII letters have no case, the type of the string does not matter."""

    def name(value: str, kind: int) -> bytes:
        content = value.encode("utf-16-be" if kind == der.BMP_STRING else "utf-8")
        pair = der.encode(der.OID, b"\x55\x04\x03") + der.encode(kind, content)
        return x509_name.parse(der.encode(der.SET, der.encode(der.SEQUENCE, pair))).canonical

    plain = name("Lab Röot", der.UTF8_STRING)
    assert plain == name("  LAB \t RöOT ", der.UTF8_STRING)
    assert plain == name("lab röot", der.BMP_STRING)
    assert plain != name("lab rÖot", der.UTF8_STRING)


@given(st.text(alphabet="abAB.*-xn1", max_size=12), st.text(alphabet="abAB.*-xn1", max_size=12))
def test_a_name_that_equals_the_pattern_matches(name: str, pattern: str) -> None:
    """Whatever it looks like; and matching has no case."""
    assert names.dns_name_matches(name, name)
    assert names.dns_name_matches(name, pattern) == names.dns_name_matches(name.upper(), pattern.lower())


def test_letters_beyond_ascii_keep_their_case() -> None:
    """absl::AsciiStrToLower leaves them alone."""
    assert [True, False] == [names.dns_name_matches("bü.Test", "BÜ.test".replace("Ü", letter)) for letter in "üÜ"]


def test_a_zone_does_not_count() -> None:
    """Pomerium strips the zone of an IPv6 address before it looks for it in the certificate."""
    assert names.san_matches("fe80::1%eth0", [], [bytes.fromhex("fe80") + bytes(13) + b"\x01"])


def test_times_of_both_kinds() -> None:
    """Up to 2049 a certificate counts years with two digits, beyond with four (RFC 5280, 4.1.2.5)."""
    pair = mint(valid=(datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2051, 1, 2, 3, 4, 5, tzinfo=UTC)))
    certificate = x509.parse(pair.der)
    assert (pair.certificate.not_valid_before_utc, pair.certificate.not_valid_after_utc) == (certificate.not_before, certificate.not_after)
