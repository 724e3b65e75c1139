"""Mail servers on loopback: a real one (aiosmtpd) with TLS, AUTH and refusals, and one that says nothing."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Mailbox:
    """What the server took. Answers in `refuse` (a command -> the reply) are given instead of taking it."""

    def __init__(self, refuse: dict[str, str] | None = None) -> None:
        self.refuse = refuse or {}
        self.envelopes: list[Envelope] = []
        self.logins: list[tuple[str, str]] = []
        self.encrypted: list[bool] = []

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(bytes(e.content or b""), policy=default) for e in self.envelopes]  # type: ignore[arg-type]

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        return self.refuse.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" in self.refuse:
            return self.refuse["DATA"]
        self.envelopes.append(envelope)
        self.encrypted.append(_transport(server).get_extra_info("ssl_object") is not None)
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        login = data.login.decode(), data.password.decode()
        self.logins.append(login)
        return AuthResult(success=login == ("robot", "s3cret"), handled=False)


def _transport(server: SMTP) -> asyncio.BaseTransport:
    assert server.transport is not None
    return server.transport


@contextmanager
def mail_server(
    mailbox: Mailbox, *, implicit: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, auth: bool = False
) -> Iterator[int]:
    """A mail server; its port. implicit: TLS from the first byte; starttls: TLS when asked for; auth: a login is needed."""

    def protocol() -> SMTP:
        return SMTP(
            mailbox,
            hostname="mail.test",
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=auth,
            auth_require_tls=implicit is None,  # it does not see TLS from the first byte
            authenticator=mailbox.authenticate if auth else None,
            loop=asyncio.get_running_loop(),
        )

    with _looping(lambda: asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=implicit)) as port:
        yield port


@contextmanager
def _looping(start: Callable[[], Any]) -> Iterator[int]:
    """A loop in a thread of its own, with a server in it; the server's port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def starting() -> asyncio.Server:
        server: asyncio.Server = await start()
        return server

    async def stopping() -> None:
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(starting(), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(stopping(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]
