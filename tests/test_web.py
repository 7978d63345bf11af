"""What every answer carries, and what a refusal looks like to whoever asked."""

import gc
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, cast

import psycopg.errors
import pytest
from flask import Flask, request, request_started
from flask.logging import default_handler
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import BadRequest, Conflict, InternalServerError, TooManyRequests
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

from adminsite.db import db
from adminsite.errors import InvalidError, MissingError
from adminsite.models import User
from adminsite.web.assets import asset
from adminsite.web.headers import BODY_LIMIT, CONTENT_SECURITY_POLICY
from app import create_app
from tests.client import SECRET_KEY, SiteClient

ClientAs = Callable[[str | User], SiteClient]
Raise = Callable[[Exception], SiteClient]
JSON = {"Accept": "application/json"}
HTMX = {"HX-Request": "true"}
SECRET = "SELECT password_hash FROM users"
ANSWERS = [  # every kind: page, redirect, not found, not allowed, fragment, JSON, health, file
    ("GET", "/login", {}),
    ("GET", "/", {}),
    ("GET", "/admin", {}),
    ("GET", "/nothing", {}),
    ("POST", "/healthz", {}),
    ("GET", "/nothing", HTMX),
    ("GET", "/admin/api/admins", {}),
    ("GET", "/healthz", {}),
    ("GET", "/readyz", {}),
    ("GET", "/static/app.css", {}),
    ("GET", "/static/missing.css", {}),
    ("POST", "/login", {}),
]


OPENED: list[Flask] = []


@pytest.fixture(autouse=True)
def _closed_afterwards() -> Iterator[None]:
    """No connection of another application outlives its test."""
    yield
    while OPENED:
        with OPENED.pop().app_context():
            db.engine.dispose()


def new_site(database_url: str, **settings: Any) -> SiteClient:
    """A browser tab at an application with other settings."""
    base = {"TESTING": True, "DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}
    made = create_app({**base, **settings})
    OPENED.append(made)
    made.test_client_class = SiteClient
    return cast("SiteClient", made.test_client())


@pytest.fixture
def failing(app: Flask, client: SiteClient, monkeypatch: pytest.MonkeyPatch) -> Raise:
    """A site whose sign-in page raises what it is given."""

    def fail(error: Exception) -> SiteClient:
        def view() -> ResponseReturnValue:
            raise error

        monkeypatch.setitem(app.view_functions, "account.login", view)
        monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", 0)
        return client

    return fail


class TestStart:
    @pytest.mark.parametrize(("testing", "times"), [(0, 1), (1, 0)])
    def test_keeps_what_stays_from_the_collector(
        self, database_url: str, monkeypatch: pytest.MonkeyPatch, testing: int, times: int
    ) -> None:
        frozen: list[bool] = []
        monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))

        new_site(database_url, TESTING=testing, TRUSTED_HOSTS="localhost")

        assert len(frozen) == times


class TestHeaders:
    @pytest.mark.parametrize(("verb", "path", "headers"), ANSWERS)
    def test_guard_every_kind_of_answer(
        self, client: SiteClient, verb: str, path: str, headers: dict[str, str]
    ) -> None:
        sent = client.open(path, method=verb, headers=headers).headers

        assert sent["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert sent["X-Content-Type-Options"] == "nosniff"
        assert sent["X-Frame-Options"] == "DENY"
        assert sent["Referrer-Policy"] == "same-origin"
        assert sent["Cross-Origin-Opener-Policy"] == "same-origin"
        assert sent["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in sent["Permissions-Policy"]
        assert len(sent["X-Request-ID"]) == 32

    def test_guard_the_answer_to_a_fault(self, failing: Raise) -> None:
        sent = failing(ValueError("x")).get("/login").headers

        assert sent["Content-Security-Policy"] == CONTENT_SECURITY_POLICY

    def test_policy_is_as_agreed(self) -> None:
        assert CONTENT_SECURITY_POLICY == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )

    def test_let_nobody_keep_a_page(self, client: SiteClient) -> None:
        sent = client.get("/login").headers

        assert sent["Cache-Control"] == "no-store"
        assert {"HX-Request", "HX-Target", "Cookie"} <= set(sent["Vary"].split(", "))

    def test_demand_https_where_the_cookie_does(self, database_url: str) -> None:
        secure = new_site(database_url, SESSION_COOKIE_SECURE=True).get("/login").headers
        plain = new_site(database_url).get("/login").headers

        assert secure["Strict-Transport-Security"].startswith("max-age=")
        assert secure["Set-Cookie"].startswith("__Host-adminsite=")
        assert "Secure" in secure["Set-Cookie"]
        assert "Strict-Transport-Security" not in plain
        assert "Secure" not in plain["Set-Cookie"]


class TestStaticFiles:
    def test_are_kept_for_good_under_their_version(self, app: Flask, client: SiteClient) -> None:
        page = client.get("/login").text
        address = page.split('rel="stylesheet" href="')[1].split('"')[0]

        answer = client.get(address)

        assert "?v=" in address
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"

    @pytest.mark.parametrize("query", ["", "?v=", "?v=000000000000"])
    def test_are_asked_for_again_under_any_other(self, client: SiteClient, query: str) -> None:
        answer = client.get(f"/static/app.css{query}")

        assert answer.status_code == 200
        assert "immutable" not in answer.headers["Cache-Control"]

    def test_have_addresses_under_the_sites_own(self, client: SiteClient) -> None:
        page = client.get("/login", base_url="http://localhost/go").text

        assert 'href="/go/static/app.css?v=' in page

    def test_that_are_missing_have_no_address(self, app: Flask) -> None:
        with app.test_request_context(), pytest.raises(FileNotFoundError, match=r"nothing\.js"):
            asset("nothing.js")

    def test_are_read_anew_in_debug(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(app, "static_folder", str(tmp_path))
        monkeypatch.setattr(app, "debug", True)
        addresses = set()

        for content in ("a", "b"):
            (tmp_path / "app.css").write_text(content)
            with app.test_request_context():
                addresses.add(asset("app.css"))
        with app.test_request_context(), pytest.raises(FileNotFoundError):
            asset("gone.css")

        assert len(addresses) == 2


class TestRequestId:
    @pytest.mark.parametrize("given", ["8f14e45f-ceea-467f", "a" * 64, "req_1.2-3x"])
    def test_is_the_proxys_own(self, client: SiteClient, given: str) -> None:
        answer = client.get("/healthz", headers={"X-Request-ID": given})

        assert answer.headers["X-Request-ID"] == given

    @pytest.mark.parametrize(
        "given", ["", "short", "a" * 65, "<script>alert(1)", "-leading--", "ä" * 9]
    )
    def test_is_made_when_it_does_not_look_like_one(self, client: SiteClient, given: str) -> None:
        answer = client.get("/healthz", headers={"X-Request-ID": given})

        assert len(answer.headers["X-Request-ID"]) == 32

    def test_is_in_the_log(self, app: Flask, failing: Raise) -> None:
        written = StringIO()
        handler = logging.StreamHandler(written)
        handler.setFormatter(default_handler.formatter)
        handler.addFilter(default_handler.filters[0])

        app.logger.addHandler(handler)
        failing(ValueError("x")).get("/login", headers={"X-Request-ID": "the-request-1"})
        app.logger.removeHandler(handler)

        assert "[the-request-1]" in written.getvalue()


class TestRefusal:
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (BadRequest(), 400),
            (MissingError("This link is gone."), 404),
            (Conflict(), 409),
            (InvalidError({"slug": "Choose another."}), 422),
            (TooManyRequests(retry_after=7), 429),
            (IntegrityError(SECRET, {}, Exception("UNIQUE")), 409),
            (StaleDataError(), 409),
            (DataError(SECRET, {}, Exception("integer out of range")), 400),
            (OperationalError(SECRET, {}, sqlite3.OperationalError("database is locked")), 503),
            (OperationalError(SECRET, {}, sqlite3.OperationalError("no such table: x")), 500),
            (OperationalError(SECRET, {}, psycopg.errors.LockNotAvailable()), 503),
            (OperationalError(SECRET, {}, psycopg.errors.DeadlockDetected()), 503),
            (OperationalError(SECRET, {}, psycopg.OperationalError("refused")), 503),
            (PoolTimeoutError("no connection"), 503),
            (ValueError(SECRET), 500),
            (InternalServerError(), 500),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
    )
    def test_is_a_page_a_fragment_or_json(
        self, failing: Raise, error: Exception, status: int
    ) -> None:
        client = failing(error)
        page, part, data = (client.get("/login", headers=sent) for sent in ({}, HTMX, JSON))

        assert {page.status_code, part.status_code, data.status_code} == {status}
        assert "<html" in page.text
        assert "<html" not in part.text
        assert data.json is not None
        assert data.json["success"] is False
        assert not any("SELECT" in answer.text for answer in (page, part, data))

    def test_is_not_what_a_redirect_becomes(self, failing: Raise) -> None:
        answer = failing(RequestRedirect("/elsewhere")).get("/login")

        assert (answer.status_code, answer.location) == (308, "/elsewhere")

    def test_tells_htmx_by_a_toast_and_leaves_the_row(self, failing: Raise) -> None:
        sent = failing(MissingError("Gone — it’s “deleted”.")).get("/login", htmx=True).headers

        assert sent["HX-Reswap"] == "none"
        assert sent["HX-Trigger"].isascii()
        assert json.loads(sent["HX-Trigger"]) == {
            "toast": {"message": "Gone — it’s “deleted”.", "level": "error"}
        }

    def test_escapes_what_it_repeats(self, failing: Raise) -> None:
        answer = failing(MissingError("No <script>alert(1)</script> here.")).get("/login")

        assert "<script>alert" not in answer.text

    def test_names_the_fields_in_json(self, failing: Raise) -> None:
        answer = failing(InvalidError({"slug": "Choose another."})).get("/login", headers=JSON)

        error = {"message": "Choose another.", "fields": {"slug": "Choose another."}}
        assert answer.json == {"success": False, "error": error}

    def test_of_a_fault_shows_the_reference_of_the_log(
        self, failing: Raise, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = failing(ValueError("the cause")).get(
            "/login", headers={"X-Request-ID": "ref-1234"}
        )

        assert "ref-1234" in answer.text
        assert "the cause" not in answer.text
        assert "the cause" in caplog.text

    def test_when_busy_says_when_to_come_back(self, failing: Raise) -> None:
        cause = sqlite3.OperationalError("database is locked")

        answer = failing(OperationalError("", {}, cause)).get("/login")

        assert answer.headers["Retry-After"] == "5"

    def test_survives_a_broken_page(
        self, failing: Raise, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_args: object, **_context: object) -> str:
            raise RuntimeError("template")

        monkeypatch.setattr("adminsite.web.refusals.render_template", broken)

        answer = failing(MissingError("<b>Gone</b>")).get("/login")

        assert answer.status_code == 404
        assert "<p>&lt;b&gt;Gone&lt;/b&gt;</p>" in answer.text

    def test_keeps_the_headers_of_the_error(self, client: SiteClient) -> None:
        page = client.post("/healthz", headers=HTMX)
        data = client.post("/healthz", headers=JSON)

        assert page.status_code == data.status_code == 405
        assert "GET" in page.headers["Allow"]
        assert "GET" in data.headers["Allow"]

    def test_in_the_other_json_family_names_a_code(self, client_as: ClientAs) -> None:
        answer = client_as("owner").get("/api/admin/nothing")

        assert answer.status_code == 404
        assert answer.json is not None
        assert set(answer.json) == {"error", "code", "details"}
        assert answer.json["code"] == "NOT_FOUND"

    @pytest.mark.parametrize(
        "accept",
        [
            "application/json",
            "application/json, text/html",
            "application/json, */*",
            "text/html;q=0.5, application/json",
        ],
    )
    def test_is_json_when_that_is_accepted_first(self, client: SiteClient, accept: str) -> None:
        assert client.get("/nothing", headers={"Accept": accept}).is_json

    @pytest.mark.parametrize(
        "accept",
        [
            "text/html, application/json",
            "*/*",
            "",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/json;q=0, */*",
            "nonsense/json;q=x,,;",
        ],
    )
    def test_is_a_page_to_everybody_else(self, client: SiteClient, accept: str) -> None:
        assert "<html" in client.get("/nothing", headers={"Accept": accept}).text

    def test_is_a_whole_page_when_htmx_restores_history(self, client: SiteClient) -> None:
        restoring = {**HTMX, "HX-History-Restore-Request": "true"}

        assert "<html" in client.get("/nothing", headers=restoring).text


class TestCsrf:
    @pytest.mark.parametrize(
        ("verb", "path"),
        [("POST", "/admin/links"), ("PUT", "/admin/links/1"), ("DELETE", "/admin/links/1")],
    )
    @pytest.mark.parametrize("token", [None, "", "nonsense", "forged.token.x"])
    def test_refuses_every_unsafe_verb_without_the_token(
        self, client_as: ClientAs, verb: str, path: str, token: str | None
    ) -> None:
        headers = {} if token is None else {"X-CSRFToken": token}

        answer = client_as("owner").open(path, method=verb, headers=headers, csrf=False)

        assert answer.status_code == 400

    def test_refuses_the_token_of_another_session(
        self, client_as: ClientAs, client: SiteClient
    ) -> None:
        other = client.read_token("/login")

        answer = client_as("owner").post("/logout", data={"csrf_token": other}, csrf=False)

        assert answer.status_code == 400

    def test_takes_the_token_as_field_or_header(self, client_as: ClientAs, member: User) -> None:
        by_header = client_as("member")
        by_field = client_as("member")

        assert (
            by_field.post(
                "/logout", data={"csrf_token": by_field.csrf_token}, csrf=False
            ).status_code
            == 303
        )
        assert by_header.post("/logout").status_code == 303

    def test_takes_no_token_from_the_query(self, client_as: ClientAs) -> None:
        client = client_as("member")

        answer = client.post(f"/logout?csrf_token={client.csrf_token}", csrf=False)

        assert answer.status_code == 400

    def test_refusal_says_what_to_do(self, client_as: ClientAs) -> None:
        client = client_as("owner")
        page, part, data = (
            client.delete("/admin/links/1", headers=sent, csrf=False) for sent in ({}, HTMX, JSON)
        )

        assert "Reload it and send the form again" in page.text
        assert "out of date" in part.headers["HX-Trigger"]
        assert data.json is not None
        assert data.json["success"] is False

    def test_wants_the_referrer_of_this_site_over_https(self, database_url: str) -> None:
        client = new_site(database_url, SESSION_COOKIE_SECURE=True)
        client.csrf_token = client.read_token("https://localhost/login")

        refused = client.post(
            "https://localhost/login", headers={"Referer": "https://evil.example/"}
        )
        taken = client.post(
            "https://localhost/login", headers={"Referer": "https://localhost/login"}
        )

        assert (refused.status_code, taken.status_code) == (400, 422)


class TestHosts:
    def test_others_are_refused(self, database_url: str) -> None:
        client = new_site(database_url, TRUSTED_HOSTS="go.example.com,.example.org")

        for host in ("go.example.com", "go.example.com:8000", "a.example.org"):
            assert client.get("/healthz", headers={"Host": host}).status_code == 200
        for host in ("evil.example", "example.com", "go.example.com.evil.example"):
            for path in ("/healthz", "/login", "/admin", "/dashboard", "/admin/api/x"):
                assert client.get(path, headers={"Host": host}).status_code == 400

    def test_all_are_answered_when_none_is_named(self, client: SiteClient) -> None:
        assert client.get("/healthz", headers={"Host": "any.example"}).status_code == 200


class TestProxy:
    FORWARDED = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}  # noqa: RUF012

    def address(self, client: SiteClient) -> str | None:
        seen: list[str | None] = []

        def note(*_args: object, **_more: object) -> None:
            seen.append(request.remote_addr)

        with request_started.connected_to(note, client.application):
            client.get("/healthz", headers=self.FORWARDED)
        return seen[0]

    def test_is_believed_as_far_as_the_settings_say(self, database_url: str) -> None:
        assert self.address(new_site(database_url, PROXY_HOPS=1)) == "192.0.2.7"

    def test_is_not_believed_by_default(self, database_url: str) -> None:
        assert self.address(new_site(database_url)) == "127.0.0.1"


class Garbled(BytesIO):
    """What a server gives of a chunked body that is no such thing."""

    def read(self, *_size: Any) -> Any:
        message = "invalid chunk size"
        raise LookupError(message)  # each server has errors of its own

    readinto = read


def in_pieces(client: SiteClient, stream: BytesIO) -> TestResponse:
    """Send JSON without saying how long it is."""
    return client.put(
        "/admin/links/1",
        input_stream=stream,
        content_type="application/json",
        headers=JSON | {"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )


class TestSize:
    def test_of_a_form_has_a_limit(self, client_as: ClientAs) -> None:
        answer = client_as("owner").post("/admin/links", data={"url": "x" * 3_000_000})

        assert answer.status_code == 413
        assert "This is too large to send." in answer.text

    def test_of_json_has_a_limit(self, client_as: ClientAs) -> None:
        answer = client_as("owner").put(
            "/admin/links/1",
            data=b"[" + b" " * 3_000_000,
            content_type="application/json",
            headers=JSON,
        )

        assert answer.status_code == 413
        assert answer.json is not None
        assert answer.json["success"] is False

    def test_of_an_import_is_larger(self, client_as: ClientAs) -> None:
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        body = head + b"x" * 3_000_000 + b"\r\n--x--\r\n"

        answer = client_as("owner").post(
            "/admin/import", data=body, content_type="multipart/form-data; boundary=x"
        )

        assert answer.status_code != 413

    def test_in_pieces_has_the_same_limit(self, client_as: ClientAs) -> None:
        pieces = BytesIO(b'{"url": "https://example.com"}' + b" " * 3_000_000)

        answer = in_pieces(client_as("owner"), pieces)

        assert answer.status_code == 413
        assert answer.json is not None
        assert answer.json["error"]["message"] == "This is too large to send."

    def test_in_pieces_up_to_the_limit_is_read(self, client_as: ClientAs) -> None:
        answer = in_pieces(client_as("owner"), BytesIO(b"{}".ljust(BODY_LIMIT)))

        assert answer.status_code == 404  # no such link: it was understood

    def test_in_pieces_that_make_no_sense_is_refused(self, client_as: ClientAs) -> None:
        answer = in_pieces(client_as("owner"), Garbled())

        assert answer.status_code == 400
        assert answer.json is not None
        assert answer.json["success"] is False


class TestHealth:
    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/healthz/", "/readyz/"])
    def test_is_told_to_everybody(self, client: SiteClient, path: str) -> None:
        answer = client.get(path)

        assert (answer.status_code, answer.json) == (200, {"status": "ok"})

    def test_is_not_ready_before_the_migrations(self, client: SiteClient, session: Session) -> None:
        [now] = session.execute(text("SELECT version_num FROM alembic_version")).one()
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        session.info.clear()
        session.commit()
        answer = client.get("/readyz")
        session.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": now})
        session.info.clear()
        session.commit()

        assert answer.status_code == 503
        assert client.get("/readyz").status_code == 200

    def test_is_not_ready_without_a_database(
        self, client: SiteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_args: object, **_options: object) -> None:
            raise OperationalError("", {}, sqlite3.OperationalError("unable to open"))

        monkeypatch.setattr(Session, "connection", fail)

        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
