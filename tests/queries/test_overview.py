"""The figures of the overview are what the rows add up to."""

import pytest
from sqlalchemy.orm import Session

from adminsite import queries
from adminsite.db import transaction
from adminsite.models import User
from adminsite.operations import ledger, users
from tests.factories import SubscriptionFactory
from tests.people import acting
from tests.rows import person

PRICES = {"starter": 500, "pro": 2900}


@pytest.fixture
def alice(session: Session) -> User:
    return person("Alice")


def entered(user: User, by: User, *entries: tuple[int, str]) -> None:
    """Entries as the service makes them."""
    with transaction():
        for amount, kind in entries:
            ledger.enter(user, amount, kind, by=acting(by))


class TestStats:
    def test_are_zero_in_an_empty_database(self, session: Session) -> None:
        found = queries.overview.stats(session, PRICES)

        assert found == queries.overview.Stats(0, 0, 0, 0, 0, {})

    def test_count_everybody_with_an_account(
        self, session: Session, alice: User, admin: User
    ) -> None:
        assert queries.overview.stats(session, PRICES).total_users == 2

    def test_issued_are_the_positive_entries_of_any_type(
        self, session: Session, alice: User, admin: User
    ) -> None:
        entered(alice, admin, (100, "purchase"), (30, "bonus"), (-20, "usage"), (-5, "expiration"))

        assert queries.overview.stats(session, PRICES).credits_issued == 130

    def test_used_is_the_sum_of_usage_without_its_sign(
        self, session: Session, alice: User, admin: User
    ) -> None:
        entered(alice, admin, (100, "purchase"), (-20, "usage"), (-7, "usage"), (-5, "clawback"))

        assert queries.overview.stats(session, PRICES).credits_used == 27

    def test_a_reversal_is_an_entry_of_its_own(
        self, session: Session, alice: User, admin: User
    ) -> None:
        entered(alice, admin, (100, "purchase"))
        with transaction():
            used = ledger.enter(alice, -20, "usage", by=acting(admin))
        with transaction():
            ledger.reverse(used, "charged twice", by=acting(admin), cap=None)

        found = queries.overview.stats(session, PRICES)

        assert (found.credits_issued, found.credits_used) == (120, 20)

    def test_entries_of_the_deleted_stay(self, session: Session, alice: User, admin: User) -> None:
        entered(alice, admin, (100, "purchase"), (-20, "usage"))
        with transaction():
            users.delete(alice, by=acting(admin), link_action="delete")

        found = queries.overview.stats(session, PRICES)

        assert (found.total_users, found.credits_issued, found.credits_used) == (1, 100, 20)

    def test_active_subscriptions_are_rows_with_that_status(
        self, session: Session, alice: User
    ) -> None:
        for status in ("active", "active", "trialing", "past_due", "canceled"):
            SubscriptionFactory.create(user=alice, status=status)

        assert queries.overview.stats(session, PRICES).active_subscriptions == 2

    def test_revenue_is_what_active_subscriptions_cost_a_month(
        self, session: Session, alice: User
    ) -> None:
        for tier, status in (("pro", "active"), ("starter", "active"), ("pro", "canceled")):
            SubscriptionFactory.create(user=alice, tier=tier, status=status)

        assert queries.overview.stats(session, PRICES).revenue_this_month == 3400

    @pytest.mark.parametrize("tier", ["business", None])
    def test_revenue_is_unknown_when_one_has_no_price(
        self, session: Session, alice: User, tier: str | None
    ) -> None:
        SubscriptionFactory.create(user=alice, tier="pro")
        SubscriptionFactory.create(user=alice, tier=tier)

        assert queries.overview.stats(session, PRICES).revenue_this_month is None

    def test_a_missing_price_of_what_has_ended_does_not_matter(
        self, session: Session, alice: User
    ) -> None:
        SubscriptionFactory.create(user=alice, tier="business", status="canceled")

        assert queries.overview.stats(session, PRICES).revenue_this_month == 0
