"""Whichever way code writes through the session, a commit without an event is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from adminsite.audit import AUDITED_DML, UnauditedWriteError, record
from adminsite.db import transaction
from adminsite.models import AuditEvent, LinkOwner, Tag
from adminsite.permissions import SYSTEM
from tests.rows import link, person, tag

Write = Callable[[Session], Any]


def insert_row(session: Session) -> None:
    session.execute(insert(Tag).values(name="a", slug="a", search_text="a", created_at=func.now()))


def change_in_memory(session: Session) -> None:
    session.scalars(select(Tag)).one().name = "b"


WRITES: dict[str, Write] = {
    "add": lambda s: s.add(Tag(name="new", slug="new")),
    "delete": lambda s: s.delete(s.scalars(select(Tag)).one()),
    "change": change_in_memory,
    "core insert": insert_row,
    "bulk update": lambda s: s.execute(update(Tag).values(name="b")),
    "bulk delete": lambda s: s.execute(delete(Tag)),
    "query update": lambda s: s.query(Tag).update({"name": "b"}),
    "query delete": lambda s: s.query(Tag).delete(),
    "text": lambda s: s.execute(text("UPDATE tags SET name = 'b'")),
    "text in small letters": lambda s: s.execute(text("  delete from tags")),
    "text after a comment": lambda s: s.execute(text("/* why */ UPDATE tags SET name = 'b'")),
    "text after a line": lambda s: s.execute(text("-- why\nDELETE FROM tags")),
    "text with": lambda s: s.execute(
        text("WITH old AS (SELECT 'b' AS b) UPDATE tags SET name = (SELECT b FROM old)")
    ),
}
READS = [
    text("SELECT name AS updated FROM tags WHERE name <> 'delete from tags'"),
    text("WITH old AS (SELECT 1 AS one) SELECT one FROM old"),
    select(Tag).with_for_update(),
]


def names(session: Session) -> list[str]:
    return list(session.scalars(select(Tag.name)))


@pytest.mark.parametrize("how", WRITES)
def test_a_write_without_its_event_is_refused(session: Session, how: str) -> None:
    tag("old")

    with pytest.raises(UnauditedWriteError), transaction() as writing:
        WRITES[how](writing)

    assert names(session) == ["old"]
    assert session.scalars(select(AuditEvent)).all() == []


@pytest.mark.engine("sqlite")
def test_replacing_rows_is_refused(session: Session) -> None:
    tag("old")

    with pytest.raises(UnauditedWriteError), transaction() as writing:
        writing.execute(text("REPLACE INTO tags SELECT * FROM tags"))


@pytest.mark.engine("postgresql")
@pytest.mark.parametrize(
    "sql",
    [
        "TRUNCATE tags CASCADE",
        "WITH gone AS (DELETE FROM tags RETURNING id) SELECT id FROM gone",
        "MERGE INTO tags USING (SELECT 1 AS one) AS it ON true WHEN MATCHED THEN DELETE",
    ],
)
def test_statements_of_one_database_are_refused(session: Session, sql: str) -> None:
    tag("old")

    with pytest.raises(UnauditedWriteError), transaction() as writing:
        writing.execute(text(sql))

    assert names(session) == ["old"]


@pytest.mark.parametrize("statement", READS, ids=["words", "with", "lock"])
def test_reading_needs_no_event(app: Flask, statement: Any) -> None:
    with transaction() as reading:
        reading.execute(statement)


def test_an_owner_put_on_a_link_in_passing_is_refused(session: Session) -> None:
    row, bob = link(), person("Bob")

    with pytest.raises(UnauditedWriteError, match="links"), transaction() as writing:
        writing.add(LinkOwner(link_id=row.id, user_id=bob.id))

    assert len(session.scalars(select(LinkOwner)).all()) == 1


def test_a_bulk_statement_that_says_its_rows_are_named_passes(session: Session) -> None:
    row = tag("old")

    with transaction() as writing:
        record("tag.updated", writing.get_one(Tag, row.id), {}, by=SYSTEM)
        writing.execute(update(Tag).values(name="new"), execution_options={AUDITED_DML: True})

    assert names(session) == ["new"]
