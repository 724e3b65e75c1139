"""What protocol do the first bytes of a connection belong to? A guess for people; nothing depends on it."""

from __future__ import annotations

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"HTTP/", "HTTP"),
    (b"<html", "HTTP"),
    (b"<HTML", "HTTP"),
    (b"<!DOCTYPE", "HTTP"),
    (b"<!doctype", "HTTP"),
    (b"SSH-", "SSH"),
    (b"+OK", "POP3"),
    (b"* OK", "IMAP"),
    (b"* BYE", "IMAP"),
    (b"-ERR", "Redis"),
    (b"-NOAUTH", "Redis"),
    (b"-DENIED", "Redis"),
    (b"+PONG", "Redis"),
    (b"RFB ", "VNC"),
    (b"AMQP", "AMQP"),
    (b"INFO {", "NATS"),
    (b"@RSYNCD:", "rsync"),
    (b"\xff\xfb", "Telnet"),
    (b"\xff\xfd", "Telnet"),
    (b"\x03\x00\x00", "RDP"),
)


def guess(first: bytes) -> str:
    """The name of the protocol ("HTTP", "SSH", "TLS", "SMTP" …), or "" where the bytes say nothing."""
    if first[:1] in (b"\x15", b"\x16") and first[1:2] == b"\x03":
        return "TLS"
    if first[3:5] == b"\x04\x00" and first[5:9] == b"\x00\x00\x00\x00":
        return "HTTP/2"  # a SETTINGS frame on stream 0 (RFC 9113, 6.5)
    if first[1:5] in (b"\x00\x00\x00\x0a", b"\x00\x00\x00\xff"):
        return "MySQL"  # length, sequence 0, then protocol version 10 or an error
    if first[:4] in (b"220 ", b"220-", b"554 ", b"421 ", b"530 "):
        return "FTP" if b"FTP" in first.upper() else "SMTP"
    if first[:1] == b"E" and b"SFATAL\x00" in first[:32]:
        return "PostgreSQL"
    return next((protocol for start, protocol in _STARTS if first.startswith(start)), "")


def printable(first: bytes, limit: int = 60) -> str:
    """The bytes as a person can read them: escapes for what is not printable ASCII, `…` where more came."""
    text = "".join(chr(b) if 32 <= b < 127 and b != 92 else _escape(b) for b in first[:limit])
    return text + ("…" if len(first) > limit else "")


def _escape(byte: int) -> str:
    return {9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\"}.get(byte, f"\\x{byte:02x}")
