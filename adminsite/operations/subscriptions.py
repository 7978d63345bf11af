"""Subscriptions: the company's own side of them; no payment provider is called.

The newest subscription of a person counts, and what it says is repeated on the person's row.
That row is locked before theirs.

Source: D-25, R-002-28 to R-002-30, R-002-76; issue "Money", 3.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from adminsite.audit import record
from adminsite.db import db, utc_now
from adminsite.errors import InvalidError, MissingError, OutdatedError, RuleError, UnfitError
from adminsite.models import Subscription, User
from adminsite.operations import rules
from adminsite.operations.versions import is_locked, key_of, lock, lock_rows
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
CALLED = {"tier": "plan", "status": "status"}  # what the person's row repeats, in words


class MoveError(UnfitError):
    """A subscription does not go from the one status to the other."""


class OlderError(UnfitError):
    """A newer subscription of the same person counts; this one is history, or should be."""


class ChangedError(OutdatedError):
    """The subscription is not as it was shown to whoever decided; nothing was changed."""


def change_plan(
    subscription: Subscription,
    tier: object,
    reason: object,
    *,
    by: Actor,
    seen: str | None = None,
) -> Subscription:
    """Put a subscription on another plan; the person's row follows.

    Args:
        seen: the tier that was shown, empty for none; None to go by what is stored.

    Raises:
        ForbiddenError: the actor may not change subscriptions.
        InvalidError: no such tier, or no reason.
        OlderError: the person has a newer subscription.
        ChangedError: somebody else put it on another plan meanwhile.
        MoveError: the subscription has ended.
        MissingError: it was deleted meanwhile, with its person.

    Source: R-002-76; issue "Money", 3.
    """
    require(by, Permission.SUBSCRIPTIONS_WRITE)
    clean = _needed({"tier": tier, "reason": reason})
    user, _counts = _held(subscription)
    _refuse_unseen("plan", seen, subscription.tier or "", clean["tier"])
    if clean["tier"] != subscription.tier and (refusal := plan_objection(subscription.status)):
        raise refusal
    _write(user, subscription, {"tier": clean["tier"]}, by=by, reason=clean["reason"])
    return subscription


def change_status(
    subscription: Subscription,
    status: object,
    reason: object,
    *,
    by: Actor,
    seen: str | None = None,
) -> Subscription:
    """Move a subscription to another status, where the moves allow it; the person's row follows.

    When it ended is kept until it is active again. One that a newer replaced can be ended, so
    that it is not counted for ever; the person's row goes by the newer.

    Args:
        seen: the status that was shown; None to go by what is stored.

    Raises:
        ForbiddenError: the actor may not change subscriptions.
        InvalidError: no such status, or no reason.
        OlderError: the person has a newer subscription, and this one would not end.
        ChangedError: somebody else moved it to another status meanwhile.
        MoveError: `MOVES` has no such move.
        MissingError: it was deleted meanwhile, with its person.

    Source: issue "Money", 3.
    """
    require(by, Permission.SUBSCRIPTIONS_WRITE)
    clean = _needed({"status": status, "reason": reason})
    user, counts = _held(subscription, clean["status"])
    _refuse_unseen("status", seen, subscription.status, clean["status"])
    if refusal := move_objection(subscription.status, clean["status"]):
        raise refusal
    values = {"status": clean["status"]}
    _write(user, subscription, values, by=by, reason=clean["reason"], counts=counts)
    return subscription


def update_of(user: User, values: Mapping[str, object], *, by: Actor) -> User:
    """Change what a person's row says of their plan or status; their newest subscription follows.

    Without any subscription, only their row says it.

    Args:
        values: `tier`, `status`, or both; None clears. A subscription whose status is cleared
            ends.

    Raises:
        ForbiddenError: the actor may not change subscriptions.
        InvalidError: there is no such tier or status.
        MoveError: `MOVES` has no such move, or the subscription has ended and only its plan
            would change.
        MissingError: the person was deleted meanwhile.

    Source: contract, JSON (`PATCH /users`); R-002-28 to R-002-30.
    """
    require(by, Permission.SUBSCRIPTIONS_WRITE)
    clean = rules.check(values, {name: RULES[name] for name in CALLED})
    lock(user)
    newest = people.newest_subscription(db.session(), user.id)
    if newest is not None:
        lock(newest)
    before = newest.status if newest else user.subscription_status
    after = clean.get("status", before)
    if before and after and (refusal := move_objection(before, after)):
        raise refusal
    moved = newest is not None and clean.get("tier", newest.tier) not in {None, newest.tier}
    if moved and (refusal := plan_objection(after or ENDED)):
        raise refusal
    _write(user, newest, clean, by=by)
    return user


def move_objection(before: str, after: str) -> RuleError | None:
    """Why a subscription does not go from one status to another; None when it does."""
    if before == after or after in MOVES[before]:
        return None
    known = ", ".join(map(word, MOVES[before]))
    return MoveError(f"From {word(before)} a subscription goes to {known}; not to {word(after)}.")


def plan_objection(status: str) -> RuleError | None:
    """Why a subscription of this status stays on its plan; None when it need not."""
    if status != ENDED:
        return None
    return MoveError("This subscription has ended. Make it active again before its plan changes.")


def moves(subscription: Subscription) -> tuple[str, ...]:
    """What its status may become: of one that a newer replaced, only that it ends."""
    to = MOVES[subscription.status]
    return to if _newer(subscription) is None else tuple(one for one in to if one == ENDED)


def objection(subscription: Subscription, status: str | None = None) -> RuleError | None:
    """Why a subscription stays as it is; None when it need not.

    Args:
        status: what it would become; None for a change of its plan.
    """
    return _objection(subscription, _newer(subscription), status)


def get_all_for_update(pks: Sequence[str], *_options: Any) -> Sequence[Subscription]:
    """The subscriptions that exist of these, locked after their people."""
    whose = select(Subscription.user_id).where(Subscription.id.in_(pks))
    ids = set(db.session.scalars(whose))
    if not ids:
        return []
    lock_rows(User, User.id.in_(ids))
    return lock_rows(Subscription, Subscription.id.in_(pks))


def word(status: str) -> str:
    """A status as people read it."""
    return status.replace("_", " ")


def _needed(values: Mapping[str, object]) -> dict[str, Any]:
    """The values of a change that lacks nothing.

    Raises:
        InvalidError: a value breaks its rule, or is missing.
    """
    missing = {
        name: f"Choose a {CALLED[name]}."
        for name, value in values.items()
        if name in CALLED and (value is None or value == "")
    }
    try:
        clean = rules.check(values, RULES)
    except InvalidError as refusal:
        raise InvalidError(missing | refusal.fields) from refusal
    if missing:
        raise InvalidError(missing)
    return clean


def _newer(subscription: Subscription) -> Subscription | None:
    """The newest subscription of its person, if it is another."""
    newest = people.newest_subscription(db.session(), subscription.user_id)
    return None if newest is None or newest.id == subscription.id else newest


def _objection(
    subscription: Subscription, newer: Subscription | None, status: str | None
) -> RuleError | None:
    if newer is None or status == ENDED:
        return None
    told = f"A newer subscription of this person counts: {newer.id}. Change that one"
    if subscription.status == ENDED:
        return OlderError(f"{told}.")
    return OlderError(f"{told}; this one can only be ended.")


def _held(subscription: Subscription, status: str | None = None) -> tuple[User, bool]:
    """The person of a subscription, both locked, and whether it is the one that counts.

    Args:
        status: what it would become; None for a change of its plan.

    Raises:
        MissingError: they are gone.
        OlderError: the person has a newer one, and this one would not end.
    """
    if not is_locked(subscription) and not get_all_for_update([key_of(subscription)]):
        raise MissingError("This subscription was deleted meanwhile, with its person.")
    newer = _newer(subscription)
    if refusal := _objection(subscription, newer, status):
        raise refusal
    return db.session.get_one(User, subscription.user_id), newer is None


def _refuse_unseen(what: str, seen: str | None, stored: str, wanted: str) -> None:
    """Nothing is decided on what was not shown, unless somebody else decided the same.

    Raises:
        ChangedError: what is stored was not shown.
    """
    if seen is not None and stored not in {seen, wanted}:
        raise ChangedError(
            f"Somebody changed the {what} meanwhile: it is {word(stored) or 'unknown'} now. "
            "Nothing was changed; look at it again."
        )


def _write(  # noqa: PLR0913 - a change has that many parts
    user: User,
    subscription: Subscription | None,
    values: Mapping[str, str | None],
    *,
    by: Actor,
    reason: str | None = None,
    counts: bool = True,
) -> None:
    """Set tier and status on both rows; one event, none when nothing changes.

    Args:
        counts: whether the person's row goes by this subscription.
    """
    followed = _follow(subscription, values) if subscription else {}
    mirrored: dict[str, list[Any]] = {}
    for name, value in (_mirror(user, subscription, values) if counts else {}).items():
        before = getattr(user, f"subscription_{name}")
        if before != value:
            mirrored[f"subscription_{name}"] = [before, value]
            setattr(user, f"subscription_{name}", value)
    if not (followed or mirrored):
        return
    told = {k: v for k, v in followed.items() if mirrored.get(f"subscription_{k}") != v}
    user.updated_at = utc_now()
    record("subscription.updated", user, mirrored | told, by=by, reason=reason)
    db.session.flush()


def _follow(subscription: Subscription, values: Mapping[str, str | None]) -> dict[str, list[Any]]:
    """Let the subscription say the same; what that changed."""
    kept: dict[str, Any] = {**values}
    if "status" in values:
        kept["status"] = values["status"] or ENDED
    if "status" in kept and kept["status"] != subscription.status:
        kept["canceled_at"] = utc_now() if kept["status"] == ENDED else None
        if subscription.status == ENDED:
            kept["cancel_at_period_end"] = False  # it began again: nothing is to end it
    told = {
        name: [getattr(subscription, name), value]
        for name, value in kept.items()
        if getattr(subscription, name) != value
    }
    for name, (_before, value) in told.items():
        setattr(subscription, name, value)
    return {"subscription": [subscription.id, subscription.id], **told} if told else {}


def _mirror(
    user: User, subscription: Subscription | None, values: Mapping[str, str | None]
) -> Mapping[str, str | None]:
    """What the person's row is to say: the values, and beside them what the subscription says.

    A status that was cleared stays so while the subscription has ended.
    """
    if subscription is None:
        return values
    said: dict[str, str | None] = {"tier": subscription.tier, "status": subscription.status}
    if subscription.status == ENDED and user.subscription_status is None:
        said["status"] = None
    return {**said, **values}
