"""Odd answers of an HTTP/1 upstream, written by hand; http1_envoy.txt holds what a real Envoy 1.37 made of each.

A case is the pieces that are sent (numbers are pauses in seconds), then how it ends: "hold" (nothing more comes), "fin" or "rst".
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """What an upstream does once it has read the request."""

    steps: tuple[bytes | float, ...]
    end: str = "hold"
    method: str = "GET"
    upgrade: bool = False


CASES: dict[str, Case] = {}


def case(name: str, *steps: bytes | float, end: str = "hold", wait: float = 0.0, **more: Any) -> None:
    assert name not in CASES, name
    CASES[name] = Case((*steps, wait) if wait else steps, end, **more)


OK = b"HTTP/1.1 200 OK\r\n"
L2 = b"content-length: 2\r\n"

# status lines

for name, line in {
    "plain": b"HTTP/1.1 200 OK",
    "no-reason": b"HTTP/1.1 200",
    "no-reason-space": b"HTTP/1.1 200 ",
    "http10": b"HTTP/1.0 200 OK",
    "http12": b"HTTP/1.2 200 OK",
    "http99": b"HTTP/9.9 200 OK",
    "http09": b"HTTP/0.9 200 OK",
    "http2": b"HTTP/2 200 OK",
    "http20": b"HTTP/2.0 200 OK",
    "http11-lower": b"http/1.1 200 OK",
    "Http": b"Http/1.1 200 OK",
    "http-1": b"HTTP/1 200 OK",
    "http-1.10": b"HTTP/1.10 200 OK",
    "http-11.1": b"HTTP/11.1 200 OK",
    "http-space": b"HTTP /1.1 200 OK",
    "https": b"HTTPS/1.1 200 OK",
    "h": b"H 200 OK",
    "two-spaces": b"HTTP/1.1  200 OK",
    "two-spaces-after": b"HTTP/1.1 200  OK",
    "tab": b"HTTP/1.1\t200\tOK",
    "tab-reason": b"HTTP/1.1 200\tOK",
    "tab-in-reason": b"HTTP/1.1 200 O\tK",
    "cr-in-line": b"HTTP/1.1\r200 OK",
    "cr-in-reason": b"HTTP/1.1 200 O\rK",
    "vt": b"HTTP/1.1\x0b200 OK",
    "nul-in-reason": b"HTTP/1.1 200 O\x00K",
    "nul-sep": b"HTTP/1.1 200\x00OK",
    "ctl-in-reason": b"HTTP/1.1 200 O\x01K",
    "del-in-reason": b"HTTP/1.1 200 O\x7fK",
    "latin1-reason": b"HTTP/1.1 200 \xe9t\xe9",
    "reason-words": b"HTTP/1.1 200 All is well today",
    "trailing-space": b"HTTP/1.1 200 OK   ",
    "leading-space": b" HTTP/1.1 200 OK",
    "no-status": b"HTTP/1.1",
    "no-status-space": b"HTTP/1.1 ",
    "status-text": b"HTTP/1.1 OK",
    "status-text2": b"HTTP/1.1 OK 200",
    "plus": b"HTTP/1.1 +200 OK",
    "minus": b"HTTP/1.1 -200 OK",
    "hex": b"HTTP/1.1 0xC8 OK",
    "2-digits": b"HTTP/1.1 20 OK",
    "1-digit": b"HTTP/1.1 2 OK",
    "4-digits": b"HTTP/1.1 2000 OK",
    "zeros": b"HTTP/1.1 0200 OK",
    "000": b"HTTP/1.1 000 OK",
    "0": b"HTTP/1.1 0 OK",
    "099": b"HTTP/1.1 099 OK",
    "199": b"HTTP/1.1 199 OK",
    "600": b"HTTP/1.1 600 X",
    "999": b"HTTP/1.1 999 X",
    "1000": b"HTTP/1.1 1000 X",
    "65736": b"HTTP/1.1 65736 X",
    "65535": b"HTTP/1.1 65535 X",
    "65536": b"HTTP/1.1 65536 X",
    "huge": b"HTTP/1.1 18446744073709551615 X",
    "overflow": b"HTTP/1.1 18446744073709551616 X",
    "comma": b"HTTP/1.1 200,OK",
    "colon": b"HTTP/1.1 200: OK",
    "float": b"HTTP/1.1 200.0 OK",
    "joined": b"HTTP/1.1 200OK",
    "joined-version": b"HTTP/1.1200 OK",
    "icy": b"ICY 200 OK",
    "empty-line": b"",
    "long-reason": b"HTTP/1.1 200 " + b"x" * 5000,
    "header-first": b"Host: x",
    "two-in-one": b"HTTP/1.1 200 OK HTTP/1.1 200 OK",
}.items():
    case("line-" + name, line + b"\r\n" + L2 + b"\r\nok")
for st in (
    201,
    203,
    204,
    205,
    206,
    300,
    301,
    304,
    400,
    401,
    404,
    407,
    408,
    421,
    426,
    429,
    431,
    451,
    499,
    500,
    501,
    502,
    503,
    504,
    511,
    599,
    700,
    200000,
):
    case(f"status-{st}", b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % st)

# line ends, and what is no response at all

case("line-crcrlf", b"HTTP/1.1 200 OK\r\r\n" + L2 + b"\r\nok")
case("line-lf", b"HTTP/1.1 200 OK\n" + L2 + b"\r\nok")
case("all-lf", b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok")
case("blank-lf-only", OK + L2 + b"\nok")
case("blank-crcrlf", OK + L2 + b"\r\r\nok")
case("leading-crlf", b"\r\n" + OK + L2 + b"\r\nok")
case("leading-lf", b"\n" + OK + L2 + b"\r\nok")
case("leading-cr", b"\r" + OK + L2 + b"\r\nok")
case("http09-body", b"<html>hi</html>\n", end="fin")
case("http09-hold", b"<html>hi</html>\n")
case("starts-with-H", b"Hello there\r\n", end="fin")
case("starts-with-H-hold", b"Hello there")
case("starts-with-H-line-hold", b"Hello there\r\n")
case("starts-with-H-eof", b"Hello there", end="fin")
case("HTTP-only-hold", b"HTTP/1.1 200 OK")
case("garbage-nul", b"\x00\x01\x02\r\n\r\n", end="fin")
case("tls-alert", b"\x15\x03\x01\x00\x02\x02\n", end="fin")
case("ssh", b"SSH-2.0-OpenSSH_9.2\r\n")
case("smtp", b"220 mail ESMTP\r\n")
case("h2-settings", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
case("no-headers", b"HTTP/1.1 200 OK\r\n\r\nok", end="fin")
case("no-headers-lf", b"HTTP/1.1 200 OK\n\nok", end="fin")
case("no-headers-hold", b"HTTP/1.1 200 OK\r\n\r\nok")

# header lines

for name, line in {
    "plain": b"x-a: b",
    "no-space": b"x-a:b",
    "tab-value": b"x-a:\tb",
    "trailing-blank": b"x-a: b  \t",
    "empty-value": b"x-a:",
    "only-blank": b"x-a:   ",
    "space-colon": b"x-a : b",
    "tab-colon": b"x-a\t: b",
    "no-colon": b"foobar",
    "no-colon-space": b"foo bar",
    "empty-name": b": b",
    "only-colon": b":",
    "leading-space": b" x-a: b",
    "leading-tab": b"\tx-a: b",
    "underscore": b"x_a: b",
    "dot": b"x.a: b",
    "all-tchar": b"!#$%&'*+-.^_`|~09azAZ: b",
    "name-space": b"x a: b",
    "name-slash": b"x/a: b",
    "name-paren": b"x(a: b",
    "name-at": b"x@a: b",
    "name-quote": b'x"a: b',
    "name-bracket": b"x[a: b",
    "name-brace": b"x{a: b",
    "name-lt": b"x<a: b",
    "name-eq": b"x=a: b",
    "name-question": b"x?a: b",
    "name-comma": b"x,a: b",
    "name-semicolon": b"x;a: b",
    "name-backslash": b"x\\a: b",
    "name-latin1": b"x\xe9: b",
    "name-utf8": "xé: b".encode(),
    "name-nul": b"x\x00a: b",
    "name-ctl": b"x\x01a: b",
    "name-del": b"x\x7fa: b",
    "name-cr": b"x\ra: b",
    "name-digit": b"1: b",
    "two-colons": b"x-a:: b",
    "pseudo": b":status: 200",
    "pseudo-path": b":path: /",
    "value-nul": b"x-a: b\x00c",
    "value-soh": b"x-a: b\x01c",
    "value-bs": b"x-a: b\x08c",
    "value-tab": b"x-a: b\tc",
    "value-vt": b"x-a: b\x0bc",
    "value-ff": b"x-a: b\x0cc",
    "value-cr": b"x-a: b\rc",
    "value-cr-end": b"x-a: b\r",
    "value-cr-start": b"x-a: \rb",
    "value-esc": b"x-a: b\x1bc",
    "value-us": b"x-a: b\x1fc",
    "value-del": b"x-a: b\x7fc",
    "value-latin1": b"x-a: caf\xe9",
    "value-ff-byte": b"x-a: \xff\xfe",
    "value-utf8": "x-a: café".encode(),
    "value-x80": b"x-a: \x80",
    "value-quotes": b'x-a: "a',
    "fold": b"x-a: b\r\n c",
    "fold-tab": b"x-a: b\r\n\tc",
    "fold-empty": b"x-a: b\r\n ",
    "fold-lf": b"x-a: b\n c",
    "fold-twice": b"x-a: b\r\n c\r\n d",
    "fold-colon": b"x-a: b\r\n c: d",
    "fold-nocolon": b"x-a\r\n : d",
    "fold-only-blank-name": b"x-a:\r\n b",
    "fold-cr": b"x-a: b\r\n\rc",
    "fold-nul": b"x-a: b\r\n \x00",
    "long": b"x-a: " + b"v" * 70000,
    "long-name": b"x" * 5000 + b": b",
    "cl-again": b"content-length: 2",
    "cl-again-upper": b"CONTENT-LENGTH: 2",
    "cl-diff": b"content-length: 3",
    "cl-bad-second": b"content-length: abc",
    "te-too": b"transfer-encoding: chunked",
    "te-identity-too": b"transfer-encoding: identity",
    "te-empty-too": b"transfer-encoding:",
    "connection-close": b"connection: close",
    "keepalive": b"keep-alive: timeout=5",
    "upgrade": b"connection: upgrade\r\nupgrade: websocket",
    "upgrade-h2c": b"connection: upgrade\r\nupgrade: h2c",
    "proxy-conn": b"proxy-connection: close",
    "trailer": b"trailer: x",
    "te": b"te: gzip",
    "connection-nominated": b"connection: content-type\r\ncontent-type: a",
    "encoding": b"content-encoding: gzip",
    "date-bad": b"date: x",
    "x-envoy": b"x-envoy-overloaded: true",
    "x-envoy-ratelimited": b"x-envoy-ratelimited: true",
    "x-envoy-immediate": b"x-envoy-immediate-health-check-fail: true",
    "grpc": b"grpc-status: 14",
    "host": b"host: b",
    "location": b"location:  ",
}.items():
    case("header-" + name, OK + L2 + line + b"\r\n\r\nok")
for code in range(256):
    if code != 10:
        case(f"byte-value-{code:02x}", OK + L2 + b"x-a: b" + bytes((code,)) + b"c\r\n\r\nok")
        case(f"byte-name-{code:02x}", OK + L2 + b"x" + bytes((code,)) + b"a: b\r\n\r\nok")

# numbers and sizes of headers

for n in (97, 98, 99, 100, 101):
    case(f"count-{n}", OK + L2 + b"".join(b"x-%d: a\r\n" % i for i in range(n - 1)) + b"\r\nok")
case("count-same-name-101", OK + L2 + b"x-a: b\r\n" * 100 + b"\r\nok")
case("count-set-cookie-150", OK + L2 + b"set-cookie: b\r\n" * 150 + b"\r\nok")
for field in (
    b"via",
    b"server",
    b"date",
    b"content-type",
    b"connection",
    b"location",
    b"keep-alive",
    b"proxy-connection",
    b"grpc-status",
    b"grpc-message",
    b"upgrade",
    b"proxy-status",
    b"x-envoy-upstream-service-time",
    b"etag",
    b"vary",
    b"cache-control",
    b"x-envoy-degraded",
    b"x-envoy-decorator-operation",
    b"access-control-allow-origin",
    b"x-envoy-attempt-count",
    b"x-request-id",
    b"content-encoding",
    b"alt-svc",
    b"last-modified",
    b"www-authenticate",
    b"set-cookie",
    b"x-envoy-overloaded",
    b"x-envoy-immediate-health-check-fail",
    b"x-envoy-ratelimited",
    b"envoy-upstream-service-time",
    b"x-envoy-original-path",
    b"x-envoy-upstream-canary",
    b"x-envoy-upstream-healthchecked-cluster",
    b"grpc-status-details-bin",
    b"cookie",
    b"host",
    b"forwarded",
    b"x-forwarded-proto",
    b"user-agent",
    b"authorization",
    b"te",
    b"scheme",
    b"method",
    b"path",
    b"expect",
    b"origin",
    b"referer",
    b"accept-encoding",
    b"accept",
    b"content-language",
    b"expires",
    b"pragma",
    b"age",
    b"allow",
    b"link",
    b"retry-after",
    b"server-timing",
    b"strict-transport-security",
    b"x-content-type-options",
    b"traceparent",
    b"tracestate",
    b"x-b3-traceid",
    b"content-range",
    b"accept-ranges",
    b"access-control-allow-credentials",
    b"access-control-allow-headers",
    b"access-control-allow-methods",
    b"access-control-expose-headers",
    b"access-control-max-age",
    b"cross-origin-resource-policy",
    b"trailer",
    b"x-envoy-downstream-service-cluster",
    b"x-envoy-upstream-rq-timeout-ms",
    b"status",
    b"content-disposition",
    b"x-envoy-expected-rq-timeout-ms",
):
    case("repeat-" + field.decode(), OK + L2 + (field + b": a\r\n") * 101 + b"\r\nok")


def head(total: int) -> bytes:
    base = OK + L2
    k = 0
    out = base
    while total - len(out) - 2 > 2000:
        out += b"x-%02d: %s\r\n" % (k, b"a" * 1000)
        k += 1
    rest = total - len(out) - 2
    return out + b"y: " + b"b" * (rest - 5) + b"\r\n" + b"\r\n"


for n in (81918, 81919, 81920, 81921, 81922, 82000):
    case(f"size-{n}", head(n) + b"ok")
case("size-81919-open", head(90000)[:81919])
case("size-81920-open", head(90000)[:81920])
case("size-81919-open-fin", head(90000)[:81919], end="fin")
case("size-line", b"HTTP/1.1 200 " + b"x" * 81890 + b"\r\n" + L2 + b"\r\nok")
case("size-two-interim", b"HTTP/1.1 103 E\r\n" + b"x: " + b"a" * 50000 + b"\r\n\r\n" + OK + L2 + b"y: " + b"b" * 50000 + b"\r\n\r\nok")

# Content-Length

for name, line in {
    "2": b"2",
    "0": b"0",
    "00": b"00",
    "02": b"02",
    "plus": b"+2",
    "minus": b"-2",
    "list": b"2, 2",
    "list-same": b"2,2",
    "hex": b"0x2",
    "float": b"2.0",
    "abc": b"abc",
    "empty": b"",
    "space": b"2 ",
    "inner-space": b"2 3",
    "huge": b"18446744073709551615",
    "overflow": b"18446744073709551616",
    "very-long": b"0" * 300 + b"2",
    "quoted": b'"2"',
    "semicolon": b"2;",
}.items():
    case("cl-" + name, OK + b"content-length: " + line + b"\r\n\r\nok")
    case("cl-fin-" + name, OK + b"content-length: " + line + b"\r\n\r\nok", end="fin")
case("cl-underscore", OK + b"content_length: 2\r\n\r\nok", end="fin")
case("cl-fold", OK + b"content-length:\r\n 2\r\n\r\nok")
case("cl-fold-2", OK + b"content-length: 2\r\n 3\r\n\r\nok")
case("cl-bad-twice", OK + b"content-length: a\r\ncontent-length: a\r\n\r\nok")
case("cl-empty-body", OK + b"content-length: 5\r\n\r\n", end="fin")
case("cl-short", OK + b"content-length: 5\r\n\r\nabc", end="fin")
case("cl-short-rst", OK + b"content-length: 5\r\n\r\nabc", end="rst")
case("cl-none-rst", OK + b"\r\nabc", end="rst")
case("cl-exact-fin", OK + L2 + b"\r\nok", end="fin")
case("cl-exact-rst", OK + L2 + b"\r\nok", end="rst")
case("extra", OK + L2 + b"\r\nokEXTRA")
case("extra-later", OK + L2 + b"\r\nok", 0.1, b"EXTRA")
case("extra-response", OK + L2 + b"\r\nok" + OK + L2 + b"\r\nok")
case("extra-bad", OK + L2 + b"\r\nok\x00\x00")

# responses without a body

for st in (204, 304):
    for name, line in {
        "none": b"",
        "cl0": b"content-length: 0\r\n",
        "cl00": b"content-length: 00\r\n",
        "cl2": b"content-length: 2\r\n",
        "clabc": b"content-length: abc\r\n",
        "te": b"transfer-encoding: chunked\r\n",
        "te-identity": b"transfer-encoding: identity\r\n",
        "clover": b"content-length: 99999999999999999999\r\n",
        "2cl": b"content-length: 2\r\ncontent-length: 2\r\n",
        "2cldiff": b"content-length: 2\r\ncontent-length: 3\r\n",
        "2clbad": b"content-length: a\r\ncontent-length: a\r\n",
        "clempty": b"content-length:\r\n",
        "upgrade": b"connection: upgrade\r\nupgrade: x\r\n",
    }.items():
        case(f"{st}-{name}", b"HTTP/1.1 %d X\r\n%s\r\n" % (st, line))
        case(f"{st}-{name}-body", b"HTTP/1.1 %d X\r\n%s\r\nbody" % (st, line), end="fin")
case("205-body", b"HTTP/1.1 205 X\r\ncontent-length: 2\r\n\r\nok")
for name, line in {
    "none": b"",
    "cl0": b"content-length: 0\r\n",
    "cl2": b"content-length: 2\r\n",
    "te": b"transfer-encoding: chunked\r\n",
}.items():
    case(f"099-{name}", b"HTTP/1.1 099 X\r\n%s\r\nok" % line, end="fin")
    case(f"head-{name}", OK + line + b"\r\n", method="HEAD")
    case(f"head-{name}-body", OK + line + b"\r\nok", method="HEAD", end="fin")
    case(f"0-{name}", b"HTTP/1.1 0 X\r\n%s\r\n" % line, end="fin")
case("head-clabc", OK + b"content-length: abc\r\n\r\n", method="HEAD")
case("head-chunks", OK + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n", method="HEAD")
case("head-404", b"HTTP/1.1 404 X\r\ncontent-length: 9\r\n\r\n", method="HEAD")
case("head-fin-mid", b"HTTP/1.1 200 OK\r\ncontent-le", method="HEAD", end="fin")

# Transfer-Encoding

CH = b"2\r\nok\r\n0\r\n\r\n"
for name, line in {
    "chunked": b"chunked",
    "upper": b"CHUNKED",
    "mixed": b"Chunked",
    "space": b"  chunked \t",
    "gzip": b"gzip",
    "gzip-chunked": b"gzip, chunked",
    "chunked-gzip": b"chunked, gzip",
    "chunked-chunked": b"chunked, chunked",
    "identity": b"identity",
    "empty": b"",
    "comma": b"chunked,",
    "quoted": b'"chunked"',
    "param": b"chunked;q=1",
    "x": b"xchunked",
    "foo": b"foo",
    "tab": b"\tchunked",
    "identity-chunked": b"identity, chunked",
    "fold": b"\r\n chunked",
    "vt": b"chunked\x0b",
}.items():
    case("te-" + name, OK + b"transfer-encoding: " + line + b"\r\n\r\n" + CH)
case("te-twice", OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n" + CH)
case("te-identity-then-chunked", OK + b"transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n\r\n" + CH)
case("te-empty-then-chunked", OK + b"transfer-encoding:\r\ntransfer-encoding: chunked\r\n\r\n" + CH)
case("te-chunked-then-empty", OK + b"transfer-encoding: chunked\r\ntransfer-encoding:\r\n\r\n" + CH)
case("te-10", b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + CH)
case("te-cl-first", OK + L2 + b"transfer-encoding: chunked\r\n\r\n" + CH)
case("te-cl-last", OK + b"transfer-encoding: chunked\r\n" + L2 + b"\r\n" + CH)
case("te-cl0", OK + b"content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n" + CH)
case("te-clabc", OK + b"content-length: abc\r\ntransfer-encoding: chunked\r\n\r\n" + CH)
case("te-underscore", OK + b"transfer_encoding: chunked\r\n\r\n" + CH, end="fin")

# chunked bodies

T = OK + b"transfer-encoding: chunked\r\n\r\n"
for name, line in {
    "plain": CH,
    "upper-hex": b"A\r\n0123456789\r\n0\r\n\r\n",
    "lower-hex": b"a\r\n0123456789\r\n0\r\n\r\n",
    "leading-zeros": b"0002\r\nok\r\n0\r\n\r\n",
    "many-zeros": b"0" * 50 + b"2\r\nok\r\n0\r\n\r\n",
    "00-last": b"2\r\nok\r\n000\r\n\r\n",
    "lf-only": b"2\nok\n0\n\n",
    "lf-size": b"2\nok\r\n0\r\n\r\n",
    "lf-data": b"2\r\nok\n0\r\n\r\n",
    "lf-last": b"2\r\nok\r\n0\n\r\n",
    "lf-end": b"2\r\nok\r\n0\r\n\n",
    "crcr-end": b"2\r\nok\r\n0\r\n\r\r\n",
    "ext": b"2;a=b\r\nok\r\n0\r\n\r\n",
    "ext-space": b"2 ; a = b\r\nok\r\n0\r\n\r\n",
    "ext-quoted": b'2;a="b;c"\r\nok\r\n0\r\n\r\n',
    "ext-empty": b"2;\r\nok\r\n0\r\n\r\n",
    "ext-nosemi": b"2 a=b\r\nok\r\n0\r\n\r\n",
    "ext-last": b"2\r\nok\r\n0;a\r\n\r\n",
    "ext-cr": b"2;a\rb\r\nok\r\n0\r\n\r\n",
    "ext-cr-end": b"2;a\r\r\nok\r\n0\r\n\r\n",
    "ext-lf": b"2;a\nok\r\n0\r\n\r\n",
    "ext-nul": b"2;a\x00\r\nok\r\n0\r\n\r\n",
    "ext-8bit": b"2;\xff\r\nok\r\n0\r\n\r\n",
    "ext-long": b"2;" + b"a" * 100000 + b"\r\nok\r\n0\r\n\r\n",
    "size-space": b"2 \r\nok\r\n0\r\n\r\n",
    "size-tab": b"2\t\r\nok\r\n0\r\n\r\n",
    "size-lead-space": b" 2\r\nok\r\n0\r\n\r\n",
    "size-empty": b"\r\nok\r\n0\r\n\r\n",
    "size-g": b"2g\r\nok\r\n0\r\n\r\n",
    "size-0x": b"0x2\r\nok\r\n0\r\n\r\n",
    "size-minus": b"-2\r\nok\r\n0\r\n\r\n",
    "size-plus": b"+2\r\nok\r\n0\r\n\r\n",
    "size-xyz": b"xyz\r\nok\r\n0\r\n\r\n",
    "size-max": b"FFFFFFFFFFFFFFFF\r\nok",
    "size-overflow": b"10000000000000000\r\nok",
    "size-cr": b"2\rok\r\n0\r\n\r\n",
    "size-comma": b"2,\r\nok\r\n0\r\n\r\n",
    "size-vt": b"2\x0b\r\nok\r\n0\r\n\r\n",
    "size-nul": b"2\x00\r\nok\r\n0\r\n\r\n",
    "data-long": b"2\r\noky\r\n0\r\n\r\n",
    "data-long-2": b"2\r\nok more\r\n0\r\n\r\n",
    "data-nocrlf": b"2\r\nok0\r\n\r\n",
    "data-nocrlf2": b"2\r\nok2\r\nok\r\n0\r\n\r\n",
    "data-crcrlf": b"2\r\nok\r\r\n0\r\n\r\n",
    "data-short": b"5\r\nok\r\n0\r\n\r\n",
    "blank-between": b"2\r\nok\r\n\r\n0\r\n\r\n",
    "two": b"2\r\nok\r\n3\r\nabc\r\n0\r\n\r\n",
    "only-last": b"0\r\n\r\n",
    "extra": CH + b"EXTRA",
    "trailer": b"2\r\nok\r\n0\r\nx-t: 1\r\n\r\n",
    "trailer-lf": b"2\r\nok\r\n0\r\nx-t: 1\n\n",
    "trailer-two": b"2\r\nok\r\n0\r\nx-t: 1\r\ny: 2\r\n\r\n",
    "trailer-nocolon": b"2\r\nok\r\n0\r\nfoo\r\n\r\n",
    "trailer-badname": b"2\r\nok\r\n0\r\nx a: 1\r\n\r\n",
    "trailer-badname2": b"2\r\nok\r\n0\r\nx@a: 1\r\n\r\n",
    "trailer-latin1name": b"2\r\nok\r\n0\r\nx\xe9: 1\r\n\r\n",
    "trailer-nul": b"2\r\nok\r\n0\r\nx: 1\x00\r\n\r\n",
    "trailer-cl": b"2\r\nok\r\n0\r\ncontent-length: 3\r\n\r\n",
    "trailer-te": b"2\r\nok\r\n0\r\ntransfer-encoding: foo\r\n\r\n",
    "trailer-fold": b"2\r\nok\r\n0\r\nx: 1\r\n 2\r\n\r\n",
    "trailer-space": b"2\r\nok\r\n0\r\n x: 1\r\n\r\n",
    "trailer-empty-name": b"2\r\nok\r\n0\r\n: 1\r\n\r\n",
    "trailer-150": b"2\r\nok\r\n0\r\n" + b"".join(b"x-%d: a\r\n" % i for i in range(150)) + b"\r\n",
    "trailer-70k": b"2\r\nok\r\n0\r\nx: " + b"a" * 70000 + b"\r\n\r\n",
    "trailer-90k": b"2\r\nok\r\n0\r\nx: " + b"a" * 90000 + b"\r\n\r\n",
    "trailer-cr": b"2\r\nok\r\n0\r\n\rx: 1\r\n\r\n",
    "trailer-utf8": b"2\r\nok\r\n0\r\nx: \xc3\xa9\r\n\r\n",
    "trailer-colon-space": b"2\r\nok\r\n0\r\nx : 1\r\n\r\n",
    "trailer-crcr": b"2\r\nok\r\n0\r\nx: 1\r\r\n\r\n",
}.items():
    case("chunk-" + name, T + line)
for k in (0, 4):
    case(f"trailer-{81920 - k}", T + b"0\r\nx: " + b"a" * (81920 - k - 7) + b"\r\n\r\n")
    case(f"trailer-{81921 + k}", T + b"0\r\nx: " + b"a" * (81921 + k - 7) + b"\r\n\r\n")
for i in range(len(b"5\r\nhello\r\n0\r\nt: 1\r\n\r\n") + 1):
    case(f"chunk-fin-{i:02d}", T + b"5\r\nhello\r\n0\r\nt: 1\r\n\r\n"[:i], end="fin")
for i in range(len(b"5\r\nhello\r\n0\r\n\r\n") + 1):
    case(f"chunk-rst-{i:02d}", T + b"5\r\nhello\r\n0\r\n\r\n"[:i], end="rst")
case("chunk-zero-ext-split", T + b"2;a", 0.05, b"b\r", 0.05, b"\nok\r", 0.05, b"\n0\r\n\r", 0.05, b"\n")
case("chunk-ext-cr-split", T + b"2;a\r", 0.05, b"b\r\nok\r\n0\r\n\r\n")

# interim responses

I100 = b"HTTP/1.1 100 Continue\r\n\r\n"
for st in (100, 102, 103, 104, 105, 110, 150, 199, 101):
    case(f"1xx-{st}", b"HTTP/1.1 %d X\r\n\r\n" % st + OK + L2 + b"\r\nok")
    case(f"1xx-{st}-fin", b"HTTP/1.1 %d X\r\n\r\n" % st, end="fin")
    case(f"1xx-{st}-hold", b"HTTP/1.1 %d X\r\n\r\n" % st)
    case(f"1xx-{st}-split", b"HTTP/1.1 %d X\r\n\r\n" % st, 0.1, OK + L2 + b"\r\nok")
    case(f"1xx-{st}-rst", b"HTTP/1.1 %d X\r\n\r\n" % st, end="rst", wait=0.1)
    case(f"1xx-{st}-garbage", b"HTTP/1.1 %d X\r\n\r\n" % st + b"garbage\r\n")
    case(f"1xx-{st}-cut", b"HTTP/1.1 %d X\r\n\r\n" % st + b"HTTP/1.1 20", end="fin")
    case(f"1xx-{st}-204", b"HTTP/1.1 %d X\r\n\r\nHTTP/1.1 204 N\r\n\r\n" % st)
    case(f"1xx-{st}-eofbody", b"HTTP/1.1 %d X\r\n\r\n" % st + OK + b"\r\nok", end="fin")
for n in (2, 5, 10, 50, 100, 101, 200, 1000, 5000):
    case(f"1xx-many-{n}", I100 * n + OK + L2 + b"\r\nok")
case("1xx-cl0", b"HTTP/1.1 100 C\r\ncontent-length: 0\r\n\r\n" + OK + L2 + b"\r\nok")
case("1xx-cl2", b"HTTP/1.1 100 C\r\ncontent-length: 2\r\n\r\n" + OK + L2 + b"\r\nok")
case("1xx-te", b"HTTP/1.1 100 C\r\ntransfer-encoding: chunked\r\n\r\n" + OK + L2 + b"\r\nok")
case("1xx-headers", b"HTTP/1.1 103 E\r\nlink: </a>\r\n\r\n" + OK + L2 + b"\r\nok")
case("1xx-badheader", b"HTTP/1.1 103 E\r\nfoo\r\n\r\n" + OK + L2 + b"\r\nok")
case("1xx-101headers", b"HTTP/1.1 103 E\r\n" + b"".join(b"x-%d: a\r\n" % i for i in range(101)) + b"\r\n" + OK + L2 + b"\r\nok")
case("1xx-crlf-between", b"HTTP/1.1 100 C\r\n\r\n\r\n" + OK + L2 + b"\r\nok")
case("1xx-10", b"HTTP/1.0 100 C\r\n\r\n" + OK + L2 + b"\r\nok")
case("1xx-then-cut-body", I100 + OK + b"content-length: 9\r\n\r\nok", end="fin")
case("1xx-clabc", b"HTTP/1.1 100 C\r\ncontent-length: abc\r\n\r\n" + OK + L2 + b"\r\nok")
case("1xx-upgrade-headers", b"HTTP/1.1 100 C\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n" + OK + L2 + b"\r\nok")
case("101-upgrade", b"HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nabc")
case("101-upgrade-fin", b"HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nabc", end="fin")
case("101-cl0", b"HTTP/1.1 101 S\r\ncontent-length: 0\r\n\r\n")
case("101-cl2", b"HTTP/1.1 101 S\r\ncontent-length: 2\r\n\r\nok")

# the connection ends at every offset

R = b"HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 2\r\n\r\nok"
for i in range(len(R) + 1):
    case(f"fin-at-{i:02d}", R[:i], end="fin")
for i in range(0, len(R) + 1, 3):
    case(f"rst-at-{i:02d}", R[:i], end="rst")
for i in range(0, len(R)):
    case(f"hold-at-{i:02d}", R[:i]) if i % 7 == 0 else None
case("slow-split", *[x for i in range(len(R)) for x in (R[i : i + 1], 0.002)])

# large and compressed answers

case("gzip", OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(g := gzip.compress(b"x" * 100000, mtime=0)) + g)
case("gzip-broken", OK + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd")
case("cl-enormous", OK + b"content-length: 18446744073709551615\r\n\r\nok", end="fin")
case("endless-headers", OK, *[b"x-a: " + b"a" * 1000 + b"\r\n"] * 200)
case("endless-line", b"HTTP/1.1 200 ", *[b"a" * 1000] * 200)
case("endless-line-garbage", *[b"a" * 1000] * 200)

# WebSocket handshakes

WS: dict[str, Any] = {"upgrade": True}
UP = b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
case("ws-101", b"HTTP/1.1 101 S\r\n" + UP + b"\r\n", end="fin", **WS)
case("ws-101-data", b"HTTP/1.1 101 S\r\n" + UP + b"\r\n\x81\x02hi", 0.05, end="fin", **WS)
case("ws-101-noheaders", b"HTTP/1.1 101 S\r\n\r\n", 0.05, end="fin", **WS)
case("ws-101-noconn", b"HTTP/1.1 101 S\r\nupgrade: websocket\r\n\r\n", 0.05, end="fin", **WS)
case("ws-101-other", b"HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n", 0.05, end="fin", **WS)
case(
    "ws-101-badaccept",
    b"HTTP/1.1 101 S\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\n\r\n",
    0.05,
    end="fin",
    **WS,
)
case("ws-101-cl0", b"HTTP/1.1 101 S\r\n" + UP + b"content-length: 0\r\n\r\n", 0.05, end="fin", **WS)
case("ws-101-cl2", b"HTTP/1.1 101 S\r\n" + UP + b"content-length: 2\r\n\r\nok", 0.05, end="fin", **WS)
case("ws-101-te", b"HTTP/1.1 101 S\r\n" + UP + b"transfer-encoding: chunked\r\n\r\n", 0.05, end="fin", **WS)
for st in (200, 204, 301, 400, 403, 404, 426, 500, 503):
    case(f"ws-{st}", b"HTTP/1.1 %d X\r\n" % st + (L2 + b"\r\nok" if st != 204 else b"\r\n"), **WS)
    case(f"ws-{st}-upgrade", b"HTTP/1.1 %d X\r\n" % st + UP + (L2 + b"\r\nok" if st != 204 else b"\r\n"), end="fin", **WS)
case("ws-200-chunked", OK + b"transfer-encoding: chunked\r\n\r\n" + CH, **WS)
case("ws-404-chunked-cut", b"HTTP/1.1 404 X\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab", end="fin", **WS)
case("ws-close", end="fin", **WS)
case("ws-garbage", b"garbage\r\n", end="fin", **WS)
case("ws-100-101", I100 + b"HTTP/1.1 101 S\r\n" + UP + b"\r\n", 0.05, end="fin", **WS)
case("ws-cut", b"HTTP/1.1 10", end="fin", **WS)
case("ws-200-nolen", OK + b"\r\nok", end="fin", **WS)
case("ws-404-nolen", b"HTTP/1.1 404 X\r\n\r\nok", end="fin", **WS)
case("ws-404-clcut", b"HTTP/1.1 404 X\r\ncontent-length: 9\r\n\r\nok", end="fin", **WS)

# numbers that are none, and very long ones

for name, (first, second) in {
    "abc-2x": (b"abc", b"2x"),
    "2x-3x": (b"2x", b"3x"),
    "2x-empty": (b"2x", b""),
    "empty-2r": (b"", b"2\r,"),
    "empty-abc": (b"", b"abc"),
    "over-abc": (b"99999999999999999999", b"abc"),
    "over-over": (b"99999999999999999999", b"99999999999999999998"),
    "2-2x": (b"2", b"2x"),
    "2x-2": (b"2x", b"2"),
    "abc-def": (b"abc", b"def"),
    "12a-12b": (b"12a", b"12b"),
    "1a-2a": (b"1a", b"2a"),
}.items():
    case("304-pair-" + name, b"HTTP/1.1 304 X\r\ncontent-length: %s\r\ncontent-length: %s\r\n\r\n" % (first, second))
case("304-three", b"HTTP/1.1 304 X\r\ncontent-length: a\r\ncontent-length: b\r\ncontent-length: c\r\n\r\n")
case("304-three-3", b"HTTP/1.1 304 X\r\ncontent-length: a\r\ncontent-length: b\r\ncontent-length: 3\r\n\r\n")
case("line-status-zeros-5000", b"HTTP/1.1 " + b"0" * 5000 + b"200 OK\r\n" + L2 + b"\r\nok")
case("line-status-5000", b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n" + L2 + b"\r\nok")
case("cl-zeros-5000", OK + b"content-length: " + b"0" * 5000 + b"2\r\n\r\nok")
case("cl-5000", OK + b"content-length: " + b"2" * 5000 + b"\r\n\r\nok")
case("304-pair-overx", b"HTTP/1.1 304 X\r\ncontent-length: 99999999999999999999x\r\ncontent-length: 99999999999999999999\r\n\r\n")
case("chunk-zeros-5000", T + b"0" * 5000 + b"2\r\nok\r\n0\r\n\r\n")
case("chunk-5000", T + b"2" * 5000 + b"\r\nok\r\n0\r\n\r\n")
