"""Viewing as somebody, under its rules; and that nothing else is done meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from adminsite import audit
from adminsite.db import db, transaction, utc_now
from adminsite.errors import ForbiddenError, InvalidError, MissingError, OutdatedError, RuleError
from adminsite.models import ApiToken, AuditEvent, User, UserSession
from adminsite.operations import admins, credentials, denials, sessions, tokens, users, viewing
from adminsite.permissions import Actor, Permission, may
from tests.beside import Beside
from tests.factories import save
from tests.people import acting
from tests.rows import person

WHY = "Ticket 7"


def sign_in(user: User) -> int:
    """Open a session, and give its key."""
    with transaction():
        sessions.sign_in(user, by=acting(user), hours=1)
    return db.session.scalars(select(UserSession.id).order_by(UserSession.id.desc())).first() or 0


def start(user: User, session_id: int | None, by: User, reason: object = WHY) -> None:
    with transaction():
        viewing.start(user, reason, session_id=session_id, by=acting(by))


def seen_as(user: User, behind: User) -> Actor:
    """The actor of a request while somebody views as the user."""
    return replace(acting(user), behind=acting(behind))


def actions(session: Session) -> list[str]:
    wanted = select(AuditEvent.action).order_by(AuditEvent.id)
    return [action for action in session.scalars(wanted) if action != "session.signed_in"]


class TestStart:
    def test_is_kept_with_the_session(self, admin: User, member: User, session: Session) -> None:
        own, other = sign_in(admin), sign_in(admin)

        start(member, own, admin)

        rows = {row.id: row.viewing_as_id for row in session.scalars(select(UserSession))}
        assert rows == {own: member.id, other: None}

    @pytest.mark.parametrize("reason", [None, "", " \n", "x" * 501, 7])
    def test_needs_a_reason(
        self, admin: User, member: User, session: Session, reason: object
    ) -> None:
        own = sign_in(admin)

        with pytest.raises(InvalidError) as refusal:
            start(member, own, admin, reason)

        assert list(refusal.value.fields) == ["reason"]
        assert actions(session) == []

    def test_needs_the_level(self, support: User, member: User) -> None:
        own = sign_in(support)

        with pytest.raises(ForbiddenError):
            start(member, own, support)

    def test_needs_a_session(self, admin: User, member: User) -> None:
        with pytest.raises(MissingError):
            start(member, None, admin)

    def test_needs_ones_own_session(self, admin: User, owner: User, member: User) -> None:
        theirs = sign_in(owner)

        with pytest.raises(MissingError):
            start(member, theirs, admin)

    def test_is_refused_of_oneself_and_of_staff(self, admin: User, support: User) -> None:
        own = sign_in(admin)

        for user in (admin, support, person(role="admin")):
            with pytest.raises(viewing.NotViewableError):
                start(user, own, admin)

    def test_is_refused_while_one_views(self, admin: User, member: User) -> None:
        own = sign_in(admin)
        start(member, own, admin)

        with pytest.raises(OutdatedError):
            start(person(), own, admin)
        with pytest.raises(ForbiddenError), transaction():
            viewing.start(person(), WHY, session_id=own, by=seen_as(member, admin))

    def test_follows_one_that_is_over(self, admin: User, member: User, session: Session) -> None:
        own = sign_in(admin)
        start(person(), own, admin)
        row = session.get_one(UserSession, own)
        row.viewing_until = utc_now() - timedelta(seconds=1)
        save(row)

        start(member, own, admin)

        session.refresh(row)
        assert row.viewing_as_id == member.id


class TestAtOnce:
    def during(self, app: Flask, act: Callable[[], Any], admin: User, member: User) -> object:
        """What a start is told that waits for this act."""
        own, by, key = sign_in(admin), acting(admin), member.id

        def begin() -> None:
            user = db.session.get(User, key)
            if user is None:
                raise MissingError("what an edge says of it")
            viewing.start(user, WHY, session_id=own, by=by)

        with transaction():
            act()
            beside = Beside(app, begin)
        return beside.end()

    def test_a_person_who_becomes_staff_meanwhile_is_refused(
        self, app: Flask, admin: User, owner: User, member: User
    ) -> None:
        def promote() -> None:
            admins.create({"email": member.email, "role": "support"}, by=acting(owner))

        answer = self.during(app, promote, admin, member)

        assert isinstance(answer, viewing.NotViewableError)

    def test_a_person_who_is_deleted_meanwhile_is_missing(
        self, app: Flask, admin: User, owner: User, member: User
    ) -> None:
        def remove() -> None:
            users.delete(member, by=acting(owner), link_action="delete")

        answer = self.during(app, remove, admin, member)

        assert isinstance(answer, RuleError)
        assert answer.status == 404

    def test_an_admin_who_is_suspended_meanwhile_has_no_session(
        self, app: Flask, admin: User, owner: User, member: User, session: Session
    ) -> None:
        def suspend() -> None:
            assert admin.staff is not None
            admins.change_status(admin.staff, "suspended", by=acting(owner))

        answer = self.during(app, suspend, admin, member)

        session.rollback()
        assert isinstance(answer, MissingError)
        assert session.scalars(select(UserSession)).all() == []


class TestStop:
    def test_ends_it_and_says_how(self, admin: User, member: User, session: Session) -> None:
        own = sign_in(admin)
        start(member, own, admin)

        with transaction():
            ended = viewing.stop(own, by=seen_as(member, admin))

        assert ended
        assert session.get_one(UserSession, own).viewing_as_id is None
        assert actions(session) == ["impersonation.started", "impersonation.stopped"]

    def test_does_nothing_twice(self, admin: User, member: User, session: Session) -> None:
        own = sign_in(admin)
        start(member, own, admin)

        with transaction():
            ends = [viewing.stop(own, by=acting(admin)) for _ in range(2)]

        assert ends == [True, False]
        assert actions(session).count("impersonation.stopped") == 1

    def test_leaves_the_sessions_of_others(self, admin: User, owner: User, member: User) -> None:
        own = sign_in(admin)
        start(member, own, admin)

        with transaction():
            assert not viewing.stop(own, by=acting(owner))
            assert not viewing.stop(None, by=acting(admin))

    def test_of_one_that_was_over_leaves_the_next(self, admin: User, member: User) -> None:
        own = sign_in(admin)
        start(member, own, admin)

        with transaction():
            assert not viewing.stop(own, by=acting(admin), until=utc_now())

    def test_names_somebody_who_is_gone(self, admin: User, member: User, session: Session) -> None:
        own, key = sign_in(admin), str(member.id)
        start(member, own, admin)
        with transaction():
            users.delete(member, by=acting(admin), link_action="delete")

        with transaction():
            viewing.stop(own, by=acting(admin), how="gone")

        last = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert last is not None
        assert last.subject_id is None
        assert last.changes == {"how": [None, "gone"], "user": [key, None]}


class TestNothingIsDoneMeanwhile:
    """Whatever an edge forgets to refuse is refused by the operations."""

    @pytest.mark.parametrize("permission", Permission)
    def test_nothing_is_permitted(self, admin: User, owner: User, permission: Permission) -> None:
        assert not may(seen_as(owner, admin), permission)

    def test_no_token_is_made_or_revoked(self, admin: User, member: User, session: Session) -> None:
        with transaction():
            token, _secret = tokens.create(member, {"name": "theirs"}, by=acting(member))

        for act in (
            lambda by: tokens.create(member, {"name": "mine"}, by=by),
            lambda by: tokens.revoke(token, by=by),
        ):
            with pytest.raises(ForbiddenError), transaction():
                act(seen_as(member, admin))

        [kept] = session.scalars(select(ApiToken))
        assert kept.revoked_at is None

    def test_no_password_is_changed(self, admin: User, member: User, session: Session) -> None:
        loaded = credentials.with_password(member.id)
        assert loaded is not None
        stored = loaded.password_hash or ""

        with pytest.raises(ForbiddenError), transaction():
            credentials.change_own(
                member, "nine purple lampposts", by=seen_as(member, admin), stored=stored, keep=None
            )

        session.expire_all()
        wanted = select(User).where(User.id == member.id).options(undefer(User.password_hash))
        assert session.scalars(wanted).one().password_hash == stored

    def test_no_session_is_ended_or_opened(
        self, admin: User, member: User, session: Session
    ) -> None:
        theirs = sign_in(member)
        by = seen_as(member, admin)

        for act in (
            lambda: sessions.revoke(session.get_one(UserSession, theirs), by=by),
            lambda: sessions.revoke_all(member, by=by),
            lambda: sessions.sign_in(member, by=by, hours=1),
        ):
            with pytest.raises(ForbiddenError), transaction():
                act()
        with transaction():
            sessions.sign_out(theirs, by=by)

        assert session.scalars(select(UserSession.id)).all() == [theirs]

    def test_ones_own_session_is_ended(self, admin: User, member: User, session: Session) -> None:
        own = sign_in(admin)

        with transaction():
            sessions.sign_out(own, by=seen_as(member, admin))

        assert session.scalars(select(UserSession)).all() == []
        last = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert last is not None
        assert (last.action, last.actor_id) == ("session.signed_out", admin.id)
        assert (last.viewing_as_id, last.viewing_as_email) == (member.id, member.email)

    def test_no_event_of_a_change_is_taken(self, admin: User, member: User) -> None:
        for action in ("link.updated", "user.deleted", "impersonation.started"):
            with pytest.raises(ForbiddenError, match="viewing the site as"):
                audit.record(action, member, {}, by=seen_as(member, admin))

    def test_a_refusal_is_recorded_with_both(
        self, admin: User, member: User, session: Session
    ) -> None:
        with transaction():
            denials.note("POST /admin/links", by=seen_as(member, admin))

        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.actor_id, event.actor_level) == (
            "access.denied",
            admin.id,
            "admin",
        )
        assert (event.viewing_as_id, event.subject_id) == (member.id, str(member.id))
        assert audit.first_broken() is None
