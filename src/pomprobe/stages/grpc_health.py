"""gRPC's health protocol (grpc.health.v1.Health/Check): one message out, one message and its trailers in.

As Envoy reads it: source/extensions/health_checkers/grpc/health_checker_impl.cc, source/common/grpc/{codec,common,status}.cc.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from ..record import Record

PATH = "/grpc.health.v1.Health/Check"
SERVING = 1
STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
INTERNAL = 13

FROM_HTTP = {400: INTERNAL, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
"""gRPC's status for an HTTP status; any other is 2, UNKNOWN."""


class Invalid(Exception):
    """Bytes that are no answer to Check."""


class Answer(Record, frozen=True):
    """What the server said. serving: HealthCheckResponse.status, None where no message came."""

    grpc_status: int
    message: str
    serving: int | None

    @property
    def passes(self) -> bool:
        return self.grpc_status == 0 and self.serving == SERVING

    @property
    def serving_status(self) -> str | None:
        """The name of `serving`."""
        if self.serving is None:
            return None
        return STATUSES[self.serving] if 0 <= self.serving < len(STATUSES) else str(self.serving)


def request(service_name: str) -> bytes:
    """A HealthCheckRequest in its frame."""
    name = service_name.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return b"\x00" + len(message).to_bytes(4) + message


def timeout(seconds: float) -> str:
    """The value of grpc-timeout: milliseconds, or a larger unit where they have more than eight digits (Common::toGrpcTimeout)."""
    amount = int(seconds * 1000)
    for unit, size in (("m", 1000), ("S", 60), ("M", 60)):
        if amount < 10**8:
            return f"{amount}{unit}"
        amount //= size
    return f"{min(amount, 10**8 - 1)}H"


def read(status: int, headers: Mapping[str, str], body: bytes, trailers: Mapping[str, str]) -> Answer:
    """What a complete response means."""
    said = trailers if "grpc-status" in trailers else headers
    only_headers = not body and not trailers
    if status != 200:
        own = _status(headers) if only_headers and "grpc-status" in headers else FROM_HTTP.get(status, 2)
        return Answer(own, _message(headers) or f"HTTP status {status}", None)
    if not _is_grpc(headers.get("content-type", "")) and not (only_headers and "grpc-status" in headers):
        return Answer(INTERNAL, "not a gRPC response", None)
    if not only_headers and not trailers:
        return Answer(INTERNAL, "no gRPC status at the end", None)
    try:
        serving = _serving(_only_message(body))
    except Invalid as invalid:
        return Answer(INTERNAL, str(invalid), None)
    return Answer(_status(said), _message(said), serving)


def _is_grpc(content_type: str) -> bool:
    return content_type == "application/grpc" or content_type.startswith("application/grpc+")


def _status(headers: Mapping[str, str]) -> int:
    text = headers.get("grpc-status", "")
    return int(text) if text.isascii() and text.isdigit() else INTERNAL


def _message(headers: Mapping[str, str]) -> str:
    return unquote(headers.get("grpc-message", ""))


def _only_message(body: bytes) -> bytes | None:
    """The one message that is not empty; an empty one is as good as none."""
    found: bytes | None = None
    while body:
        size = int.from_bytes(body[1:5])
        if body[0] != 0 or len(body) < 5 + size:
            raise Invalid("a wrong gRPC frame")
        if size:
            if found is not None:
                raise Invalid("more than one message")
            found = body[5 : 5 + size]
        body = body[5 + size :]
    return found


def _serving(message: bytes | None) -> int | None:
    """Field 1 of HealthCheckResponse; fields of other numbers are passed over, as protobuf does."""
    if message is None:
        return None
    serving, at = 0, 0
    while at < len(message):
        key, at = _read_varint(message, at)
        match key & 7:
            case 0:
                value, at = _read_varint(message, at)
                serving = value if key >> 3 == 1 else serving
            case 1:
                at += 8
            case 2:
                size, at = _read_varint(message, at)
                at += size
            case 5:
                at += 4
            case _:
                raise Invalid("no HealthCheckResponse")
    if at != len(message):
        raise Invalid("a HealthCheckResponse that is cut")
    return serving


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        number |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return number, at
    raise Invalid("a HealthCheckResponse that is cut")
