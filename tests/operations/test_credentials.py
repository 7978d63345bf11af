"""Passwords: changed by oneself, or by a one-time link that an owner issued."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite import passwords
from adminsite.db import transaction, utc_now
from adminsite.errors import ForbiddenError, InvalidError, MissingError, RuleError
from adminsite.models import PasswordReset, User, UserSession
from adminsite.operations import credentials, users
from adminsite.operations.sessions import digest
from adminsite.operations.users import SelfChangeError
from adminsite.permissions import SYSTEM, Level, Origin
from tests.factories import PASSWORD, UserFactory, save
from tests.operations.stored import access, actions, count, events, let_in, refused, staff
from tests.people import acting, make_person

WORDS = "several words apart"
BROWSER = Origin(request_id="r-1", ip="10.0.0.1", user_agent="Browser")


def password_of(user: User) -> str:
    """The stored form of a person's password."""
    found = credentials.with_password(user.id)
    assert found is not None
    assert found.password_hash is not None
    return found.password_hash


def issue(user: User, owner: User) -> str:
    with transaction():
        return credentials.issue_reset(user, by=acting(owner))


class TestCheck:
    @pytest.mark.parametrize("password", ["short", "ann@example.com", "password1234", "a" * 1001])
    def test_refuses_what_is_weak_about_its_field(self, password: str) -> None:
        with pytest.raises(InvalidError) as refusal:
            credentials.check(password, email="ann@example.com", name="Ann", field="secret")

        assert set(refusal.value.fields) == {"secret"}

    def test_takes_several_words(self) -> None:
        credentials.check(WORDS, email="ann@example.com", name="Ann")


class TestSetPassword:
    def test_stores_a_hash_and_ends_the_sessions(self, member: User) -> None:
        let_in(member, sessions=2, tokens=1)

        with transaction():
            credentials.set_password(member, WORDS, by=SYSTEM)

        assert passwords.matches(password_of(member), WORDS)
        assert access(member) == (0, 1)

    def test_tells_that_and_not_what(self, member: User) -> None:
        let_in(member, sessions=2)

        with transaction():
            credentials.set_password(member, WORDS, by=SYSTEM)

        (told,) = events()
        changes = {"how": [None, "set"], "sessions": [2, 0]}
        assert (told.action, told.changes) == ("password.changed", changes)

    def test_of_somebody_deleted_meanwhile_is_refused(self, admin: User, member: User) -> None:
        with transaction():
            users.delete(member, by=acting(admin), link_action="delete")

        with refused(MissingError):
            credentials.set_password(member, WORDS, by=SYSTEM)


class TestChangeOwn:
    def test_stores_the_new_one(self, member: User) -> None:
        stored = password_of(member)

        with transaction():
            credentials.change_own(member, WORDS, by=acting(member), stored=stored, keep=None)

        assert passwords.matches(password_of(member), WORDS)
        assert not passwords.matches(password_of(member), PASSWORD)

    def test_ends_the_links_that_were_issued(self, owner: User, member: User) -> None:
        stored, actor = password_of(member), acting(member)
        with transaction():
            token = credentials.issue_reset(member, by=acting(owner))

        with transaction():
            credentials.change_own(member, WORDS, by=actor, stored=stored, keep=None)

        assert credentials.find_reset(token) is None

    def test_ends_every_session_but_the_one_that_asks(self, member: User, session: Session) -> None:
        let_in(member, sessions=3, tokens=1)
        stored, actor = password_of(member), acting(member)
        kept = session.scalars(select(UserSession.id)).first()

        with transaction():
            credentials.change_own(member, WORDS, by=actor, stored=stored, keep=kept)

        assert list(session.scalars(select(UserSession.id))) == [kept]
        assert access(member) == (1, 1)
        assert [(event.action, event.changes) for event in events()] == [
            ("password.changed", {"how": [None, "with the current one"]}),
            ("session.revoked", {"sessions": [2, 0]}),
        ]

    @pytest.mark.parametrize("password", ["short", "member@example.com", "Member Person"])
    def test_is_refused_for_a_weak_one(self, member: User, password: str) -> None:
        stored = password_of(member)

        with refused(InvalidError) as refusal:
            credentials.change_own(member, password, by=acting(member), stored=stored, keep=None)

        assert set(refusal.value.fields) == {"new_password"}

    def test_of_somebody_else_is_refused_even_to_owners(self, owner: User, member: User) -> None:
        stored = password_of(member)

        with refused(SelfChangeError, "Issue a one-time link instead"):
            credentials.change_own(member, WORDS, by=acting(owner), stored=stored, keep=None)

    def test_is_refused_once_it_was_changed_meanwhile(self, member: User) -> None:
        stored, actor = password_of(member), acting(member)
        with transaction():
            credentials.set_password(member, "other words together", by=SYSTEM)

        with pytest.raises(RuleError, match="changed a moment ago") as refusal, transaction():
            credentials.change_own(member, WORDS, by=actor, stored=stored, keep=None)

        assert (refusal.value.status, refusal.value.code) == (409, "CONFLICT")
        assert passwords.matches(password_of(member), "other words together")

    def test_by_somebody_deleted_meanwhile_is_refused(self, admin: User, member: User) -> None:
        stored, actor = password_of(member), acting(member)
        with transaction():
            users.delete(member, by=acting(admin), link_action="delete")

        with refused(MissingError):
            credentials.change_own(member, WORDS, by=actor, stored=stored, keep=None)


class TestIssueReset:
    def test_keeps_only_the_hash_of_its_token(
        self, owner: User, member: User, session: Session
    ) -> None:
        token = issue(member, owner)

        kept = session.scalars(select(PasswordReset)).one()
        assert len(token) >= 43
        assert (kept.user_id, kept.token_hash) == (member.id, digest(token))
        assert kept.expires_at - kept.created_at == timedelta(hours=1)

    def test_tells_who_issued_it_and_until_when(
        self, owner: User, member: User, session: Session
    ) -> None:
        token = issue(member, owner)

        (told,) = events()
        ends = session.scalars(select(PasswordReset.expires_at)).one()
        assert (told.action, told.subject_id, told.actor_email) == (
            "password.reset_issued",
            str(member.id),
            "owner@example.com",
        )
        assert told.changes == {"expires_at": [None, ends.isoformat()]}
        assert token not in str(told.changes)

    def test_ends_earlier_links_and_those_that_expired(
        self, owner: User, member: User, session: Session
    ) -> None:
        first, other = issue(member, owner), UserFactory.create()
        save(PasswordReset(user_id=other.id, token_hash="old", expires_at=utc_now()))

        second = issue(member, owner)

        assert credentials.find_reset(first) is None
        assert credentials.find_reset(second) is member
        assert count(PasswordReset) == 1

    def test_leaves_the_links_of_others(self, owner: User, admin: User, member: User) -> None:
        theirs = issue(admin, owner)
        issue(member, owner)

        assert credentials.find_reset(theirs) is admin

    def test_leaves_password_and_sessions(self, owner: User, member: User) -> None:
        let_in(member, sessions=1, tokens=1)

        issue(member, owner)

        assert passwords.matches(password_of(member), PASSWORD)
        assert access(member) == (1, 1)

    @pytest.mark.parametrize("level", ["admin", "support", "member"])
    def test_is_refused_to_others_than_owners(self, app: Flask, level: str) -> None:
        user, actor = UserFactory.create(), acting(make_person(level))

        with refused(ForbiddenError):
            credentials.issue_reset(user, by=actor)

    def test_for_oneself_is_refused(self, owner: User) -> None:
        with refused(SelfChangeError, "Change your own password in your account"):
            credentials.issue_reset(owner, by=acting(owner))

    def test_for_somebody_deleted_meanwhile_is_refused(self, owner: User, member: User) -> None:
        actor = acting(owner)
        with transaction():
            users.delete(member, by=actor, link_action="delete")

        with refused(MissingError):
            credentials.issue_reset(member, by=actor)


class TestFindReset:
    @pytest.mark.parametrize("token", ["", "x", "\x00", "ü" * 50, "a" * 5000])
    def test_finds_nobody_for_nonsense(self, member: User, token: str) -> None:
        assert credentials.find_reset(token) is None

    def test_finds_nobody_by_the_stored_form(self, owner: User, member: User) -> None:
        token = issue(member, owner)

        assert credentials.find_reset(digest(token)) is None

    def test_finds_nobody_once_it_expired(
        self, owner: User, member: User, session: Session
    ) -> None:
        token = issue(member, owner)
        session.scalars(select(PasswordReset)).one().expires_at = utc_now()
        save()

        assert credentials.find_reset(token) is None


class TestUseReset:
    def test_sets_the_password_and_ends_the_sessions(self, owner: User, member: User) -> None:
        let_in(member, sessions=2, tokens=1)
        token = issue(member, owner)

        with transaction():
            user = credentials.use_reset(token, WORDS, origin=BROWSER)

        assert user is member
        assert passwords.matches(password_of(member), WORDS)
        assert access(member) == (0, 1)

    def test_is_told_as_done_by_the_person(self, owner: User) -> None:
        ann = staff("support", email="ann@example.com").user
        token = issue(ann, owner)

        with transaction():
            credentials.use_reset(token, WORDS, origin=BROWSER)

        told = events()[-1]
        assert (told.action, told.actor_email, told.actor_level) == (
            "password.changed",
            "ann@example.com",
            Level.SUPPORT.label,
        )
        assert (told.request_id, told.ip, told.user_agent) == ("r-1", "10.0.0.1", "Browser")

    def test_works_once(self, owner: User, member: User) -> None:
        token = issue(member, owner)
        with transaction():
            credentials.use_reset(token, WORDS, origin=BROWSER)

        with refused(MissingError, "used already, or is older than an hour"):
            credentials.use_reset(token, "other words together", origin=BROWSER)

    def test_works_no_more_when_used_while_it_waited(
        self, owner: User, member: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = issue(member, owner)
        found = iter([member, None])  # before and after the wait for the lock
        monkeypatch.setattr(credentials, "find_reset", lambda _token: next(found))

        with refused(MissingError):
            credentials.use_reset(token, WORDS, origin=BROWSER)

    def test_still_works_after_a_weak_password(self, owner: User, member: User) -> None:
        token = issue(member, owner)
        with refused(InvalidError) as refusal:
            credentials.use_reset(token, "short", origin=BROWSER)

        with transaction():
            credentials.use_reset(token, WORDS, origin=BROWSER)

        assert set(refusal.value.fields) == {"new_password"}
        assert actions() == ["password.reset_issued", "password.changed"]

    def test_after_its_person_is_gone_is_refused(self, owner: User, member: User) -> None:
        token = issue(member, owner)
        with transaction():
            users.delete(member, by=acting(owner), link_action="delete")

        with refused(MissingError):
            credentials.use_reset(token, WORDS, origin=BROWSER)


class TestWithPassword:
    def test_loads_the_stored_form(self, member: User, session: Session) -> None:
        session.expunge_all()

        found = credentials.with_password(member.id)

        assert found is not None
        assert "password_hash" in found.__dict__

    def test_is_none_for_nobody(self, app: Flask) -> None:
        assert credentials.with_password(None) is None
