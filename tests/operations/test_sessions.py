"""Sessions: opened, ended, and told of in the audit."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.audit import UnauditedWriteError
from adminsite.db import transaction, utc_now
from adminsite.errors import ForbiddenError
from adminsite.models import Admin, AuditEvent, User, UserSession
from adminsite.operations import sessions
from adminsite.permissions import SYSTEM, Origin
from tests.people import acting

HOURS = 12.0


def open_session(user: User) -> str:
    with transaction():
        return sessions.sign_in(user, by=acting(user), hours=HOURS)


def rows(session: Session) -> list[UserSession]:
    return list(session.scalars(select(UserSession).order_by(UserSession.id)))


def actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


class TestFindByEmail:
    @pytest.mark.parametrize("email", ["member@example.com", " MEMBER@Example.COM\n"])
    def test_finds_the_person_in_any_spelling(self, member: User, email: str) -> None:
        assert sessions.find_by_email(email) is member

    @pytest.mark.parametrize("email", ["", "member", "member@example.com\x00", "%", "m_mber@x"])
    def test_finds_nobody_else(self, member: User, email: str) -> None:
        assert sessions.find_by_email(email) is None


class TestSignIn:
    def test_keeps_the_hash_of_a_long_token(self, member: User, session: Session) -> None:
        token = open_session(member)

        [row] = rows(session)
        assert len(token) >= 43
        assert row.token_hash == sessions.digest(token)

    def test_gives_every_session_its_own_token(self, member: User) -> None:
        assert open_session(member) != open_session(member)

    def test_ends_after_the_hours_given(self, member: User, session: Session) -> None:
        open_session(member)

        [row] = rows(session)
        assert row.expires_at - row.created_at == timedelta(hours=HOURS)

    def test_keeps_where_it_came_from(self, member: User, session: Session) -> None:
        origin = Origin(request_id="r", ip="10.0.0.1", user_agent="Browser")
        with transaction():
            sessions.sign_in(member, by=acting(member).seen_from(origin), hours=HOURS)

        [row] = rows(session)
        event = session.scalars(select(AuditEvent)).one()
        assert (row.ip, row.user_agent) == ("10.0.0.1", "Browser")
        assert (event.request_id, event.ip, event.user_agent) == ("r", "10.0.0.1", "Browser")

    def test_clears_sessions_that_have_ended(self, member: User, session: Session) -> None:
        open_session(member)
        rows(session)[0].expires_at = utc_now()
        session.commit()

        open_session(member)

        assert len(rows(session)) == 1

    def test_leaves_the_records_version_and_date(self, admin: User, session: Session) -> None:
        staff = session.scalars(select(Admin)).one()
        before = staff.updated_at

        open_session(admin)
        session.refresh(staff)

        assert (staff.version, staff.updated_at) == (1, before)
        assert staff.last_login_at is not None

    def test_is_not_saved_without_its_event(self, admin: User, session: Session) -> None:
        staff = session.scalars(select(Admin)).one()

        with pytest.raises(UnauditedWriteError), transaction():
            staff.last_login_at = utc_now()


class TestSignInWithAnOldHash:
    def test_stores_the_password_anew_without_a_new_version(
        self, member: User, session: Session
    ) -> None:
        before = member.updated_at
        with transaction():
            sessions.sign_in(member, by=acting(member), hours=HOURS, password_hash="new")

        session.refresh(member, ["password_hash", "version", "updated_at"])
        assert (member.password_hash, member.version) == ("new", 1)
        assert member.updated_at == before


class TestSignInFailed:
    def test_notes_whom_and_from_where(self, member: User, session: Session) -> None:
        nobody = sessions.NOBODY.seen_from(Origin(ip="10.0.0.1"))
        with transaction():
            sessions.sign_in_failed("member@example.com", member, by=nobody)

        (event,) = session.scalars(select(AuditEvent)).all()
        assert (event.action, event.subject_id) == ("session.sign_in_failed", str(member.id))
        assert (event.changes, event.ip) == ({"email": [None, "member@example.com"]}, "10.0.0.1")


class TestSignOut:
    def test_ends_the_session(self, member: User, session: Session) -> None:
        open_session(member)
        with transaction():
            sessions.sign_out(rows(session)[0].id, by=acting(member))

        assert rows(session) == []
        assert actions(session) == ["session.signed_in", "session.signed_out"]

    def test_is_fine_when_it_ended_already(self, member: User, session: Session) -> None:
        with transaction():
            sessions.sign_out(12345, by=acting(member))

        assert actions(session) == []

    def test_leaves_somebody_elses(self, member: User, owner: User, session: Session) -> None:
        open_session(member)
        with transaction():
            sessions.sign_out(rows(session)[0].id, by=acting(owner))

        assert len(rows(session)) == 1


class TestRevoke:
    def test_ends_ones_own(self, member: User, session: Session) -> None:
        open_session(member)
        with transaction():
            sessions.revoke(rows(session)[0], by=acting(member))

        assert rows(session) == []
        assert actions(session)[-1] == "session.revoked"

    def test_of_somebody_else_needs_an_owner(
        self, member: User, admin: User, session: Session
    ) -> None:
        open_session(member)

        with pytest.raises(ForbiddenError), transaction():
            sessions.revoke(rows(session)[0], by=acting(admin))
        assert len(rows(session)) == 1


class TestRevokeAll:
    def test_ends_every_session_of_the_person(
        self, member: User, owner: User, session: Session
    ) -> None:
        for user in (member, member, owner):
            open_session(user)
        with transaction():
            ended = sessions.revoke_all(member, by=acting(owner))

        assert ended == 2
        assert [row.user_id for row in rows(session)] == [owner.id]

    def test_is_one_event(self, member: User, session: Session) -> None:
        open_session(member)
        open_session(member)
        with transaction():
            sessions.revoke_all(member, by=SYSTEM)

        event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert event is not None
        assert (event.action, event.changes) == ("session.revoked", {"sessions": [2, 0]})

    def test_may_leave_the_one_that_asks(self, member: User, session: Session) -> None:
        open_session(member)
        open_session(member)
        kept = rows(session)[0].id
        with transaction():
            sessions.revoke_all(member, by=acting(member), but=kept)

        assert [row.id for row in rows(session)] == [kept]

    def test_of_nothing_is_no_event(self, member: User, session: Session) -> None:
        with transaction():
            assert sessions.revoke_all(member, by=acting(member)) == 0

        assert session.scalar(select(func.count()).select_from(AuditEvent)) == 0

    def test_of_somebody_else_needs_an_owner(
        self, member: User, admin: User, session: Session
    ) -> None:
        open_session(member)

        with pytest.raises(ForbiddenError), transaction():
            sessions.revoke_all(member, by=acting(admin))
        assert len(rows(session)) == 1
