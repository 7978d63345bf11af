"""One's own API tokens: made, shown once, revoked."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.db import transaction, utc_now
from adminsite.models import ApiToken, AuditEvent, User
from adminsite.operations import tokens
from adminsite.operations.sessions import digest
from tests.client import SiteClient
from tests.people import acting

ClientAs = Callable[[str], SiteClient]
JSON = {"Accept": "application/json"}
PATH = "/dashboard/tokens"
ONCE = "Copy it now: it is not shown again."
MB = 1024 * 1024


def create(client: SiteClient, **values: str) -> TestResponse:
    return client.post(PATH, data={"name": "Nightly", "scope": "read", **values})


def make(user: User, **values: object) -> ApiToken:
    with transaction():
        token, _secret = tokens.create(user, {"name": "Nightly", **values}, by=acting(user))
    return token


def only(session: Session) -> ApiToken:
    return session.scalars(select(ApiToken)).one()


def shown(page: str) -> str:
    """The token on the page."""
    return unescape(page.partition(' readonly value="')[2].partition('"')[0])


class TestCreate:
    def test_shows_the_token_once(self, client_as: ClientAs, session: Session) -> None:
        client = client_as("member")

        page = create(client)

        token = only(session)
        assert page.status_code == 200
        assert ONCE in page.text
        assert digest(shown(page.text)) == token.token_hash
        assert shown(page.text) not in client.get("/dashboard").text

    def test_is_refused_with_two_names(self, client_as: ClientAs, session: Session) -> None:
        answer = client_as("member").post(PATH, json={"name": ["t", "u"]}, headers=JSON)

        assert (answer.status_code, session.scalars(select(ApiToken)).all()) == (400, [])

    def test_is_for_oneself(self, client_as: ClientAs, member: User, session: Session) -> None:
        create(client_as("member"), scope="read", days="30")

        token = only(session)
        assert (token.user_id, token.name, token.scopes) == (member.id, "Nightly", "read")
        assert token.expires_at is not None
        assert timedelta(days=29) < token.expires_at - utc_now() <= timedelta(days=30)

    def test_may_write_and_stays_unless_told_otherwise(
        self, client_as: ClientAs, session: Session
    ) -> None:
        client_as("member").post(PATH, data={"name": "Nightly"})

        assert (only(session).scopes, only(session).expires_at) == ("write", None)

    def test_leaves_the_token_out_of_cookie_log_and_audit(
        self, client_as: ClientAs, session: Session, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = client_as("member")

        secret = shown(create(client).text)

        [event] = session.scalars(select(AuditEvent))
        with client.session_transaction() as held:
            assert secret not in str(dict(held))
        assert event.action == "token.created"
        assert secret not in str(vars(event)) + caplog.text

    def test_answers_htmx_with_the_panel(self, client_as: ClientAs) -> None:
        answer = client_as("member").post(PATH, data={"name": "Nightly"}, htmx=True)

        assert answer.status_code == 200
        assert answer.text.lstrip().startswith('<section class="panel" id="tokens"')
        assert ONCE in answer.text
        assert shown(answer.text) not in answer.headers["HX-Trigger"]

    def test_answers_scripts_in_json(self, client_as: ClientAs, session: Session) -> None:
        answer = client_as("member").post(
            PATH, json={"name": "Nightly", "scope": "write", "days": 7}, headers=JSON
        )

        token = only(session)
        assert answer.status_code == 201
        assert answer.json is not None
        data = answer.json["data"]
        assert digest(data.pop("token")) == token.token_hash
        assert data == {
            "id": token.id,
            "name": "Nightly",
            "prefix": token.prefix,
            "scope": "write",
            "created_at": token.created_at.isoformat(),
            "expires_at": token.expires_at.isoformat() if token.expires_at else "",
            "revoked_at": None,
        }


class TestRefusedCreate:
    @pytest.mark.parametrize(
        ("field", "value", "why"),
        [
            ("name", " ", "Give the token a name"),
            ("name", "n" * 101, "100"),
            ("scope", "all", "The scope is one of read, write."),
            ("days", "0", "whole number from 1 to 3,650"),
            ("days", "1.5", "whole number from 1 to 3,650"),
            ("days", "9" * 5000, "whole number from 1 to 3,650"),
        ],
    )
    def test_says_why_at_the_field(
        self, client_as: ClientAs, session: Session, field: str, value: str, why: str
    ) -> None:
        answer = create(client_as("member"), **{field: value})

        assert answer.status_code == 422
        assert why in unescape(answer.text).partition(f'id="token-{field}-error"')[2][:300]
        assert session.scalar(select(func.count()).select_from(ApiToken)) == 0

    def test_keeps_what_was_typed(self, client_as: ClientAs) -> None:
        page = create(client_as("member"), name='N"<1>', scope="write", days="soon").text

        assert 'value="N&#34;&lt;1&gt;"' in page
        assert '<option selected value="write">' in page
        assert 'value="soon"' in page

    def test_answers_htmx_with_the_panel(self, client_as: ClientAs) -> None:
        answer = client_as("member").post(PATH, data={"name": ""}, htmx=True)

        assert answer.status_code == 422
        assert answer.text.lstrip().startswith('<section class="panel" id="tokens"')

    def test_answers_scripts_in_json(self, client_as: ClientAs) -> None:
        answer = client_as("member").post(PATH, json={"name": "x", "days": -1}, headers=JSON)

        assert answer.status_code == 422
        assert answer.json is not None
        assert list(answer.json["error"]["fields"]) == ["days"]

    def test_names_the_limit_when_one_has_too_many(
        self, client_as: ClientAs, member: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = client_as("member")
        make(member)
        monkeypatch.setattr(tokens, "LIVE_TOKENS", 1)

        answer = create(client)

        assert answer.status_code == 400
        assert "Revoke one first." in answer.text

    def test_needs_the_forms_token(self, client_as: ClientAs, session: Session) -> None:
        answer = client_as("member").post(PATH, data={"name": "x"}, csrf=False)

        assert answer.status_code == 400
        assert session.scalar(select(func.count()).select_from(ApiToken)) == 0

    def test_needs_somebody_signed_in(self, client: SiteClient) -> None:
        client.csrf_token = client.read_token("/login")

        assert create(client).location == "/login"

    @pytest.mark.parametrize("path", [PATH, f"{PATH}/1/revoke"])
    def test_is_a_405_for_other_methods(self, client_as: ClientAs, path: str) -> None:
        assert client_as("member").get(path).status_code == 405

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"data": {"name": "n" * MB}},
            {"data": {"name": "n" * 300_000}},
            {"data": {"name": "a\x00b"}},
            {"data": {"name": "\x1b[31m"}},
            {"data": {"name": "n", "days": "²"}},
            {"json": {"name": "n" * MB}},
            {"json": {"name": "n", "days": 10.0}},
            {"json": {"name": "n", "days": True}},
            {"json": {"name": {"a": 1}}},
            {"json": {"name": "\ud800"}},
            {"json": None},
            {"data": "[" * 100_000, "content_type": "application/json"},
        ],
        ids=lambda body: f"{str(body)[:40]!a}",
    )
    @pytest.mark.parametrize("headers", [JSON, {}], ids=["json", "page"])
    def test_survives_any_body(
        self,
        client_as: ClientAs,
        session: Session,
        body: dict[str, object],
        headers: dict[str, str],
    ) -> None:
        answer = client_as("member").post(PATH, **body, headers=headers)

        assert 400 <= answer.status_code < 500
        assert session.scalar(select(func.count()).select_from(ApiToken)) == 0


class TestList:
    def test_shows_what_is_known_of_each(self, client_as: ClientAs, member: User) -> None:
        client = client_as("member")
        token = make(member, name="<b>Nightly</b>", scope="read", days="3650")

        page = client.get("/dashboard").text

        assert "&lt;b&gt;Nightly&lt;/b&gt;" in page
        assert token.prefix in page
        assert "never used" in page
        assert token.expires_at is not None
        assert f"ends {token.expires_at:%b} {token.expires_at.day}, 20" in page

    def test_leaves_out_other_peoples(self, client_as: ClientAs, admin: User) -> None:
        client = client_as("member")
        make(admin, name="Of an admin")

        assert "Of an admin" not in client.get("/dashboard").text

    def test_leaves_out_what_has_ended(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        client = client_as("member")
        token = make(member, name="Gone by now")
        client.post(f"{PATH}/{token.id}/revoke")
        client.get("/dashboard")  # shows the message

        assert "Gone by now" not in client.get("/dashboard").text


class TestRevoke:
    def test_ends_it(self, client_as: ClientAs, member: User, session: Session) -> None:
        client = client_as("member")
        token = make(member)

        answer = client.post(f"{PATH}/{token.id}/revoke")

        assert (answer.status_code, answer.location) == (303, "/dashboard")
        assert only(session).revoked_at is not None
        assert "Revoked the token “Nightly”." in client.get("/dashboard").text

    def test_is_fine_twice(self, client_as: ClientAs, member: User, session: Session) -> None:
        client = client_as("member")
        token = make(member)

        answers = [client.post(f"{PATH}/{token.id}/revoke").status_code for _ in range(2)]

        actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id))
        assert answers == [303, 303]
        assert list(actions) == ["token.created", "token.revoked"]

    def test_answers_htmx_with_the_panel(self, client_as: ClientAs, member: User) -> None:
        client = client_as("member")
        token = make(member)

        answer = client.post(f"{PATH}/{token.id}/revoke", htmx=True)

        assert answer.status_code == 200
        assert answer.text.lstrip().startswith('<section class="panel" id="tokens"')
        assert "Nightly" not in answer.text
        assert "Revoked the token" in answer.headers["HX-Trigger"]

    def test_answers_scripts_in_json(self, client_as: ClientAs, member: User) -> None:
        client = client_as("member")
        token = make(member)

        answer = client.post(f"{PATH}/{token.id}/revoke", headers=JSON)

        assert answer.status_code == 200
        assert answer.json is not None
        assert answer.json["data"]["revoked_at"]

    @pytest.mark.parametrize("number", ["0", "99999", "2147483648", "9" * 40, "x", "-1", "1.0"])
    def test_is_not_found_when_there_is_none(self, client_as: ClientAs, number: str) -> None:
        assert client_as("member").post(f"{PATH}/{number}/revoke").status_code == 404

    @pytest.mark.parametrize("who", ["member", "owner"])
    def test_is_not_found_when_it_is_somebody_elses(
        self, client_as: ClientAs, admin: User, session: Session, who: str
    ) -> None:
        client = client_as(who)
        token = make(admin)

        assert client.post(f"{PATH}/{token.id}/revoke").status_code == 404
        assert only(session).revoked_at is None

    def test_needs_the_forms_token(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        client = client_as("member")
        token = make(member)

        assert client.post(f"{PATH}/{token.id}/revoke", csrf=False).status_code == 400
        assert only(session).revoked_at is None
