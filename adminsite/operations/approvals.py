"""Requests: what is beyond somebody's limit waits for a second person.

The request is locked after its person, like everything that changes a balance.

Source: issue "Money", 1; contract, `ADJUST_LIMIT`.
"""

from dataclasses import replace

from sqlalchemy import select

from adminsite.audit import record
from adminsite.db import db, utc_now
from adminsite.errors import MissingError, OutdatedError, RuleError, UnfitError
from adminsite.models import CreditTransaction, PendingAdjustment, User
from adminsite.operations import entries, rules
from adminsite.operations.versions import get_for_update, key_of
from adminsite.permissions import Actor, Permission, require


class DecidedError(OutdatedError):
    """Somebody decided on the request already."""


class OwnRequestError(UnfitError):
    """Nobody decides on what they asked for themselves, or on their own credits."""


def ask(  # noqa: PLR0913 - a request has that many parts
    user: User,
    amount: int,
    reason: str,
    *,
    by: Actor,
    key: str | None = None,
    reverses: int | None = None,
) -> PendingAdjustment:
    """Note what waits for a second person; the balance stays.

    Args:
        user: locked.
        key: the idempotency key, as stored.
        reverses: the entry that would be reversed.
    """
    pending = PendingAdjustment(
        user_id=user.id,
        amount=amount,
        reason=reason,
        reverses_id=reverses,
        idempotency_key=key,
        requested_by=by.id,
        requested_email=by.email,
    )
    db.session.add(pending)
    told = {"amount": [None, amount]} | ({"reverses": [None, reverses]} if reverses else {})
    record("credits.requested", user, told, by=by, reason=reason)
    db.session.flush()
    return pending


def approve(pending: PendingAdjustment, note: object, *, by: Actor) -> CreditTransaction:
    """Do what somebody else asked for.

    The entry is theirs, and names who approved it. Whoever approves answers for it, whatever
    became of the one who asked.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        InvalidError: the note breaks its rule.
        OwnRequestError: the actor asked for it, or would have the credits.
        DecidedError: somebody decided already.
        ReversedError: the entry to reverse was reversed meanwhile.
        MissingError: the request or its person was deleted meanwhile.
        BalanceError: the balance would not fit 32 bits.

    Source: issue "Money", 1; contract, `ADJUST_LIMIT`.
    """
    user, said = _open(pending, note, by)
    entries.refuse_beyond(user, pending.amount)
    _decide(pending, "approved", said, by)
    who = entries.Who(pending.requested_by, pending.requested_email)
    change = entries.adjustment(pending.amount, pending.reason, who, at=pending.created_at)
    change = replace(change, approved_by=by.email, note=said)
    if pending.reverses_id is not None:
        entry = db.session.get_one(CreditTransaction, pending.reverses_id)
        if refusal := entries.reversal_objection(entry):
            raise refusal
        change = entries.opposite(entry, change)
    made = entries.write(user, change, by=by)
    pending.transaction_id = made.id
    db.session.flush()
    return made


def decline(pending: PendingAdjustment, note: object, *, by: Actor) -> PendingAdjustment:
    """Turn down what somebody else asked for; nothing changes but the request.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        InvalidError: the note breaks its rule.
        OwnRequestError: the actor asked for it, or would have the credits.
        DecidedError: somebody decided already.
        MissingError: the request or its person was deleted meanwhile.

    Source: issue "Money", 1; contract, `ADJUST_LIMIT`.
    """
    user, said = _open(pending, note, by)
    _decide(pending, "declined", said, by)
    told = {"amount": [pending.amount, None], "requested_by": [pending.requested_email, None]}
    record("credits.declined", user, {**told, "note": [None, said]}, by=by, reason=pending.reason)
    db.session.flush()
    return pending


def decision_objection(pending: PendingAdjustment, *, by: Actor) -> RuleError | None:
    """Why the actor may not decide on a request; None when they may."""
    if pending.status != "pending":
        return DecidedError(f"{pending.decided_email} {pending.status} this already.")
    # Also by the address: an account that was deleted may be made anew.
    if pending.requested_by == by.id or pending.requested_email.lower() == by.email.lower():
        return OwnRequestError("You asked for this: somebody else has to decide.")
    if pending.user_id == by.id:
        return OwnRequestError("These would be your own credits: somebody else has to decide.")
    return None


def _open(pending: PendingAdjustment, note: object, by: Actor) -> tuple[User, str]:
    """The person and the note, with the person and the request locked; raises as `approve`."""
    require(by, Permission.CREDITS_WRITE)
    said = rules.check({"note": note}, {"note": rules.note})["note"]
    # Asked for, not read from the row at hand: that one may be gone with its person.
    whose = select(PendingAdjustment.user_id).where(PendingAdjustment.id == key_of(pending))
    user_id = db.session.scalar(whose)
    user = get_for_update(User, user_id) if user_id else None
    if user is None or get_for_update(PendingAdjustment, key_of(pending)) is None:
        raise MissingError("The account of this request was deleted meanwhile.")
    if reason := decision_objection(pending, by=by):
        raise reason
    return user, said


def _decide(pending: PendingAdjustment, status: str, note: str, by: Actor) -> None:
    pending.status, pending.note, pending.decided_at = status, note, utc_now()
    pending.decided_by, pending.decided_email = by.id, by.email
