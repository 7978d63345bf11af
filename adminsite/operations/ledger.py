"""The ledger of credits: entries are added and never changed; a balance is their sum.

The row of a person is the lock of their balance. What a caller's key names is done once, and
what is beyond a person's limit waits for a second one.

Source: D-11 to D-14, D-18; R-002-31 to R-002-37, R-002-61, R-002-67.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm.attributes import set_committed_value

from adminsite.audit import AUDITED_DML, record
from adminsite.db import db, utc_now
from adminsite.errors import InvalidError, MissingError, OutdatedError, RuleError
from adminsite.models import CreditTransaction, IdempotencyKey, PendingAdjustment, User
from adminsite.operations import rules
from adminsite.operations.versions import get_for_update, key_of, lock, lock_rows
from adminsite.permissions import Actor, Permission, require

ADJUSTMENT, REVERSAL, USAGE = "admin_adjustment", "reversal", "usage"
TYPES_ENTERED = tuple(t for t in CreditTransaction.TYPES if t not in {ADJUSTMENT, REVERSAL})
MOST_AT_ONCE = 5000
AMOUNTS = ("amount", "set_to")
_SIGNATURE = re.compile(r"\[Admin: (?:system|[0-9a-f-]{36})\] ")
RULES: dict[str, rules.Rule] = {
    "amount": rules.credits_amount,
    "set_to": rules.balance,
    "reason": rules.reason,
}


class KeyReusedError(RuleError):
    """The caller used this idempotency key for something else; nothing was changed."""

    status = 409
    code = "CONFLICT"


class ReversedError(OutdatedError):
    """The entry was reversed already, or somebody asked for that; it happens once only."""


class DecidedError(OutdatedError):
    """Somebody decided on the request already."""


class OwnRequestError(RuleError):
    """Nobody decides on what they asked for themselves."""


class BalanceError(RuleError):
    """The balance does not reach, or cannot hold that much."""


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


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a batch: whose credits, by how much, why."""

    email: str
    amount: object
    reason: object


@dataclass(frozen=True, slots=True)
class Checked:
    """A line of a batch as it would be applied, or why it would not.

    Attributes:
        user: None when nobody has the address.
        before: the balance when this line's turn comes.
        problem: a sentence; empty when there is none.
    """

    email: str
    user: User | None = None
    amount: int = 0
    reason: str = ""
    before: int = 0
    problem: str = ""

    @property
    def after(self) -> int:
        """The balance once the line is applied."""
        return self.before + self.amount


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a batch.

    Attributes:
        reference: what its entries have in common, in `reference_id`.
        again: whether it was done before, under the same key.
    """

    reference: str
    entries: int
    people: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class _Change:
    """An entry to be made."""

    amount: int
    type: str
    description: str
    reference: str
    reason: str
    key: str | None = None
    reverses: int | None = None
    approved_by: str | None = None
    at: datetime | None = None


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
        BalanceError: the balance would not fit 32 bits.
        KeyReusedError: the key was used with other values.

    Source: D-11, D-13, D-14; R-002-31 to R-002-36; contract, JSON.
    """
    require(by, Permission.CREDITS_WRITE)
    clean = _checked(values, key)
    lock(user)
    full = _full(key, by)
    if not _claim(full, ["adjust", str(user.id), clean]):
        return _earlier(full)
    amount = _amount(user, clean)
    if _needs_second(amount, cap):
        return Outcome(pending=_ask(user, amount, clean["reason"], by=by, key=full))
    change = _Change(
        amount,
        ADJUSTMENT,
        _signed_by(by, clean["reason"]),
        _reference(by, utc_now()),
        clean["reason"],
        full,
    )
    return Outcome(entry=_enter(user, change, by=by))


def foresee(user: User, values: Mapping[str, object], *, by: Actor, cap: int | None) -> Foreseen:
    """What `adjust` would do with these values now; nothing is locked or changed.

    Args:
        values: `amount` or `set_to`, as in `adjust`; the reason is not asked for yet.
        cap: as in `adjust`.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        InvalidError: the amount breaks its rule, or there is nothing to change.
        BalanceError: the balance would not fit 32 bits.
    """
    require(by, Permission.CREDITS_WRITE)
    amount = _amount(user, rules.check(_one_amount(values), RULES))
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
    clean = rules.check({"amount": amount}, RULES)
    if kind not in TYPES_ENTERED:
        raise InvalidError({"type": f"An entry is one of {', '.join(TYPES_ENTERED)}."})
    lock(user)
    _refuse_beyond(user, clean["amount"])
    if kind == USAGE and user.credits_balance + clean["amount"] < 0:
        raise BalanceError(f"{user.email} has {user.credits_balance:,} credits; that is too few.")
    change = _Change(clean["amount"], kind, about, reference, about, at=at)
    return _enter(user, change, by=by)


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
    clean = _checked({"reason": reason}, key, one_of=("reason",))
    user = _holder(entry)
    full = _full(key, by)
    if not _claim(full, ["reverse", entry.id, clean]):
        return _earlier(full)
    if refusal := reversal_objection(entry):
        raise refusal
    _refuse_beyond(user, -entry.amount)
    if _needs_second(entry.amount, cap):
        asked = _ask(user, -entry.amount, clean["reason"], by=by, key=full, reverses=entry.id)
        return Outcome(pending=asked)
    return Outcome(entry=_reverse(entry, user, clean["reason"], by=by, key=full))


def foresee_reversal(entry: CreditTransaction, *, by: Actor, cap: int | None) -> Foreseen:
    """What `reverse` would do now; nothing is locked or changed.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        RuleError: it cannot be reversed; see `reverse`.
    """
    require(by, Permission.CREDITS_WRITE)
    if refusal := reversal_objection(entry):
        raise refusal
    user = db.session.get_one(User, entry.user_id)
    _refuse_beyond(user, -entry.amount)
    return Foreseen(user.credits_balance, -entry.amount, _needs_second(entry.amount, cap))


def reversal_objection(entry: CreditTransaction) -> RuleError | None:
    """Why an entry cannot be reversed; None when it can."""
    return reversal_objections([entry]).get(entry.id)


def reversal_objections(entries: Sequence[Any]) -> dict[int, RuleError]:
    """The same of many, by id: two statements, however many there are.

    Args:
        entries: with `id`, `type` and `user_id`.
    """
    keys = [entry.id for entry in entries]
    session = db.session()
    made = select(CreditTransaction.reverses_id).where(CreditTransaction.reverses_id.in_(keys))
    asked = select(PendingAdjustment.reverses_id).where(
        PendingAdjustment.reverses_id.in_(keys), PendingAdjustment.status == "pending"
    )
    reversed_, waiting = set(session.scalars(made)), set(session.scalars(asked))
    found: dict[int, RuleError] = {}
    for entry in entries:
        if entry.type == REVERSAL:
            found[entry.id] = RuleError("A reversal is not reversed. Adjust the credits instead.")
        elif entry.user_id is None:
            found[entry.id] = RuleError("The account was deleted; there is no balance to change.")
        elif entry.id in reversed_:
            found[entry.id] = ReversedError("This entry was reversed already.")
        elif entry.id in waiting:
            found[entry.id] = ReversedError(
                "The reversal of this entry waits for a second person already."
            )
    return found


def approve(pending: PendingAdjustment, note: object, *, by: Actor) -> CreditTransaction:
    """Do what somebody else asked for.

    The entry is theirs, and names who approved it.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        InvalidError: the note breaks its rule.
        OwnRequestError: the actor asked for it.
        DecidedError: somebody decided already.
        ReversedError: the entry to reverse was reversed meanwhile.
        MissingError: the request or its person was deleted meanwhile.
        BalanceError: the balance would not fit 32 bits.

    Source: issue "Money", 1; contract, `ADJUST_LIMIT`.
    """
    user, said = _open_request(pending, note, by)
    _refuse_beyond(user, pending.amount)
    asked = Actor(pending.requested_by, pending.requested_email, "", by.level)
    change = _Change(
        pending.amount,
        ADJUSTMENT,
        _signed_by(asked, pending.reason),
        _reference(asked, pending.created_at),
        pending.reason,
        approved_by=by.email,
    )
    _decide(pending, "approved", said, by)
    if pending.reverses_id is not None:
        entry = db.session.get_one(CreditTransaction, pending.reverses_id)
        if refusal := reversal_objection(entry):
            raise refusal
        change = _reversal(entry, change)
    made = _enter(user, change, by=by, asked=asked, note=said)
    pending.transaction_id = made.id
    db.session.flush()
    return made


def decline(pending: PendingAdjustment, note: object, *, by: Actor) -> PendingAdjustment:
    """Turn down what somebody else asked for; nothing changes but the request.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        InvalidError: the note breaks its rule.
        OwnRequestError: the actor asked for it.
        DecidedError: somebody decided already.
        MissingError: the request or its person was deleted meanwhile.

    Source: issue "Money", 1; contract, `ADJUST_LIMIT`.
    """
    user, said = _open_request(pending, note, by)
    _decide(pending, "declined", said, by)
    told = {"amount": [pending.amount, None], "requested_by": [pending.requested_email, None]}
    record("credits.declined", user, {**told, "note": [None, said]}, by=by, reason=pending.reason)
    db.session.flush()
    return pending


def decision_objection(pending: PendingAdjustment, *, by: Actor) -> RuleError | None:
    """Why the actor may not decide on a request; None when they may."""
    if pending.status != "pending":
        return DecidedError(f"{pending.decided_email} {pending.status} this already.")
    if pending.requested_by == by.id:
        return OwnRequestError("You asked for this: somebody else has to decide.")
    return None


def check_batch(rows: Sequence[Row], *, by: Actor, cap: int | None) -> list[Checked]:
    """What a batch would do, line by line; nothing is locked or changed.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        InvalidError: no line, or too many.
    """
    require(by, Permission.CREDITS_WRITE)
    _refuse_size(rows)
    return _judged(rows, _people(rows), cap)


def adjust_batch(rows: Sequence[Row], *, by: Actor, cap: int | None, key: str) -> Batch:
    """Adjust the credits of many, all lines or none; one key for all of it.

    Args:
        cap: for the sum of each person's lines. Beyond it the line is refused: what needs a
            second person is asked for one by one.
        key: names the request, as in `adjust`.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        InvalidError: no line, too many, or one that cannot be applied; it is named.
        KeyReusedError: the key was used with other lines.

    Source: issue "Money", 2.
    """
    require(by, Permission.CREDITS_WRITE)
    rules.check({"key": key}, {"key": rules.idempotency_key})
    _refuse_size(rows)
    full = _full(key, by) or ""
    digest = hashlib.sha256(full.encode()).hexdigest()
    reference = f"batch_{digest[:32]}"
    people = _people(rows, locked=True)
    told = [[row.email, str(row.amount), str(row.reason)] for row in rows]
    if not _claim(full, ["batch", told]):
        return _earlier_batch(reference)
    lines = _judged(rows, people, cap)
    for number, line in enumerate(lines, start=1):
        if line.problem:
            raise InvalidError({f"line {number}": line.problem}, f"Line {number}: {line.problem}")
    _enter_all(lines, reference, by)
    return Batch(reference, len(lines), len({line.email.lower() for line in lines}))


def reason_of(description: str | None) -> str | None:
    """What an entry's description says beside who wrote it (R-002-34, D-14)."""
    return _SIGNATURE.sub("", description) if description else description


# ---- asked before anything is written --------------------------------------------------------


def _checked(
    values: Mapping[str, object], key: str | None, one_of: tuple[str, ...] = ("amount", "set_to")
) -> dict[str, Any]:
    """The values as they are meant: exactly one of the amounts, and the reason.

    Raises:
        InvalidError: a value breaks its rule, or there is none or one too many.
    """
    if key is not None:
        rules.check({"idempotency_key": key}, {"idempotency_key": rules.idempotency_key})
    others = {name: value for name, value in values.items() if name not in AMOUNTS}
    amounts = _one_amount(values) if "amount" in one_of else {}
    return rules.check({**others, **amounts, "reason": values.get("reason")}, RULES)


def _one_amount(values: Mapping[str, object]) -> dict[str, object]:
    """The one of the two amounts that was given.

    Raises:
        InvalidError: both were.
    """
    given = {name: values[name] for name in AMOUNTS if values.get(name) not in (None, "")}
    if len(given) > 1:
        both = "Say an amount or the balance to reach, not both."
        raise InvalidError(dict.fromkeys(AMOUNTS, both))
    return given or {"amount": values.get("amount")}


def _amount(user: User, clean: Mapping[str, Any]) -> int:
    """The change that was asked for, as far as the balance takes it.

    Raises:
        InvalidError: there is nothing to change.
        BalanceError: the balance would not fit 32 bits.
    """
    amount: int = clean.get("amount", clean.get("set_to", 0) - user.credits_balance)
    if amount == 0:
        raise InvalidError({"set_to": f"The balance is {user.credits_balance:,} already."})
    _refuse_beyond(user, amount)
    return amount


def _needs_second(amount: int, cap: int | None) -> bool:
    return cap is not None and abs(amount) > cap


def _refuse_beyond(user: User, amount: int) -> None:
    after = user.credits_balance + amount
    if abs(after) > rules.LARGEST:
        raise BalanceError(
            f"The balance would be {after:,}; it lies between {-rules.LARGEST:,} and "
            f"{rules.LARGEST:,}."
        )


def _refuse_size(rows: Sequence[Row]) -> None:
    if not rows:
        raise InvalidError({"lines": "There is no line: give one for each person."})
    if len(rows) > MOST_AT_ONCE:
        raise InvalidError({"lines": f"{len(rows):,} lines; {MOST_AT_ONCE:,} is the limit."})


def _holder(entry: CreditTransaction) -> User:
    """The person of an entry, locked.

    Raises:
        RuleError: they were deleted.
    """
    user = get_for_update(User, entry.user_id) if entry.user_id is not None else None
    if user is None:
        raise RuleError("The account was deleted; there is no balance to change.")
    return user


def _open_request(pending: PendingAdjustment, note: object, by: Actor) -> tuple[User, str]:
    """The person and the note, with the person and the request locked.

    Raises: see `approve`.
    """
    require(by, Permission.CREDITS_WRITE)
    said = rules.check({"note": note}, {"note": rules.note})["note"]
    user = get_for_update(User, pending.user_id)  # the person first, as everywhere
    if user is None or get_for_update(PendingAdjustment, key_of(pending)) is None:
        raise MissingError("The account of this request was deleted meanwhile.")
    if reason := decision_objection(pending, by=by):
        raise reason
    return user, said


# ---- keys: what was done before is not done again --------------------------------------------


def _full(key: str | None, by: Actor) -> str | None:
    return f"{by.id or 'system'}:{key}" if key is not None else None


def _claim(full: str | None, what: object) -> bool:
    """Whether this is the key's first use; somebody at work under it is waited for.

    Raises:
        KeyReusedError: it was used for something else.
    """
    if full is None:
        return True
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    session = db.session()
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    claim = dialect.insert(IdempotencyKey).values(key=full, digest=digest, created_at=utc_now())
    mine = claim.on_conflict_do_nothing().returning(IdempotencyKey.key)
    if session.connection().scalar(mine) is not None:
        return True
    stored = select(IdempotencyKey.digest).where(IdempotencyKey.key == full)
    if session.scalar(stored) != digest:
        raise KeyReusedError(
            "This idempotency key was used for another request. Nothing was changed; use a new key."
        )
    return False


def _earlier(full: str | None) -> Outcome:
    """What the key's first use led to."""
    session = db.session()
    entry = session.scalar(
        select(CreditTransaction).where(CreditTransaction.idempotency_key == full)
    )
    asked = select(PendingAdjustment).where(PendingAdjustment.idempotency_key == full)
    return Outcome(entry, None if entry else session.scalar(asked), again=True)


def _earlier_batch(reference: str) -> Batch:
    made = select(CreditTransaction.user_email).where(CreditTransaction.reference_id == reference)
    emails = db.session.scalars(made).all()
    return Batch(reference, len(emails), len(set(emails)), again=True)


# ---- writing ---------------------------------------------------------------------------------


def _ask(  # noqa: PLR0913 - a request has that many parts
    user: User, amount: int, reason: str, *, by: Actor, key: str | None, reverses: int | None = None
) -> PendingAdjustment:
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


def _decide(pending: PendingAdjustment, status: str, note: str, by: Actor) -> None:
    pending.status, pending.note, pending.decided_at = status, note, utc_now()
    pending.decided_by, pending.decided_email = by.id, by.email


def _reverse(
    entry: CreditTransaction, user: User, reason: str, *, by: Actor, key: str | None
) -> CreditTransaction:
    said = _Change(0, "", _signed_by(by, reason), _reference(by, utc_now()), reason, key)
    return _enter(user, _reversal(entry, said), by=by)


def _reversal(entry: CreditTransaction, change: _Change) -> _Change:
    """The change as the opposite of an entry."""
    return _Change(
        -entry.amount,
        REVERSAL,
        change.description,
        change.reference,
        change.reason,
        change.key,
        entry.id,
        change.approved_by,
    )


def _enter(
    user: User, change: _Change, *, by: Actor, asked: Actor | None = None, note: str | None = None
) -> CreditTransaction:
    """Move the balance and write the entry that says so, with one event.

    Args:
        user: locked.
        asked: who asked for it, when somebody else approved.
        note: what they said who approved.
    """
    actor = asked or by
    moved = (
        update(User)
        .where(User.id == user.id)
        .values(
            credits_balance=User.credits_balance + change.amount,
            updated_at=utc_now(),
            version=User.version + 1,
        )
        .returning(User.credits_balance, User.updated_at, User.version)
    )
    told = {AUDITED_DML: True, "synchronize_session": False}
    row = db.session.execute(moved, execution_options=told).one()
    for name in ("credits_balance", "updated_at", "version"):
        set_committed_value(user, name, getattr(row, name))
    entry = CreditTransaction(
        user_id=user.id,
        user_email=user.email,
        amount=change.amount,
        balance_after=row.credits_balance,
        type=change.type,
        reference_id=change.reference or None,
        idempotency_key=change.key,
        description=change.description or None,
        actor_id=actor.id,
        actor_email=actor.email,
        approved_by=change.approved_by,
        reverses_id=change.reverses,
        created_at=change.at or utc_now(),
    )
    db.session.add(entry)
    db.session.flush()
    before = row.credits_balance - change.amount
    changes: dict[str, list[Any]] = {
        "credits_balance": [before, row.credits_balance],
        "transaction": [None, entry.id],
    }
    if change.reverses:
        changes["reverses"] = [None, change.reverses]
    if asked:
        changes |= {"requested_by": [None, asked.email], "note": [None, note]}
    action = "credits.reversed" if change.type == REVERSAL else "credits.adjusted"
    record(action, user, changes, by=by, reason=change.reason or None)
    return entry


def _enter_all(lines: Sequence[Checked], reference: str, by: Actor) -> None:
    """The same for the lines of a batch, with as few statements as one needs."""
    session, now, sums = db.session(), utc_now(), dict[UUID, int]()
    people = {line.user.id: line.user for line in lines if line.user is not None}
    rows = []
    for line in lines:
        if line.user is None:
            continue
        sums[line.user.id] = sums.get(line.user.id, 0) + line.amount
        rows.append(
            {
                "user_id": line.user.id,
                "user_email": line.user.email,
                "amount": line.amount,
                "balance_after": line.after,
                "type": ADJUSTMENT,
                "reference_id": reference,
                "description": _signed_by(by, line.reason),
                "actor_id": by.id,
                "actor_email": by.email,
                "created_at": now,
            }
        )
    for key, amount in sums.items():
        user = people[key]
        user.credits_balance += amount
        user.updated_at = now
    session.flush()
    session.execute(insert(CreditTransaction), rows, execution_options={AUDITED_DML: True})
    for line in lines:
        if line.user is not None:
            changes = {"credits_balance": [line.before, line.after], "batch": [None, reference]}
            record("credits.adjusted", line.user, changes, by=by, reason=line.reason)


def _people(rows: Sequence[Row], *, locked: bool = False) -> dict[str, User]:
    """The people of a batch by address, locked in the order of their keys if asked."""
    keys = sorted({row.email.strip().lower() for row in rows})
    which = User.email_key.in_(keys)
    found = lock_rows(User, which) if locked else db.session.scalars(select(User).where(which))
    return {user.email_key: user for user in found}


def _judged(rows: Sequence[Row], people: Mapping[str, User], cap: int | None) -> list[Checked]:
    balances = {key: user.credits_balance for key, user in people.items()}
    sums: dict[str, int] = {}
    lines = []
    for row in rows:
        key = row.email.strip().lower()
        line = _judge(row, people.get(key), balances.get(key, 0))
        if not line.problem and key in people:
            sums[key] = sums.get(key, 0) + line.amount
            balances[key] = line.after
            if cap is not None and max(abs(sums[key]), abs(line.amount)) > cap:
                why = f"More than {cap:,} credits need a second person: adjust this one by itself."
                line = _refused(row, why, line.user)
        lines.append(line)
    return lines


def _judge(row: Row, user: User | None, balance: int) -> Checked:
    try:
        clean = _checked({"amount": row.amount, "reason": row.reason}, None)
    except InvalidError as refusal:
        return _refused(row, refusal.message, user)
    if user is None:
        who = row.email.strip()[: rules.EMAIL_LENGTH]
        return _refused(row, f"Nobody has the address {who}." if who else "Give an address.")
    line = Checked(user.email, user, clean["amount"], clean["reason"], balance)
    if abs(line.after) > rules.LARGEST:
        return _refused(row, f"The balance would be {line.after:,}, more than it can hold.", user)
    return line


def _refused(row: Row, why: str, user: User | None = None) -> Checked:
    return Checked(row.email.strip()[: rules.EMAIL_LENGTH], user, problem=why)


def _signed_by(by: Actor, reason: str) -> str:
    """The reason with the admin's id in front of it (R-002-34, D-14)."""
    return f"[Admin: {by.id or 'system'}] {reason}"


def _reference(by: Actor, at: datetime) -> str:
    """What names admin and time (R-002-34)."""
    return f"admin_{by.id or 'system'}_{at:%Y%m%dT%H%M%S.%fZ}"
