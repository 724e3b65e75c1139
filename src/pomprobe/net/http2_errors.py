"""The names of HTTP/2's error codes (RFC 9113, 7)."""

from __future__ import annotations

ERROR_CODES = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
    "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
)  # fmt: skip


def error_name(code: bytes) -> str:
    """The name of an error code of RST_STREAM or GOAWAY, hexadecimal for one that has none (RFC 9113, 7)."""
    number = int.from_bytes(code, "big")
    return ERROR_CODES[number] if number < len(ERROR_CODES) else f"0x{number:x}"
