"""Ledger entries: the one way in which a balance moves, with what is asked before.

Nothing here asks who may; `ledger`, `approvals` and `batches` do.

Source: D-11 to D-14; R-002-33, R-002-34, R-002-67.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm.attributes import set_committed_value

from adminsite.audit import AUDITED_DML, record
from adminsite.db import db, utc_now
from adminsite.errors import InvalidError, OutdatedError, RuleError, UnfitError
from adminsite.models import CreditTransaction, PendingAdjustment, User
from adminsite.operations import rules
from adminsite.permissions import Actor

AMOUNTS = ("amount", "set_to")
ADJUSTMENT, REVERSAL, USAGE = "admin_adjustment", "reversal", "usage"
RULES: dict[str, rules.Rule] = {
    "amount": rules.credits_amount,
    "set_to": rules.balance,
    "reason": rules.reason,
}
_SIGNATURE = re.compile(r"\[Admin: (?:system|[0-9a-f-]{36})\] ")


class ReversedError(OutdatedError):
    """The entry was reversed already, or somebody asked for that; it happens once only."""


class BalanceError(UnfitError):
    """The balance does not reach, or cannot hold that much."""


class Who(NamedTuple):
    """Whose doing an entry is; no id is the system."""

    id: UUID | None
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An entry to be made.

    Attributes:
        by: whose doing it is; with a second person, who asked for it.
        key: the idempotency key, as stored.
        reverses: the entry that it undoes.
        approved_by: the second person's address, if there was one.
        note: what the second person said.
        at: when it happened; None for now.
    """

    by: Who
    amount: int
    type: str
    reason: str
    description: str
    reference: str
    key: str | None = None
    reverses: int | None = None
    approved_by: str | None = None
    note: str | None = None
    at: datetime | None = None


def checked(values: Mapping[str, object]) -> dict[str, Any]:
    """The values of an adjustment as they are meant: one of the amounts, and the reason.

    Raises:
        InvalidError: a value breaks its rule, or there is none or one too many.

    Source: D-13, D-14.
    """
    others = {name: value for name, value in values.items() if name not in AMOUNTS}
    return rules.check({**others, **one_amount(values), "reason": values.get("reason")}, RULES)


def one_amount(values: Mapping[str, object]) -> dict[str, object]:
    """The one of the two amounts that was given; as `amount` when none was.

    Raises:
        InvalidError: both were.
    """
    given = {name: values[name] for name in AMOUNTS if not _is_blank(values.get(name))}
    if len(given) > 1:
        both = "Say an amount or the balance to reach, not both."
        raise InvalidError(dict.fromkeys(AMOUNTS, both))
    return given or {"amount": values.get("amount")}


def refuse_beyond(user: User, amount: int) -> None:
    """Refuse what 32 bits cannot hold, as the amount or as the balance after it.

    Raises:
        BalanceError: they cannot.

    Source: D-13.
    """
    if reason := beyond(user.credits_balance, amount):
        raise BalanceError(reason)


def beyond(balance: int, amount: int) -> str:
    """Why this balance cannot change by that amount; empty when it can."""
    limits = f"it lies between {-rules.LARGEST:,} and {rules.LARGEST:,}."
    if abs(balance + amount) > rules.LARGEST:
        return f"The balance would be {balance + amount:,}; {limits}"
    if abs(amount) > rules.LARGEST:
        return f"The balance would change by {amount:,}; {limits}"
    return ""


def reversal_objection(entry: CreditTransaction) -> RuleError | None:
    """Why an entry cannot be reversed; None when it can."""
    return reversal_objections([entry]).get(entry.id)


def reversal_objections(of: Sequence[Any]) -> dict[int, RuleError]:
    """The same of many, by id: two statements, however many there are.

    Args:
        of: entries, with `id`, `type` and `user_id`.
    """
    keys, session = [entry.id for entry in of], db.session()
    made = select(CreditTransaction.reverses_id).where(CreditTransaction.reverses_id.in_(keys))
    asked = select(PendingAdjustment.reverses_id).where(
        PendingAdjustment.reverses_id.in_(keys), PendingAdjustment.status == "pending"
    )
    done, waiting = set(session.scalars(made)), set(session.scalars(asked))
    found: dict[int, RuleError] = {}
    for entry in of:
        if entry.type == REVERSAL:
            found[entry.id] = UnfitError("A reversal is not reversed. Adjust the credits instead.")
        elif entry.user_id is None:
            found[entry.id] = nobody_left()
        elif entry.id in done:
            found[entry.id] = ReversedError("This entry was reversed already.")
        elif entry.id in waiting:
            found[entry.id] = ReversedError(
                "The reversal of this entry waits for a second person already."
            )
    return found


def nobody_left() -> RuleError:
    """What to say of an entry whose person was deleted (D-18)."""
    return UnfitError("The account was deleted; there is no balance to change.")


def adjustment(
    amount: int, reason: str, who: Who, *, at: datetime | None = None, key: str | None = None
) -> Change:
    """The entry of what a member of staff decided; it names them and the time (R-002-34).

    Args:
        at: when they did; None for now.
    """
    return Change(
        by=who,
        amount=amount,
        type=ADJUSTMENT,
        reason=reason,
        description=signed(who.id, reason),
        reference=f"admin_{_named(who.id)}_{at or utc_now():%Y%m%dT%H%M%S.%fZ}",
        key=key,
    )


def opposite(entry: CreditTransaction, change: Change) -> Change:
    """The same, as the reversal of an entry."""
    return replace(change, amount=-entry.amount, type=REVERSAL, reverses=entry.id)


def signed(admin_id: UUID | None, reason: str) -> str:
    """The reason with the admin's id in front of it (R-002-34, D-14)."""
    return f"[Admin: {_named(admin_id)}] {reason}"


def reason_of(description: str | None) -> str | None:
    """What an entry's description says beside who wrote it (R-002-34, D-14)."""
    return _SIGNATURE.sub("", description) if description else description


def write(user: User, change: Change, *, by: Actor) -> CreditTransaction:
    """Move the balance and write the entry that says so, with one event.

    Args:
        user: locked.
        by: who does it now; the second person, if there is one.
    """
    balance = _move(user, change.amount)
    entry = CreditTransaction(
        user_id=user.id,
        user_email=user.email,
        amount=change.amount,
        balance_after=balance,
        type=change.type,
        reference_id=change.reference or None,
        idempotency_key=change.key,
        description=change.description or None,
        actor_id=change.by.id,
        actor_email=change.by.email,
        approved_by=change.approved_by,
        reverses_id=change.reverses,
        created_at=change.at or utc_now(),
    )
    db.session.add(entry)
    db.session.flush()
    action = "credits.reversed" if change.type == REVERSAL else "credits.adjusted"
    record(action, user, _told(entry, change), by=by, reason=change.reason or None)
    return entry


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _move(user: User, amount: int) -> int:
    """Add the amount to the balance where it is stored; the balance then."""
    moved = (
        update(User)
        .where(User.id == user.id)
        .values(
            credits_balance=User.credits_balance + amount,
            updated_at=utc_now(),
            version=User.version + 1,
        )
        .returning(User.credits_balance, User.updated_at, User.version)
    )
    told = {AUDITED_DML: True, "synchronize_session": False}
    row = db.session.execute(moved, execution_options=told).one()
    for name in ("credits_balance", "updated_at", "version"):
        set_committed_value(user, name, getattr(row, name))
    return int(row.credits_balance)


def _told(entry: CreditTransaction, change: Change) -> dict[str, list[Any]]:
    before = entry.balance_after - entry.amount
    changes: dict[str, list[Any]] = {
        "credits_balance": [before, entry.balance_after],
        "transaction": [None, entry.id],
    }
    if change.reverses:
        changes["reverses"] = [None, change.reverses]
    if change.approved_by:
        changes |= {"requested_by": [None, change.by.email], "note": [None, change.note]}
    return changes


def _named(admin_id: UUID | None) -> str:
    return str(admin_id or "system")
