"""Trusted certificates in the order in which BoringSSL finds them, which decides between several of one name."""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from . import der, x509
from .x509 import X509

PEM = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----(.*?)-----END (?:X509 |TRUSTED )?CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class TrustStore:
    """Trusted certificates, in the order of the file."""

    certificates: tuple[X509, ...]
    _by_name: dict[bytes, list[X509]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for certificate in self.certificates:
            self._by_name.setdefault(certificate.subject.canonical, []).append(certificate)

    def named(self, name: bytes, later: bool = False) -> Sequence[X509]:
        """The certificates of this (canonical) name, the one that is tried first in front: in Envoy 1.40 (later) the file's first."""
        found = self._by_name.get(name, [])
        if len(found) < 2 or later:
            return found
        return [certificate for certificate in self._sorted if certificate.subject.canonical == name]

    def issuer(self, certificate: X509, later: bool = False) -> X509 | None:
        """The first trusted certificate that could have issued this one (X509_STORE_CTX_get1_issuer)."""
        return next((found for found in self.named(certificate.issuer.canonical, later) if found.issued(certificate)), None)

    @cached_property
    def _sorted(self) -> list[X509]:
        """BoringSSL sorts anew before each addition, with a heap sort, which turns equal names around (crypto/stack/stack.cc until
        February 2026, so in Envoy 1.37; seen there with two CAs of one name and key: the last one in the file wins)."""
        store: list[tuple[tuple[int, bytes], X509]] = []
        for certificate in self.certificates:
            name = certificate.subject.canonical
            _heap_sort(store)
            if not any(certificate.encoded == other.encoded for _, other in store):
                store.append(((len(name), name), certificate))
        _heap_sort(store)
        return [certificate for _, certificate in store]


@lru_cache(maxsize=64)
def read(pem: bytes) -> TrustStore:
    """The certificates of a PEM bundle. What cannot be read is left out: with such a bundle Envoy would not even start."""
    found = []
    for block in PEM.findall(pem):
        try:
            found.append(x509.trusted(binascii.a2b_base64(block)))
        except (der.Malformed, binascii.Error):
            continue
    return TrustStore(tuple(found))


def _heap_sort(items: list[tuple[tuple[int, bytes], X509]]) -> None:
    for start in range(len(items) // 2 - 1, -1, -1):
        _sift_down(items, start, len(items))
    for end in range(len(items) - 1, 0, -1):
        items[0], items[end] = items[end], items[0]
        _sift_down(items, 0, end)


def _sift_down(items: list[tuple[tuple[int, bytes], X509]], root: int, size: int) -> None:
    while (left := 2 * root + 1) < size:
        largest = left if items[root][0] < items[left][0] else root
        if left + 1 < size and items[largest][0] < items[left + 1][0]:
            largest = left + 1
        if largest == root:
            return
        items[root], items[largest] = items[largest], items[root]
        root = largest
