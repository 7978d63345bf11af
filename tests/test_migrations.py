"""The migrations lead up and down, and to exactly what the models say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask, current_app
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from adminsite import audit
from adminsite.db import db, transaction
from adminsite.permissions import SYSTEM
from app import create_app
from tests.database import ENGINES, postgres_database

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
            assert "adminsite" not in path.read_text(), path.name


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
