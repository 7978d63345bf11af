"""What the ledger adds up to, day by day and entry by entry, and what waits to enter it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import true
from sqlalchemy.orm import Session

from adminsite.db import folded, transaction
from adminsite.models import CreditTransaction, User
from adminsite.operations import ledger, users
from adminsite.queries.ledger import (
    Totals,
    actor_email,
    count_waiting,
    differences,
    has_left,
    held_by,
    holder_like,
    totals,
    totals_of_days,
    waiting,
)
from tests.factories import CreditTransactionFactory
from tests.people import acting
from tests.rows import person

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def mia(session: Session) -> User:
    return person("Mia Ash", email="mia@example.com")


def given(user: User, amount: int, kind: str, at: datetime) -> None:
    CreditTransactionFactory(user=user, amount=amount, type=kind, created_at=at)


@pytest.fixture
def entries(mia: User) -> None:
    """Some on each side of a midnight."""
    given(mia, 100, "purchase", NEW_YEAR - MOMENT)
    given(mia, -30, "usage", NEW_YEAR - MOMENT)
    given(mia, 7, "bonus", NEW_YEAR)
    given(mia, -2_000_000_000, "usage", NEW_YEAR + timedelta(days=1) - MOMENT)
    given(mia, -2_000_000_000, "usage", NEW_YEAR + timedelta(days=1))


class TestTotals:
    def test_of_nothing_are_nothing(self, session: Session) -> None:
        assert totals(session) == totals_of_days(session, None, None, None) == Totals(0, 0, 0)

    @pytest.mark.usefixtures("entries")
    def test_keep_what_is_added_and_taken_apart(self, session: Session) -> None:
        found = totals(session)

        assert found == Totals(5, 107, 4_000_000_030)
        assert found.net == 107 - 4_000_000_030
        assert {type(figure) for figure in found} == {int}

    @pytest.mark.usefixtures("entries")
    def test_are_of_what_meets_the_conditions(self, session: Session) -> None:
        used = CreditTransaction.type == "usage"

        assert totals(session, used, CreditTransaction.amount > -100) == Totals(1, 0, 30)

    @pytest.mark.usefixtures("entries")
    @pytest.mark.parametrize(
        ("first", "last", "kind", "told"),
        [
            (None, None, None, Totals(5, 107, 4_000_000_030)),
            (date(2026, 1, 1), None, None, Totals(3, 7, 4_000_000_000)),
            (None, date(2025, 12, 31), None, Totals(2, 100, 30)),
            (date(2026, 1, 1), date(2026, 1, 1), None, Totals(2, 7, 2_000_000_000)),
            (date(2026, 1, 1), date(2026, 1, 1), "bonus", Totals(1, 7, 0)),
            (None, None, "refund", Totals(0, 0, 0)),
        ],
    )
    def test_of_days_are_the_same(
        self,
        session: Session,
        first: date | None,
        last: date | None,
        kind: str | None,
        told: Totals,
    ) -> None:
        since = datetime(first.year, first.month, first.day, tzinfo=UTC) if first else None
        until = last and datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
        entries = totals(
            session,
            CreditTransaction.created_at >= since if since else true(),
            CreditTransaction.created_at < until if until else true(),
            CreditTransaction.type == kind if kind else true(),
        )

        assert totals_of_days(session, first, last, kind) == entries == told


class TestHolders:
    def left(self, mia: User, admin: User) -> None:
        with transaction():
            users.delete(mia, by=acting(admin), link_action="delete")

    def test_are_known_by_id_or_by_the_kept_address(
        self, session: Session, mia: User, admin: User
    ) -> None:
        given(mia, 5, "bonus", NEW_YEAR)
        assert totals(session, held_by(mia.id)).entries == 1
        assert totals(session, held_by("mia@example.com")).entries == 0

        self.left(mia, admin)

        assert totals(session, held_by("mia@example.com")).entries == 1
        assert (has_left(session, "mia@example.com"), has_left(session, "x")) == (True, False)

    @pytest.mark.parametrize("gone", [False, True])
    def test_are_found_by_address(
        self, session: Session, mia: User, admin: User, *, gone: bool
    ) -> None:
        given(mia, 5, "bonus", NEW_YEAR)
        if gone:
            self.left(mia, admin)

        assert totals(session, holder_like(session, "mia@ex")).entries == 1
        assert totals(session, holder_like(session, "_")).entries == 0
        assert totals(session, holder_like(session, "mia ash")).entries == (0 if gone else 1)

    @pytest.mark.parametrize(
        ("email", "term"), [("ЖАННА@example.com", "жанна"), ("ΟΔΟΣ@example.com", "οδος")]
    )
    def test_of_who_left_are_found_in_any_script(
        self, session: Session, admin: User, email: str, term: str
    ) -> None:
        left = person("Left", email=email)
        given(left, 5, "bonus", NEW_YEAR)

        self.left(left, admin)

        assert totals(session, holder_like(session, folded(term))).entries == 1


class TestWaiting:
    def test_gives_the_oldest_first_with_their_people(
        self, session: Session, mia: User, admin: User
    ) -> None:
        ben = person("Ben")
        for user in (mia, ben, mia):
            with transaction():
                ledger.adjust(user, {"amount": 5, "reason": "x"}, by=acting(admin), cap=0)
        with transaction():
            ledger.decline(waiting(session, 1)[0], "No", by=replace(acting(ben), level=admin.level))

        found = waiting(session, 10)

        assert [pending.user.display_name for pending in found] == ["Ben", "Mia Ash"]
        assert (count_waiting(session), count_waiting(session, mia.id)) == (2, 1)
        assert len(waiting(session, 1)) == 1


def test_an_actor_is_known_by_what_they_did(session: Session, mia: User, admin: User) -> None:
    with transaction():
        ledger.adjust(mia, {"amount": 5, "reason": "x"}, by=acting(admin), cap=None)

    assert actor_email(session, admin.id) == "admin@example.com"
    assert actor_email(session, mia.id) is None


def test_a_balance_that_is_no_sum_is_named(session: Session, mia: User) -> None:
    given(mia, 5, "bonus", NEW_YEAR)

    assert [(found.email, found.balance, found.entries) for found in differences(session)] == [
        ("mia@example.com", 0, 5)
    ]
