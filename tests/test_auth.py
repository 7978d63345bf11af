"""Who a request comes from, and what becomes of whoever may not go on."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from adminsite import auth
from adminsite.db import WRITE, db, utc_now
from adminsite.models import Admin, User, UserSession
from adminsite.operations.sessions import digest
from adminsite.permissions import Level, level_of
from tests.client import SiteClient
from tests.factories import PASSWORD, save

ClientAs = Callable[[str | User], SiteClient]
JSON = {"Accept": "application/json"}

SAFE = [
    "/",
    "/admin",
    "/admin/links?search=a%20b&sort=slug",
    "/admin/links/5/edit#top",
    "/%2f%2fevil.example",
    "/admin/links?search=https://evil.example/",
]
UNSAFE = [
    None,
    "",
    "admin",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    " //evil.example",
    "/ /evil.example",
    "/admin\x00",
    "/admin\x85",
    "http://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "//[evil",
    "?next=/",
    "/" + "a" * 5000,
]


def change_session(session: Session, **values: Any) -> None:
    session.execute(update(UserSession).values(**values))
    session.commit()


class TestLevel:
    @pytest.mark.parametrize(
        ("role", "staff_role", "staff_status"),
        list(itertools.product(User.ROLES, (None, *Admin.ROLES), (None, *Admin.STATUSES))),
    )
    def test_is_the_staff_records_while_active(
        self, role: str, staff_role: str | None, staff_status: str | None
    ) -> None:
        level = level_of(role, staff_role, staff_status)

        if staff_role is None:
            assert level is (Level.ADMIN if role == "admin" else Level.NONE)
        else:
            assert level is (Level[staff_role.upper()] if staff_status == "active" else Level.NONE)


class TestSafeNext:
    @pytest.mark.parametrize("path", SAFE)
    def test_keeps_a_path_of_ours(self, path: str) -> None:
        assert auth.safe_next(path) == path

    @pytest.mark.parametrize("path", UNSAFE)
    def test_drops_everything_else(self, path: str | None) -> None:
        assert auth.safe_next(path) is None


class TestSignedOut:
    @pytest.mark.parametrize(
        "path", ["/admin", "/admin/", "/admin/links", "/dashboard", "/admin/x"]
    )
    def test_pages_lead_to_sign_in_and_back(self, client: SiteClient, path: str) -> None:
        answer = client.get(path)

        assert answer.status_code == 302
        assert answer.location == f"/login?next={path}"

    def test_the_way_back_keeps_the_query(self, client: SiteClient) -> None:
        answer = client.get("/admin/links?search=a&desc=1")

        assert answer.location == "/login?next=/admin/links?search%3Da%26desc%3D1"

    def test_htmx_is_sent_to_sign_in_and_back_to_the_page(self, client: SiteClient) -> None:
        page = {"HX-Current-URL": "http://localhost/admin/links?search=a"}

        answer = client.get("/admin/links/1/edit", htmx=True, headers=page)

        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"] == "/login?next=/admin/links?search%3Da"
        assert answer.text == ""

    def test_htmx_does_not_come_back_to_another_site(self, client: SiteClient) -> None:
        page = {"HX-Current-URL": "http://evil.example/admin"}

        answer = client.get("/admin/links", htmx=True, headers=page)

        assert answer.headers["HX-Redirect"] == "/login"

    @pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE"])
    def test_scripts_are_told(self, client: SiteClient, verb: str) -> None:
        answer = client.open("/admin/links/1", method=verb, headers=JSON)

        assert answer.status_code == 401
        error = {"message": "Sign in to go on.", "fields": {}}
        assert answer.json == {"success": False, "error": error}

    @pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE"])
    def test_each_json_family_has_its_envelope(self, client: SiteClient, verb: str) -> None:
        inner = client.open("/admin/api/admins", method=verb)
        outer = client.open("/api/admin/users", method=verb)

        assert (inner.status_code, outer.status_code) == (401, 401)
        assert inner.json is not None
        assert inner.json["success"] is False
        assert outer.json == {"error": "Sign in to go on.", "code": "NO_USER", "details": {}}

    def test_a_form_sent_too_late_leads_to_sign_in(self, client: SiteClient) -> None:
        answer = client.post(
            "/admin/links/delete/", headers={"Referer": "http://localhost/admin/links?desc=1"}
        )

        assert answer.status_code == 302
        assert answer.location == "/login?next=/admin/links?desc%3D1"

    def test_a_page_that_needs_a_person_leads_to_sign_in(
        self, app: Flask, client: SiteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.view_functions, "account.home", auth.current_person)

        assert client.get("/").location == "/login?next=/"


class TestWithoutLevel:
    @pytest.mark.parametrize("path", ["/admin", "/admin/links", "/admin/nothing/here"])
    def test_the_panel_is_refused_with_the_reason(self, client_as: ClientAs, path: str) -> None:
        answer = client_as("member").get(path)

        assert answer.status_code == 403
        assert "Your account is not a staff account." in answer.text
        assert "<html" in answer.text

    def test_a_fragment_is_refused_as_a_fragment(self, client_as: ClientAs) -> None:
        answer = client_as("member").get("/admin/links", htmx=True)

        assert answer.status_code == 403
        assert "<html" not in answer.text
        assert "staff account" in answer.headers["HX-Trigger"]

    def test_a_script_is_refused_in_json(self, client_as: ClientAs) -> None:
        answer = client_as("member").get("/admin/links", headers=JSON)

        assert answer.status_code == 403
        assert answer.json is not None
        assert answer.json["success"] is False

    def test_the_other_family_names_its_code(self, client_as: ClientAs) -> None:
        answer = client_as("member").get("/api/admin/users")

        assert answer.status_code == 403
        assert answer.json is not None
        assert answer.json["code"] == "NOT_ADMIN"


class TestOtherName:
    def test_staff_are_sent_on(self, client_as: ClientAs) -> None:
        client = client_as("support")

        assert client.get("/dashboard/admin").location == "/admin"
        assert client.get("/dashboard/admin/").location == "/admin/"
        assert client.get("/dashboard/admin/links?desc=1").location == "/admin/links?desc=1"

    def test_members_go_to_their_own_page(self, client_as: ClientAs) -> None:
        assert client_as("member").get("/dashboard/admin/users").location == "/dashboard"

    def test_the_signed_out_go_to_sign_in(self, client: SiteClient) -> None:
        answer = client.get("/dashboard/admin/users")

        assert answer.location == "/login?next=/dashboard/admin/users"


class TestSession:
    def test_cookie_holds_a_token_and_the_table_its_hash(
        self, client_as: ClientAs, session: Session
    ) -> None:
        client = client_as("admin")
        with client.session_transaction() as held:
            token = held["_user_id"]

        row = session.scalars(select(UserSession)).one()
        assert row.token_hash == digest(token)
        assert token not in row.token_hash

    def test_is_resolved_by_one_statement(self, app: Flask, client_as: ClientAs) -> None:
        client, seen = client_as("support"), []
        note = lambda *args: seen.append(args[2])  # noqa: E731

        event.listen(db.engine, "before_cursor_execute", note)
        client.get("/dashboard/admin")
        event.remove(db.engine, "before_cursor_execute", note)

        reading = [text for text in seen if "sessions" in text]
        assert len(reading) == 1
        assert "admins" in reading[0]

    def test_ends_at_its_limit_however_busy(self, client_as: ClientAs, session: Session) -> None:
        client = client_as("admin")
        change_session(session, expires_at=utc_now() - timedelta(seconds=1))

        assert client.get("/dashboard").status_code == 302

    def test_ends_when_it_was_idle_too_long(self, client_as: ClientAs, session: Session) -> None:
        client = client_as("admin")
        change_session(session, last_seen_at=utc_now() - timedelta(minutes=121))

        assert client.get("/dashboard").status_code == 302

    def test_stays_open_while_it_is_used(self, client_as: ClientAs, session: Session) -> None:
        client = client_as("admin")
        before = utc_now() - timedelta(minutes=100)
        change_session(session, last_seen_at=before)

        assert client.get("/dashboard").status_code == 200
        assert session.scalars(select(UserSession.last_seen_at)).one() > before

    def test_is_noted_at_most_once_a_minute(self, client_as: ClientAs, session: Session) -> None:
        client = client_as("admin")
        before = utc_now() - timedelta(seconds=50)
        change_session(session, last_seen_at=before)

        client.get("/dashboard")

        assert session.scalars(select(UserSession.last_seen_at)).one() == before

    def test_is_read_while_somebody_else_writes(
        self, client_as: ClientAs, session: Session
    ) -> None:
        client = client_as("admin")
        before = utc_now() - timedelta(minutes=5)
        change_session(session, last_seen_at=before)
        with db.engine.connect().execution_options(**{WRITE: True}) as other:
            other.execute(update(UserSession).values(ip="10.0.0.1"))

            assert client.get("/dashboard").status_code == 200
            other.rollback()

        assert session.scalars(select(UserSession.last_seen_at)).one() == before

    def test_ends_when_its_row_goes(self, client_as: ClientAs, session: Session) -> None:
        client = client_as("admin")
        session.delete(session.scalars(select(UserSession)).one())
        session.commit()

        assert client.get("/dashboard").status_code == 302

    def test_ends_with_the_person(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        client = client_as("member")
        session.delete(session.get_one(User, member.id))
        session.flush()
        session.info.clear()
        session.commit()

        assert client.get("/dashboard").status_code == 302

    def test_loses_the_panel_with_suspension(
        self, client_as: ClientAs, admin: User, session: Session
    ) -> None:
        client = client_as("admin")
        staff = session.scalars(select(Admin)).one()
        staff.status = "suspended"
        save(staff)

        assert client.get("/admin/links").status_code == 403

    @pytest.mark.parametrize("cookie", ["", "x", "eyJfdXNlcl9pZCI6Im1lIn0.aaaa.bbbb", "é"])
    def test_is_none_with_a_forged_cookie(
        self, app: Flask, client: SiteClient, cookie: str
    ) -> None:
        client.set_cookie(app.config["SESSION_COOKIE_NAME"], cookie)

        assert client.get("/dashboard").status_code == 302

    def test_cookie_stays_with_the_browser(self, client: SiteClient, member: User) -> None:
        cookie = client.sign_in(member.email, PASSWORD).headers["Set-Cookie"]

        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie


@pytest.mark.parametrize(
    "headers", [{"HX-Request": "true", "HX-Current-URL": "http://["}, {"Referer": "http://["}]
)
def test_an_address_that_is_none_is_no_way_back(
    client: SiteClient, headers: dict[str, str]
) -> None:
    answer = client.post("/admin/links", headers=headers)

    assert answer.status_code in {302, 401}
