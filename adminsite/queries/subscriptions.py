"""Subscriptions: which of a person's counts, and all that they had."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, exists, func, select, tuple_
from sqlalchemy.orm import Session

from adminsite.models import Subscription

_TABLE = cast("Table", Subscription.__table__)


def replaced() -> ColumnElement[bool]:
    """Whether the person of a subscription has a newer one, which counts instead (D-25)."""
    newer = _TABLE.alias("newer")
    mine = tuple_(_TABLE.c.created_at, _TABLE.c.id)
    later = tuple_(newer.c.created_at, newer.c.id) > mine
    found = select(newer.c.id).where(newer.c.user_id == _TABLE.c.user_id, later)
    return exists(found.correlate(_TABLE))


def with_id_like(_session: Session, term: str) -> ColumnElement[bool]:
    """The subscriptions whose id holds a lower-cased text, wildcards meaning nothing."""
    return func.lower(_TABLE.c.id).contains(term, autoescape=True)


def of_person(session: Session, user_id: UUID, limit: int) -> Sequence[Subscription]:
    """A person's subscriptions, the newest first, which is the one that counts."""
    statement = (
        select(Subscription)
        .where(Subscription.user_id == user_id)
        .order_by(Subscription.created_at.desc(), Subscription.id.desc())
    )
    return session.scalars(statement.limit(limit)).all()
