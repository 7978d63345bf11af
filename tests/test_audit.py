"""The audit: nothing is written without it, and nothing in it changes unnoticed."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Table, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from adminsite import audit
from adminsite.audit import UnauditedWriteError
from adminsite.db import transaction
from adminsite.errors import InvalidError
from adminsite.models import AuditEvent, AuditHead, Link, LinkTag, Tag, User, UserSession
from adminsite.permissions import SYSTEM, Actor, Level, Origin
from tests.factories import LinkFactory, TagFactory, UserFactory

EVENTS = cast("Table", AuditEvent.__table__)


def events(session: Session) -> list[AuditEvent]:
    return list(session.scalars(select(AuditEvent).order_by(AuditEvent.id)))


def rename(tag: Tag, *, named: Tag) -> None:
    """Change a row and tell of another."""
    with transaction():
        tag.name = "New"
        audit.record("tag.updated", named, {}, by=SYSTEM)


def fail() -> None:
    """Tell of something, then be refused."""
    with transaction():
        audit.record("data.exported", None, {}, by=SYSTEM)
        raise InvalidError({})


def forge(session: Session, **values: Any) -> None:
    """Put an event behind the last one past the audit, as whoever holds the database could."""
    last = events(session)[-1]
    told = {column.name: getattr(last, column.name) for column in EVENTS.columns}
    session.connection().execute(insert(EVENTS), [{**told, "id": last.id + 1, **values}])
    session.commit()


class TestGuard:
    def test_a_row_without_an_event_is_refused(self, app: Flask, session: Session) -> None:
        with pytest.raises(UnauditedWriteError, match="tags"), transaction():
            session.add(Tag(name="a", slug="a"))

        assert session.scalars(select(Tag)).all() == []

    def test_a_changed_row_without_an_event_is_refused(self, app: Flask, session: Session) -> None:
        link = LinkFactory.create(title="Old")

        with pytest.raises(UnauditedWriteError, match="links"), transaction():
            link.title = "New"

        session.refresh(link)
        assert link.title == "Old"

    def test_an_event_of_another_row_does_not_count(self, app: Flask) -> None:
        tag, other = TagFactory.create(), TagFactory.create()

        with pytest.raises(UnauditedWriteError, match="tags"):
            rename(tag, named=other)

    def test_owners_are_told_with_their_link(self, app: Flask) -> None:
        link = LinkFactory.create()

        with pytest.raises(UnauditedWriteError, match="links"), transaction():
            link.owners.clear()

    def test_a_savepoint_neither_writes_nor_forgets(self, app: Flask, session: Session) -> None:
        tag = TagFactory.create(name="a", slug="a")

        with transaction():
            tag.name = "b"
            audit.record("tag.updated", tag, {}, by=SYSTEM)
            with session.begin_nested():
                pass
            with pytest.raises(IntegrityError), session.begin_nested():
                session.add(Tag(name="a", slug="a"))

        assert [event.subject_label for event in events(session)] == ["b"]

    @pytest.mark.parametrize(
        "statement",
        [
            update(Tag).values(name="b"),
            delete(Tag),
            insert(Tag).values(name="b", slug="b", search_text=""),
            delete(LinkTag),
            text("DELETE FROM tags"),
        ],
    )
    def test_statements_need_events_too(self, app: Flask, statement: Any) -> None:
        with pytest.raises(UnauditedWriteError), transaction() as session:
            session.execute(statement)

    def test_reading_and_the_machinery_need_none(self, app: Flask, session: Session) -> None:
        with transaction():
            session.execute(text("SELECT 1"))
            session.execute(delete(UserSession))

        assert events(session) == []

    def test_a_refused_transaction_leaves_no_events(self, app: Flask, session: Session) -> None:
        with pytest.raises(InvalidError):
            fail()
        with transaction():
            pass

        assert events(session) == []


class TestRecord:
    def test_keeps_who_what_and_from_where(self, app: Flask, session: Session) -> None:
        ann: User = UserFactory.create(email="ann@example.com")
        by = Actor(ann.id, ann.email, "Ann", Level.ADMIN, Origin("r1", "192.0.2.1", "Browser"))
        link: Link = LinkFactory.create(slug="jira")

        with transaction():
            audit.record("link.noted", link, {"title": [None, "x"]}, by=by, reason="Because.")

        (event,) = events(session)
        assert (event.actor_id, event.actor_email, event.actor_level) == (
            ann.id,
            ann.email,
            "admin",
        )
        assert (event.subject_type, event.subject_id, event.subject_label) == (
            "link",
            str(link.id),
            "jira",
        )
        assert (event.request_id, event.ip, event.user_agent) == ("r1", "192.0.2.1", "Browser")

    def test_keeps_no_secret(self, app: Flask, session: Session) -> None:
        with transaction():
            changes = {"password_hash": [None, "x"], "email": [None, "a@b"]}
            audit.record("user.noted", None, changes, by=SYSTEM)

        assert events(session)[0].changes == {"email": [None, "a@b"]}

    def test_keeps_values_as_json_can_hold_them(self, app: Flask, session: Session) -> None:
        moment, key = datetime(2026, 1, 2, tzinfo=UTC), UUID(int=1)
        with transaction():
            audit.record("x.noted", None, {"a": (moment, key, {1: Tag(name="t")})}, by=SYSTEM)

        assert events(session)[0].changes == {
            "a": ["2026-01-02T00:00:00+00:00", str(key), {"1": "t"}]
        }

    @pytest.mark.parametrize(
        ("value", "plain"),
        [(None, None), (1.5, 1.5), ({1: [UUID(int=2)]}, {"1": [str(UUID(int=2))]})],
    )
    def test_plain_values(self, value: object, plain: object) -> None:
        assert audit.plain(value) == plain

    def test_tells_of_what_a_record_had(self, app: Flask) -> None:
        tag = Tag(name="a", slug=None)

        assert audit.created(tag, ("name", "slug")) == {"name": [None, "a"]}
        assert audit.removed(tag, ("name", "slug")) == {"name": ["a", None]}


class TestChain:
    @pytest.fixture(autouse=True)
    def filled(self, app: Flask) -> None:
        with transaction():
            for number in range(3):
                audit.record("data.exported", None, {"n": [None, number]}, by=SYSTEM)

    def test_links_each_event_to_the_one_before(self, session: Session) -> None:
        first, second, third = events(session)

        assert first.prev_hash == audit.GENESIS
        assert (second.prev_hash, third.prev_hash) == (first.hash, second.hash)
        assert audit.first_broken() is None

    def test_goes_on_in_the_next_transaction(self, session: Session) -> None:
        with transaction():
            audit.record("data.exported", None, {}, by=SYSTEM)

        head = session.scalars(select(AuditHead)).one()
        assert (head.event_id, head.hash) == (4, events(session)[-1].hash)
        assert audit.first_broken() is None

    def test_finds_an_event_that_follows_from_nothing(self, session: Session) -> None:
        forge(session)

        assert audit.first_broken() == 4

    def test_finds_an_event_that_says_something_else(self, session: Session) -> None:
        forge(session, prev_hash=events(session)[-1].hash, actor_email="somebody")

        assert audit.first_broken() == 4

    def test_finds_one_behind_the_end(self, session: Session) -> None:
        last = events(session)[-1]
        told = {c.name: getattr(last, c.name) for c in EVENTS.columns}

        forge(session, prev_hash=last.hash, hash=audit.digest(last.hash, told))

        assert audit.first_broken() is not None


class TestEmptyChain:
    def test_holds(self, app: Flask) -> None:
        assert audit.first_broken() is None

    def test_is_broken_when_events_are_missing(self, app: Flask, session: Session) -> None:
        session.execute(
            update(AuditHead).values(event_id=7, hash="x"),
            execution_options={audit.AUDITED_DML: True},
        )

        assert audit.first_broken() == 1
