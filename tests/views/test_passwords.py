"""Changing one's own password, and setting one by a one-time link."""

from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite import invitations, passwords
from adminsite.audit import AUDITED_DML
from adminsite.db import db, transaction, utc_now
from adminsite.models import AuditEvent, PasswordReset, User, UserSession
from adminsite.operations import credentials
from tests.client import SiteClient
from tests.factories import PASSWORD
from tests.mailbox import Mailbox
from tests.people import acting

ClientAs = Callable[[str | User], SiteClient]
NEW = "nine purple lampposts"
WRONG = "This is not your current password."
JSON = {"Accept": "application/json"}
HTTPS = "https://localhost"
PATH = "/dashboard/password"
MB = 1024 * 1024


def browser(app: Flask) -> SiteClient:
    return cast("SiteClient", app.test_client())


def change(
    client: SiteClient, current: str = PASSWORD, new: str = NEW, **how: object
) -> TestResponse:
    values = {"current_password": current, "new_password": new}
    return client.post(PATH, data=values, **how)


def opens(session: Session, user: User, password: str) -> bool:
    stored = session.scalar(select(User.password_hash).where(User.id == user.id))
    return passwords.matches(stored, password)


def count(session: Session, *where: object) -> int:
    return session.scalar(select(func.count()).select_from(UserSession).where(*where)) or 0  # type: ignore[arg-type]


def actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


class TestChange:
    def test_stores_the_new_password(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        answer = change(client_as("member"))

        assert (answer.status_code, answer.location) == (303, "/dashboard")
        assert opens(session, member, NEW)
        assert not opens(session, member, PASSWORD)

    def test_says_so_on_the_next_page(self, client_as: ClientAs) -> None:
        client = client_as("member")
        change(client)

        assert "Your password is changed." in client.get("/dashboard").text

    def test_signs_out_everywhere_else(self, client_as: ClientAs, member: User, app: Flask) -> None:
        other = browser(app)
        other.sign_in(member.email, PASSWORD)
        client = client_as("member")

        change(client)

        assert client.get("/dashboard").status_code == 200
        assert other.get("/dashboard").status_code == 302

    def test_leaves_other_peoples_sessions(
        self, client_as: ClientAs, owner: User, session: Session
    ) -> None:
        client_as("owner")

        change(client_as("member"))

        assert count(session, UserSession.user_id == owner.id) == 1

    def test_is_recorded_without_the_passwords(
        self, client_as: ClientAs, session: Session, member: User
    ) -> None:
        change(client_as("member"))

        events = session.scalars(select(AuditEvent)).all()
        assert [(event.action, event.actor_id) for event in events] == [
            ("password.changed", member.id)
        ]
        assert NEW not in str([vars(event) for event in events])

    def test_answers_htmx_with_an_empty_form_and_the_sessions(
        self, client_as: ClientAs, member: User, app: Flask
    ) -> None:
        browser(app).sign_in(member.email, PASSWORD)

        answer = change(client_as("member"), htmx=True)

        assert answer.status_code == 200
        assert answer.text.lstrip().startswith('<section class="panel" id="password"')
        assert 'hx-swap-oob="true"' in answer.text
        assert "Sign out there" not in answer.text
        assert "Your password is changed." in answer.headers["HX-Trigger"]

    def test_answers_scripts_in_json(self, client_as: ClientAs) -> None:
        answer = client_as("member").post(
            PATH, json={"current_password": PASSWORD, "new_password": NEW}, headers=JSON
        )

        assert (answer.status_code, answer.json) == (200, {"success": True, "data": {}})

    @pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
    def test_answers_with_and_without_slash(self, client_as: ClientAs, path: str) -> None:
        assert client_as("member").post(path).status_code == 422


class TestRefusedChange:
    def test_says_that_the_current_one_is_wrong(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        answer = change(client_as("member"), current="not-the-password")

        assert answer.status_code == 422
        assert WRONG in answer.text
        assert "<h1>Your account</h1>" in answer.text
        assert opens(session, member, PASSWORD)

    def test_says_why_the_new_one_will_not_do(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        answer = change(client_as("member"), new="short", htmx=True)

        assert answer.status_code == 422
        assert answer.text.lstrip().startswith('<section class="panel" id="password"')
        assert "Use at least 10 characters." in answer.text
        assert actions(session) == []

    def test_repeats_no_password(self, client_as: ClientAs) -> None:
        answer = change(client_as("member"), current="tried-this-one", new="short")

        assert "tried-this-one" not in answer.text
        assert 'value="short"' not in answer.text

    def test_is_told_to_scripts_in_json(self, client_as: ClientAs) -> None:
        answer = change(client_as("member"), current="x", headers=JSON)

        assert answer.status_code == 422
        error = {"message": WRONG, "fields": {"current_password": WRONG}}
        assert answer.json == {"success": False, "error": error}

    def test_is_of_a_password_that_changed_meanwhile(
        self, client_as: ClientAs, member: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = client_as("member")

        def overtake(_stored: str | None, _password: str) -> bool:
            with db.engine.begin() as connection:
                connection.execute(update(User).values(password_hash="another"))
            return True

        monkeypatch.setattr(passwords, "matches", overtake)

        assert change(client).status_code == 409

    def test_is_of_somebody_without_a_password(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        client = client_as("member")
        session.execute(
            update(User).values(password_hash=None), execution_options={AUDITED_DML: True}
        )
        session.commit()

        assert change(client, current="").status_code == 422

    def test_comes_without_the_forms_token(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        assert change(client_as("member"), csrf=False).status_code == 400
        assert opens(session, member, PASSWORD)

    def test_needs_somebody_signed_in(self, client: SiteClient) -> None:
        client.csrf_token = client.read_token("/login")

        assert change(client).location == "/login"
        assert change(client, headers=JSON).status_code == 401

    def test_is_a_405_for_other_methods(self, client_as: ClientAs) -> None:
        answer = client_as("member").get(PATH)

        assert answer.status_code == 405
        assert "POST" in answer.headers["Allow"]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"data": {}},
            {"data": {"current_password": "x" * MB}},
            {"data": {"current_password": PASSWORD, "new_password": "y" * 300_000}},
            {"data": {"current_password": "\x00", "new_password": "\ud7ff"}},
            {"json": {}},
            {"json": []},
            {"json": {"current_password": 5}},
            {"json": {"current_password": None, "new_password": ["a", "b"]}},
            {"json": {"current_password": PASSWORD, "new_password": "z" * MB}},
            {"data": "{", "content_type": "application/json"},
        ],
        ids=lambda body: f"{str(body)[:50]}",
    )
    def test_survives_any_body(
        self, client_as: ClientAs, member: User, session: Session, body: dict[str, object]
    ) -> None:
        answer = client_as("member").post(PATH, **body, headers=JSON)

        assert 400 <= answer.status_code < 500
        assert answer.json is not None
        assert opens(session, member, PASSWORD)


class TestLimit:
    def test_refuses_the_eleventh_wrong_password(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        client = client_as("member")

        answers = [change(client, current=f"wrong {n}") for n in range(10)]
        last = change(client)

        assert {answer.status_code for answer in answers} == {422}
        assert last.status_code == 429
        assert 1 <= int(last.headers["Retry-After"]) <= 900
        assert "Too many tries to change your password. Wait" in last.text
        assert opens(session, member, PASSWORD)

    def test_is_each_persons_own(self, client_as: ClientAs) -> None:
        client = client_as("member")
        for n in range(11):
            change(client, current=f"wrong {n}")

        assert change(client_as("support")).status_code == 303

    def test_keeps_nobody_from_signing_in(
        self, client_as: ClientAs, member: User, app: Flask
    ) -> None:
        client = client_as("member")
        for n in range(11):
            change(client, current=f"wrong {n}")

        assert browser(app).sign_in(member.email, PASSWORD).status_code == 303

    def test_does_not_count_right_passwords(self, client_as: ClientAs) -> None:
        client = client_as("member")

        answers = [change(client, new="short") for _ in range(12)]

        assert {answer.status_code for answer in answers} == {422}

    def test_is_told_to_htmx_and_scripts(self, client_as: ClientAs) -> None:
        client = client_as("member")
        for n in range(10):
            change(client, current=f"wrong {n}")

        part, data = change(client, htmx=True), change(client, headers=JSON)

        assert (part.status_code, part.headers["HX-Reswap"]) == (429, "none")
        assert data.status_code == 429
        assert data.json is not None
        assert data.headers["Retry-After"].isdecimal()


@pytest.fixture
def link(owner: User, member: User) -> str:
    """The path of a one-time link for the member."""
    return f"/set-password/{issue(owner, member)}"


def issue(owner: User, user: User) -> str:
    with transaction():
        return credentials.issue_reset(user, by=acting(owner))


def visit(client: SiteClient, link: str, new: str = NEW, **how: object) -> TestResponse:
    client.csrf_token = client.read_token(link) or client.read_token("/login")
    return client.post(link, data={"new_password": new}, **how)


class TestOneTimePage:
    def test_says_whose_password_it_sets(self, client: SiteClient, link: str) -> None:
        page = client.get(link)

        assert page.status_code == 200
        assert "Member Person" in page.text
        assert "member@example.com" in page.text

    def test_is_found_with_a_slash_too(self, client: SiteClient, link: str) -> None:
        assert client.get(f"{link}/").status_code == 200

    def test_works_any_number_of_times_until_it_is_used(
        self, client: SiteClient, link: str, session: Session
    ) -> None:
        assert [client.get(link).status_code for _ in range(3)] == [200] * 3
        assert session.scalar(select(func.count()).select_from(PasswordReset)) == 1

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_keeps_its_address_to_itself(self, client: SiteClient, link: str, method: str) -> None:
        client.csrf_token = client.read_token("/login")

        answer = client.open(link, method=method)

        assert answer.headers.getlist("Referrer-Policy") == ["strict-origin"]
        assert answer.headers["Cache-Control"] == "no-store"

    def test_names_nobody_when_refused_without_csrf(self, client: SiteClient, link: str) -> None:
        answer = client.post(link, data={"new_password": NEW})

        assert answer.status_code == 400
        assert answer.headers.getlist("Referrer-Policy") == ["strict-origin"]
        assert "member@example.com" not in answer.text

    def test_leaves_the_policy_of_other_pages(self, client: SiteClient) -> None:
        assert client.get("/login").headers.getlist("Referrer-Policy") == ["same-origin"]

    def test_shows_whoever_is_signed_in_that_it_ends(self, client_as: ClientAs, link: str) -> None:
        page = client_as("support").get(link)

        assert page.status_code == 200
        assert "In this browser Support Person is signed in." in page.text
        assert "is signed in." not in client_as("member").get(link).text

    @pytest.mark.parametrize(
        "token",
        ["x", "0" * 43, "..", "%00", "%ff", "%F0%9F%98%80", "a b", "'; --", "x" * MB],
        ids=lambda token: token[:20],
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_is_not_found_without_a_link(
        self, client: SiteClient, app: Flask, token: str, method: str
    ) -> None:
        client.csrf_token = client.read_token("/login")

        answer = client.open(f"/set-password/{token}", method=method, data={"new_password": NEW})

        assert answer.status_code == 404
        assert len(answer.text) < 100_000

    def test_is_not_found_after_an_hour(
        self, client: SiteClient, link: str, session: Session
    ) -> None:
        session.execute(
            update(PasswordReset).values(expires_at=utc_now() - timedelta(seconds=1)),
            execution_options={AUDITED_DML: True},
        )
        session.commit()

        page = client.get(link)

        assert page.status_code == 404
        assert "used already, or is older than an hour" in page.text

    def test_takes_no_other_method(self, client: SiteClient, link: str) -> None:
        client.csrf_token = client.read_token("/login")

        answer = client.put(link)

        assert answer.status_code == 405
        assert "POST" in answer.headers["Allow"]


class TestSetByLink:
    def test_stores_the_password_and_leads_to_the_sign_in(
        self, client: SiteClient, link: str, member: User, session: Session
    ) -> None:
        answer = visit(client, link)

        assert (answer.status_code, answer.location) == (303, "/login")
        assert "Your password is set. Sign in." in client.get("/login").text
        assert opens(session, member, NEW)

    def test_works_over_https_from_a_page_that_tells_its_origin_alone(
        self, client: SiteClient, link: str
    ) -> None:
        client.csrf_token = client.read_token(link)

        answer = client.post(
            link, data={"new_password": NEW}, base_url=HTTPS, headers={"Referer": f"{HTTPS}/"}
        )

        assert answer.status_code == 303

    def test_works_once(self, app: Flask, link: str, member: User, session: Session) -> None:
        visit(browser(app), link)

        again = visit(browser(app), link, "another set of words")

        assert again.status_code == 404
        assert opens(session, member, NEW)

    def test_ends_every_session_of_the_person(
        self, app: Flask, client_as: ClientAs, link: str, member: User, session: Session
    ) -> None:
        elsewhere = client_as("member")

        visit(browser(app), link)

        assert elsewhere.get("/dashboard").status_code == 302
        assert count(session, UserSession.user_id == member.id) == 0

    def test_ends_the_session_of_this_browser_whoevers_it_is(
        self, client_as: ClientAs, link: str, session: Session, support: User
    ) -> None:
        client = client_as("support")

        visit(client, link)

        assert client.get("/admin").status_code == 302
        assert count(session, UserSession.user_id == support.id) == 0
        assert sorted(actions(session)[-2:]) == ["password.changed", "session.signed_out"]

    def test_ends_ones_own_session_too(
        self, client_as: ClientAs, link: str, session: Session
    ) -> None:
        client = client_as("member")

        assert visit(client, link).status_code == 303
        assert client.get("/dashboard").status_code == 302
        assert actions(session)[-1] == "password.changed"

    def test_keeps_the_link_when_the_password_will_not_do(
        self, client: SiteClient, link: str, member: User, session: Session
    ) -> None:
        refused = visit(client, link, "short")

        assert refused.status_code == 422
        assert "Use at least 10 characters." in refused.text
        assert opens(session, member, PASSWORD)
        assert visit(client, link).status_code == 303

    def test_keeps_the_session_when_the_password_will_not_do(
        self, client_as: ClientAs, link: str
    ) -> None:
        client = client_as("support")

        visit(client, link, "short")

        assert client.get("/admin").status_code == 200

    def test_answers_scripts_in_json(self, client: SiteClient, link: str) -> None:
        refused = visit(client, link, "short", headers=JSON)
        done = visit(client, link, headers=JSON)
        again = visit(client, link, headers=JSON)

        assert [answer.status_code for answer in (refused, done, again)] == [422, 200, 404]
        assert refused.json is not None
        assert refused.json["error"]["fields"] == {"new_password": "Use at least 10 characters."}
        assert again.json is not None
        assert "used already" in again.json["error"]["message"]

    def test_needs_the_forms_token(
        self, client: SiteClient, link: str, member: User, session: Session
    ) -> None:
        answer = client.post(link, data={"new_password": NEW}, csrf=False)

        assert answer.status_code == 400
        assert opens(session, member, PASSWORD)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"data": {"new_password": "n" * MB}},
            {"data": {"new_password": "n" * 300_000}},
            {"json": {"new_password": "n" * MB}},
            {"json": {"new_password": 12345678901}},
            {"json": "words"},
            {"data": "\xff", "content_type": "application/json"},
        ],
        ids=lambda body: f"{str(body)[:50]}",
    )
    def test_survives_any_body(
        self, client: SiteClient, link: str, member: User, session: Session, body: dict[str, object]
    ) -> None:
        client.csrf_token = client.read_token(link)

        assert 400 <= client.post(link, **body).status_code < 500
        assert opens(session, member, PASSWORD)
        assert client.get(link).status_code == 200


class TestInvitation:
    def test_is_an_address_that_works(
        self, app: Flask, client: SiteClient, owner: User, member: User
    ) -> None:
        with app.test_request_context(base_url="https://go.example.com"):
            made = invitations.deliver(member, issue(owner, member))

        assert made.url.startswith("https://go.example.com/set-password/")
        assert not made.mailed
        assert client.get(made.url.removeprefix("https://go.example.com")).status_code == 200

    def test_is_mailed_to_the_person(
        self, app: Flask, mailbox: Mailbox, owner: User, member: User
    ) -> None:
        with app.test_request_context(base_url="https://go.example.com"):
            made = invitations.deliver(member, issue(owner, member))

        [message] = mailbox.messages
        assert made.mailed
        assert message["To"] == "member@example.com"
        assert made.url in message.get_content().splitlines()

    def test_says_when_the_server_did_not_take_it(
        self, app: Flask, mailbox: Mailbox, owner: User, member: User
    ) -> None:
        mailbox.refuse = "550 no"

        with app.test_request_context():
            made = invitations.deliver(member, issue(owner, member))

        assert made.url
        assert not made.mailed
