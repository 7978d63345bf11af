"""What is shown of one person, and beside each person of a list."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from adminsite.db import transaction, utc_now
from adminsite.models import ApiToken, User, UserSession
from adminsite.operations import admins, users
from adminsite.queries import people
from tests.factories import (
    AdminFactory,
    CreditTransactionFactory,
    SubscriptionFactory,
    UserFactory,
    save,
)
from tests.lists import statements
from tests.people import acting
from tests.rows import link, person

NOW = utc_now()
PAST, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


@pytest.fixture
def ann(app: Flask) -> User:
    return person("Ann")


@pytest.fixture
def bob(app: Flask) -> User:
    return person("Bob")


def signed_in(user: User, name: str, seen: datetime, ends: datetime) -> UserSession:
    return UserSession(user_id=user.id, token_hash=name, last_seen_at=seen, expires_at=ends)


def token(user: User, name: str, ends: datetime | None, revoked: datetime | None) -> ApiToken:
    return ApiToken(
        user_id=user.id,
        name=name,
        token_hash=name,
        prefix="adm_",
        expires_at=ends,
        revoked_at=revoked,
    )


class TestOwnLinks:
    def test_are_those_owned_alone_or_with_others(
        self, session: Session, ann: User, bob: User
    ) -> None:
        link(slug="first", owner=ann)
        link(slug="his", owner=bob)
        link(slug="shared", owner=bob, co_owners=[ann])

        found = people.own_links(session, ann.id, 10)

        assert [(row.slug, row.primary) for row in found] == [("shared", False), ("first", True)]
        assert people.count_own_links(session, ann.id) == 2

    def test_are_the_newest_when_there_are_more(self, session: Session, ann: User) -> None:
        for slug in ("first", "second", "third"):
            link(slug=slug, owner=ann)

        found = people.own_links(session, ann.id, 2)

        assert [row.slug for row in found] == ["third", "second"]

    def test_are_none_of_somebody_without(self, session: Session, ann: User) -> None:
        assert people.own_links(session, ann.id, 10) == []
        assert people.count_own_links(session, ann.id) == 0


class TestOwnSessions:
    def test_are_those_still_open_the_latest_use_first(
        self, session: Session, ann: User, bob: User
    ) -> None:
        save(
            signed_in(ann, "old", PAST, LATER),
            signed_in(ann, "new", NOW, LATER),
            signed_in(ann, "ended", NOW, NOW),
            signed_in(bob, "his", NOW, LATER),
        )

        found = people.own_sessions(session, ann.id, NOW)

        assert [row.token_hash for row in found] == ["new", "old"]


class TestOwnTokens:
    def test_are_those_that_work_the_newest_first(
        self, session: Session, ann: User, bob: User
    ) -> None:
        save(token(ann, "for ever", None, None))
        save(token(ann, "for now", LATER, None))
        save(token(ann, "expired", NOW, None), token(ann, "revoked", LATER, PAST))
        save(token(bob, "his", None, None))

        found = people.own_tokens(session, ann.id, NOW)

        assert [row.name for row in found] == ["for now", "for ever"]


class TestBesideAList:
    def test_links_are_counted_for_everybody_by_one_statement(
        self, session: Session, ann: User, bob: User
    ) -> None:
        link(owner=ann)
        link(owner=ann, co_owners=[bob])
        keys = [ann.id, bob.id, person().id]

        with statements() as sent:
            counts = people.links_owned(session, keys)

        assert counts == dict(zip(keys, (2, 1, 0), strict=True))
        assert len(sent) == 1

    def test_staff_are_told_by_level_and_status(self, session: Session, ann: User) -> None:
        sue = UserFactory.create()
        AdminFactory(user=sue, role="support", status="suspended")

        found = people.staff_among(session, [ann.id, sue.id])

        assert found == {sue.id: ("support", "suspended")}


class TestMoney:
    def test_the_newest_subscription_counts(self, session: Session, ann: User) -> None:
        for days, tier in ((2, "hobby"), (1, "pro"), (3, "starter")):
            SubscriptionFactory(user=ann, tier=tier, created_at=NOW - timedelta(days=days))

        found = people.newest_subscription(session, ann.id)

        assert found is not None
        assert found.tier == "pro"

    def test_somebody_may_have_none(self, session: Session, ann: User) -> None:
        SubscriptionFactory()

        assert people.newest_subscription(session, ann.id) is None

    def test_the_newest_entries_of_the_ledger_are_shown(self, session: Session, ann: User) -> None:
        for amount in (1, 2, 3):
            CreditTransactionFactory(user=ann, amount=amount)
        CreditTransactionFactory()

        found = people.recent_transactions(session, ann.id, 2)

        assert [entry.amount for entry in found] == [3, 2]


class TestTimeline:
    def test_holds_the_newest_events_of_person_and_staff_record(
        self, session: Session, owner: User, ann: User, bob: User
    ) -> None:
        actor = acting(owner)
        for user in (ann, bob):
            with transaction():
                users.update(user, {"display_name": "New"}, by=actor)
        with transaction():
            record = admins.appoint(ann, "support", by=actor)

        found = people.timeline(session, ann.id, record.id, 10)

        assert [event.action for event in found] == [
            "user.role_changed",
            "admin.created",
            "user.updated",
        ]
        assert people.timeline(session, ann.id, record.id, 2) == found[:2]

    def test_of_a_member_holds_those_of_the_person(
        self, session: Session, admin: User, ann: User
    ) -> None:
        with transaction():
            users.update(ann, {"display_name": "New"}, by=acting(admin))

        found = people.timeline(session, ann.id, None, 10)

        assert [event.action for event in found] == ["user.updated"]
