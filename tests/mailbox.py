"""A real SMTP server on loopback that keeps what it takes."""

import ssl
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from flask import Flask

from adminsite import mail

MAIL_FROM = "Go links <links@example.com>"
USER, PASSWORD = "mailer", "p@ss/word#1"


class Mailbox:
    """What arrived; `refuse` is what the server says instead of taking a message."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.sessions: list[Session] = []
        self.refuse = ""

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - called by this name
        if self.refuse:
            return self.refuse
        self.sessions.append(session)
        self.envelopes.append(envelope)
        content = cast("bytes", envelope.content)
        self.messages.append(message_from_bytes(content, policy=policy.default))
        return "250 OK"


class Server(Controller):
    """The server, on a port that was free."""

    def __init__(self, box: Mailbox, tls: ssl.SSLContext | None = None, **options: Any) -> None:
        super().__init__(box, hostname="127.0.0.1", port=0, ssl_context=tls, **options)
        self.box = box

    def _trigger_server(self) -> None:
        self.port = cast("Any", self.server).sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def knows(_server: object, _session: object, _envelope: object, _how: str, sent: object) -> Any:
    """Whether somebody sent the right name and password."""
    right = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=sent == right, handled=False)


@pytest.fixture
def mailbox(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """The application mails to this server, which asks for nothing."""
    server = Server(Mailbox())
    server.start()
    mailer = mail.parse(f"smtp://127.0.0.1:{server.port}", MAIL_FROM)
    monkeypatch.setitem(app.extensions, mail.KEY, mailer)
    yield server.box
    server.stop()
