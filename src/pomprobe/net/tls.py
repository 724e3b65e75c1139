"""The door to OpenSSL: a TLS client that says what BoringSSL in Envoy says, as an engine without sockets.

What is offered follows Envoy's BoringSSL and Pomerium's config/envoyconfig/tls.go (tlsUpstreamParams), so that a server answers
as it answers Envoy. The certificate is not judged here: OpenSSL trusts nothing and goes on with everything, verify.py decides.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from OpenSSL import SSL

from . import signatures

_lib: Any = SSL._lib  # type: ignore[attr-defined]
_ffi: Any = SSL._ffi  # type: ignore[attr-defined]
_buffer = _ffi.new_allocator(should_clear_after_alloc=False)

Offer = SSL.Context

RECORD = 16384
HANDSHAKE = 22  # content type
ENCRYPTED_EXTENSIONS, CERTIFICATE = 8, 11  # types of messages

CIPHERS = (
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:AES128-GCM-SHA256:"
    "AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:AES256-GCM-SHA384:AES256-SHA:@SECLEVEL=0"
)
TLS13_CIPHERS = b"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
GROUPS = b"X25519:P-256:P-384:P-521"
SIGNATURES = (
    b"ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:rsa_pkcs1_sha256:ecdsa_secp384r1_sha384:rsa_pss_rsae_sha384:rsa_pkcs1_sha384:"
    b"rsa_pss_rsae_sha512:rsa_pkcs1_sha512:rsa_pkcs1_sha1"
)
"""BoringSSL's kVerifySignatureAlgorithms (ssl/extensions.cc): neither P-521 nor Ed25519."""

_GROUP_NAMES = {"x25519": "X25519", "secp256r1": "P-256", "prime256v1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}

NO_ENCRYPT_THEN_MAC = 1 << 19  # SSL_OP_NO_ENCRYPT_THEN_MAC: BoringSSL does not know it
LEGACY_SERVER_CONNECT = 1 << 2  # SSL_OP_LEGACY_SERVER_CONNECT: BoringSSL's client does not insist on RFC 5746
NO_RENEGOTIATION = 1 << 30  # SSL_OP_NO_RENEGOTIATION



class Unusable(Exception):
    """A client certificate, or settings of BoringSSL, that this OpenSSL cannot use."""


class Closed(Exception):
    """The peer closed (FIN, or close_notify) before the handshake was complete."""


class Broken(Exception):
    """TLS failed. Its text is OpenSSL's reason; library: whose error it is; alert: the peer's, if that is what it was."""

    def __init__(self, reason: str, library: int = 0, alert: int | None = None) -> None:
        super().__init__(reason)
        self.library = library
        self.alert = alert


@lru_cache(maxsize=256)
def offer(
    alpn: tuple[str, ...] = (),
    client_cert: bytes | None = None,
    client_key: bytes | None = None,
    allow_renegotiation: bool = False,
) -> SSL.Context:
    """The client context for these settings, certificate and key in PEM; kept, since making one takes a while. Raises Unusable."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_max_proto_version(SSL.TLS1_3_VERSION)
    context.set_cipher_list(CIPHERS.encode())
    context.set_tls13_ciphersuites(TLS13_CIPHERS)
    _must(_lib.SSL_CTX_set1_curves_list(context._context, GROUPS))
    _must(_lib.SSL_CTX_set1_sigalgs_list(context._context, SIGNATURES))
    options = SSL.OP_NO_COMPRESSION | NO_ENCRYPT_THEN_MAC | LEGACY_SERVER_CONNECT
    context.set_options(options if allow_renegotiation else options | NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    if alpn:
        context.set_alpn_protos([protocol.encode() for protocol in alpn])
    if client_cert is not None and client_key is not None:
        _identify(context, client_cert, client_key)
    _lib.SSL_CTX_set_cert_cb(context._context, _on_certificate_request, _ffi.NULL)
    _lib.SSL_CTX_set_msg_callback(context._context, _on_message)
    return context


def _must(result: int) -> None:
    if result != 1:
        _lib.ERR_clear_error()
        raise Unusable("OpenSSL refuses the groups or signature algorithms of BoringSSL")


def _identify(context: SSL.Context, cert: bytes, key: bytes) -> None:
    try:
        (leaf, *chain), own_key = signatures.load(cert, key)
        context.use_certificate(leaf)
        for issuer in chain:
            context.add_extra_chain_cert(issuer)
        context.use_privatekey(own_key)  # type: ignore[arg-type]
        context.check_privatekey()
        scheme = signatures.scheme(own_key)
        if scheme:  # OpenSSL has one list for both directions; BoringSSL signs with more than it accepts
            _must(_lib.SSL_CTX_set1_sigalgs_list(context._context, SIGNATURES + b":" + scheme))
    except (SSL.Error, ValueError, TypeError) as error:
        raise Unusable("the client certificate and its key cannot be used") from error


_asked: set[int] = set()


@_ffi.callback("int (*)(SSL *, void *)")  # type: ignore[untyped-decorator]
def _on_certificate_request(ssl: Any, _: Any) -> int:
    """OpenSSL calls it only where the server asks for a client certificate."""
    _asked.add(int(_ffi.cast("intptr_t", ssl)))
    return 1


_messages: dict[int, dict[int, bytes]] = {}
"""By connection and type, what the server says that OpenSSL decrypted: it does not keep certificates that it cannot read."""


@_ffi.callback("void (*)(int, int, int, const void *, size_t, SSL *, void *)")  # type: ignore[untyped-decorator]
def _on_message(sent: int, _version: int, content: int, data: Any, size: int, ssl: Any, _: Any) -> None:
    """OpenSSL calls it for each message that is there, before it reads it, and for much that is none: thirty times a handshake."""
    if content != HANDSHAKE or sent:
        return
    kind = _ffi.cast("const unsigned char *", data)[0]
    if kind in (ENCRYPTED_EXTENSIONS, CERTIFICATE) and (seen := _messages.get(int(_ffi.cast("intptr_t", ssl)))) is not None:
        seen[kind] = _ffi.buffer(data, size)[4:]


class Engine:
    """One TLS connection of a client: bytes from the peer go in with `feed`, bytes for the peer come out with `take`."""

    def __init__(self, offer: SSL.Context, server_name: str) -> None:
        self._connection = SSL.Connection(offer, None)
        self._connection.set_connect_state()
        if server_name:
            # As it is: addresses, a trailing dot, `*`. Envoy sends what it is told (truth: tls-sni-sent-for-ip).
            self._connection.set_tlsext_host_name(server_name.encode())
        connection: Any = self._connection
        self._ssl = connection._ssl
        self._in, self._out = connection._into_ssl, connection._from_ssl
        self._number = int(_ffi.cast("intptr_t", self._ssl))
        self._failed: Broken | None = None
        _asked.discard(self._number)  # an address of memory: it may have belonged to another connection
        _messages[self._number] = {}

    def handshake(self) -> bool:
        """Go on with the handshake; True when it is complete. Raises Broken and Closed."""
        _lib.ERR_clear_error()
        result = _lib.SSL_do_handshake(self._ssl)
        if result == 1:
            return True
        if self._check(result):
            raise Closed
        return False

    def feed(self, data: bytes) -> None:
        """Bytes from the peer. OpenSSL takes them all; it keeps what it has not read yet."""
        _lib.BIO_write(self._in, _ffi.from_buffer(data), len(data))

    def take(self) -> bytes:
        """Everything that is to be sent to the peer now, b"" where nothing is."""
        buffer = _buffer("char[]", RECORD)
        pieces = []
        count = RECORD
        while count == RECORD and (count := _lib.BIO_read(self._out, buffer, RECORD)) > 0:
            pieces.append(_ffi.buffer(buffer, count)[:])
        return b"".join(pieces)

    def read(self, limit: int) -> bytes | None:
        """Plaintext that has come, b"" after close_notify, None where more bytes are needed. Raises Broken, after what came before."""
        if self._failed:
            raise self._failed
        buffer = _buffer("char[]", limit)
        count = 0
        try:
            while count < limit:
                _lib.ERR_clear_error()
                result = _lib.SSL_read(self._ssl, buffer + count, limit - count)
                if result <= 0:
                    if self._check(result):
                        break
                    return _ffi.buffer(buffer, count)[:] or None
                count += result
        except Broken as error:
            self._failed = error
            if not count:
                raise
        return bytes(_ffi.buffer(buffer, count))

    def write(self, data: bytes) -> None:
        """Encrypt; the records come out of `take`. Raises Broken."""
        left = memoryview(data)
        while left:  # pyOpenSSL sets SSL_MODE_ENABLE_PARTIAL_WRITE: one record at a time
            _lib.ERR_clear_error()
            result = _lib.SSL_write(self._ssl, _ffi.from_buffer(left), len(left))
            if result <= 0:
                self._check(result)
                raise Broken("the connection does not take data now")
            left = left[result:]

    def _check(self, result: int) -> bool:
        """True at the peer's close_notify, False where more bytes are needed. Raises Broken for everything else."""
        kind = _lib.SSL_get_error(self._ssl, result)
        if kind == _lib.SSL_ERROR_ZERO_RETURN:
            return True
        if kind == _lib.SSL_ERROR_WANT_READ:
            return False
        code = _lib.ERR_get_error()
        _lib.ERR_clear_error()
        number = _lib.ERR_GET_REASON(code)
        text = _lib.ERR_reason_error_string(code)
        alert = number - 1000 if 1000 <= number < 1256 else None  # SSL_AD_REASON_OFFSET
        reason = _ffi.string(text).decode() if text != _ffi.NULL else f"error {number}"
        raise Broken(reason, code >> 23 & 0xFF, alert)

    # ------------------------------------------------------------------ what is known about the connection

    @property
    def version(self) -> str:
        return self._connection.get_protocol_version_name()

    @property
    def cipher(self) -> str:
        return self._connection.get_cipher_name() or ""

    @property
    def group(self) -> str:
        """As Pomerium and BoringSSL write it: X25519, P-256."""
        name = self._connection.get_group_name() or ""
        return _GROUP_NAMES.get(name, name)

    @property
    def alpn(self) -> str:
        """The protocol that the server selected, "" for none."""
        return self._connection.get_alpn_proto_negotiated().decode("latin-1")

    @property
    def decrypts(self) -> bool:
        """Has anything of a server of TLS 1.3 been decrypted?"""
        return ENCRYPTED_EXTENSIONS in _messages[self._number]

    @property
    def certificates(self) -> bytes | None:
        """The body of the server's Certificate message, None before it came."""
        return _messages[self._number].get(CERTIFICATE)

    @property
    def client_certificate_requested(self) -> bool:
        return self._number in _asked

    def __del__(self) -> None:
        _asked.discard(self._number)
        _messages.pop(self._number, None)
