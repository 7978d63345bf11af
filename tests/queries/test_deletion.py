"""Deletion plans: what a dialog shows before people are deleted."""

from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from adminsite.db import transaction, utc_now
from adminsite.models import User
from adminsite.operations import users
from adminsite.queries import deletion
from adminsite.queries.deletion import DeletionPlan, Leaver, Share
from tests.factories import AdminFactory, SubscriptionFactory, save
from tests.lists import statements
from tests.people import acting
from tests.rows import link, person


@pytest.fixture
def ann(app: Flask) -> User:
    return person("Ann", email="ann@example.com")


@pytest.fixture
def bob(app: Flask) -> User:
    return person("Bob", email="bob@example.com")


@pytest.fixture
def carl(app: Flask) -> User:
    return person("Carl", email="carl@example.com")


class TestPeople:
    def test_are_named_with_balance_and_subscription(self, session: Session, ann: User) -> None:
        ann.credits_balance = 7
        save()
        SubscriptionFactory(user=ann, tier="pro", status="past_due")

        (told,) = deletion.plan(session, [ann.id]).people

        assert told == Leaver(ann.id, ann.email, "Ann", 7, ("pro", "past_due"), is_staff=False)

    @pytest.mark.parametrize("status", ["active", "trialing", "past_due", "unpaid"])
    def test_have_a_subscription_while_it_runs(
        self, session: Session, ann: User, status: str
    ) -> None:
        SubscriptionFactory(user=ann, status=status, tier=None)

        (told,) = deletion.plan(session, [ann.id]).people

        assert told.subscription == (None, status)

    def test_have_their_own_subscription_whoever_else_has_a_newer_one(
        self, session: Session, ann: User, bob: User
    ) -> None:
        SubscriptionFactory(user=ann, tier="pro", created_at=utc_now() - timedelta(days=1))
        SubscriptionFactory(user=bob, tier="hobby")

        found = deletion.plan(session, [ann.id, bob.id]).people

        assert {told.name: told.subscription for told in found} == {
            "Ann": ("pro", "active"),
            "Bob": ("hobby", "active"),
        }

    @pytest.mark.parametrize("status", ["canceled", "incomplete"])
    def test_have_none_once_it_ended(self, session: Session, ann: User, status: str) -> None:
        SubscriptionFactory(user=ann, status=status)

        (told,) = deletion.plan(session, [ann.id]).people

        assert told.subscription is None

    def test_have_an_older_subscription_that_goes_on(self, session: Session, ann: User) -> None:
        SubscriptionFactory(user=ann, tier="pro", created_at=utc_now() - timedelta(days=1))
        SubscriptionFactory(user=ann, status="canceled")

        (told,) = deletion.plan(session, [ann.id]).people

        assert told.subscription == ("pro", "active")  # nobody else would end it

    def test_are_staff_by_record_or_role(self, session: Session, ann: User) -> None:
        boss, sue = person("Boss", role="admin"), person("Sue")
        AdminFactory(user=sue, status="suspended")

        found = deletion.plan(session, [ann.id, boss.id, sue.id]).people

        assert {told.name: told.is_staff for told in found} == {
            "Ann": False,
            "Boss": True,
            "Sue": True,
        }

    def test_who_do_not_exist_are_left_out(self, session: Session) -> None:
        assert deletion.plan(session, [uuid4()]) == DeletionPlan((), ())


class TestShares:
    def test_are_sorted_by_what_becomes_of_them(
        self, session: Session, ann: User, bob: User, carl: User
    ) -> None:
        mine, shared = link(owner=ann), link(owner=ann, co_owners=[carl, bob])
        his = link(owner=bob, co_owners=[carl, ann])

        plan = deletion.plan(session, [ann.id])

        assert plan.sole == [Share(ann.id, mine.id, mine.slug, is_primary=True, stays=None)]
        assert plan.shared == [
            Share(ann.id, shared.id, shared.slug, is_primary=True, stays="carl@example.com")
        ]
        assert plan.co_owned == [
            Share(ann.id, his.id, his.slug, is_primary=False, stays="bob@example.com")
        ]

    def test_of_several_people_ask_who_stays_of_all(
        self, session: Session, ann: User, bob: User, carl: User
    ) -> None:
        link(slug="both", owner=ann, co_owners=[bob])
        link(slug="three", owner=bob, co_owners=[ann, carl])

        plan = deletion.plan(session, [ann.id, bob.id])

        assert [(one.slug, one.stays) for one in plan.sole] == [("both", None)]
        assert [(one.slug, one.stays) for one in plan.shared] == [("three", "carl@example.com")]
        assert {one.slug for one in plan.co_owned} == {"both", "three"}


class TestPlan:
    def test_takes_three_statements_at_most(self, session: Session, ann: User) -> None:
        for _ in range(5):
            link(owner=ann)
        key = ann.id

        with statements() as sent:
            deletion.plan(session, [key])

        assert len(sent) <= 3

    def test_is_what_the_operation_does(self, session: Session, admin: User, ann: User) -> None:
        link(owner=ann)
        plan = deletion.plan(session, [ann.id])

        with transaction():
            done = users.delete(ann, by=acting(admin), link_action="delete", plan=plan.digest)

        assert done == plan

    def test_has_a_digest_of_what_it_shows(self, session: Session, ann: User, bob: User) -> None:
        one, again = (deletion.plan(session, [ann.id]) for _ in range(2))

        assert one.digest == again.digest
        assert deletion.plan(session, [bob.id]).digest != one.digest
