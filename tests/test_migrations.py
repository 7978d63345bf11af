"""The migrations lead up and down, and to exactly what the models say."""

import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from flask import Flask, current_app
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, Table, insert, inspect, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from adminsite import audit
from adminsite.db import db, transaction
from adminsite.models import AuditEvent, AuditHead
from adminsite.permissions import SYSTEM, Actor, Level
from app import create_app
from tests.database import ENGINES, postgres_database

EVENTS = cast("Table", AuditEvent.__table__)
SOMEBODY = Actor(id=UUID(int=5), email="somebody@example.com", name="Somebody", level=Level.NONE)
VERSIONS = Path(__file__).parent.parent / "migrations" / "versions"


@pytest.fixture(params=ENGINES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database, with the context of an application on it."""
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path / 'empty.db'}")
        return
    server = request.getfixturevalue("postgres_url")
    with postgres_database(server, f"empty_{uuid4().hex}") as database:
        yield from _opened(database.url)


class TestMigrations:
    def test_lead_up_from_empty_and_down_again(self, empty: Engine) -> None:
        upgrade()
        full = described(empty)

        downgrade(revision="base")
        bare = described(empty)
        upgrade()

        assert bare == {}
        assert described(empty) == full

    def test_build_what_the_models_say(self, empty: Engine) -> None:
        db.create_all()
        modelled = described(empty)
        db.drop_all()

        upgrade()

        assert described(empty) == modelled

    def test_each_step_down_undoes_its_step_up(self, empty: Engine) -> None:
        seen = []
        for name in numbered():
            seen.append(described(empty))
            upgrade(revision=name)

        for before in reversed(seen):
            downgrade(revision="-1")
            assert described(empty) == before

    def test_are_numbered_in_one_line(self) -> None:
        names = numbered()

        assert names == [f"{number:04d}" for number in range(1, len(names) + 1)]

    def test_import_no_code_of_ours(self) -> None:
        for path in VERSIONS.glob("*.py"):
            assert not imported(path) & {"adminsite", "app", "bench", "tests"}, path.name


class TestAudit:
    @pytest.mark.parametrize(
        "statement",
        ["UPDATE audit_events SET reason = 'none'", "DELETE FROM audit_events"],
        ids=["update", "delete"],
    )
    def test_is_append_only_in_the_database(self, session: Session, statement: str) -> None:
        with transaction():
            audit.record("data.exported", None, {}, by=SYSTEM)

        with pytest.raises(DBAPIError, match="append-only"):
            session.connection().execute(text(statement))

        session.rollback()

    @pytest.mark.engine("sqlite")
    def test_is_not_replaced_by_an_insert(self, session: Session) -> None:
        with transaction():
            audit.record("data.exported", None, {}, by=SYSTEM)

        with pytest.raises(DBAPIError, match="append-only"):
            session.connection().execute(
                text("INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events")
            )

        session.rollback()

    @pytest.mark.engine("postgresql")
    def test_is_not_truncated(self, session: Session) -> None:
        with pytest.raises(DBAPIError, match="append-only"):
            session.connection().execute(text("TRUNCATE audit_events"))

        session.rollback()


class TestLedger:
    """What was entered before the ledger was made append-only, and after (R-002-69, R-002-70)."""

    def test_of_before_is_kept_and_added_up(self, empty: Engine) -> None:
        upgrade(revision="0010")
        enter_as_before(empty, 50, -20)
        before = kept(empty)

        upgrade()

        assert kept(empty) == before
        assert added_up(empty) == [("2026-01-02", "bonus", 50, 20, 2)]

    def test_is_kept_on_the_way_down_and_up(self, empty: Engine) -> None:
        upgrade()
        enter_as_before(empty, 50, -20)
        before, days = kept(empty), added_up(empty)

        downgrade(revision="0010")
        assert kept(empty) == before
        enter_as_before(empty, 7)
        upgrade()

        assert [amount for _, amount, *_ in kept(empty)] == [50, -20, 7]
        assert added_up(empty) != days
        assert added_up(empty) == [("2026-01-02", "bonus", 57, 20, 3)]

    @pytest.mark.parametrize(
        "statement",
        ["UPDATE credit_transactions SET amount = 1", "DELETE FROM credit_transactions"],
    )
    def test_is_append_only_again_after_a_way_down(self, empty: Engine, statement: str) -> None:
        upgrade()
        enter_as_before(empty, 50)
        downgrade(revision="0010")
        upgrade()

        with pytest.raises(DBAPIError, match="append-only"), empty.begin() as connection:
            connection.execute(text(statement))


class TestAuditOfBefore:
    """Events of before somebody could view the site as another: hashed without saying so."""

    def test_still_follows(self, empty: Engine) -> None:
        upgrade(revision="0012")
        write_as_before(empty)

        upgrade()
        with transaction():
            audit.record("data.exported", None, {}, by=SYSTEM)
            audit.record("access.denied", None, {}, by=replace(SOMEBODY, behind=SYSTEM))

        assert audit.first_broken() is None

    def test_cannot_be_said_to_be_of_a_viewer(self, empty: Engine) -> None:
        upgrade()
        write_as_before(empty, viewing_as_email="somebody@example.com")

        assert audit.first_broken() == 1


def write_as_before(engine: Engine, **more: str) -> None:
    """Write one event and the chain's end as revision 0012 did; `more` is not in the hash."""
    told = {
        "at": "2026-01-02T03:04:05.678900+00:00",
        "actor_id": "11111111-1111-4111-8111-111111111111",
        "actor_email": "owner@example.com",
        "actor_level": "owner",
        "action": "tag.updated",
        "subject_type": "tag",
        "subject_id": "5",
        "subject_label": "Ж",
        "subject_version": 2,
        "changes": {"name": ["a", "Ж"]},
        "reason": None,
        "request_id": "r",
        "ip": "10.0.0.1",
        "user_agent": "Browser",
    }
    body = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(f"{'0' * 64}\n{body}".encode()).hexdigest()
    stored: dict[str, Any] = {
        **told,
        "at": datetime.fromisoformat(str(told["at"])),
        "actor_id": UUID(str(told["actor_id"])),
    }
    ends = update(AuditHead).where(AuditHead.id == 1).values(event_id=1, hash=digest)
    with engine.begin() as connection:
        row = {**stored, **more, "id": 1, "prev_hash": "0" * 64, "hash": digest}
        connection.execute(insert(EVENTS), row)
        connection.execute(ends)


def enter_as_before(engine: Engine, *amounts: int) -> None:
    """Write entries with the columns that revision 0010 has."""
    zone = "+00" if engine.dialect.name == "postgresql" else ""
    entry = text(
        "INSERT INTO credit_transactions"
        " (user_email, amount, balance_after, type, reference_id, created_at)"
        f" VALUES ('a@example.com', :amount, 0, 'bonus', 'r', '2026-01-02 03:04:05.678900{zone}')"
    )
    with engine.begin() as connection:
        connection.execute(entry, [{"amount": amount} for amount in amounts])


def kept(engine: Engine) -> list[tuple[Any, ...]]:
    """The entries, in what every revision has of them."""
    columns = "id, amount, user_email, type, reference_id, created_at"
    with engine.connect() as connection:
        found = connection.execute(text(f"SELECT {columns} FROM credit_transactions ORDER BY id"))
        return [tuple(row) for row in found]


def added_up(engine: Engine) -> list[tuple[Any, ...]]:
    """What the database has added up by day."""
    with engine.connect() as connection:
        found = connection.execute(text("SELECT day, type, added, taken, entries FROM credit_days"))
        return [(str(row[0]), *row[1:]) for row in found]


def described(engine: Engine) -> dict[str, Any]:
    """Everything the database says of each table, in an order of its own."""
    inspector = inspect(engine)
    return {
        table: {
            "columns": _sorted(inspector.get_columns(table)),
            "key": inspector.get_pk_constraint(table),
            "references": _sorted(inspector.get_foreign_keys(table)),
            "uniques": _sorted(inspector.get_unique_constraints(table)),
            "checks": _sorted(inspector.get_check_constraints(table)),
            "indexes": _sorted(inspector.get_indexes(table)),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def imported(path: Path) -> set[str]:
    """The packages that a module imports from."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def numbered() -> list[str]:
    """The numbers of the migrations, first to last."""
    return sorted(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))


def _sorted(items: list[Any]) -> list[str]:
    return sorted(json.dumps(item, default=str, sort_keys=True) for item in items)


def _opened(url: str) -> Iterator[Engine]:
    app: Flask = create_app({"TESTING": True, "DATABASE_URL": url})
    with app.app_context():
        yield db.engine
        current_app.extensions["sqlalchemy"].engine.dispose()
