"""On PostgreSQL the database keeps a member's request to that person's rows (D-27, R-002-66)."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, abort
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, event, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from adminsite import audit, auth
from adminsite.db import db, transaction, utc_now
from adminsite.models import (
    ApiToken,
    AuditEvent,
    PasswordReset,
    PendingAdjustment,
    User,
    UserSession,
)
from adminsite.operations import credentials, tokens
from adminsite.permissions import SYSTEM
from tests.client import SiteClient
from tests.database import MEMBER, OWNER
from tests.factories import PASSWORD, CreditTransactionFactory, SubscriptionFactory, save
from tests.people import acting, make_person
from tests.rows import link, person
from tests.views.reading import JSON

ClientAs = Callable[[str | User], SiteClient]
Seen = list[tuple[str, str]]
NEW = "a longer pass phrase 7"
TAKEN_ON = "set_config('role'"
# What a page reads, or a member's own request writes; the columns of an UPDATE stand below.
RIGHTS = {
    "api_tokens": {"SELECT", "INSERT"},
    "audit_events": {"INSERT"},
    "audit_heads": {"SELECT"},
    "credit_transactions": {"SELECT"},
    "link_owners": {"SELECT"},
    "links": {"SELECT"},
    "password_resets": {"DELETE"},
    "sessions": {"SELECT", "DELETE"},
    "subscriptions": {"SELECT"},
    "users": {"SELECT"},
}
COLUMNS = {
    ("api_tokens", "revoked_at"),
    ("audit_heads", "event_id"),
    ("audit_heads", "hash"),
    ("sessions", "last_seen_at"),
    ("users", "password_hash"),
    ("users", "search_text"),
    ("users", "updated_at"),
    ("users", "version"),
}
READ = (
    "SELECT id FROM users",
    "SELECT user_id FROM subscriptions",
    "SELECT user_id FROM credit_transactions",
    "SELECT user_id FROM api_tokens",
    "SELECT user_id FROM sessions",
    "SELECT user_id FROM password_resets",
    "SELECT user_id FROM link_owners",
    "SELECT user_id FROM links JOIN link_owners ON link_id = id",
    "SELECT CAST(title AS uuid) FROM links",
)
CHANGES = (
    "UPDATE users SET password_hash = 'x'",
    "UPDATE api_tokens SET revoked_at = now()",
    "UPDATE sessions SET last_seen_at = now()",
    "DELETE FROM sessions",
    "DELETE FROM password_resets",
)
REFUSED = (
    "UPDATE users SET credits_balance = 1000",
    "UPDATE users SET role = 'admin'",
    "UPDATE users SET subscription_tier = 'pro'",
    "DELETE FROM users",
    "INSERT INTO users (id, email) VALUES (gen_random_uuid(), 'x@example.com')",
    "UPDATE subscriptions SET tier = 'pro'",
    "DELETE FROM subscriptions",
    "INSERT INTO subscriptions (id, user_id) VALUES ('sub_x', :other)",
    "UPDATE credit_transactions SET amount = 1000",
    "DELETE FROM credit_transactions",
    "INSERT INTO credit_transactions (user_id, amount) VALUES (:other, 1000)",
    "UPDATE api_tokens SET user_id = :other",
    "INSERT INTO api_tokens (user_id, token_hash) VALUES (:other, 'x')",
    "INSERT INTO sessions (user_id, token_hash) VALUES (:other, 'x')",
    "INSERT INTO password_resets (user_id, token_hash) VALUES (:other, 'x')",
    "INSERT INTO audit_events (id, actor_id) VALUES (99, :other)",
    "DELETE FROM audit_events",
    "SELECT * FROM audit_events",
    "SELECT token_hash FROM password_resets",
    "SELECT * FROM pending_adjustments",
    "UPDATE link_owners SET user_id = :other",
    "UPDATE links SET title = 'x'",
    "SELECT * FROM admins",
    "TRUNCATE users",
)

pytestmark = pytest.mark.engine("postgresql")


def fill(user: User) -> None:
    """One row of the person's in each table that holds any."""
    now = utc_now()
    hashed: dict[str, Any] = {"user_id": user.id, "token_hash": f"hash of {user.id}"}
    SubscriptionFactory(user=user)
    CreditTransactionFactory(user=user)
    link(owner=user, title=str(user.id))
    save(
        ApiToken(name="Backup", prefix="adm_", **hashed),
        UserSession(expires_at=now + timedelta(hours=1), **hashed),
        PasswordReset(expires_at=now + timedelta(hours=1), **hashed),
        PendingAdjustment(
            user_id=user.id, amount=1, reason="Because", requested_email="a@example.com"
        ),
    )


@pytest.fixture
def other(member: User) -> User:
    """Somebody else; both have rows everywhere."""
    found = person()
    fill(member)
    fill(found)
    return found


@contextmanager
def as_member(user: User | None) -> Iterator[Connection]:
    """A connection that has taken on the role, for this person or for nobody."""
    with db.engine.connect() as connection:
        connection.execute(text(f"SET LOCAL ROLE {MEMBER}"))
        if user is not None:
            set_it = text("SELECT set_config('adminsite.member', :id, true)")
            connection.execute(set_it, {"id": str(user.id)})
        yield connection


class TestPolicies:
    @pytest.mark.parametrize("query", READ)
    def test_show_ones_own_rows(self, member: User, other: User, query: str) -> None:
        with as_member(member) as connection:
            assert connection.execute(text(query)).scalars().all() == [member.id]

    @pytest.mark.parametrize("query", READ)
    def test_show_nothing_to_nobody(self, other: User, query: str) -> None:
        with as_member(None) as connection:
            assert connection.execute(text(query)).all() == []

    @pytest.mark.parametrize("change", CHANGES)
    def test_let_nobody_elses_row_be_changed(self, member: User, other: User, change: str) -> None:
        whose = "id" if "users" in change else "user_id"
        theirs = text(f"{change} WHERE {whose} = :other")

        with as_member(member) as connection:
            assert connection.execute(theirs, {"other": other.id}).rowcount == 0
            assert connection.execute(text(change)).rowcount == 1

    @pytest.mark.parametrize("statement", REFUSED)
    def test_leave_the_rest_to_staff(self, member: User, other: User, statement: str) -> None:
        with as_member(member) as connection, pytest.raises(ProgrammingError) as refusal:
            connection.execute(text(statement), {"other": other.id} if ":o" in statement else {})

        said = str(refusal.value.orig)
        assert "permission denied" in said or "row-level security" in said

    def test_leave_the_owner_of_the_tables_alone(self, session: Session, other: User) -> None:
        assert len(session.scalars(select(User.id)).all()) == 2

    def test_rights_are_as_few_as_can_be(self, session: Session) -> None:
        given = "SELECT table_name, {} FROM information_schema.{} WHERE grantee = '" + MEMBER + "'"
        whole: dict[str, set[str]] = {}
        for table, verb in session.execute(
            text(given.format("privilege_type", "role_table_grants"))
        ):
            whole.setdefault(table, set()).add(verb)
        columns = session.execute(
            text(
                given.format("column_name", "role_column_grants") + " AND privilege_type = 'UPDATE'"
            )
        )

        assert whole == RIGHTS
        assert {tuple(row) for row in columns} == COLUMNS


@contextmanager
def roles() -> Iterator[Seen]:
    """Each statement of the block, with the role that it runs as."""
    seen: Seen = []

    def note(connection: Connection, _cursor: object, statement: str, *_more: object) -> None:
        raw: Any = connection.connection.driver_connection
        seen.append((raw.execute("SELECT current_user").fetchone()[0], statement))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def afterwards(seen: Seen) -> Seen:
    """What was asked after the person was known, but for taking the role on."""
    first = next(i for i, (_role, sql) in enumerate(seen) if TAKEN_ON in sql)
    return [(role, sql) for role, sql in seen[first:] if TAKEN_ON not in sql]


def writers(seen: Seen) -> set[str]:
    """The roles that something was written as."""
    return {role for role, sql in seen if sql.startswith(("INSERT", "UPDATE", "DELETE"))}


def everybody() -> str:
    """Whom a query sees that forgot to ask for anybody."""
    return " ".join(db.session.scalars(select(User.email).order_by(User.email)))


@pytest.fixture
def page(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Puts a view in the place of one's own page."""

    def replace(view: Callable[[], ResponseReturnValue]) -> None:
        monkeypatch.setitem(app.view_functions, "account.dashboard", view)
        monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", 0)

    return replace


def assert_pool_is_clean() -> None:
    """No connection that waits for the next request is anybody's."""
    db.session.remove()
    asked = text("SELECT current_user, current_setting('adminsite.member', true)")
    with ExitStack() as stack:
        waiting = range(db.engine.pool.checkedin())  # type: ignore[attr-defined]
        connections = [stack.enter_context(db.engine.connect()) for _ in waiting]
        found = {tuple(connection.execute(asked).one()) for connection in connections}
    assert found <= {(OWNER, None), (OWNER, "")}
    assert found


class TestReading:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/dashboard", 200),
            ("/dashboard/admin/users", 302),
            ("/dashboard/nothing", 404),
            ("/admin", 403),
            ("/admin/users", 403),
            ("/admin/api/admins", 403),
            ("/api/admin/users", 403),
        ],
    )
    def test_is_confined_on_every_page(self, client_as: ClientAs, path: str, status: int) -> None:
        tab = client_as("member")

        with roles() as seen:
            answer = tab.get(path)

        assert answer.status_code == status
        assert {role for role, _sql in afterwards(seen)} <= {MEMBER}

    def test_shows_the_own_page_whole(self, client_as: ClientAs, other: User) -> None:
        tab = client_as("member")

        with roles() as seen:
            shown = tab.get("/dashboard").text

        assert "Backup" in shown
        assert "Purchase" in shown
        assert other.email not in shown
        assert [role for role, _sql in seen[:1]] == [OWNER]
        assert {role for role, _sql in seen[2:]} == {MEMBER}

    def test_finds_nobody_else_when_a_query_forgets_to_ask(
        self, client_as: ClientAs, other: User, page: Callable[..., None]
    ) -> None:
        page(everybody)

        assert client_as("member").get("/dashboard").text == "member@example.com"

    def test_finds_nobody_else_in_a_later_transaction(
        self, client_as: ClientAs, other: User, page: Callable[..., None]
    ) -> None:
        def view() -> str:
            found = [everybody()]
            for ends in (db.session.rollback, db.session.commit):
                ends()
                found.append(everybody())
            with db.session.begin_nested() as inner:
                inner.rollback()
            return " ".join([*found, everybody()])

        page(view)

        assert set(client_as("member").get("/dashboard").text.split()) == {"member@example.com"}

    def test_by_token_is_confined(self, client: SiteClient, member: User) -> None:
        with transaction():
            secret = tokens.create(member, {"name": "Script"}, by=acting(member))[1]
        bearer = {"Authorization": f"Bearer {secret}"}
        client.get("/api/admin/users", headers=bearer)  # notes that the token is in use

        with roles() as seen:
            answer = client.get("/api/admin/users", headers=bearer)

        assert answer.status_code == 403
        assert any(TAKEN_ON in sql for _role, sql in seen)
        assert {role for role, _sql in afterwards(seen)} <= {MEMBER}

    @pytest.mark.parametrize("level", ["support", "admin", "owner"])
    def test_of_staff_is_not_confined(self, client_as: ClientAs, level: str) -> None:
        tab = client_as(level)

        with roles() as seen:
            tab.get("/admin/users")
            tab.get("/dashboard")

        assert {role for role, _sql in seen} == {OWNER}
        assert not [sql for _role, sql in seen if TAKEN_ON in sql]

    def test_is_noted_as_use_of_the_session(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        tab, before = client_as("member"), utc_now() - timedelta(minutes=5)
        for row in session.scalars(select(UserSession)):
            row.last_seen_at = before
        session.commit()

        assert tab.get("/dashboard").status_code == 200
        assert session.scalars(select(UserSession.last_seen_at)).one() > before


def own_request(act: str) -> tuple[str, dict[str, str], str]:
    """What a member sends to change something of their own, and what is told of it."""
    mine = select(User.id).filter_by(email="member@example.com").scalar_subquery()
    token = db.session.scalars(select(ApiToken.id).filter_by(user_id=mine)).one()
    theirs = select(UserSession.id).where(UserSession.token_hash.startswith("hash of "))
    elsewhere = db.session.scalars(theirs.filter_by(user_id=mine)).one()
    new = {"current_password": PASSWORD, "new_password": NEW}
    return {
        "password": ("/dashboard/password", new, "password.changed"),
        "session": (f"/dashboard/sessions/{elsewhere}/revoke", {}, "session.revoked"),
        "token": ("/dashboard/tokens", {"name": "Backup", "scope": "read"}, "token.created"),
        "revoke": (f"/dashboard/tokens/{token}/revoke", {}, "token.revoked"),
        "logout": ("/logout", {}, "session.signed_out"),
    }[act]


def told_of(email: str) -> set[str]:
    """What the audit, which holds, says that nobody but this person did."""
    events = db.session.scalars(select(AuditEvent)).all()
    assert {event.actor_email for event in events} == {email}
    assert audit.first_broken() is None
    return {event.action for event in events}


class TestWriting:
    @pytest.mark.parametrize("how", [{}, {"htmx": True}, {"headers": JSON}], ids=str)
    @pytest.mark.parametrize("act", ["password", "session", "token", "revoke", "logout"])
    def test_of_ones_own_account_is_confined(
        self, client_as: ClientAs, other: User, act: str, how: dict[str, Any]
    ) -> None:
        tab = client_as("member")
        path, values, action = own_request(act)

        with roles() as seen:
            answer = tab.post(path, data=values, **how)

        assert answer.status_code in {200, 201, 303}, answer.text
        assert writers(seen) == {MEMBER}
        assert action in told_of("member@example.com")

    def test_of_the_password_ends_what_it_should(
        self, client_as: ClientAs, other: User, member: User, session: Session
    ) -> None:
        tab = client_as("member")
        values = {"current_password": PASSWORD, "new_password": NEW}

        tab.post("/dashboard/password", data=values)

        assert tab.get("/dashboard").status_code == 200
        assert session.scalars(select(PasswordReset.user_id)).all() == [other.id]
        kept = select(UserSession.user_id).order_by(UserSession.id)
        assert sorted(session.scalars(kept)) == sorted([member.id, other.id])

    @pytest.mark.parametrize("what", ["tokens", "sessions"])
    def test_finds_nothing_of_others(
        self, client_as: ClientAs, other: User, session: Session, what: str
    ) -> None:
        model = ApiToken if what == "tokens" else UserSession
        pk = session.scalars(select(model.id).filter_by(user_id=other.id)).one()

        answer = client_as("member").post(f"/dashboard/{what}/{pk}/revoke")

        assert answer.status_code == 404

    def test_without_viewing_anybody_stops_nothing(self, client_as: ClientAs) -> None:
        assert client_as("member").post("/impersonation/stop").status_code == 303

    def test_of_a_sign_in_as_somebody_else_is_not_confined(
        self, client_as: ClientAs, admin: User
    ) -> None:
        tab = client_as("member")

        with roles() as seen:
            answer = tab.sign_in(admin.email, PASSWORD)

        assert answer.location == "/admin"
        assert OWNER in writers(seen)

    def test_by_a_link_for_somebody_else_is_not_confined(
        self, client_as: ClientAs, admin: User
    ) -> None:
        tab = client_as("member")
        with transaction():
            token = credentials.issue_reset(admin, by=SYSTEM)

        shown = tab.get(f"/set-password/{token}")
        answer = tab.post(f"/set-password/{token}", data={"new_password": NEW})

        assert admin.email in shown.text
        assert answer.location == "/login"


class TestPool:
    def test_is_clean_after_a_request(self, client_as: ClientAs) -> None:
        assert client_as("member").get("/dashboard").status_code == 200

        assert_pool_is_clean()

    def test_is_clean_after_an_error(self, client_as: ClientAs, page: Callable[..., None]) -> None:
        def view() -> str:
            everybody()
            raise ZeroDivisionError

        page(view)

        assert client_as("member").get("/dashboard").status_code == 500
        assert_pool_is_clean()

    def test_is_clean_after_an_error_of_the_database(
        self, client_as: ClientAs, page: Callable[..., None]
    ) -> None:
        def view() -> str:
            return str(db.session.execute(text("SELECT * FROM admins")))

        page(view)

        assert client_as("member").get("/dashboard").status_code == 500
        assert_pool_is_clean()

    def test_is_clean_after_a_write_that_was_rolled_back(
        self, client_as: ClientAs, member: User, page: Callable[..., None]
    ) -> None:
        def view() -> str:
            with transaction():
                tokens.create(make_me(), {"name": "Backup"}, by=auth.current_person())
                abort(409)

        def make_me() -> User:
            return db.session.scalars(select(User)).one()

        page(view)

        assert client_as("member").get("/dashboard").status_code == 409
        assert_pool_is_clean()


class TestViewing:
    @pytest.fixture
    def tab(self, client_as: ClientAs, other: User, member: User) -> SiteClient:
        """An admin's browser, which views the site as the member."""
        opened = client_as("admin")
        opened.post(f"/admin/users/{member.id}/impersonate", data={"reason": "Ticket 7"})
        opened.csrf_token = opened.read_token("/dashboard")
        return opened

    def test_reads_as_the_member(self, tab: SiteClient, page: Callable[..., None]) -> None:
        page(everybody)

        assert tab.get("/dashboard").text == "member@example.com"

    def test_shows_the_members_page(self, tab: SiteClient) -> None:
        with roles() as seen:
            shown = tab.get("/dashboard").text

        assert "member@example.com" in shown
        assert {role for role, _sql in afterwards(seen)} == {MEMBER}

    def test_is_refused_on_record(self, tab: SiteClient, session: Session) -> None:
        assert tab.get("/admin").status_code == 403
        assert tab.post("/dashboard/tokens", data={"name": "x"}).status_code == 403

        refused = select(AuditEvent).filter_by(action="access.denied")
        assert {e.viewing_as_email for e in session.scalars(refused)} == {"member@example.com"}
        assert len(session.scalars(refused).all()) == 2
        assert audit.first_broken() is None

    def test_is_stopped_by_who_began_it(self, tab: SiteClient) -> None:
        with roles() as seen:
            answer = tab.post("/impersonation/stop")

        assert answer.status_code == 303
        assert writers(seen) == {OWNER}
        assert "admin@example.com" in tab.get("/dashboard").text

    def test_is_over_with_the_session(self, tab: SiteClient, session: Session) -> None:
        assert tab.post("/logout").status_code == 303

        admin = session.scalars(select(User.id).filter_by(email="admin@example.com")).one()
        assert session.scalars(select(UserSession).filter_by(user_id=admin)).all() == []


class TestSuspendedStaff:
    def test_are_members(self, client_as: ClientAs, app: Flask, session: Session) -> None:
        someone = make_person("admin")
        assert someone.staff is not None
        someone.staff.status, someone.role = "suspended", "user"
        save(someone, someone.staff)
        tab = client_as(someone)

        with roles() as seen:
            assert tab.get("/dashboard").status_code == 200

        assert {role for role, _sql in afterwards(seen)} == {MEMBER}
