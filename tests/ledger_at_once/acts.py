"""What the processes can do, as the screens do it: see `worker`.

Each says in one word what became of it: "done", "again" under the same key, or "pending".
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from adminsite.db import Base, db, transaction
from adminsite.errors import MissingError, RuleError
from adminsite.models import CreditTransaction, PendingAdjustment, User
from adminsite.operations import ledger, subscriptions, users
from adminsite.permissions import SYSTEM, Actor
from adminsite.resources import CREDITS

REASON = "for the outage"
Record = TypeVar("Record", bound=Base)


Act: TypeAlias = Callable[..., str]


class Step(NamedTuple):
    """A function of this module and what it is told."""

    act: Act
    told: dict[str, Any]


def step(act: Act, **told: Any) -> Step:
    """One step: `step(adjust, by=admin, user=key, amount=5)`."""
    return Step(act, told)


def outcome(one: Step) -> str:
    """Do it in a transaction of its own; the word for it, or the name of the refusal."""
    try:
        with transaction():
            return one.act(**one.told)
    except RuleError as refusal:
        return type(refusal).__name__
    except IntegrityError as error:
        explained = CREDITS.explain(error)  # as every edge does
        if explained is None:
            raise
        return type(explained).__name__


def adjust(
    by: Actor, user: UUID, amount: int, cap: int | None = None, key: str | None = None
) -> str:
    """Adjust somebody's credits."""
    asked = {"amount": amount, "reason": REASON}
    return _word(ledger.adjust(_there(User, user), asked, by=by, cap=cap, key=key))


def set_to(by: Actor, user: UUID, balance: int) -> str:
    """Set somebody's balance."""
    asked = {"set_to": balance, "reason": REASON}
    return _word(ledger.adjust(_there(User, user), asked, by=by, cap=None))


def use(user: UUID, amount: int) -> str:
    """Let somebody use credits."""
    ledger.enter(_there(User, user), -amount, ledger.USAGE, by=SYSTEM)
    return "done"


def reverse(by: Actor, entry: int, cap: int | None = None, key: str | None = None) -> str:
    """Reverse an entry."""
    found = _there(CreditTransaction, entry)
    return _word(ledger.reverse(found, REASON, by=by, cap=cap, key=key))


def approve(by: Actor, pending: int) -> str:
    """Approve a request."""
    ledger.approve(_there(PendingAdjustment, pending), "Fine.", by=by)
    return "done"


def decline(by: Actor, pending: int) -> str:
    """Decline a request."""
    ledger.decline(_there(PendingAdjustment, pending), "No.", by=by)
    return "declined"


def batch(by: Actor, lines: Sequence[tuple[str, int]], key: str) -> str:
    """Adjust the credits of many."""
    rows = [ledger.Row(email, amount, REASON) for email, amount in lines]
    done = ledger.adjust_batch(rows, by=by, cap=None, key=key)
    return "again" if done.again else "done"


def delete_user(by: Actor, user: UUID) -> str:
    """Delete somebody."""
    users.delete(_there(User, user), by=by, link_action="delete")
    return "deleted"


def change_role(by: Actor, user: UUID, role: str) -> str:
    """Give somebody a role."""
    users.update(_there(User, user), {"role": role}, by=by)
    return "changed"


def change_plan(by: Actor, user: UUID, tier: str) -> str:
    """Put somebody on a plan."""
    subscriptions.update_of(_there(User, user), {"tier": tier}, by=by)
    return "changed"


def _word(made: ledger.Outcome) -> str:
    if made.again:
        return "again"
    return "pending" if made.pending else "done"


def _there(model: type[Record], key: object) -> Record:
    found = db.session.get(model, key)
    if found is None:
        raise MissingError("There is no such record.")
    return found
