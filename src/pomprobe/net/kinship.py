"""Which trusted CA has probably issued one that the server did not send? Names alone can tell, since a signature takes both keys."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .x509 import X509
from .x509_name import COMMON_NAME, Name

ORGANIZATION, DOMAIN_COMPONENT = "2.5.4.10", "0.9.2342.19200300.100.1.25"

PLACEHOLDERS = ("internet widgits pty ltd", "default company ltd", "cert-manager")
"""Organizations that programs write where nobody says one (OpenSSL's and Red Hat's openssl.cnf, cert-manager's examples)."""

COMMON = {
    "authority", "ca", "cert", "certificate", "certification", "intermediate", "issuer", "issuing", "of", "root", "signing", "sub",
    "subordinate", "the", "tls",
}  # fmt: skip
"""Words of CAs' names that say what they are, and not whose."""

_WORD = re.compile(r"[^\W_]+(?:[.-][^\W_]+)*")


def relative(missing: Name, trusted: Sequence[X509]) -> str:
    """The name of the first trusted root that shares organization, domain components or a word of the common name; "" if none does."""
    own = _marks(missing)
    for certificate in trusted:
        if certificate.self_issued and certificate.subject.canonical != missing.canonical and own & _marks(certificate.subject):
            return str(certificate.subject)
    return ""


def _marks(name: Name) -> set[tuple[str, str]]:
    kinds = (ORGANIZATION, DOMAIN_COMPONENT, COMMON_NAME)
    texts = {kind: [a.text.strip().lower() for a in name.attributes if a.oid == kind] for kind in kinds}
    marks = {(ORGANIZATION, text) for text in texts[ORGANIZATION] if text and text not in PLACEHOLDERS}
    if len(texts[DOMAIN_COMPONENT]) > 1:  # Active Directory: DC=corp, DC=example
        marks.add((DOMAIN_COMPONENT, ".".join(texts[DOMAIN_COMPONENT])))
    words = {word for text in texts[COMMON_NAME] for word in _WORD.findall(text)}
    return marks | {(COMMON_NAME, word) for word in words - COMMON if len(word) > 2 and not re.fullmatch(r"[a-z]?\d+", word)}
