"""The figures of the overview are what the rows add up to."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy.orm import Session

from adminsite import queries
from adminsite.db import transaction, utc_now
from adminsite.models import User
from adminsite.operations import denials, ledger, users
from adminsite.queries.overview import Days
from tests.client import SiteClient
from tests.factories import CreditTransactionFactory, SubscriptionFactory
from tests.lists import statements
from tests.people import acting
from tests.rows import keyword, link, person

PRICES = {"starter": 500, "pro": 2900}
DAY = timedelta(days=1)
TODAY = utc_now().date()
THIS_WEEK = Days(TODAY - 6 * DAY, TODAY)
LAST_WEEK = Days(TODAY - 13 * DAY, TODAY - 7 * DAY)


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


def at(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


class TestCounts:
    def test_count_what_a_period_and_the_one_before_added(self, session: Session) -> None:
        for day in (TODAY, TODAY, LAST_WEEK.last, LAST_WEEK.first, LAST_WEEK.first - DAY):
            person(created_at=at(day))

        found = queries.overview.counts(session, THIS_WEEK, LAST_WEEK)

        assert found.users == (2, 2)

    def test_a_day_begins_and_ends_at_midnight_in_utc(self, session: Session) -> None:
        midnight = datetime.combine(THIS_WEEK.first, time(), tzinfo=UTC)
        for moment in (midnight, midnight - timedelta(microseconds=1)):
            keyword(created_at=moment)

        found = queries.overview.counts(session, THIS_WEEK, LAST_WEEK)

        assert (found.keywords, found.all_keywords) == ((1, 1), 2)

    def test_count_subscriptions_of_any_status(self, session: Session, alice: User) -> None:
        for status in ("active", "canceled", "trialing"):
            SubscriptionFactory.create(user=alice, status=status)

        assert queries.overview.counts(session, THIS_WEEK, LAST_WEEK).subscriptions == (3, 0)

    def test_credits_of_the_period_before(self, session: Session, alice: User) -> None:
        for day, amount, kind in (
            (LAST_WEEK.first, 100, "purchase"),
            (LAST_WEEK.last, -30, "usage"),
            (TODAY, 7, "bonus"),
        ):
            CreditTransactionFactory.create(
                user=alice, amount=amount, type=kind, created_at=at(day)
            )

        found = queries.overview.counts(session, THIS_WEEK, LAST_WEEK)

        assert (found.issued_before, found.used_before) == (100, 30)


class TestByDay:
    def test_joined_by_day(self, session: Session) -> None:
        for day in (TODAY, TODAY, THIS_WEEK.first, LAST_WEEK.last):
            person(created_at=at(day))

        found = queries.overview.joined(session, THIS_WEEK, by_month=False)

        assert found == {TODAY: 2, THIS_WEEK.first: 1}

    def test_joined_by_month(self, session: Session) -> None:
        for day in (date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)):
            person(created_at=at(day))

        year = Days(date(2026, 1, 1), date(2026, 12, 31))
        found = queries.overview.joined(session, year, by_month=True)

        assert found == {date(2026, 1, 1): 2, date(2026, 2, 1): 1}

    def test_credits_are_those_of_the_ledger(
        self, session: Session, alice: User, admin: User
    ) -> None:
        entered(alice, admin, (100, "purchase"), (-20, "usage"), (-5, "clawback"), (3, "bonus"))

        found = queries.overview.credits_by_day(session, THIS_WEEK)

        assert found == [(utc_now().date(), 103, 20)]


class TestSubscriptionMoves:
    def moves(self, session: Session) -> set[tuple[date, str | None, int]]:
        return set(queries.overview.subscription_moves(session, THIS_WEEK.first))

    def test_begin_the_day_they_are_made(self, session: Session, alice: User) -> None:
        for day, tier in ((TODAY, "pro"), (TODAY, "pro"), (LAST_WEEK.last, "hobby")):
            SubscriptionFactory.create(user=alice, tier=tier, created_at=at(day))

        assert self.moves(session) == {(TODAY, "pro", 2)}

    def test_end_the_day_they_are_canceled(self, session: Session, alice: User) -> None:
        SubscriptionFactory.create(
            user=alice, status="canceled", canceled_at=at(TODAY), created_at=at(LAST_WEEK.first)
        )

        assert self.moves(session) == {(TODAY, "pro", -1)}

    def test_never_end_before_they_begin(self, session: Session, alice: User) -> None:
        SubscriptionFactory.create(
            user=alice,
            status="canceled",
            canceled_at=at(THIS_WEEK.first),
            created_at=at(TODAY),
        )

        assert self.moves(session) == {(TODAY, "pro", 1), (TODAY, "pro", -1)}

    @pytest.mark.parametrize("status", ["trialing", "past_due", "unpaid", "incomplete"])
    def test_leave_out_what_may_never_have_been_paid(
        self, session: Session, alice: User, status: str
    ) -> None:
        SubscriptionFactory.create(user=alice, status=status, created_at=at(TODAY))

        assert self.moves(session) == set()

    def test_leave_out_what_ended_nobody_knows_when(self, session: Session, alice: User) -> None:
        SubscriptionFactory.create(user=alice, status="canceled", created_at=at(TODAY))

        assert self.moves(session) == set()


class TestLatestEvents:
    def test_are_what_staff_did_the_newest_first(
        self, session: Session, alice: User, admin: User
    ) -> None:
        entered(alice, admin, (5, "bonus"))
        with transaction():
            users.update(alice, {"display_name": "Alicia"}, by=acting(admin))

        found = queries.overview.latest_events(session, 1)

        assert [(e.actor, e.action, e.subject_id) for e in found] == [
            (admin.email, "user.updated", str(alice.id))
        ]

    def test_leave_out_who_came_and_went(
        self, session: Session, client_as: Callable[..., SiteClient]
    ) -> None:
        client_as(person()).post("/logout")

        assert queries.overview.latest_events(session, 10) == []

    def test_leave_out_what_somebody_was_refused(self, session: Session, alice: User) -> None:
        with transaction():
            denials.note("GET /admin", by=acting(alice))

        assert queries.overview.latest_events(session, 10) == []

    def test_records_that_are_still_there(self, session: Session, alice: User) -> None:
        row = link(owner=alice)
        asked = [("user", str(alice.id)), ("link", str(row.id)), ("link", "999"), (None, None)]

        assert queries.overview.still_there(session, asked) == set(asked[:2])

    def test_no_record_is_asked_for_when_none_is_named(self, session: Session) -> None:
        with statements() as sent:
            assert queries.overview.still_there(session, [(None, None)]) == set()

        assert sent == []
