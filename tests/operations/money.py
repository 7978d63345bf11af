"""Credits in tests: an adjustment in one call, and what must hold after anything at all."""

from collections import defaultdict
from datetime import date
from typing import Any

from sqlalchemy import select

from adminsite import audit, queries
from adminsite.db import db, transaction
from adminsite.models import CreditDay, CreditTransaction, PendingAdjustment, User
from adminsite.operations import ledger
from adminsite.operations.versions import key_of
from tests.people import acting

REASON = "for the outage"


def adjusted(
    user: User, by: User, amount: object = None, *, cap: int | None = None, **values: Any
) -> ledger.Outcome:
    """What became of one adjustment, in a transaction of its own."""
    key = values.pop("key", None)
    asked = {"amount": amount, "reason": REASON, **values}
    with transaction():
        return ledger.adjust(user, asked, by=acting(by), cap=cap, key=key)


def given(user: User, by: User, amount: int) -> CreditTransaction:
    """The entry of one adjustment."""
    made = adjusted(user, by, amount).entry
    assert made is not None
    return made


def requested(user: User, by: User, amount: int = 500, **values: Any) -> PendingAdjustment:
    """An adjustment that waits for a second person."""
    asked = adjusted(user, by, amount, cap=100, **values).pending
    assert asked is not None
    return asked


def reversed_by(entry: CreditTransaction, by: User, **values: Any) -> ledger.Outcome:
    """What became of one reversal, in a transaction of its own."""
    with transaction():
        return ledger.reverse(entry, REASON, by=acting(by), **{"cap": None, **values})


def approved(pending: PendingAdjustment, by: User, note: object = "Fine.") -> CreditTransaction:
    """The entry of a request that this person approves."""
    with transaction():
        return ledger.approve(pending, note, by=acting(by))


def declined(pending: PendingAdjustment, by: User, note: object = "No.") -> PendingAdjustment:
    """A request that this person declines."""
    with transaction():
        return ledger.decline(pending, note, by=acting(by))


def written() -> list[tuple[str, int, int]]:
    """The ledger as it is stored: address, amount, balance after; the first entry first."""
    columns = (CreditTransaction.user_email, CreditTransaction.amount)
    wanted = select(*columns, CreditTransaction.balance_after).order_by(CreditTransaction.id)
    return [(row[0], row[1], row[2]) for row in db.session.connection().execute(wanted)]


def balance(user: User) -> int | None:
    """The balance as it is stored; None when the person is gone."""
    wanted = select(User.credits_balance).where(User.id == key_of(user))
    return db.session.connection().scalar(wanted)


def assert_it_adds_up() -> None:
    """Balances, running balances, reversals, days and the audit agree.

    For ledgers whose people began with nothing and kept their addresses.
    """
    db.session.rollback()
    assert queries.ledger.differences(db.session()) == []
    running: dict[str, int] = defaultdict(int)
    for email, amount, after in written():
        running[email] += amount
        assert after == running[email], email
    assert days_kept() == days_counted()
    assert audit.first_broken() is None
    db.session.rollback()


Days = dict[tuple[date, str], tuple[int, int, int]]


def days_kept() -> Days:
    """What the database has added up: plus, minus and number by day and type."""
    wanted = select(
        CreditDay.day, CreditDay.type, CreditDay.added, CreditDay.taken, CreditDay.entries
    )
    rows = db.session.connection().execute(wanted)
    return {(day, kind): (plus, minus, number) for day, kind, plus, minus, number in rows}


def days_counted() -> Days:
    """The same, from the entries themselves."""
    found: Days = {}
    wanted = select(CreditTransaction.created_at, CreditTransaction.type, CreditTransaction.amount)
    for at, kind, amount in db.session.connection().execute(wanted):
        plus, minus, number = found.get((at.date(), kind), (0, 0, 0))
        sums = (plus + max(amount, 0), minus + max(-amount, 0), number + 1)
        found[at.date(), kind] = sums
    return found
