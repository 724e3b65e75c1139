"""The mail server: where it is, who we are, and what it answered (the only door to smtplib).

Credentials come from the environment (POMPROBE_SMTP_USER, POMPROBE_SMTP_PASSWORD) or a file (POMPROBE_SMTP_PASSWORD_FILE), never from
the command line, and never go over the wire in the clear.
"""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from .record import Record
from .report.clean import clean
from .report.words import duration

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
USER, PASSWORD, PASSWORD_FILE = "POMPROBE_SMTP_USER", "POMPROBE_SMTP_PASSWORD", "POMPROBE_SMTP_PASSWORD_FILE"
TIMEOUT = 30.0
"""Seconds that the mail server may be silent."""


class MailError(Exception):
    """A mail that cannot be sent; the message is for people and holds no password."""


class MailOptions(Record, frozen=True):
    """Where mail goes and how. security: "smtp" (none), "smtp+starttls" or "smtps"; ca: file with the CA of the mail server."""

    HIDDEN: ClassVar = ("password",)

    host: str
    port: int
    security: str
    sender: str
    recipients: tuple[str, ...]
    user: str = ""
    password: str = ""
    ca: Path | None = None
    timeout: float = TIMEOUT

    @classmethod
    def parse(
        cls, server: str, sender: str, recipients: Sequence[str], environ: Mapping[str, str], *, ca: Path | None = None
    ) -> MailOptions:
        """Read smtp://HOST[:PORT], smtp+starttls://… or smtps://…, addresses, and the credentials. Raises MailError."""
        try:
            url = urlsplit(server)
            port = url.port
        except ValueError as error:
            raise MailError(f"mail server {clean(server)}: {error}") from error
        if "@" in url.netloc:
            raise MailError(f"mail server: no user or password in the URL, put them into {USER} and {PASSWORD}")
        if url.scheme not in PORTS or not url.hostname or url.path not in ("", "/"):
            raise MailError(f"mail server {clean(server)}: write for example smtp+starttls://mail.example.com:587, smtps://… or smtp://…")
        if not recipients:
            raise MailError("mail: no recipient")
        addresses = tuple(_address(r) for r in recipients)
        user, password = environ.get(USER, ""), _password(environ)
        if bool(user) != bool(password):
            raise MailError(f"mail: {USER} and a password ({PASSWORD} or {PASSWORD_FILE}) belong together; only one is set")
        options = cls(url.hostname, port or PORTS[url.scheme], url.scheme, _address(sender), addresses, user, password, ca)
        if user and url.scheme == "smtp" and not _loopback(url.hostname):
            raise MailError("mail: the password would go over the wire in the clear; write smtp+starttls:// or smtps://")
        return options


def deliver(mail: EmailMessage, options: MailOptions) -> tuple[str, ...]:
    """Hand a mail to the server; the recipients that it did not take, with its words. Raises MailError if it took none."""
    try:
        server = _connected(options)
        try:
            refused = server.send_message(mail, options.sender, options.recipients)
            with suppress(smtplib.SMTPException, OSError):  # the mail is taken; how the server says goodbye does not matter
                server.quit()
        finally:
            server.close()
    except (smtplib.SMTPException, OSError) as error:
        raise MailError(f"mail to {options.host}:{options.port} was not sent: {_said(error, options)}") from error
    return tuple(f"{clean(who)}: {clean(_words(code, text))}" for who, (code, text) in refused.items())


def _connected(options: MailOptions) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=str(options.ca) if options.ca else None)
    if options.security == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(options.host, options.port, timeout=options.timeout, context=context)
    else:
        server = smtplib.SMTP(options.host, options.port, timeout=options.timeout)
    try:
        if options.security == "smtp+starttls":
            server.starttls(context=context)
        if options.user:
            server.login(options.user, options.password)
    except BaseException:
        server.close()
        raise
    return server


def _said(error: Exception, options: MailOptions) -> str:
    """The server's or the system's reason, in one sentence. A server may echo what it was sent: the password is taken out."""
    match error:
        case smtplib.SMTPAuthenticationError():
            said = f"the server does not accept the user or the password: {_words(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPRecipientsRefused():
            said = "no recipient was accepted: " + "; ".join(
                f"{who}: {_words(code, text)}" for who, (code, text) in error.recipients.items()
            )
        case smtplib.SMTPSenderRefused():
            said = f"the sender {error.sender} was refused: {_words(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPResponseException():
            said = f"the server said {_words(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPServerDisconnected():
            silent = "timed out" in str(error)
            said = f"no answer within {duration(options.timeout)}" if silent else "the server ended the connection"
        case TimeoutError():
            said = f"no answer within {duration(options.timeout)}"
        case ssl.SSLCertVerificationError():
            said = f"the mail server's certificate is not accepted: {error.verify_message}"
        case ssl.SSLError():
            said = f"TLS failed: {error.reason or error}"
        case OSError():
            said = error.strerror or str(error)
        case _:
            said = str(error)
    return clean(said.replace(options.password, "***") if options.password else said)


def _words(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"


def _password(environ: Mapping[str, str]) -> str:
    path = environ.get(PASSWORD_FILE)
    if PASSWORD in environ or not path:
        return environ.get(PASSWORD, "")
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise MailError(f"mail: cannot read the password from {clean(path)}: {said}") from error


def _address(text: str) -> str:
    """A plain address. Raises MailError."""
    address = parseaddr(text)[1]
    try:
        if not text.isprintable() or "@" not in address:
            raise ValueError
        return Address(addr_spec=address).addr_spec
    except (ValueError, IndexError) as error:
        raise MailError(f"mail: {clean(text)} is no address") from error


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
