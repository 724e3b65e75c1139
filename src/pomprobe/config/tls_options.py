"""The tls_* keys of a route that concern its upstreams: files and base64 are read, a pair that Go refuses is refused (policy.go)."""

from __future__ import annotations

from ..model import TLSOptions
from . import compound, files, pem
from .reader import Reader
from .values import Refused

NOTHING = TLSOptions()
UNMATCHED = ("tls: private key does not match public key", "tls: private key type does not match public key type")


def read_tls(reader: Reader) -> TLSOptions:
    if not any(key.startswith("tls_") for key in reader.mapping.entries):
        return NOTHING
    certificate, key = _client_pair(reader)
    inline = bool(reader.text("tls_client_cert"))
    return TLSOptions(
        skip_verify=reader.boolean("tls_skip_verify"),
        server_name=reader.text("tls_upstream_server_name") or reader.text("tls_server_name"),
        custom_ca=_custom_ca(reader),
        client_cert=certificate,
        client_key=key,
        custom_ca_file=reader.text("tls_custom_ca_file"),
        client_cert_file="" if inline else reader.text("tls_client_cert_file"),
        client_key_file="" if inline else reader.text("tls_client_key_file"),
        allow_renegotiation=reader.boolean("tls_upstream_allow_renegotiation"),
    )


def _custom_ca(reader: Reader) -> bytes | None:
    """The file is handed to Envoy where both are given, but Pomerium then decodes the other one only."""
    inline, file = reader.text("tls_custom_ca"), reader.text("tls_custom_ca_file")
    found: bytes | None = None
    if inline:
        try:
            found = compound.decoded(reader.mapping.entries["tls_custom_ca"])
        except Refused as refused:
            _refuse(reader, "custom_ca", "tls_custom_ca", f"config: couldn't decode custom ca: {refused}")
    if file:
        try:
            return files.named(file)
        except files.Unopened as error:
            if not inline:
                _refuse(reader, "custom_ca", "tls_custom_ca_file", f"config: couldn't load client ca file: {error}", value=file)
            return b""
    return found


def _client_pair(reader: Reader) -> tuple[bytes | None, bytes | None]:
    inline = reader.text("tls_client_cert"), reader.text("tls_client_key")
    named = reader.text("tls_client_cert_file"), reader.text("tls_client_key_file")
    for (certificate, key), end in ((inline, ""), (named, "_file")):
        if bool(certificate) != bool(key):
            names = (f"tls_client_cert{end}", f"tls_client_key{end}")
            there, missing = names if certificate else (names[1], names[0])
            message = "config: client certificate key and cert both must be non-empty"
            _refuse(reader, "client_cert_pair", there, message, write=f"{missing}: …")
            return None, None
    if inline[0]:
        return _decoded_pair(reader)
    if not named[0]:
        return None, None
    try:
        pair = files.named(named[0]), files.named(named[1])
    except files.Unopened as error:
        _refuse(reader, "client_cert", "tls_client_cert_file", f"config: couldn't load client cert file {error}")
        return None, None
    return _judged(reader, "tls_client_cert_file", "config: couldn't load client cert file", *pair)


def _decoded_pair(reader: Reader) -> tuple[bytes | None, bytes | None]:
    pair = []
    for name, words in (("tls_client_cert", "cert"), ("tls_client_key", "key")):
        try:
            pair.append(compound.decoded(reader.mapping.entries[name]))
        except Refused as refused:
            message = f"config: couldn't decode client cert failed to decode certificate {words}: {refused}"
            _refuse(reader, "client_cert", name, message)
            return None, None
    return _judged(reader, "tls_client_cert", "config: couldn't decode client cert", *pair)


def _judged(reader: Reader, key: str, words: str, certificate: bytes, private: bytes) -> tuple[bytes | None, bytes | None]:
    error = pem.pair_error(certificate, private)
    if not error:
        return certificate, private
    message = f"{words} {error}"
    if error in UNMATCHED:
        _refuse(reader, "client_cert_key_mismatch", key, message)
    else:
        _refuse(reader, "client_cert", key, message)
    return None, None


def _refuse(reader: Reader, refusal: str, key: str, message: str, **facts: str) -> None:
    reader.problems.refuse(refusal, reader.place(key), message, key=key, **facts)
