"""The ledger: whether it adds up, what a part of it adds up to, and what waits to enter it."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from adminsite.db import folded_column
from adminsite.models import CreditDay, CreditTransaction, PendingAdjustment, User


class Difference(NamedTuple):
    """A balance that is not the sum of its entries."""

    user_id: UUID
    email: str
    balance: int
    entries: int


class Totals(NamedTuple):
    """What entries add up to; what they take away stands without its sign."""

    entries: int
    added: int
    taken: int

    @property
    def net(self) -> int:
        """By how much they moved the balances together."""
        return self.added - self.taken


def differences(session: Session) -> Sequence[Difference]:
    """Everybody whose balance is not the sum of their entries: one statement.

    Source: contract, Commands (credits reconcile).
    """
    entered = func.coalesce(func.sum(CreditTransaction.amount), 0)
    statement: Any = (
        select(User.id, User.email, User.credits_balance, entered)
        .outerjoin(CreditTransaction, CreditTransaction.user_id == User.id)
        .group_by(User.id, User.email, User.credits_balance)
        .having(User.credits_balance != entered)
        .order_by(User.email_key)
    )
    return [Difference(*row) for row in session.execute(statement)]


def totals(session: Session, *where: ColumnElement[bool]) -> Totals:
    """What the entries that meet these conditions add up to; each of them is read."""
    amount = CreditTransaction.amount
    added = func.sum(case((amount > 0, amount), else_=0))
    taken = func.sum(case((amount < 0, -amount), else_=0))
    sums = select(func.count(CreditTransaction.id), added, taken).where(*where)
    return _totals(session, sums)


def totals_of_days(
    session: Session, first: date | None, last: date | None, kind: str | None
) -> Totals:
    """The same of whole UTC days, from what the database keeps of each: a million cost nothing.

    Args:
        first: the first day; None for no limit.
        last: the last day, included; None likewise.
        kind: the entries' type; None for all.
    """
    where = []
    if first is not None:
        where.append(CreditDay.day >= first)
    if last is not None:
        where.append(CreditDay.day <= last)
    if kind is not None:
        where.append(CreditDay.type == kind)
    sums = [func.sum(c) for c in (CreditDay.entries, CreditDay.added, CreditDay.taken)]
    return _totals(session, select(*sums).where(*where))


def _totals(session: Session, sums: Any) -> Totals:
    row = session.execute(sums).one()
    return Totals(*(int(part or 0) for part in row))  # sums of nothing are null, of many decimal


def held_by(holder: UUID | str) -> ColumnElement[bool]:
    """The entries of a person, or of somebody who was deleted, known by the kept address."""
    if isinstance(holder, UUID):
        return CreditTransaction.user_id == holder
    return and_(CreditTransaction.user_id.is_(None), CreditTransaction.user_email == holder)


def has_left(session: Session, email: str) -> bool:
    """Whether somebody of that address was deleted and left entries."""
    kept = select(CreditTransaction.id).where(held_by(email)).limit(1)
    return session.scalar(kept) is not None


def actor_email(session: Session, actor_id: UUID) -> str | None:
    """The address that somebody made entries under, also when they are gone; None for nobody."""
    made = select(CreditTransaction.actor_email).where(CreditTransaction.actor_id == actor_id)
    return session.scalar(made.limit(1))


def holder_like(session: Session, term: str) -> ColumnElement[bool]:
    """The entries of people whose address or name holds the term.

    Args:
        term: folded, as `db.folded` does (D-24).
    """
    people = select(User.id).where(User.search_text.contains(term, autoescape=True))
    kept = folded_column(session, CreditTransaction.user_email)
    gone = kept.contains(term, autoescape=True)
    return or_(
        CreditTransaction.user_id.in_(people), and_(CreditTransaction.user_id.is_(None), gone)
    )


def waiting(
    session: Session, limit: int, user_id: UUID | None = None
) -> Sequence[PendingAdjustment]:
    """The requests that wait for a second person, with whom they are about; the oldest first."""
    statement = (
        select(PendingAdjustment)
        .join(PendingAdjustment.user)
        .options(contains_eager(PendingAdjustment.user))
        .where(*_waits(user_id))
        .order_by(PendingAdjustment.id)
    )
    return session.scalars(statement.limit(limit)).all()


def count_waiting(session: Session, user_id: UUID | None = None) -> int:
    """How many wait."""
    counted = select(func.count()).select_from(PendingAdjustment).where(*_waits(user_id))
    return session.scalar(counted) or 0


def _waits(user_id: UUID | None) -> list[ColumnElement[bool]]:
    which = [PendingAdjustment.status == "pending"]
    return which if user_id is None else [*which, PendingAdjustment.user_id == user_id]
