"""Mail: handed over to one SMTP server, after the change that it tells of was committed.

Source: contract, section Environment; D-22.
"""

import smtplib
import ssl
import traceback
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from flask import Flask, current_app

from adminsite.config import ConfigError, Settings
from adminsite.db import utc_now

TIMEOUT_S = 10
KEY = "adminsite_mail"
LETTER = """Hello {name},

with this link you set your password for adminsite, as {to}:

{url}

It works once, within an hour. If you did not expect it, leave it alone: nothing changes until
it is used.
"""
# No line is broken up, so that the link stays whole for whoever reads the source.
POLICY = SMTP.clone(max_line_length=998, cte_type="7bit")

Security = Literal["none", "starttls", "tls"]
SCHEMES: dict[str, tuple[Security, int]] = {  # how the line is secured, and the usual port
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}


@dataclass(frozen=True, slots=True)
class Mailer:
    """The server that takes our mail, and the address it comes from."""

    host: str
    port: int
    security: Security
    user: str
    password: str = field(repr=False)
    mail_from: str

    def hand_over(self, message: EmailMessage, to: str) -> None:
        """Give a message to the server.

        Raises:
            OSError: the server is not reached, or does not take it.
        """
        with self._connect() as server:
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, self.password)
            server.send_message(message, _address(self.mail_from), [to])

    def _connect(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)


def init_app(app: Flask, settings: Settings) -> None:
    """Remember where mail goes; without SMTP_URL none is sent.

    Raises:
        ConfigError: SMTP_URL or MAIL_FROM makes no sense.
    """
    app.extensions[KEY] = parse(settings.smtp_url, settings.mail_from)


def parse(url: str, mail_from: str) -> Mailer | None:
    """The mailer that the settings describe; None when there is none.

    Raises:
        ConfigError: with the reason, which never holds the password.
    """
    if not _address(mail_from):
        raise ConfigError(f"ADMINSITE_MAIL_FROM={mail_from!r}: give one e-mail address.")
    if not url:
        return None
    try:
        return _parsed(urlsplit(url), mail_from)
    except ValueError as error:
        message = f"ADMINSITE_SMTP_URL: {error} Say smtp://user:password@host:port, smtps://… "
        raise ConfigError(message + "or smtp+starttls://….") from None


def send_set_password(to: str, name: str, url: str) -> bool:
    """Mail somebody their one-time link; whether the server took it.

    Never raises: the link was made already, and whoever asked for it can pass it on by hand.
    """
    mailer: Mailer | None = current_app.extensions[KEY]
    if mailer is None:
        return False
    try:
        text = LETTER.format(name=name, to=to, url=url)
        mailer.hand_over(_letter(mailer, to, "Set your password for adminsite", text), to)
    except Exception as error:  # noqa: BLE001 - see above; logged without the link's token
        told = "".join(traceback.format_exception(error))
        told = told.replace(url.rpartition("/")[2], "…")
        current_app.logger.error("a mail was not sent: %s", told)  # noqa: TRY400 - as above
        return False
    return True


def _parsed(parts: SplitResult, mail_from: str) -> Mailer:
    """The mailer of an address that was taken apart.

    Raises:
        ValueError: the reason, as a sentence.
    """
    if parts.scheme not in SCHEMES:
        raise ValueError("its scheme is unknown.")
    if not parts.hostname or parts.path not in {"", "/"} or parts.fragment:
        raise ValueError("it names no host, or more than that; write # in a password as %23.")
    if parts.password is not None and not parts.username:
        raise ValueError("a password needs a user.")
    security, usual_port = SCHEMES[parts.scheme]
    asked = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    if asked and (asked != {"starttls": "1"} or security == "tls"):
        raise ValueError("after the ? only starttls=1 is known, and not for smtps.")
    if asked and security == "none":
        security, usual_port = SCHEMES["smtp+starttls"]
    return Mailer(
        host=parts.hostname,
        port=_port(parts) or usual_port,
        security=security,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        mail_from=mail_from,
    )


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("its port is a number from 1 to 65535.")
    return port


def _letter(mailer: Mailer, to: str, subject: str, text: str) -> EmailMessage:
    letter = EmailMessage(POLICY)
    letter["From"] = mailer.mail_from
    letter["To"] = to
    letter["Subject"] = subject
    letter["Date"] = format_datetime(utc_now())
    letter["Message-ID"] = make_msgid(domain=_address(mailer.mail_from).rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text)
    return letter


def _address(text: str) -> str:
    """The one address in `Name <address>` or `address`; empty when it is not that."""
    header = EmailMessage(POLICY)
    try:
        header["From"] = text
    except (ValueError, IndexError):
        return ""
    found: Any = header["From"]  # an AddressHeader, whose stubs lack the defects
    single = len(found.addresses) == 1 and not found.defects
    address = found.addresses[0] if single else None
    return str(address.addr_spec) if address and address.username and address.domain else ""
