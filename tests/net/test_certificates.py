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
    sans: list[str | made.GeneralName] = [HOST, "127.0.0.1", "::1", made.RFC822Name("a@b"), made.UniformResourceIdentifier("u:x")]
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


def test_addresses_that_are_none_have_no_text() -> None:
    """An iPAddress of three bytes is nothing that could be shown; Envoy 1.40 lists it as nothing (fuzzed)."""
    raw = unknown("2.5.29.17", b"\x30\x12\x87\x03abc\x82\x0bup.lab.test")
    assert ("", HOST) == certificates.names(x509.parse(mint(sans=(), extensions=[(raw, False)]).der))


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


TRUSTED, INVALID, POLICY, PURPOSE, UNHANDLED, NAMELESS = "trusted", 41, 42, 26, 34, "nameless"

RAW: dict[str, tuple[str, bytes, object, object]] = {
    "path length of no CA": ("19", b"\x30\x03\x02\x01\x00", INVALID, INVALID),
    "path length below zero": ("19", b"\x30\x06\x01\x01\xff\x02\x01\xff", INVALID, INVALID),
    "CA said in vain": ("19", b"\x30\x03\x01\x01\x00", TRUSTED, TRUSTED),
    "CA said in BER": ("19", b"\x30\x03\x01\x01\x01", TRUSTED, TRUSTED),
    "constraints with more": ("19", b"\x30\x00\x00", INVALID, INVALID),
    "constraints cut": ("19", b"\x30\x03\x01", INVALID, INVALID),
    "key usage of another type": ("15", b"\x05\x00", INVALID, INVALID),
    "key usage of nothing": ("15", b"\x03\x01\x00", PURPOSE, PURPOSE),
    "key usage without a bit": ("15", b"\x03\x02\x07\x00", PURPOSE, PURPOSE),
    "key usage with padding": ("15", b"\x03\x02\x07\xff", INVALID, INVALID),
    "key usage with 9 bits unused": ("15", b"\x03\x02\x09\x80", INVALID, INVALID),
    "key usage with no bits but unused": ("15", b"\x03\x01\x03", INVALID, INVALID),
    "key usage not minimal": ("15", b"\x03\x02\x00\x80", TRUSTED, TRUSTED),
    "extended key usage of another type": ("37", b"\x05\x00", INVALID, INVALID),
    "extended key usage of nothing": ("37", b"\x30\x00", PURPOSE, PURPOSE),
    "extended key usage of an empty OID": ("37", b"\x30\x02\x06\x00", INVALID, INVALID),
    "subject key of another type": ("14", b"\x05\x00", INVALID, INVALID),
    "subject key empty": ("14", b"\x04\x00", TRUSTED, UNHANDLED),
    "authority key of another type": ("35", b"\x05\x00", INVALID, INVALID),
    "authority key empty": ("35", b"\x30\x00", TRUSTED, UNHANDLED),
    "authority key with more": ("35", b"\x30\x02\x99\x00", INVALID, INVALID),
    "CRL points of another type": ("31", b"\x05\x00", INVALID, INVALID),
    "CRL points empty": ("31", b"\x30\x00", TRUSTED, UNHANDLED),
    "CRL point of another type": ("31", b"\x30\x02\x05\x00", INVALID, INVALID),
    "policies of another type": ("32", b"\x05\x00", POLICY, POLICY),
    "policies empty": ("32", b"\x30\x00", POLICY, POLICY),
    "policies": ("32", b"\x30\x06\x30\x04\x06\x02\x2a\x03", TRUSTED, TRUSTED),
    "policies twice the same": ("32", b"\x30\x0c\x30\x04\x06\x02\x2a\x03\x30\x04\x06\x02\x2a\x03", POLICY, POLICY),
    "name constraints of another type": ("30", b"\x05\x00", INVALID, INVALID),
    "name constraints of a leaf": ("30", b"\x30\x00", TRUSTED, TRUSTED),
    "policy constraints empty": ("36", b"\x30\x00", POLICY, POLICY),
    "policy constraints of another type": ("36", b"\x05\x00", POLICY, POLICY),
    "any policy below zero": ("54", b"\x02\x01\xff", POLICY, POLICY),
    "policy mappings of a leaf": ("33", b"\x30\x00", TRUSTED, TRUSTED),
    "issuer names of another type": ("18", b"\x05\x00", TRUSTED, UNHANDLED),
}
"""Last number of the OID, content, and what Envoy 1.37 said of it, where it is not critical and where it is."""


@pytest.mark.parametrize("name", RAW)
def test_an_extension_of_a_leaf_is_read_as_boringssl_reads_it(name: str) -> None:
    """Broken, empty or just odd: taken, or refused for which reason."""
    oid, content, *expected = RAW[name]
    trust, found = trust_store.read(root().pem), []
    for critical in (False, True):
        leaf = mint("l", root(), constraints=False, usage=None, identifiers=False, authority=False,
                    extensions=[(unknown(f"2.5.29.{oid}", content), critical)])  # fmt: skip
        found.append(verify.verify([x509.parse(leaf.der)], trust).code or TRUSTED)
    assert expected == found


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (b"", NAMELESS),
        (b"\x05\x00", INVALID),
        (b"\x87\x01\x01", TRUSTED),
        (b"\x82\x02\xc3\xbc", TRUSTED),
        (b"\xa0\x00", INVALID),
        (b"\xa0\x06\x06\x01\x2a\xa0\x01\x05", INVALID),
        (b"\xa0\x07\x06\x01\x2a\xa0\x02\x05\x00", TRUSTED),
        (b"\x89\x00", INVALID),
        (b"\xa2\x0bup.lab.test", INVALID),
        (b"\xa4\x00", INVALID),
        (b"\xa4\x02\x30\x00", TRUSTED),
        (b"\x88\x02\x2a\x03", TRUSTED),
        (b"\x88\x00", INVALID),
        (b"\xa3\x00", TRUSTED),
        (b"\x42\x0bup.lab.test", INVALID),
    ],
)
def test_names_of_every_kind_are_read_as_boringssl_reads_them(before: bytes, expected: object) -> None:
    """A name of a strange kind before the good one is passed over, or spoils the certificate."""
    content = before and before + b"\x82\x0bup.lab.test"
    raw = unknown("2.5.29.17", bytes((0x30, len(content))) + content)
    leaf = mint("l", root(), sans=(), extensions=[(raw, False)])
    refusal = judge.judge(judge.read([leaf.der]), tls_options(), "TLSv1.3")
    found = refusal.facts.get("verify_code", NAMELESS) if refusal else TRUSTED
    assert expected == found
