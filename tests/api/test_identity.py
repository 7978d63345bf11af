"""Who may ask `/api/admin` for what: R-002-11 to R-002-15, D-8."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from adminsite.db import utc_now
from adminsite.models import Admin, ApiToken, AuditEvent, User
from tests.api.scripts import ScriptAs, coded, make_token
from tests.client import SiteClient

ClientAs = Callable[[str | User], SiteClient]
SOMEBODY = "00000000-0000-4000-8000-000000000000"
READS = ["/api/admin/users", f"/api/admin/users/{SOMEBODY}", "/api/admin/stats"]
WRITES = [("PATCH", f"/api/admin/users/{SOMEBODY}"), ("POST", "/api/admin/credits/adjust")]
ADDRESSES = [*READS, "/api/admin/credits/adjust", "/api/admin", "/api/admin/nothing"]
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def change(session: Session, statement: Any) -> None:
    session.execute(statement, execution_options={"audited": True})
    session.commit()


class TestNobody:
    @pytest.mark.parametrize("path", ADDRESSES)
    @pytest.mark.parametrize("verb", VERBS)
    def test_is_told_so_whatever_the_verb(self, client: SiteClient, path: str, verb: str) -> None:
        answer = client.open(path, method=verb)

        assert answer.status_code == 401
        assert coded(answer)["code"] == "NO_USER"
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize("path", ADDRESSES)
    def test_is_told_so_without_a_body_for_head(self, client: SiteClient, path: str) -> None:
        answer = client.head(path)

        assert (answer.status_code, answer.data) == (401, b"")

    @pytest.mark.parametrize("path", READS)
    def test_is_whoever_sends_a_token_that_is_none(self, client: SiteClient, path: str) -> None:
        answer = client.get(path, headers={"Authorization": "Bearer adm_none"})

        assert answer.status_code == 401
        assert coded(answer)["code"] == "NO_USER"

    @pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
    def test_is_whoever_sends_a_token_that_was_ended(
        self, api_as: ScriptAs, session: Session, column: str
    ) -> None:
        script = api_as("owner")
        change(session, update(ApiToken).values({column: utc_now() - timedelta(seconds=1)}))

        assert script.error("GET", "/users", status=401)["code"] == "NO_USER"

    def test_is_somebody_who_was_deleted(self, api_as: ScriptAs, session: Session) -> None:
        script = api_as("owner")
        change(session, delete(Admin))
        change(session, delete(User))

        assert script.error("GET", "/users", status=401)["code"] == "NO_USER"


class TestMember:
    @pytest.mark.parametrize("path", ADDRESSES)
    @pytest.mark.parametrize("verb", VERBS)
    def test_is_refused_with_the_words_of_the_requirement(
        self, script_as: ScriptAs, path: str, verb: str
    ) -> None:
        script = script_as("member")
        script.root = ""

        refusal = coded(script.ask(verb, path))

        assert refusal["code"] == "NOT_ADMIN"
        assert "Forbidden: Admin access required" in refusal["error"]

    def test_is_refused_by_session_too(self, client_as: ClientAs) -> None:
        answer = client_as("member").get("/api/admin/users")

        assert answer.status_code == 403
        assert "Forbidden: Admin access required" in coded(answer)["error"]

    def test_is_staff_who_was_suspended(self, api_as: ScriptAs, session: Session) -> None:
        script = api_as("admin")
        change(session, update(Admin).values(status="suspended"))

        assert script.error("GET", "/users", status=403)["code"] == "NOT_ADMIN"


class TestSupport:
    @pytest.mark.parametrize("path", ["/users", "/stats"])
    def test_reads(self, api_as: ScriptAs, path: str) -> None:
        assert api_as("support").data("GET", path)

    def test_reads_one_person(self, api_as: ScriptAs, member: User) -> None:
        assert api_as("support").data("GET", f"/users/{member.id}")["profile"]

    @pytest.mark.parametrize(("verb", "path"), WRITES)
    def test_does_not_write(self, script_as: ScriptAs, verb: str, path: str) -> None:
        script = script_as("support")
        script.root = ""

        answer = script.ask(verb, path, {})

        assert answer.status_code == 403
        refusal = coded(answer)
        assert refusal["code"] == "NOT_ADMIN"
        assert refusal["error"] == (
            "Forbidden: Admin access required. This needs an admin; you are signed in as support."
        )


class TestAdmin:
    def test_is_one_by_role_alone(self, api_as: ScriptAs, member: User, session: Session) -> None:
        script = api_as(member)
        change(session, update(User).where(User.id == member.id).values(role="admin"))

        assert script.data("GET", "/stats")

    def test_acts_in_their_own_name(
        self, api_as: ScriptAs, admin: User, member: User, session: Session
    ) -> None:
        body = {"userId": str(member.id), "amount": 5, "reason": "Goodwill"}

        api_as("admin").data("POST", "/credits/adjust", body)

        event = session.query(AuditEvent).filter_by(action="credits.adjusted").one()
        assert (event.actor_id, event.actor_level) == (admin.id, "admin")


class TestToken:
    @pytest.mark.parametrize("path", ["/users", "/stats"])
    def test_for_reading_reads(self, api_as: ScriptAs, path: str) -> None:
        assert api_as("owner", scope="read").data("GET", path)

    @pytest.mark.parametrize(("verb", "path"), WRITES)
    def test_for_reading_does_not_write(self, script_as: ScriptAs, verb: str, path: str) -> None:
        script = script_as("owner", scope="read")
        script.root = ""

        answer = script.ask(verb, path, {})

        assert answer.status_code == 403
        assert "may only read" in coded(answer)["error"]

    def test_needs_no_csrf_token(self, api_as: ScriptAs, member: User) -> None:
        script = api_as("owner")
        body = {"subscription_tier": "pro"}

        assert script.ask("PATCH", f"/users/{member.id}", body, csrf=False).status_code == 200


class TestSession:
    @pytest.mark.parametrize("path", ["/api/admin/users", "/api/admin/stats"])
    def test_reads(self, client_as: ClientAs, path: str) -> None:
        assert client_as("support").get(path).status_code == 200

    def test_writes_with_the_csrf_token(self, client_as: ClientAs, member: User) -> None:
        answer = client_as("admin").patch(
            f"/api/admin/users/{member.id}", json={"subscription_tier": "pro"}
        )

        assert answer.status_code == 200

    @pytest.mark.parametrize(("verb", "path"), WRITES)
    def test_does_not_write_without_it(self, client_as: ClientAs, verb: str, path: str) -> None:
        answer = client_as("owner").open(path, method=verb, json={}, csrf=False)

        assert answer.status_code == 400
        assert coded(answer)["code"] == "INVALID"

    def test_does_not_count_beside_a_token_that_is_none(self, client_as: ClientAs) -> None:
        sent = {"Authorization": "Bearer adm_none"}

        assert client_as("owner").get("/api/admin/users", headers=sent).status_code == 401

    def test_gives_way_to_the_token_of_somebody_else(
        self, client_as: ClientAs, member: User
    ) -> None:
        sent = {"Authorization": f"Bearer {make_token(member)}"}

        assert client_as("owner").get("/api/admin/users", headers=sent).status_code == 403


class TestVerb:
    @pytest.mark.parametrize(
        ("path", "allowed"),
        [
            ("/users", {"GET", "HEAD", "OPTIONS"}),
            (f"/users/{SOMEBODY}", {"GET", "HEAD", "OPTIONS", "PATCH"}),
            ("/credits/adjust", {"OPTIONS", "POST"}),
            ("/stats", {"GET", "HEAD", "OPTIONS"}),
        ],
    )
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_that_there_is_not_is_told_which_there_are(
        self, api_as: ScriptAs, path: str, allowed: set[str], slash: str
    ) -> None:
        script = api_as("owner")

        for verb in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"} - allowed:
            answer = script.ask(verb, path + slash, {})

            assert answer.status_code == 405, verb
            assert set(answer.headers["Allow"].split(", ")) == allowed
            assert coded(answer)["code"] == "METHOD_NOT_ALLOWED"

    @pytest.mark.parametrize("path", ["/users", "/stats"])
    def test_head_is_get_without_a_body(self, api_as: ScriptAs, path: str) -> None:
        script = api_as("support")
        sent = {"Authorization": f"Bearer {script.token}"}

        answer = script.client.head(script.root + path, headers=sent)

        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.content_type == "application/json"

    @pytest.mark.parametrize("path", ["/users", f"/users/{SOMEBODY}", "/credits/adjust", "/stats"])
    def test_options_names_the_verbs(self, api_as: ScriptAs, path: str) -> None:
        script = api_as("support")
        sent = {"Authorization": f"Bearer {script.token}"}

        answer = script.client.options(script.root + path, headers=sent)

        assert (answer.status_code, answer.data) == (200, b"")
        assert "OPTIONS" in answer.headers["Allow"]

    @pytest.mark.parametrize("path", ["", "/", "/nothing", "/users/x/y", "/credits", "/%00"])
    @pytest.mark.parametrize("verb", ["GET", "POST", "PATCH"])
    def test_at_no_address_is_not_found(self, api_as: ScriptAs, path: str, verb: str) -> None:
        assert api_as("owner").error(verb, path, {}, status=404)["code"] == "NOT_FOUND"
