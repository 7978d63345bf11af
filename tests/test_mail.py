"""Mail: what is sent, over which line, and that it never stands in anybody's way."""

import logging
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from flask import Flask

from adminsite import mail
from adminsite.config import ConfigError, Settings
from tests.mailbox import MAIL_FROM, PASSWORD, USER, Mailbox, Server, knows

TOKEN = "s3cret-t0ken_of-the-link"
URL = f"https://go.example.com/set-password/{TOKEN}"
QUOTED = "p%40ss%2Fword%231"
NOWHERE = "smtp://127.0.0.1:1"


def send(to: str = "ann@example.com", name: str = "Ann") -> bool:
    return mail.send_set_password(to, name, URL)


def use(app: Flask, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setitem(app.extensions, mail.KEY, mail.parse(url, MAIL_FROM))


def started(server: Server) -> Iterator[Server]:
    server.start()
    yield server
    server.stop()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that this process trusts."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return made


def certified(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[Server]:
    yield from started(Server(Mailbox(), tls=certified(authority)))


@pytest.fixture
def starttls_server(authority: trustme.CA) -> Iterator[Server]:
    yield from started(
        Server(
            Mailbox(),
            tls_context=certified(authority),
            require_starttls=True,
            auth_required=True,
            authenticator=knows,
        )
    )


@pytest.mark.engine("sqlite")
class TestSending:
    def test_hands_over_the_link(self, mailbox: Mailbox) -> None:
        sent = send()

        [message] = mailbox.messages
        assert sent
        assert URL in message.get_content().splitlines()
        assert message["To"] == "ann@example.com"
        assert message["Subject"] == "Set your password for adminsite"

    def test_comes_from_the_address_of_the_settings(self, mailbox: Mailbox) -> None:
        send()

        assert mailbox.envelopes[0].mail_from == "links@example.com"
        assert mailbox.messages[0]["From"] == MAIL_FROM

    def test_is_known_as_sent_by_a_machine(self, mailbox: Mailbox) -> None:
        send()

        [message] = mailbox.messages
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Message-ID"].endswith("@example.com>")
        assert message["Date"]

    @pytest.mark.parametrize("name", ["Åsa Öberg", "名前", "a" * 200, "{to} %s", "<b>", "."])
    def test_greets_people_by_any_name(self, mailbox: Mailbox, name: str) -> None:
        send(name=name)

        lines = mailbox.messages[0].get_content().splitlines()
        assert lines[0] == f"Hello {name},"
        assert URL in lines

    def test_reaches_addresses_in_any_script(self, mailbox: Mailbox) -> None:
        send(to="åsa@exämple.com")

        assert mailbox.envelopes[0].rcpt_tos == ["åsa@exämple.com"]

    @pytest.mark.parametrize("to", ["ann@example.com\nBcc: eve@example.com", "a\r\n.\r\n@b.c"])
    def test_lets_no_header_in(self, mailbox: Mailbox, to: str) -> None:
        assert not send(to=to)
        assert mailbox.messages == []


@pytest.mark.engine("sqlite")
class TestNotSending:
    def test_is_so_without_a_server(self, app: Flask) -> None:
        assert not send()

    @pytest.mark.parametrize("refusal", ["550 no", "451 later", "554 5.7.1 spam: " + URL])
    def test_is_said_when_the_server_refuses(self, mailbox: Mailbox, refusal: str) -> None:
        mailbox.refuse = refusal

        assert not send()

    def test_is_said_when_nobody_answers(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        use(app, monkeypatch, NOWHERE)

        assert not send()

    def test_is_logged_without_the_token(
        self, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
    ) -> None:
        mailbox.refuse = f"554 5.7.1 looks like spam: {URL}"

        with caplog.at_level(logging.ERROR):
            send()

        assert "looks like spam" in caplog.text
        assert TOKEN not in caplog.text

    def test_comes_after_ten_seconds_at_most(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = []
        monkeypatch.setattr("smtplib.SMTP.__init__", lambda *_, timeout: seen.append(timeout))
        use(app, monkeypatch, NOWHERE)

        send()

        assert seen == [10]


@pytest.mark.engine("sqlite")
class TestTls:
    def test_is_used_from_the_start(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch, tls_server: Server
    ) -> None:
        use(app, monkeypatch, f"smtps://127.0.0.1:{tls_server.port}")

        assert send()
        assert len(tls_server.box.messages) == 1

    @pytest.mark.parametrize("url", ["smtp+starttls://{}@{}", "smtp://{}@{}?starttls=1"])
    def test_is_begun_before_signing_in(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch, starttls_server: Server, url: str
    ) -> None:
        where = f"127.0.0.1:{starttls_server.port}"
        use(app, monkeypatch, url.format(f"{USER}:{QUOTED}", where))

        assert send()
        assert starttls_server.box.sessions[0].authenticated

    def test_refuses_a_wrong_password(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch, starttls_server: Server
    ) -> None:
        where = f"127.0.0.1:{starttls_server.port}"
        use(app, monkeypatch, f"smtp+starttls://{USER}:{PASSWORD[0]}@{where}")

        assert not send()

    def test_is_demanded_of_a_server_without(
        self, app: Flask, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = app.extensions[mail.KEY]
        use(app, monkeypatch, f"smtp+starttls://127.0.0.1:{plain.port}")

        assert not send()
        assert mailbox.messages == []

    def test_refuses_a_certificate_of_another(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA
    ) -> None:
        for server in started(Server(Mailbox(), tls=certified(authority, "mx.example.com"))):
            use(app, monkeypatch, f"smtps://127.0.0.1:{server.port}")

            assert not send()


class TestSettings:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("smtp://mx", ("mx", 25, "none", "", "")),
            ("smtp://mx:2525/", ("mx", 2525, "none", "", "")),
            ("smtp://u:p%40%3A%23@mx", ("mx", 25, "none", "u", "p@:#")),
            ("smtps://u%40b.c:p@mx", ("mx", 465, "tls", "u@b.c", "p")),
            ("smtp+starttls://u@mx", ("mx", 587, "starttls", "u", "")),
            ("smtp://mx:2525?starttls=1", ("mx", 2525, "starttls", "", "")),
            ("smtp://mx?starttls=1", ("mx", 587, "starttls", "", "")),
            ("smtp://[::1]:25", ("::1", 25, "none", "", "")),
        ],
    )
    def test_are_read_from_the_url(self, url: str, expected: tuple[object, ...]) -> None:
        found = mail.parse(url, MAIL_FROM)

        assert found is not None
        assert (found.host, found.port, found.security, found.user, found.password) == expected

    @pytest.mark.parametrize(
        "url",
        [
            "mx",
            "mx:25",
            "http://mx",
            "smtp:mx",
            "smtp://",
            "smtp://:25",
            "smtp://mx:0",
            "smtp://mx:port",
            "smtp://mx:70000",
            "smtp://mx/inbox",
            "smtp://mx?tls=1",
            "smtp://mx?starttls=0",
            "smtp://mx?starttls",
            "smtps://mx?starttls=1",
            "smtp://u:p#q@mx",
            "smtp://:p@mx",
            "smtp://[mx",
        ],
    )
    def test_that_make_no_sense_stop_the_start(self, url: str) -> None:
        with pytest.raises(ConfigError, match=r"ADMINSITE_SMTP_URL: .*smtp://user:password@host"):
            mail.parse(url, MAIL_FROM)

    @pytest.mark.parametrize("url", ["smtp://u:hush@mx:x", "ftp://u:hush@mx", "smtp://u:hush#@mx"])
    def test_are_refused_without_telling_the_password(self, url: str) -> None:
        with pytest.raises(ConfigError) as refusal:
            mail.parse(url, MAIL_FROM)

        assert "hush" not in str(refusal.value)
        assert "hush" not in repr(mail.parse("smtp://u:hush@mx", MAIL_FROM))
        assert "hush" not in repr(Settings(smtp_url="smtp://u:hush@mx"))

    @pytest.mark.parametrize("mail_from", ["", "x", "a@b.com, c@d.com", "a@b.com\nBcc: c@d", "@b"])
    def test_need_one_sender(self, mail_from: str) -> None:
        with pytest.raises(ConfigError, match="ADMINSITE_MAIL_FROM"):
            mail.parse("smtp://mx", mail_from)

    def test_without_a_url_mean_no_mail(self) -> None:
        assert mail.parse("", MAIL_FROM) is None
