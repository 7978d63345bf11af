"""Subscriptions: what may become of them, and that the person's row says the same."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from adminsite.db import db, transaction, utc_now
from adminsite.errors import InvalidError, LevelError, MissingError
from adminsite.models import AuditEvent, Subscription, User
from adminsite.operations import subscriptions, users
from adminsite.operations.subscriptions import MOVES, ChangedError, MoveError, OlderError
from adminsite.permissions import SYSTEM
from tests.beside import Beside
from tests.factories import SubscriptionFactory, save
from tests.lists import statements
from tests.operations.stored import actions, events, refused
from tests.people import acting, make_person
from tests.rows import person

WHY = "asked for it on the phone"
ALLOWED = [(before, after) for before, afters in MOVES.items() for after in afters]
NOT_ALLOWED = [
    pair
    for pair in product(User.STATUSES, User.STATUSES)
    if pair not in ALLOWED and pair[0] != pair[1]
]


@pytest.fixture
def alice(app: Flask) -> User:
    return person("Alice", email="alice@example.com")


def subscribed(
    user: User, tier: str | None = "pro", status: str = "active", **values: Any
) -> Subscription:
    """A saved subscription that the person's row repeats."""
    row = cast("Subscription", SubscriptionFactory(user=user, tier=tier, status=status, **values))
    user.subscription_tier, user.subscription_status = tier, status
    save(user)
    return row


def older(user: User, **values: Any) -> Subscription:
    """A saved subscription of a year ago."""
    long_ago = utc_now() - timedelta(days=365)
    return cast("Subscription", SubscriptionFactory(user=user, created_at=long_ago, **values))


def planned(row: Subscription, tier: Any, by: User, why: Any = WHY, **seen: Any) -> None:
    with transaction():
        subscriptions.change_plan(row, tier, why, by=acting(by), **seen)


def moved(row: Subscription, status: Any, by: User, why: Any = WHY, **seen: Any) -> None:
    with transaction():
        subscriptions.change_status(row, status, why, by=acting(by), **seen)


def patched(user: User, by: User, **values: Any) -> None:
    with transaction():
        subscriptions.update_of(user, values, by=acting(by))


def says(user: User) -> tuple[str | None, str | None]:
    """What the person's row says."""
    return user.subscription_tier, user.subscription_status


class TestMoves:
    def test_lead_from_every_status_and_never_back_to_the_beginning(self) -> None:
        assert set(MOVES) == set(User.STATUSES)
        assert "incomplete" not in {after for _, after in ALLOWED}
        assert {before for before, after in ALLOWED if after == "trialing"} == {"incomplete"}

    def test_lead_from_everywhere_to_the_end(self) -> None:
        assert all("canceled" in after for before, after in MOVES.items() if before != "canceled")
        assert MOVES["canceled"] == ("active",)


class TestChangePlan:
    def test_moves_the_subscription_and_the_persons_row(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro")
        before = alice.updated_at

        planned(row, "business", admin)

        assert (row.tier, says(alice)) == ("business", ("business", "active"))
        assert alice.updated_at > before

    def test_gives_a_plan_to_one_without(self, alice: User, admin: User) -> None:
        row = subscribed(alice, None)

        planned(row, "starter", admin)

        assert (row.tier, says(alice)) == ("starter", ("starter", "active"))

    def test_is_told_by_one_event_with_the_reason(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro")

        planned(row, "hobby", admin, why=f"  {WHY}\n")

        [event] = events()
        assert (event.action, event.subject_id) == ("subscription.updated", str(alice.id))
        assert (event.actor_email, event.reason) == (admin.email, WHY)
        assert event.changes == {
            "subscription_tier": ["pro", "hobby"],
            "subscription": [row.id, row.id],
        }

    def test_to_the_same_plan_changes_nothing(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro", "canceled")
        before = alice.version

        planned(row, "pro", admin)

        assert (events(), alice.version) == ([], before)

    @pytest.mark.parametrize("tier", ["gold", "PRO", 7, ["pro"], True, "pro\x00"])
    def test_to_an_unknown_plan_is_refused(self, alice: User, admin: User, tier: Any) -> None:
        row = subscribed(alice, "pro")

        with refused(InvalidError) as refusal:
            subscriptions.change_plan(row, tier, WHY, by=acting(admin))

        assert list(refusal.value.fields) == ["tier"]

    @pytest.mark.parametrize("tier", [None, ""])
    def test_asks_for_everything_that_is_missing(self, alice: User, admin: User, tier: Any) -> None:
        row = subscribed(alice, "pro")

        with refused(InvalidError) as refusal:
            subscriptions.change_plan(row, tier, " ", by=acting(admin))

        assert refusal.value.fields == {
            "tier": "Choose a plan.",
            "reason": "Give a reason: whoever reads this later will ask.",
        }

    @pytest.mark.parametrize("why", [None, "", " \n", "\u200b", "x" * 501, 7])
    def test_without_a_reason_is_refused(self, alice: User, admin: User, why: Any) -> None:
        row = subscribed(alice, "pro")

        with refused(InvalidError) as refusal:
            subscriptions.change_plan(row, "hobby", why, by=acting(admin))

        assert list(refusal.value.fields) == ["reason"]

    def test_takes_a_reason_of_the_longest(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro")

        planned(row, "hobby", admin, why="x" * 500)

        assert row.tier == "hobby"

    def test_of_one_that_has_ended_is_refused(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro", "canceled")

        with refused(MoveError, "Make it active again before its plan changes"):
            subscriptions.change_plan(row, "hobby", WHY, by=acting(admin))

    def test_of_an_older_one_is_refused_and_names_the_newer(self, alice: User, admin: User) -> None:
        row, newer = older(alice), subscribed(alice, "hobby")

        with refused(OlderError, f"A newer subscription of this person counts: {newer.id}"):
            subscriptions.change_plan(row, "starter", WHY, by=acting(admin))

    @pytest.mark.parametrize("level", ["support", "member"])
    def test_is_refused_to_lower_levels(self, alice: User, level: str) -> None:
        row, actor = subscribed(alice, "pro"), acting(make_person(level))

        with refused(LevelError):
            subscriptions.change_plan(row, "hobby", WHY, by=actor)

    def test_of_one_that_went_with_its_person_is_refused(self, alice: User, admin: User) -> None:
        row, actor = subscribed(alice, "pro"), acting(admin)
        with transaction():
            users.delete(alice, by=actor, link_action="delete")

        with refused(MissingError, "deleted meanwhile, with its person"):
            subscriptions.change_plan(row, "hobby", WHY, by=actor)

    def test_costs_the_same_however_many_the_person_had(self, alice: User, admin: User) -> None:
        row, actor = subscribed(alice, "pro"), acting(admin)

        def cost(tier: str) -> int:
            with transaction(), statements() as sent:
                subscriptions.change_plan(row, tier, WHY, by=actor)
            return len(sent)

        alone = cost("hobby")
        for _ in range(5):
            older(alice, status="canceled")
        assert cost("business") == alone == 6


class TestSeen:
    """What the person was shown when they decided."""

    def test_is_still_so(self, alice: User, admin: User) -> None:
        row = subscribed(alice, None)

        planned(row, "pro", admin, seen="")
        moved(row, "past_due", admin, seen="active")

        assert (row.tier, row.status) == ("pro", "past_due")

    def test_plan_was_changed_by_another(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro")

        with refused(ChangedError, "Somebody changed the plan meanwhile: it is pro now"):
            subscriptions.change_plan(row, "hobby", WHY, by=acting(admin), seen="starter")

    def test_plan_was_taken_away_by_another(self, alice: User, admin: User) -> None:
        row = subscribed(alice, None)

        with refused(ChangedError, "it is unknown now"):
            subscriptions.change_plan(row, "hobby", WHY, by=acting(admin), seen="starter")

    def test_status_was_changed_by_another(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro", "past_due")

        with refused(ChangedError, "Somebody changed the status meanwhile: it is past due now"):
            subscriptions.change_status(row, "canceled", WHY, by=acting(admin), seen="active")

    def test_same_was_decided_by_another(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro", "canceled")

        moved(row, "canceled", admin, seen="active")

        assert (row.status, events()) == ("canceled", [])


class TestChangeStatus:
    @pytest.mark.parametrize(("before", "after"), ALLOWED)
    def test_follows_the_moves(self, alice: User, admin: User, before: str, after: str) -> None:
        row = subscribed(alice, "pro", before)

        moved(row, after, admin)

        assert (row.status, says(alice)) == (after, ("pro", after))
        assert actions() == ["subscription.updated"]

    @pytest.mark.parametrize(("before", "after"), NOT_ALLOWED)
    def test_is_refused_where_no_move_leads(
        self, alice: User, admin: User, before: str, after: str
    ) -> None:
        row = subscribed(alice, "pro", before)

        with refused(MoveError, f"From {before.replace('_', ' ')} a subscription goes to "):
            subscriptions.change_status(row, after, WHY, by=acting(admin))

    def test_to_the_end_keeps_when(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro")

        moved(row, "canceled", admin)

        [event] = events()
        assert row.canceled_at is not None
        assert event.changes == {
            "subscription_status": ["active", "canceled"],
            "subscription": [row.id, row.id],
            "canceled_at": [None, row.canceled_at.isoformat()],
        }

    def test_from_the_end_begins_anew(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro", "canceled", canceled_at=utc_now(), cancel_at_period_end=True)

        moved(row, "active", admin)

        assert (row.status, row.canceled_at, row.cancel_at_period_end) == ("active", None, False)

    def test_leaves_what_is_about_to_end_so(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro", "past_due", cancel_at_period_end=True)

        moved(row, "active", admin)

        assert row.cancel_at_period_end is True

    @pytest.mark.parametrize("status", [None, "", "gone", "ACTIVE", 1, ["active"]])
    def test_to_no_status_is_refused(self, alice: User, admin: User, status: Any) -> None:
        row = subscribed(alice, "pro")

        with refused(InvalidError) as refusal:
            subscriptions.change_status(row, status, WHY, by=acting(admin))

        assert list(refusal.value.fields) == ["status"]

    def test_of_an_older_one_to_anything_but_its_end_is_refused(
        self, alice: User, admin: User
    ) -> None:
        row = older(alice, status="active")
        subscribed(alice, "hobby")

        with refused(OlderError, "this one can only be ended"):
            subscriptions.change_status(row, "past_due", WHY, by=acting(admin))

    def test_of_an_older_one_that_has_ended_is_refused(self, alice: User, admin: User) -> None:
        row = older(alice, status="canceled")
        subscribed(alice, "hobby")

        with refused(OlderError, r"Change that one\.$"):
            subscriptions.change_status(row, "active", WHY, by=acting(admin))

    def test_ends_an_older_one_and_leaves_the_persons_row(self, alice: User, admin: User) -> None:
        row = older(alice, tier="pro", status="active")
        subscribed(alice, "hobby")

        moved(row, "canceled", admin)

        assert (row.status, row.canceled_at is not None) == ("canceled", True)
        assert (alice.subscription_tier, alice.subscription_status) == ("hobby", "active")
        assert events()[-1].changes["status"] == ["active", "canceled"]
        assert "subscription_status" not in events()[-1].changes

    def test_is_refused_to_support(self, alice: User, support: User) -> None:
        row = subscribed(alice, "pro")

        with refused(LevelError):
            subscriptions.change_status(row, "canceled", WHY, by=acting(support))


class TestStaleMirror:
    """Somebody wrote to the tables by hand, and the two rows do not say the same."""

    @pytest.fixture
    def row(self, session: Session, alice: User) -> Subscription:
        alice.subscription_tier, alice.subscription_status = "starter", "trialing"
        save(alice)
        return cast("Subscription", SubscriptionFactory(user=alice, tier="pro", status="past_due"))

    def test_is_judged_by_the_subscription_and_healed(
        self, row: Subscription, alice: User, admin: User
    ) -> None:
        moved(row, "active", admin)

        assert says(alice) == ("pro", "active")

    def test_is_told_with_both_sides(self, row: Subscription, alice: User, admin: User) -> None:
        moved(row, "active", admin)

        [event] = events()
        assert event.changes == {
            "subscription_tier": ["starter", "pro"],
            "subscription_status": ["trialing", "active"],
            "subscription": [row.id, row.id],
            "status": ["past_due", "active"],
        }

    def test_is_healed_even_when_the_subscription_says_so_already(
        self, row: Subscription, alice: User, admin: User
    ) -> None:
        planned(row, "pro", admin)

        [event] = events()
        assert says(alice) == ("pro", "past_due")
        assert "subscription" not in event.changes

    def test_does_not_allow_what_the_subscription_refuses(
        self, row: Subscription, admin: User
    ) -> None:
        with refused(MoveError, "From past due"):
            subscriptions.change_status(row, "incomplete", WHY, by=acting(admin))


class TestUpdateOf:
    def test_is_followed_by_the_newest_subscription(self, alice: User, admin: User) -> None:
        old, row = older(alice, tier="starter", status="canceled"), subscribed(alice, "pro")

        patched(alice, admin, tier="business", status="past_due")

        assert (row.tier, row.status, says(alice)) == (
            "business",
            "past_due",
            ("business", "past_due"),
        )
        assert (old.tier, old.status) == ("starter", "canceled")
        assert actions() == ["subscription.updated"]

    def test_of_somebody_without_any_writes_their_row(self, alice: User, admin: User) -> None:
        patched(alice, admin, tier="pro", status="trialing")
        patched(alice, admin, status="active")

        assert says(alice) == ("pro", "active")
        assert [event.changes for event in events()] == [
            {"subscription_tier": [None, "pro"], "subscription_status": [None, "trialing"]},
            {"subscription_status": ["trialing", "active"]},
        ]

    def test_null_clears_the_plan(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro")

        patched(alice, admin, tier=None)

        assert (row.tier, says(alice)) == (None, (None, "active"))

    def test_null_clears_the_status_and_ends_the_subscription(
        self, alice: User, admin: User
    ) -> None:
        row = subscribed(alice, "pro")

        patched(alice, admin, status=None)

        assert (row.status, says(alice)) == ("canceled", ("pro", None))
        assert row.canceled_at is not None

    def test_a_cleared_status_stays_so_until_it_is_active_again(
        self, alice: User, admin: User
    ) -> None:
        row = subscribed(alice, "pro")
        patched(alice, admin, status=None)

        patched(alice, admin, tier=None)
        assert says(alice) == (None, None)

        moved(row, "active", admin)
        assert says(alice) == (None, "active")

    def test_null_twice_changes_nothing_more(self, alice: User, admin: User) -> None:
        subscribed(alice, "pro")

        patched(alice, admin, tier=None, status=None)
        patched(alice, admin, tier=None, status=None)

        assert actions() == ["subscription.updated"]

    def test_keeps_to_the_moves(self, alice: User, admin: User) -> None:
        subscribed(alice, "pro", "canceled")

        with refused(MoveError, "From canceled a subscription goes to active; not to unpaid"):
            subscriptions.update_of(alice, {"status": "unpaid"}, by=acting(admin))

    def test_keeps_to_the_moves_without_a_subscription(self, alice: User, admin: User) -> None:
        patched(alice, admin, status="active")

        with refused(MoveError):
            subscriptions.update_of(alice, {"status": "incomplete"}, by=acting(admin))

    def test_leaves_an_ended_one_on_its_plan(self, alice: User, admin: User) -> None:
        subscribed(alice, "pro", "canceled")

        with refused(MoveError, "has ended"):
            subscriptions.update_of(alice, {"tier": "hobby"}, by=acting(admin))

    def test_does_not_end_and_change_the_plan_at_once(self, alice: User, admin: User) -> None:
        subscribed(alice, "pro")

        with refused(MoveError, "has ended"):
            subscriptions.update_of(alice, {"tier": "hobby", "status": None}, by=acting(admin))

    def test_takes_up_an_ended_one_on_another_plan(self, alice: User, admin: User) -> None:
        row = subscribed(alice, "pro", "canceled")

        patched(alice, admin, tier="hobby", status="active")

        assert (row.tier, row.status) == ("hobby", "active")

    def test_says_again_what_is_so(self, alice: User, admin: User) -> None:
        subscribed(alice, "pro", "canceled")

        patched(alice, admin, tier="pro", status="canceled")
        patched(alice, admin)

        assert actions() == []

    @pytest.mark.parametrize(
        "values", [{"tier": "gold"}, {"status": 5}, {"role": "admin"}, {"reason": WHY}]
    )
    def test_of_anything_else_is_refused(self, alice: User, admin: User, values: Any) -> None:
        subscribed(alice, "pro")

        with refused(InvalidError) as refusal:
            subscriptions.update_of(alice, values, by=acting(admin))

        assert list(refusal.value.fields) == list(values)

    def test_is_refused_to_support(self, alice: User, support: User) -> None:
        with refused(LevelError):
            subscriptions.update_of(alice, {"tier": "pro"}, by=acting(support))

    def test_of_somebody_deleted_meanwhile_is_refused(self, alice: User, admin: User) -> None:
        actor = acting(admin)
        with transaction():
            users.delete(alice, by=actor, link_action="delete")

        with refused(MissingError, "This user was deleted meanwhile"):
            subscriptions.update_of(alice, {"tier": "pro"}, by=actor)


class TestObjection:
    def test_is_none_to_the_newest(self, alice: User) -> None:
        older(alice)

        assert subscriptions.objection(subscribed(alice)) is None

    def test_goes_by_the_key_when_two_began_at_once(self, alice: User) -> None:
        at = utc_now()
        first, second = (
            SubscriptionFactory.create(user=alice, id=key, created_at=at) for key in "ab"
        )

        assert isinstance(subscriptions.objection(first), OlderError)
        assert subscriptions.objection(second) is None

    def test_is_none_to_the_end_of_an_older_one(self, alice: User) -> None:
        row = older(alice, status="active")
        subscribed(alice)

        assert subscriptions.objection(row, "canceled") is None
        assert subscriptions.moves(row) == ("canceled",)

    def test_is_none_to_one_that_is_gone(self, session: Session, alice: User) -> None:
        assert subscriptions.objection(Subscription(id="sub_gone", user_id=alice.id)) is None


class TestGetAllForUpdate:
    def test_gives_those_that_exist_in_the_order_of_their_keys(self, alice: User) -> None:
        bob = person("Bob")
        for key, whose in (("sub_c", alice), ("sub_a", bob), ("sub_b", alice)):
            SubscriptionFactory(id=key, user=whose)

        with transaction():
            found = subscriptions.get_all_for_update(["sub_c", "sub_b", "sub_a", "sub_x"])

        assert [row.id for row in found] == ["sub_a", "sub_b", "sub_c"]

    def test_of_unknown_keys_locks_nobody(self, app: Flask) -> None:
        with transaction(), statements() as sent:
            assert subscriptions.get_all_for_update(["sub_x"]) == []

        assert len(sent) == 1

    def test_locks_people_before_their_subscriptions(self, alice: User) -> None:
        keys = [subscribed(alice).id]

        with transaction(), statements() as sent:
            subscriptions.get_all_for_update(keys)

        assert [sql.split("FROM ")[1].split()[0] for sql in sent] == [
            "subscriptions",
            "users",
            "subscriptions",
        ]


class TestAtOnce:
    """What another one does while somebody is at it."""

    def move(self, row: Subscription, status: str, by: User, **seen: Any) -> Callable[[], object]:
        key, actor = row.id, acting(by)

        def act() -> None:
            mine = db.session.get_one(Subscription, key)  # as it was read before the wait
            subscriptions.change_status(mine, status, WHY, by=actor, **seen)

        return act

    def test_the_second_is_judged_by_what_the_first_stored(
        self, app: Flask, alice: User, admin: User, owner: User
    ) -> None:
        row = subscribed(alice)
        act = self.move(row, "past_due", owner)

        with transaction():
            subscriptions.change_status(row, "canceled", WHY, by=acting(admin))
            other = Beside(app, act)

        assert isinstance(other.end(), MoveError)
        assert self.stored(row.id) == ("canceled", "canceled")

    def test_the_second_hears_that_it_is_not_as_it_was_shown(
        self, app: Flask, alice: User, admin: User, owner: User
    ) -> None:
        row = subscribed(alice)
        act = self.move(row, "canceled", owner, seen="active")

        with transaction():
            subscriptions.change_status(row, "past_due", WHY, by=acting(admin))
            other = Beside(app, act)

        assert isinstance(other.end(), ChangedError)
        assert self.stored(row.id) == ("past_due", "past_due")

    def test_a_plan_and_a_status_are_both_kept(
        self, app: Flask, alice: User, admin: User, owner: User
    ) -> None:
        row = subscribed(alice)
        act = self.move(row, "past_due", owner)

        with transaction():
            subscriptions.change_plan(row, "business", WHY, by=acting(admin))
            other = Beside(app, act)

        assert other.end() == "done"
        assert self.stored(row.id) == ("past_due", "past_due")
        assert self.told() == [
            {"subscription_tier": ["pro", "business"], "subscription": [row.id, row.id]},
            {"subscription_status": ["active", "past_due"], "subscription": [row.id, row.id]},
        ]

    def test_a_patch_waits_for_the_screen(
        self, app: Flask, alice: User, admin: User, owner: User
    ) -> None:
        row, key, actor = subscribed(alice), alice.id, acting(owner)

        def patch() -> None:
            user = db.session.get_one(User, key)
            subscriptions.update_of(user, {"status": "unpaid"}, by=actor)

        with transaction():
            subscriptions.change_status(row, "canceled", WHY, by=acting(admin))
            other = Beside(app, patch)

        assert isinstance(other.end(), MoveError)
        assert self.stored(row.id) == ("canceled", "canceled")

    def test_a_deletion_takes_the_subscription_along(
        self, app: Flask, alice: User, admin: User
    ) -> None:
        act = self.move(subscribed(alice), "canceled", admin)

        with transaction():
            users.delete(alice, by=SYSTEM, link_action="delete")
            other = Beside(app, act)

        sqlite = db.engine.dialect.name == "sqlite"  # it began after the row was gone
        assert isinstance(other.end(), NoResultFound if sqlite else MissingError)
        assert db.session.scalars(select(Subscription)).all() == []

    def stored(self, key: str) -> tuple[str, str | None]:
        """The status of the subscription, and what the person's row says of it."""
        db.session.expire_all()
        row = db.session.get_one(Subscription, key)
        return row.status, row.user.subscription_status

    def told(self) -> list[dict[str, Any]]:
        return [
            event.changes
            for event in db.session.scalars(select(AuditEvent).order_by(AuditEvent.id))
        ]
