"""What `/api/admin` says when the database fails: R-002-25, R-002-30, R-002-35."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError

from adminsite.db import db
from adminsite.models import User
from tests.api.scripts import ScriptAs
from tests.client import SiteClient

SECRET = "SELECT secret FROM users"
READS = [("GET", "/api/admin/users"), ("GET", "/api/admin/users/{id}"), ("GET", "/api/admin/stats")]
ROUTES = [
    *READS,
    ("PATCH", "/api/admin/users/{id}"),
    ("POST", "/api/admin/credits/adjust"),
    ("GET", "/admin/api/admins"),
    ("POST", "/admin/api/admins"),
]
CAUSES: list[tuple[DBAPIError, int]] = [
    (OperationalError(SECRET, {}, sqlite3.OperationalError("disk I/O error")), 500),
    (OperationalError(SECRET, {}, sqlite3.OperationalError("database is locked")), 503),
    (OperationalError(SECRET, {}, psycopg.errors.AdminShutdown("gone")), 503),
    (ProgrammingError(SECRET, {}, psycopg.errors.UndefinedTable("no table users")), 500),
    (InterfaceError(SECRET, {}, psycopg.InterfaceError("the connection is closed")), 500),
]


@pytest.fixture
def fail(app: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Exception], None]]:
    """Let every statement from now on raise, but for those that say who asks."""
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", 0)

    def start(cause: Exception) -> None:
        def refuse(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            if "token_hash" not in statement and statement[:5] != "BEGIN":
                raise cause

        event.listen(db.engine, "before_cursor_execute", refuse)
        refusing.append(refuse)

    refusing: list[Any] = []
    yield start
    for listener in refusing:
        event.remove(db.engine, "before_cursor_execute", listener)


def body_for(path: str, user: User) -> dict[str, Any]:
    if path.endswith("adjust"):
        return {"userId": str(user.id), "amount": 1, "reason": "Goodwill"}
    if path.endswith("admins"):
        return {"email": "ann@example.com", "full_name": "Ann", "role": "support"}
    return {"subscription_tier": "pro"}


class TestFailure:
    @pytest.mark.parametrize("failure", CAUSES, ids=lambda failure: repr(failure[0].orig)[:40])
    @pytest.mark.parametrize("route", ROUTES, ids=" ".join)
    def test_is_told_in_the_envelope_without_sql(
        self,
        fail: Callable[[Exception], None],
        script_as: ScriptAs,
        member: User,
        route: tuple[str, str],
        failure: tuple[DBAPIError, int],
    ) -> None:
        (verb, path), (cause, status) = route, failure
        script = script_as("owner")
        sent = {"Authorization": f"Bearer {script.token}"}
        body = body_for(path, member) if verb != "GET" else None
        address = path.format(id=member.id)
        script.client.get(address, headers=sent)
        fail(cause)

        answer = script.client.open(address, method=verb, headers=sent, json=body)

        assert (answer.status_code, answer.content_type) == (status, "application/json")
        assert "secret" not in answer.text
        assert "users" not in answer.text
        assert answer.json is not None
        assert answer.json["reference"] == answer.headers["X-Request-ID"]

    def test_has_message_code_and_details(
        self, fail: Callable[[Exception], None], api_as: ScriptAs
    ) -> None:
        script = api_as("owner")
        sent = {"Authorization": f"Bearer {script.token}"}
        fail(CAUSES[0][0])

        answer = script.client.get("/api/admin/users", headers=sent)

        assert answer.json == {
            "error": "Something went wrong on our side, and it has been recorded.",
            "code": "INTERNAL",
            "details": {},
            "reference": answer.headers["X-Request-ID"],
        }

    def test_of_a_moment_says_when_to_try_again(
        self, fail: Callable[[Exception], None], api_as: ScriptAs
    ) -> None:
        script = api_as("owner")
        sent = {"Authorization": f"Bearer {script.token}"}
        fail(CAUSES[1][0])

        answer = script.client.get("/api/admin/users", headers=sent)

        assert answer.headers["Retry-After"] == "5"

    def test_while_asking_who_it_is_is_told_too(
        self, client: SiteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_args: object) -> None:
            raise CAUSES[1][0]

        monkeypatch.setattr("adminsite.auth._one", refuse)

        answer = client.get("/api/admin/users", headers={"Authorization": "Bearer x"})

        assert answer.status_code == 503
        assert answer.json is not None
        assert answer.json["code"] == "UNAVAILABLE"
