"""What waits for a second person, as the panel above the list shows it."""

from dataclasses import dataclass
from typing import Any

from adminsite import auth, queries
from adminsite.db import db
from adminsite.kit.columns import Moment, moment, signed
from adminsite.models import PendingAdjustment
from adminsite.operations import ledger
from adminsite.permissions import Permission, may

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """One request as a line of the panel.

    Attributes:
        why_not: why the person cannot decide on it; empty when they can.
    """

    id: int
    user_id: Any
    name: str
    email: str
    amount: str
    gain: bool
    before: int
    after: int
    reason: str
    reverses: int | None
    asked_by: str
    at: Moment | None
    why_not: str


def waiting() -> dict[str, Any]:
    """The requests that wait, and whether the person may decide at all."""
    session = db.session()
    found = queries.ledger.waiting(session, SHOWN)
    count = len(found) if len(found) < SHOWN else queries.ledger.count_waiting(session)
    return {
        "count": count,
        "more": count - len(found),
        "requests": [line(pending) for pending in found],
        "may_decide": may(auth.current_person(), Permission.CREDITS_WRITE),
    }


def line(pending: PendingAdjustment) -> Waiting:
    """A request as it is shown."""
    user, objection = pending.user, ledger.decision_objection(pending, by=auth.current_person())
    return Waiting(
        id=pending.id,
        user_id=user.id,
        name=user.display_name,
        email=user.email,
        amount=signed(pending.amount),
        gain=pending.amount > 0,
        before=user.credits_balance,
        after=user.credits_balance + pending.amount,
        reason=pending.reason,
        reverses=pending.reverses_id,
        asked_by=pending.requested_email,
        at=moment(pending.created_at),
        why_not=objection.message if objection else "",
    )
