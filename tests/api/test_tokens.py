"""Who a token signs in, where, and for what."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from adminsite import auth
from adminsite.db import WRITE, db, transaction, utc_now
from adminsite.models import Admin, ApiToken, AuditEvent, User
from adminsite.operations import tokens
from tests.api.scripts import Script, ScriptAs, make_token, refusal
from tests.client import SiteClient
from tests.factories import save
from tests.lists import statements
from tests.people import acting

ClientAs = Callable[[str | User], SiteClient]
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
ADDRESSES = ("/admin/api", "/admin/api/admins", "/admin/api/admins/1/role", "/admin/api/nothing")
NONE = ("", "x", "adm_", "adm_" + "x" * 43, "é", "a b", "a=b", "x" * 5000, "null")


def change_tokens(session: Session, **values: Any) -> None:
    session.execute(update(ApiToken).values(**values), execution_options={"audited": True})
    session.commit()


def last_used(session: Session) -> Any:
    session.rollback()
    return session.scalars(select(ApiToken.last_used_at)).one()


class TestToken:
    def test_signs_a_script_in_without_a_cookie(self, script_as: ScriptAs) -> None:
        script = script_as("owner")

        data = script.data("GET", "/admins")

        assert data["total"] == 1
        assert script.client.cookies() == {}

    def test_needs_no_csrf_token(self, script_as: ScriptAs) -> None:
        new = {"email": "ann@example.com", "full_name": "Ann", "role": "support"}

        assert script_as("owner").ask("POST", "/admins", new, csrf=False).status_code == 201

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_is_taken_however_its_scheme_is_written(
        self, client: SiteClient, owner: User, scheme: str
    ) -> None:
        sent = {"Authorization": f"{scheme}  {make_token(owner)} "}

        assert client.get("/admin/api/admins", headers=sent).status_code == 200

    @pytest.mark.parametrize("token", NONE)
    @pytest.mark.parametrize("path", ["/admin/api/admins", "/admin/api/nothing"])
    def test_that_is_none_is_refused(self, client: SiteClient, token: str, path: str) -> None:
        answer = client.get(path, headers={"Authorization": f"Bearer {token}"})

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert refusal(answer)["message"] == auth.NOT_VALID

    @pytest.mark.parametrize("verb", VERBS)
    def test_that_is_none_is_refused_whatever_the_verb(self, client: SiteClient, verb: str) -> None:
        sent = {"Authorization": "Bearer x"}

        statuses = {client.open(p, method=verb, headers=sent).status_code for p in ADDRESSES}

        assert statuses == {401}

    def test_that_is_none_is_refused_in_the_other_family(self, client: SiteClient) -> None:
        answer = client.get("/api/admin/users", headers={"Authorization": "Bearer x"})

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json == {"error": auth.NOT_VALID, "code": "NO_USER", "details": {}}

    def test_that_has_expired_is_refused(self, script_as: ScriptAs, session: Session) -> None:
        script = script_as("owner", days="1")
        assert script.ask("GET", "/admins").status_code == 200
        change_tokens(session, expires_at=utc_now() - timedelta(seconds=1))

        assert script.error("GET", "/admins", status=401)["message"] == auth.NOT_VALID

    def test_that_was_revoked_is_refused(
        self, script_as: ScriptAs, owner: User, session: Session
    ) -> None:
        script = script_as("owner")
        with transaction():
            tokens.revoke(session.scalars(select(ApiToken)).one(), by=acting(owner))

        assert script.ask("GET", "/admins").status_code == 401

    def test_ends_with_the_person(
        self, script_as: ScriptAs, member: User, session: Session
    ) -> None:
        script = script_as("member")
        session.delete(session.get_one(User, member.id))
        session.flush()
        session.info.clear()
        session.commit()

        assert script.ask("GET", "/admins").status_code == 401

    def test_is_stored_as_its_hash_only(self, owner: User, session: Session) -> None:
        secret = make_token(owner)

        row = session.scalars(select(ApiToken)).one()
        assert secret not in {str(value) for value in vars(row).values()}

    def test_names_its_person_in_the_audit(
        self, script_as: ScriptAs, owner: User, admin: User, session: Session
    ) -> None:
        sent = {"User-Agent": "curl/8", "X-Request-ID": "request-1"}
        script = script_as("owner")

        script.ask("PUT", f"/admins/{_record(session, admin)}", {"full_name": "B"}, headers=sent)

        event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert event is not None
        assert (event.actor_id, event.actor_email) == (owner.id, owner.email)
        assert (event.user_agent, event.request_id) == ("curl/8", "request-1")

    def test_is_resolved_by_one_statement(self, script_as: ScriptAs) -> None:
        script = script_as("owner")
        script.ask("GET", "/nowhere")

        with statements() as sent:
            script.ask("GET", "/nowhere")

        assert len(sent) == 1


class TestLevel:
    @pytest.mark.parametrize(
        ("who", "status"), [("member", 403), ("support", 403), ("admin", 403), ("owner", 200)]
    )
    def test_is_the_persons(self, script_as: ScriptAs, who: str, status: int) -> None:
        assert script_as(who).ask("GET", "/admins").status_code == status

    def test_is_looked_up_each_time(self, script_as: ScriptAs, session: Session) -> None:
        script = script_as("owner")
        assert script.ask("GET", "/admins").status_code == 200
        staff = session.scalars(select(Admin)).one()
        staff.status = "suspended"
        save(staff)

        assert script.ask("GET", "/admins").status_code == 403


class TestScope:
    @pytest.mark.parametrize("verb", ["GET", "HEAD", "OPTIONS"])
    def test_of_reading_reads(self, client: SiteClient, owner: User, verb: str) -> None:
        sent = {"Authorization": f"Bearer {make_token(owner, scope='read')}"}

        answer = client.open("/admin/api/admins", method=verb, headers=sent)

        assert answer.status_code == 200

    @pytest.mark.parametrize("verb", UNSAFE)
    @pytest.mark.parametrize("path", ["/admins", "/admins/1", "/nothing"])
    def test_of_reading_changes_nothing(
        self, script_as: ScriptAs, session: Session, verb: str, path: str
    ) -> None:
        script = script_as("owner", scope="read")
        new = {"email": "ann@example.com", "full_name": "Ann", "role": "support"}

        error = script.error(verb, path, new, status=403)

        assert error["message"] == auth.READ_ONLY
        assert session.scalars(select(User.email)).all() == ["owner@example.com"]


class TestUse:
    def test_is_noted(self, script_as: ScriptAs, session: Session) -> None:
        script = script_as("owner")
        assert last_used(session) is None

        script.ask("GET", "/admins")

        assert utc_now() - last_used(session) < timedelta(minutes=1)

    def test_is_noted_at_most_once_a_minute(self, script_as: ScriptAs, session: Session) -> None:
        script = script_as("owner")
        before = utc_now() - timedelta(seconds=50)
        change_tokens(session, last_used_at=before)

        script.ask("GET", "/admins")

        assert last_used(session) == before

    def test_is_noted_again_after_a_minute(self, script_as: ScriptAs, session: Session) -> None:
        script = script_as("owner")
        before = utc_now() - timedelta(seconds=61)
        change_tokens(session, last_used_at=before)

        script.ask("GET", "/admins")

        assert last_used(session) > before

    def test_is_not_waited_for_while_somebody_writes(
        self, script_as: ScriptAs, session: Session
    ) -> None:
        script = script_as("owner")
        with db.engine.connect().execution_options(**{WRITE: True}) as other:
            other.execute(update(ApiToken).values(name="Locked"))

            assert script.ask("GET", "/admins").status_code == 200
            other.rollback()

        assert last_used(session) is None


class TestCookie:
    def test_is_not_looked_at_beside_a_token(
        self, client_as: ClientAs, script_as: ScriptAs
    ) -> None:
        browser = client_as("owner")

        assert Script(browser, "x").ask("GET", "/admins").status_code == 401
        assert Script(browser, script_as("admin").token).ask("GET", "/admins").status_code == 403
        assert browser.get("/admin/api/admins").status_code == 200

    @pytest.mark.parametrize("sent", ["Basic b3duZXI6eA==", "Bearerx", "Token x", ""])
    def test_counts_beside_any_other_authorization(self, client_as: ClientAs, sent: str) -> None:
        answer = client_as("owner").get("/admin/api/admins", headers={"Authorization": sent})

        assert answer.status_code == 200

    @pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
    @pytest.mark.parametrize("token", [None, "", "nonsense"])
    def test_needs_the_csrf_token_for_a_change(
        self, client_as: ClientAs, admin: User, session: Session, verb: str, token: str | None
    ) -> None:
        path = "/admin/api/admins" + ("" if verb == "POST" else f"/{_record(session, admin)}")
        headers = {} if token is None else {"X-CSRFToken": token}
        new = {"email": "ann@example.com", "full_name": "Ann", "role": "support"}

        answer = client_as("owner").open(path, method=verb, json=new, headers=headers, csrf=False)

        assert answer.status_code == 400
        assert "out of date" in refusal(answer)["message"]
        assert session.scalars(select(AuditEvent)).all() == []

    def test_changes_with_the_csrf_token(
        self, client_as: ClientAs, admin: User, session: Session
    ) -> None:
        path = f"/admin/api/admins/{_record(session, admin)}"

        answer = client_as("owner").put(path, json={"full_name": "B"})

        assert answer.status_code == 200

    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize("path", ADDRESSES)
    def test_without_one_nothing_is_told(self, client: SiteClient, verb: str, path: str) -> None:
        client.csrf_token = client.read_token("/login")

        for csrf in (True, False):
            answer = client.open(path, method=verb, csrf=csrf)

            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.is_json


class TestElsewhere:
    @pytest.mark.parametrize("path", ["/admin", "/admin/links", "/admin/apis", "/dashboard"])
    def test_a_token_opens_no_page(self, client: SiteClient, owner: User, path: str) -> None:
        sent = {"Authorization": f"Bearer {make_token(owner)}"}

        answer = client.get(path, headers=sent)

        assert answer.status_code == 302
        assert answer.location == f"/login?next={path}"

    def test_a_token_is_no_way_round_the_csrf_token(self, client_as: ClientAs, owner: User) -> None:
        sent = {"Authorization": f"Bearer {make_token(owner)}"}

        answer = client_as("owner").post("/admin/links", headers=sent, csrf=False)

        assert answer.status_code == 400

    def test_a_token_that_is_none_is_ignored(self, client_as: ClientAs) -> None:
        answer = client_as("owner").get("/admin", headers={"Authorization": "Bearer x"})

        assert answer.status_code == 200

    def test_a_token_is_no_session(self, app: Flask, owner: User) -> None:
        sent = {"Authorization": f"Bearer {make_token(owner)}"}

        with app.test_request_context("/admin/api/admins", headers=sent):
            assert auth.current_person().id == owner.id
            assert auth.current_session_id() is None


def _record(session: Session, user: User) -> int:
    session.rollback()
    return session.scalars(select(Admin.id).where(Admin.user_id == user.id)).one()
