"""What the first bytes of a connection belong to."""

from __future__ import annotations

import pytest

from pomprobe.net import speaks


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"<!DOCTYPE html>", "HTTP"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03", "HTTP/2"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "TLS"),
        (b"\x16\x03\x03\x00\x7a\x02", "TLS"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH"),
        (b"220 mail.example.com ESMTP\r\n", "SMTP"),
        (b"220-welcome\r\n", "SMTP"),
        (b"220 (vsFTPd 3.0.5)\r\n", "FTP"),
        (b"J\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00", "MySQL"),
        (b"\x17\x00\x00\x00\xff\x6a\x04Host", "MySQL"),
        (b"-ERR wrong number of arguments for 'get' command\r\n", "Redis"),
        (b"-NOAUTH Authentication required.\r\n", "Redis"),
        (b"E\x00\x00\x00\x8dSFATAL\x00VFATAL\x00", "PostgreSQL"),
        (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "IMAP"),
        (b"+OK POP3 ready\r\n", "POP3"),
        (b"AMQP\x00\x00\x09\x01", "AMQP"),
        (b"RFB 003.008\n", "VNC"),
        (b'INFO {"server_id":"x"}\r\n', "NATS"),
        (b"\xff\xfd\x18\xff\xfd\x20", "Telnet"),
        (b"", ""),
        (b"\x00", ""),
        (b"hello", ""),
    ],
)
def test_a_protocol_is_known_by_its_first_bytes(first: bytes, expected: str) -> None:
    """A greeting or an error line names the protocol; anything else names none."""
    assert expected == speaks.guess(first)


def test_bytes_are_shown_so_that_nothing_happens_in_a_terminal() -> None:
    """Control characters, quotes of escapes and what is no ASCII are escaped; a long text ends in an ellipsis."""
    assert "a\\r\\n\\t\\x1b[0m\\\\\\xff" == speaks.printable(b"a\r\n\t\x1b[0m\\\xff")
    assert "x" * 60 + "…" == speaks.printable(b"x" * 61)
    assert "x" * 60 == speaks.printable(b"x" * 60)
