"""HTTP/1 upstreams: heads, lengths, codings, interim responses, trailers and endings at their boundaries."""

from __future__ import annotations

from ..scenes.http1 import plain, raw, serving, writes
from .catalogue import variant

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"
KB = 1024


def _head(*lines: bytes, status: bytes = b"200 OK", body: bytes = b"ok") -> bytes:
    return b"HTTP/1.1 %s\r\n" % status + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


CLOSING = {
    "length-short-fin": _head(b"content-length: 10"),
    "length-long": _head(b"content-length: 1"),
    "length-zero-and-body": _head(b"content-length: 0"),
    "length-plus": _head(b"content-length: +2"),
    "length-empty": _head(b"content-length:"),
    "length-spaces": _head(b"content-length:   2   "),
    "length-list-equal": _head(b"content-length: 2, 2"),
    "length-hex": _head(b"content-length: 0x2"),
    "length-huge": _head(b"content-length: 18446744073709551616"),
    "length-on-304": _head(b"content-length: 20", status=b"304 Not Modified", body=b""),
    "body-on-304": _head(b"content-length: 2", status=b"304 Not Modified"),
    "chunked-on-304": _head(b"transfer-encoding: chunked", status=b"304 Not Modified", body=b""),
    "length-zero-on-204": _head(b"content-length: 0", status=b"204 No Content", body=b""),
    "body-on-204": _head(status=b"204 No Content"),
    "205-with-body": _head(b"content-length: 2", status=b"205 Reset Content"),
    "close-delimited": _head(b"connection: close"),
    "close-delimited-keep-alive": _head(b"connection: keep-alive"),
    "close-delimited-empty": _head(b"connection: close", body=b""),
    "http10-close-delimited": b"HTTP/1.0 200 OK\r\n\r\nok",
    "http10-chunked": b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "http10-keep-alive-length": b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok",
    "http12": b"HTTP/1.2 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "http20-line": b"HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "http3-line": b"HTTP/3 200\r\n\r\n",
    "lowercase-http": b"http/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "leading-crlf": b"\r\n" + _head(b"content-length: 2"),
    "leading-lf": b"\n" + _head(b"content-length: 2"),
    "leading-two-crlf": b"\r\n\r\n" + _head(b"content-length: 2"),
    "leading-space": b" " + _head(b"content-length: 2"),
    "two-spaces": b"HTTP/1.1  200 OK\r\ncontent-length: 2\r\n\r\nok",
    "tab-after-version": b"HTTP/1.1\t200 OK\r\ncontent-length: 2\r\n\r\nok",
    "status-2-digits": _head(b"content-length: 2", status=b"20 X"),
    "status-4-digits": _head(b"content-length: 2", status=b"2000 X"),
    "status-letters": _head(b"content-length: 2", status=b"2xx X"),
    "status-negative": _head(b"content-length: 2", status=b"-20 X"),
    "status-099": _head(b"content-length: 2", status=b"099 X"),
    "status-199-final": _head(b"content-length: 2", status=b"199 X"),
    "status-150-alone": _head(status=b"150 X", body=b""),
    "status-600": _head(b"content-length: 2", status=b"600 X"),
    "status-999": _head(b"content-length: 2", status=b"999 X"),
    "101-to-a-get": _head(b"connection: upgrade", b"upgrade: websocket", status=b"101 Switching Protocols", body=b""),
    "101-bare": _head(status=b"101 Switching Protocols", body=b""),
    "101-then-200": _head(b"connection: upgrade", b"upgrade: x", status=b"101 S", body=b"") + _head(b"content-length: 2"),
    "103-then-200": _head(b"link: </a>; rel=preload", status=b"103 Early Hints", body=b"") + _head(b"content-length: 2"),
    "103-then-close": _head(b"link: </a>; rel=preload", status=b"103 Early Hints", body=b""),
    "102-then-close": _head(status=b"102 Processing", body=b""),
    "104-then-close": _head(status=b"104 X", body=b""),
    "105-then-close": _head(status=b"105 X", body=b""),
    "100-twice-then-200": _head(status=b"100 Continue", body=b"") * 2 + _head(b"content-length: 2"),
    "100-50-times": _head(status=b"100 Continue", body=b"") * 50 + _head(b"content-length: 2"),
    "103-50-times": _head(status=b"103 E", body=b"") * 50 + _head(b"content-length: 2"),
    "100-with-length": _head(b"content-length: 5", status=b"100 Continue", body=b"") + _head(b"content-length: 2"),
    "100-with-chunked": _head(b"transfer-encoding: chunked", status=b"100 Continue", body=b"") + _head(b"content-length: 2"),
    "100-then-garbage": _head(status=b"100 Continue", body=b"") + b"garbage\r\n\r\n",
    "100-then-cut-head": _head(status=b"100 Continue", body=b"") + b"HTTP/1.1 200 OK\r\ncontent-le",
    "103-then-garbage": _head(status=b"103 E", body=b"") + b"garbage\r\n\r\n",
    "cut-status-line": b"HTTP/1.1 2",
    "cut-in-version": b"HTT",
    "cut-after-status-line": b"HTTP/1.1 200 OK\r\n",
    "cut-in-name": b"HTTP/1.1 200 OK\r\ncontent-le",
    "cut-before-last-lf": b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r",
    "one-byte": b"H",
    "one-nul": b"\x00",
    "only-crlf": b"\r\n",
    "html": b"<html><body>503 Service Unavailable</body></html>\n",
    "json": b'{"error": "x"}\n',
    "ftp": b"220 FTP ready\r\n",
    "smtp-503": b"503 Bad sequence of commands\r\n",
    "redis": b"-ERR wrong number of arguments for 'get' command\r\n",
    "icy": b"ICY 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "rtsp": b"RTSP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "websocket-frame": b"\x81\x02ok",
    "http2-settings": b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "http2-goaway": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + bytes(8),
    "tls-alert-12": b"\x15\x03\x03\x00\x02\x02\x46",
    "name-with-space-before-colon": _head(b"x-a : 1", b"content-length: 2"),
    "name-empty": _head(b": 1", b"content-length: 2"),
    "name-utf8": _head("x-é: 1".encode(), b"content-length: 2"),
    "name-at": _head(b"x@y: 1", b"content-length: 2"),
    "name-colon-first": _head(b":status: 200", b"content-length: 2"),
    "name-dollar": _head(b"x$y: 1", b"content-length: 2"),
    "name-quote": _head(b'x"y: 1', b"content-length: 2"),
    "value-del": _head(b"x: a\x7fb", b"content-length: 2"),
    "value-tab": _head(b"x: a\tb", b"content-length: 2"),
    "value-escape": _head(b"x: \x1b[31m", b"content-length: 2"),
    "value-ff": _head(b"x: \xff", b"content-length: 2"),
    "fold-first": b"HTTP/1.1 200 OK\r\n folded: x\r\ncontent-length: 2\r\n\r\nok",
    "fold-tab": _head(b"x: a\r\n\tb", b"content-length: 2"),
    "fold-length": _head(b"content-length:\r\n 2"),
    "fold-empty": _head(b"x:\r\n ", b"content-length: 2"),
    "te-chunked-case": _head(b"Transfer-Encoding: CHUNKED", body=b"2\r\nok\r\n0\r\n\r\n"),
    "te-chunked-comma": _head(b"transfer-encoding: chunked,", body=b"2\r\nok\r\n0\r\n\r\n"),
    "te-comma-chunked": _head(b"transfer-encoding: ,chunked", body=b"2\r\nok\r\n0\r\n\r\n"),
    "te-two-lines": _head(b"transfer-encoding: gzip", b"transfer-encoding: chunked", body=b"2\r\nok\r\n0\r\n\r\n"),
    "te-chunked-parameter": _head(b"transfer-encoding: chunked;q=1", body=b"2\r\nok\r\n0\r\n\r\n"),
    "te-and-length-zero": _head(b"content-length: 0", b"transfer-encoding: chunked", body=b"0\r\n\r\n"),
    "chunk-trailers": _head(b"transfer-encoding: chunked", body=b"2\r\nok\r\n0\r\nx-a: 1\r\nx-b: 2\r\n\r\n"),
    "chunk-trailer-bad-name": _head(b"transfer-encoding: chunked", body=b"2\r\nok\r\n0\r\nx a: 1\r\n\r\n"),
    "chunk-trailer-nul": _head(b"transfer-encoding: chunked", body=b"2\r\nok\r\n0\r\nx: a\x00\r\n\r\n"),
    "chunk-trailer-length": _head(b"transfer-encoding: chunked", body=b"2\r\nok\r\n0\r\ncontent-length: 2\r\n\r\n"),
    "chunk-trailers-101": _head(b"transfer-encoding: chunked", body=b"0\r\n" + b"".join(b"x-%d: 1\r\n" % n for n in range(101)) + b"\r\n"),
    "chunk-trailer-90k": _head(b"transfer-encoding: chunked", body=b"2\r\nok\r\n0\r\nx: " + b"a" * 90 * KB + b"\r\n\r\n"),
    "chunk-no-last": _head(b"transfer-encoding: chunked", body=b"2\r\nok\r\n"),
    "chunk-no-final-crlf": _head(b"transfer-encoding: chunked", body=b"2\r\nok\r\n0\r\n"),
    "chunk-lf": _head(b"transfer-encoding: chunked", body=b"2\nok\n0\n\n"),
    "chunk-size-too-long": _head(b"transfer-encoding: chunked", body=b"0" * 20 + b"2\r\nok\r\n0\r\n\r\n"),
    "chunk-extension-20k": _head(b"transfer-encoding: chunked", body=b"2;x=" + b"a" * 20 * KB + b"\r\nok\r\n0\r\n\r\n"),
    "chunk-extension-quoted": _head(b"transfer-encoding: chunked", body=b'2;a="b;c"\r\nok\r\n0\r\n\r\n'),
    "chunk-extension-bad": _head(b"transfer-encoding: chunked", body=b"2;a\x00b\r\nok\r\n0\r\n\r\n"),
    "chunk-size-minus": _head(b"transfer-encoding: chunked", body=b"-2\r\nok\r\n0\r\n\r\n"),
    "chunk-size-space": _head(b"transfer-encoding: chunked", body=b" 2\r\nok\r\n0\r\n\r\n"),
    "chunk-empty-line-first": _head(b"transfer-encoding: chunked", body=b"\r\n2\r\nok\r\n0\r\n\r\n"),
    "chunk-body-short": _head(b"transfer-encoding: chunked", body=b"5\r\nok"),
    "chunk-without-crlf-after": _head(b"transfer-encoding: chunked", body=b"2\r\nok0\r\n\r\n"),
    "connection-close-keeps": _head(b"connection: close", b"content-length: 2"),
    "upgrade-h2c": _head(b"connection: Upgrade", b"upgrade: h2c", b"content-length: 2"),
    "grpc-status-header": _head(b"grpc-status: 14", b"content-length: 2"),
    "x-envoy-overloaded": _head(b"x-envoy-overloaded: true", b"content-length: 2", status=b"503 X"),
    "x-envoy-immediate-fail": _head(b"x-envoy-immediate-health-check-fail: true", b"content-length: 2"),
    "two-dates": _head(b"date: now", b"date: now", b"content-length: 2"),
    "two-hosts": _head(b"host: a", b"host: b", b"content-length: 2"),
    "server-header-twice": _head(b"server: a", b"server: b", b"content-length: 2"),
    "pipelined-second": _head(b"content-length: 2") * 2,
    "pipelined-garbage": _head(b"content-length: 2") + b"garbage\r\n\r\n",
}
for name, data in CLOSING.items():
    variant(f"h1-{name}", serving(writes(data, "closes")))
for name in ("length-short-fin", "chunk-no-last", "cut-in-name", "cut-status-line", "close-delimited", "103-then-close", "length-long"):
    variant(f"h1-{name}-rst", serving(writes(CLOSING[name], "resets")))

for count in (97, 98, 99, 100, 101):
    variant(f"h1-headers-{count}", serving(writes(_head(*(b"x-%d: 1" % n for n in range(count - 1)), b"content-length: 2"))))
for size in (60, 64, 70, 78, 79, 80, 81, 82, 96):
    variant(f"h1-header-of-{size}k", serving(writes(_head(b"x: " + b"a" * size * KB, b"content-length: 2"))))
    lines = [b"x-%d: " % n + b"a" * KB for n in range(size)]
    variant(f"h1-{size}-headers-of-1k", serving(writes(_head(*lines, b"content-length: 2"))))
variant("h1-reason-90k", serving(writes(b"HTTP/1.1 200 " + b"a" * 90 * KB + b"\r\ncontent-length: 2\r\n\r\nok")))
variant("h1-name-90k", serving(writes(_head(b"a" * 90 * KB + b": 1", b"content-length: 2"))))
variant("h1-early-answer", raw(plain(200), "reads", reads=False), any=True)
variant("h1-banner-then-silent", raw(b"220 ready\r\n", "silent", reads=False))
variant("h1-body-then-rst", serving(writes(plain(200), "resets")), any=True)
