"""The ledger of credits: entries are added and never changed; a balance is their sum.

The row of a person is the lock of their balance; it is taken before anything else. What a
caller's key names is done once, and what is beyond a person's limit waits for a second one.

What staff do to one person's credits is here; `entries` writes it, `keys` keep it from being
done twice, `approvals` are of what waits, `batches` are of many. All of it is asked for here.

Source: D-11 to D-14, D-18; R-002-31 to R-002-37, R-002-61, R-002-67.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from adminsite.db import db
from adminsite.errors import InvalidError
from adminsite.models import CreditTransaction, PendingAdjustment, User
from adminsite.operations import entries, keys, rules
from adminsite.operations.approvals import (
    DecidedError,
    OwnRequestError,
    approve,
    ask,
    decision_objection,
    decline,
)
from adminsite.operations.batches import (
    MOST_AT_ONCE,
    Batch,
    Checked,
    Row,
    adjust_batch,
    check_batch,
)
from adminsite.operations.entries import (
    ADJUSTMENT,
    REVERSAL,
    RULES,
    USAGE,
    BalanceError,
    ReversedError,
    reason_of,
    reversal_objection,
    reversal_objections,
)
from adminsite.operations.keys import KeyReusedError
from adminsite.operations.versions import get_for_update, lock
from adminsite.permissions import Actor, Permission, require

__all__ = [
    "ADJUSTMENT",
    "MOST_AT_ONCE",
    "REVERSAL",
    "RULES",
    "TYPES_ENTERED",
    "USAGE",
    "BalanceError",
    "Batch",
    "Checked",
    "DecidedError",
    "Foreseen",
    "KeyReusedError",
    "Outcome",
    "OwnRequestError",
    "ReversedError",
    "Row",
    "adjust",
    "adjust_batch",
    "approve",
    "check_batch",
    "decision_objection",
    "decline",
    "enter",
    "foresee",
    "foresee_reversal",
    "reason_of",
    "reversal_objection",
    "reversal_objections",
    "reverse",
]

TYPES_ENTERED = tuple(t for t in CreditTransaction.TYPES if t not in {ADJUSTMENT, REVERSAL})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an adjustment: an entry, or a request that waits for a second person.

    Attributes:
        again: whether it was done before, under the same key; nothing was changed now.
    """

    entry: CreditTransaction | None = None
    pending: PendingAdjustment | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a change of credits would do to a balance as it is now.

    Attributes:
        waits: whether a second person would have to approve it.
    """

    before: int
    amount: int
    waits: bool

    @property
    def after(self) -> int:
        """The balance then."""
        return self.before + self.amount


def adjust(
    user: User,
    values: Mapping[str, object],
    *,
    by: Actor,
    cap: int | None,
    key: str | None = None,
) -> Outcome:
    """Add credits to a person or take some away, at once or after a second person's approval.

    The balance and the entry change together, under the lock on the person's row. A debt is
    allowed. The same key and values give the first result again and change nothing.

    Args:
        values: `amount` (signed) or `set_to` (the balance to reach), and `reason`.
        cap: how many credits the actor adjusts alone (`ADJUST_LIMIT`); None for any.
        key: names the request; keys are the caller's own.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        InvalidError: a value breaks its rule, or there is nothing to change.
        MissingError: the person was deleted meanwhile.
        BalanceError: the amount or the balance would not fit 32 bits.
        KeyReusedError: the key was used with other values.

    Source: D-11, D-13, D-14; R-002-31 to R-002-36; contract, JSON.
    """
    require(by, Permission.CREDITS_WRITE)
    clean = entries.checked(values)
    stored = keys.of_caller(key, by)
    lock(user)
    if not keys.claim(stored, ["adjust", str(user.id), clean]):
        return _earlier(stored)
    amount = _amount(user, clean)
    if _needs_second(amount, cap):
        return Outcome(pending=ask(user, amount, clean["reason"], by=by, key=stored))
    change = entries.adjustment(amount, clean["reason"], entries.Who(by.id, by.email), key=stored)
    return Outcome(entry=entries.write(user, change, by=by))


def foresee(user: User, values: Mapping[str, object], *, by: Actor, cap: int | None) -> Foreseen:
    """What `adjust` would do with these values now; nothing is locked or changed.

    Args:
        values: `amount` or `set_to`, as in `adjust`; the reason is not asked for yet.
        cap: as in `adjust`.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        InvalidError: the amount breaks its rule, or there is nothing to change.
        BalanceError: the amount or the balance would not fit 32 bits.
    """
    require(by, Permission.CREDITS_WRITE)
    amount = _amount(user, rules.check(entries.one_amount(values), RULES))
    return Foreseen(user.credits_balance, amount, _needs_second(amount, cap))


def enter(  # noqa: PLR0913 - an entry has that many parts
    user: User,
    amount: int,
    kind: str,
    *,
    by: Actor,
    reference: str = "",
    about: str = "",
    at: datetime | None = None,
) -> CreditTransaction:
    """Enter what the service itself did: a purchase, a use, a bonus.

    Args:
        amount: signed; a use takes away, and never more than there is.
        kind: one of `TYPES_ENTERED`.
        reference: what it belongs to elsewhere, such as an invoice.
        about: a sentence for whoever reads the entry.
        at: when it happened, where that is past; a person's entries come in the order of time.

    Raises:
        ForbiddenError: the actor may not change credits.
        InvalidError: the amount breaks its rule, or there is no such type.
        BalanceError: a use of more than there is, or the balance would not fit 32 bits.
        MissingError: the person was deleted meanwhile.

    Source: D-11, D-12.
    """
    require(by, Permission.CREDITS_WRITE)
    amount = rules.check({"amount": amount}, RULES)["amount"]
    if kind not in TYPES_ENTERED:
        raise InvalidError({"type": f"An entry is one of {', '.join(TYPES_ENTERED)}."})
    if kind == USAGE and amount > 0:
        raise InvalidError({"amount": "A use takes credits away: give it with a minus."})
    lock(user)
    entries.refuse_beyond(user, amount)
    if kind == USAGE and user.credits_balance + amount < 0:
        raise BalanceError(f"{user.email} has {user.credits_balance:,} credits; that is too few.")
    change = entries.Change(
        by=entries.Who(by.id, by.email),
        amount=amount,
        type=kind,
        reason=about,
        description=about,
        reference=reference,
        at=at,
    )
    return entries.write(user, change, by=by)


def reverse(
    entry: CreditTransaction, reason: object, *, by: Actor, cap: int | None, key: str | None = None
) -> Outcome:
    """Undo an entry by a new, opposite one; once only.

    Args:
        cap: as in `adjust`; a reversal beyond it waits for a second person too.
        key: as in `adjust`.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        InvalidError: the reason breaks its rule.
        ReversedError: it was reversed already, or somebody asked for that.
        RuleError: it is a reversal itself, or its person was deleted.
        BalanceError: the balance would not fit 32 bits.
        KeyReusedError: the key was used with other values.

    Source: issue "Money", 1; D-12.
    """
    require(by, Permission.CREDITS_WRITE)
    said = rules.check({"reason": reason}, RULES)["reason"]
    stored = keys.of_caller(key, by)
    user = get_for_update(User, entry.user_id) if entry.user_id is not None else None
    if user is None:
        raise entries.nobody_left()
    if not keys.claim(stored, ["reverse", entry.id, said]):
        return _earlier(stored)
    _refuse_reversal(entry, user)
    if _needs_second(entry.amount, cap):
        asked = ask(user, -entry.amount, said, by=by, key=stored, reverses=entry.id)
        return Outcome(pending=asked)
    change = entries.adjustment(-entry.amount, said, entries.Who(by.id, by.email), key=stored)
    return Outcome(entry=entries.write(user, entries.opposite(entry, change), by=by))


def foresee_reversal(entry: CreditTransaction, *, by: Actor, cap: int | None) -> Foreseen:
    """What `reverse` would do now; nothing is locked or changed.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        RuleError: it cannot be reversed; see `reverse`.
    """
    require(by, Permission.CREDITS_WRITE)
    user = db.session.get(User, entry.user_id) if entry.user_id is not None else None
    if user is None:
        raise entries.nobody_left()
    _refuse_reversal(entry, user)
    return Foreseen(user.credits_balance, -entry.amount, _needs_second(entry.amount, cap))


def _amount(user: User, clean: Mapping[str, Any]) -> int:
    """The change that was asked for, as far as the balance takes it.

    Raises:
        InvalidError: there is nothing to change.
        BalanceError: the amount or the balance would not fit 32 bits.
    """
    amount: int = clean.get("amount", clean.get("set_to", 0) - user.credits_balance)
    if amount == 0:
        raise InvalidError({"set_to": f"The balance is {user.credits_balance:,} already."})
    entries.refuse_beyond(user, amount)
    return amount


def _needs_second(amount: int, cap: int | None) -> bool:
    return cap is not None and abs(amount) > cap


def _refuse_reversal(entry: CreditTransaction, user: User) -> None:
    if refusal := reversal_objection(entry):
        raise refusal
    entries.refuse_beyond(user, -entry.amount)


def _earlier(stored: str | None) -> Outcome:
    """What the key's first use led to."""
    session = db.session()
    made = select(CreditTransaction).where(CreditTransaction.idempotency_key == stored)
    entry = session.scalar(made)
    asked = select(PendingAdjustment).where(PendingAdjustment.idempotency_key == stored)
    return Outcome(entry, None if entry else session.scalar(asked), again=True)
