"""Subscriptions: the company's own side of them; no payment provider is called.

The newest subscription of a person counts, and what it says is repeated on the person's row,
which is the lock of both.

Source: D-25, R-002-28 to R-002-30, R-002-76; issue "Money", 3.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from adminsite.audit import record
from adminsite.db import db, utc_now
from adminsite.errors import InvalidError, MissingError, RuleError
from adminsite.models import Subscription, User
from adminsite.operations import rules
from adminsite.operations.versions import get_for_update, is_locked, key_of, lock, mark_locked
from adminsite.permissions import Actor, Permission, require
from adminsite.queries import people

# From each status, what it may become. What began is never "incomplete" or "trialing" again;
# what was cancelled by mistake may be active again.
MOVES: dict[str, tuple[str, ...]] = {
    "incomplete": ("trialing", "active", "canceled"),
    "trialing": ("active", "past_due", "unpaid", "canceled"),
    "active": ("past_due", "unpaid", "canceled"),
    "past_due": ("active", "unpaid", "canceled"),
    "unpaid": ("active", "past_due", "canceled"),
    "canceled": ("active",),
}
ENDED = "canceled"
RULES: dict[str, rules.Rule] = {
    "tier": rules.tier,
    "status": rules.subscription_status,
    "reason": rules.reason,
}


class MoveError(RuleError):
    """A subscription does not go from the one status to the other."""


class OlderError(RuleError):
    """A newer subscription of the same person counts; this one is history."""


def change_plan(
    subscription: Subscription, tier: object, reason: object, *, by: Actor
) -> Subscription:
    """Put a subscription on another plan; the person's row follows.

    Raises:
        ForbiddenError: the actor may not change subscriptions.
        InvalidError: no such tier, or no reason.
        OlderError: the person has a newer subscription.
        MoveError: the subscription has ended.
        MissingError: it was deleted meanwhile, with its person.

    Source: R-002-76; issue "Money", 3.
    """
    require(by, Permission.SUBSCRIPTIONS_WRITE)
    clean = _needed({"tier": tier, "reason": reason})
    user = _held(subscription)
    if subscription.status == ENDED and clean["tier"] != subscription.tier:
        raise MoveError("This subscription has ended. Make it active again before its plan.")
    _write(user, subscription, {"tier": clean["tier"]}, reason=clean["reason"], by=by)
    return subscription


def change_status(
    subscription: Subscription, status: object, reason: object, *, by: Actor
) -> Subscription:
    """Move a subscription to another status, where the moves allow it; the person's row follows.

    Raises:
        ForbiddenError: the actor may not change subscriptions.
        InvalidError: no such status, or no reason.
        MoveError: `MOVES` has no such move.
        OlderError: the person has a newer subscription.
        MissingError: it was deleted meanwhile, with its person.

    Source: issue "Money", 3.
    """
    require(by, Permission.SUBSCRIPTIONS_WRITE)
    clean = _needed({"status": status, "reason": reason})
    user = _held(subscription)
    if refusal := move_objection(subscription.status, clean["status"]):
        raise refusal
    _write(user, subscription, {"status": clean["status"]}, reason=clean["reason"], by=by)
    return subscription


def update_of(user: User, values: Mapping[str, object], *, by: Actor) -> User:
    """Change what a person's row says of their plan or status; their newest subscription follows.

    Args:
        values: `tier`, `status`, or both; None clears. A subscription whose status is cleared
            ends.

    Raises:
        ForbiddenError: the actor may not change subscriptions.
        InvalidError: there is no such tier or status.
        MoveError: `MOVES` has no such move.
        MissingError: the person was deleted meanwhile.

    Source: contract, JSON (`PATCH /users`); R-002-28 to R-002-30.
    """
    require(by, Permission.SUBSCRIPTIONS_WRITE)
    clean = rules.check(values, RULES)
    lock(user)
    newest = people.newest_subscription(db.session(), user.id)
    before = newest.status if newest else user.subscription_status
    if clean.get("status") and before and (refusal := move_objection(before, clean["status"])):
        raise refusal
    _write(user, newest, clean, by=by)
    return user


def move_objection(before: str, after: str) -> RuleError | None:
    """Why a subscription does not go from one status to another; None when it does."""
    if before == after or after in MOVES[before]:
        return None
    known = ", ".join(map(_word, MOVES[before]))
    return MoveError(f"From {_word(before)} a subscription goes to {known}; not {_word(after)}.")


def objection(subscription: Subscription) -> RuleError | None:
    """Why nothing of this subscription changes; None when something may."""
    newest = people.newest_subscription(db.session(), subscription.user_id)
    if newest is None or newest.id == subscription.id:
        return None
    return OlderError(f"A newer subscription of this person counts: {newest.id}. Change that one.")


def get_all_for_update(pks: Sequence[str], *_options: Any) -> Sequence[Subscription]:
    """The subscriptions that exist of these, locked with their people, who come first."""
    whose = select(Subscription.user_id).where(Subscription.id.in_(pks)).order_by("user_id")
    for user_id in db.session.scalars(whose.distinct()).all():
        get_for_update(User, user_id)
    wanted = select(Subscription).where(Subscription.id.in_(pks)).order_by(Subscription.id)
    rows = db.session.scalars(wanted.execution_options(populate_existing=True)).all()
    mark_locked(rows)
    return rows


def _needed(values: Mapping[str, object]) -> dict[str, Any]:
    clean = rules.check(values, RULES)
    for name in ("tier", "status"):
        if name in clean and clean[name] is None:
            raise InvalidError({name: f"Choose a {name}."})
    return clean


def _held(subscription: Subscription) -> User:
    """The person of a subscription, both locked.

    Raises:
        MissingError: they are gone.
        OlderError: the person has a newer one.
    """
    if not is_locked(subscription) and not get_all_for_update([key_of(subscription)]):
        raise MissingError("This subscription was deleted meanwhile, with its person.")
    if refusal := objection(subscription):
        raise refusal
    return db.session.get_one(User, subscription.user_id)


def _write(
    user: User,
    subscription: Subscription | None,
    values: Mapping[str, str | None],
    *,
    by: Actor,
    reason: str | None = None,
) -> None:
    """Set tier and status on both rows; one event, none when nothing changes."""
    before = {name: getattr(user, f"subscription_{name}") for name in values}
    changes: dict[str, list[Any]] = {
        f"subscription_{name}": [before[name], value]
        for name, value in values.items()
        if before[name] != value
    }
    for name, value in values.items():
        setattr(user, f"subscription_{name}", value)
    if subscription is not None:
        changes |= _follow(subscription, values)
    if changes:
        user.updated_at = utc_now()
        record("subscription.updated", user, changes, by=by, reason=reason)
        db.session.flush()


def _follow(subscription: Subscription, values: Mapping[str, str | None]) -> dict[str, list[Any]]:
    """Let the subscription say the same; what that changed."""
    kept = {**values, "status": values.get("status", subscription.status) or ENDED}
    changed = {k: v for k, v in kept.items() if getattr(subscription, k) != v}
    if not changed:
        return {}
    told = {k: [getattr(subscription, k), v] for k, v in changed.items()}
    for name, value in changed.items():
        setattr(subscription, name, value)
    if "status" in changed:
        subscription.canceled_at = utc_now() if changed["status"] == ENDED else None
    return {"subscription": [subscription.id, subscription.id], **told}


def _word(status: str) -> str:
    return status.replace("_", " ")
