"""The ledger: whether it adds up, and what a part of it adds up to."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.models import CreditTransaction, User


class Difference(NamedTuple):
    """A balance that is not the sum of its entries."""

    user_id: UUID
    email: str
    balance: int
    entries: int


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
