"""The session, the times it keeps, and the one way to write."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from adminsite.db import SQLITE_BUSY_TIMEOUT_S, db, transaction
from adminsite.models import Keyword, LinkOwner, User, UserSession

NEVER = datetime(2100, 1, 1, tzinfo=UTC)


class TestSqlite:
    pytestmark = pytest.mark.engine("sqlite")

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("journal_mode", "wal"),
            ("foreign_keys", 1),
            ("recursive_triggers", 1),
            ("busy_timeout", SQLITE_BUSY_TIMEOUT_S * 1000),
        ],
    )
    def test_every_connection_has_its_settings(
        self, session: Session, setting: str, value: object
    ) -> None:
        assert session.execute(text(f"PRAGMA {setting}")).scalar() == value

    def test_full_text_search_with_trigrams_is_available(self, session: Session) -> None:
        session.execute(
            text("CREATE VIRTUAL TABLE temp.words USING fts5(word, tokenize='trigram')")
        )

        assert session.execute(text("SELECT count(*) FROM temp.words")).scalar() == 0


class TestTransaction:
    def test_commits_what_the_block_wrote(self, session: Session, member: User) -> None:

        with transaction():
            session.add(a_session_of(member.id))

        assert session.query(UserSession).count() == 1

    def test_writes_nothing_when_the_block_raises(self, session: Session, member: User) -> None:

        with pytest.raises(ZeroDivisionError):
            write_and_fail(session, a_session_of(member.id))

        assert session.query(UserSession).count() == 0

    def test_refuses_a_second_one_inside(self, session: Session) -> None:
        with transaction(), pytest.raises(RuntimeError, match="open already"), transaction():
            pass

    def test_refuses_changes_made_outside(self, session: Session) -> None:
        session.add(Keyword(keyword="gh", url_template="https://example.com/{slug}"))

        with pytest.raises(RuntimeError, match="outside"), transaction():
            pass

    def test_sees_what_was_committed_since_the_last_read(
        self, session: Session, member: User
    ) -> None:
        assert session.get_one(User, member.id).display_name == member.display_name
        with db.engine.begin() as other:
            other.execute(text("UPDATE users SET display_name = 'Anew'"))

        with transaction():
            seen = session.get_one(User, member.id).display_name

        assert seen == "Anew"

    def test_keeps_foreign_keys(self, session: Session, member: User) -> None:

        with pytest.raises(IntegrityError), transaction():
            session.add(LinkOwner(link_id=999, user_id=member.id, is_primary=True))


class TestTimes:
    def test_come_back_aware_and_in_utc(self, session: Session, member: User) -> None:
        moment = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))

        with transaction():
            session.add(a_session_of(member.id, moment))
        stored = session.query(UserSession).one()
        session.refresh(stored)

        assert stored.expires_at == moment
        assert stored.expires_at.tzinfo is UTC

    def test_without_a_zone_are_refused(self, session: Session, member: User) -> None:

        with pytest.raises(StatementError), transaction():
            session.add(a_session_of(member.id, datetime(2026, 1, 1)))  # noqa: DTZ001


def a_session_of(user_id: UUID, expires_at: datetime = NEVER) -> UserSession:
    """A session of this person, to write; its table needs no audit event."""
    return UserSession(user_id=user_id, token_hash="0" * 64, expires_at=expires_at)


def write_and_fail(session: Session, row: UserSession) -> None:
    """Write a row, then raise, in one transaction."""
    with transaction():
        session.add(row)
        session.flush()
        raise ZeroDivisionError
