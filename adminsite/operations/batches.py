"""Batches: the credits of many adjusted at once, all lines or none, under one key.

Source: issue "Money", 2.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, Table, bindparam, insert, select, update
from sqlalchemy.orm.attributes import set_committed_value

from adminsite.audit import record
from adminsite.db import db, utc_now
from adminsite.errors import InvalidError
from adminsite.models import CreditTransaction, User
from adminsite.operations import entries, keys, rules
from adminsite.operations.versions import lock_rows
from adminsite.permissions import Actor, Permission, require

MOST_AT_ONCE = 5000


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

    The people are locked in the order of their keys, so that two batches never wait for one
    another. The statements stay as many, but for one more for each thousand lines.

    Args:
        cap: for the sum of each person's lines. Beyond it the line is refused: what needs a
            second person is asked for one by one.
        key: names the request, as in `ledger.adjust`.

    Raises:
        ForbiddenError: the actor may not adjust credits.
        InvalidError: no line, too many, or one that cannot be applied; it is named.
        KeyReusedError: the key was used with other lines.

    Source: issue "Money", 2.
    """
    require(by, Permission.CREDITS_WRITE)
    stored = keys.of_caller(key, by) or ""
    _refuse_size(rows)
    digest = hashlib.sha256(stored.encode()).hexdigest()[:32]
    reference = f"admin_{by.id or 'system'}_batch_{digest}"  # R-002-34; the same when sent again
    people = _people(rows, locked=True)
    told = [[row.email, str(row.amount), str(row.reason)] for row in rows]
    first = keys.claim(stored, ["batch", told])
    if first:
        lines = _judged(rows, people, cap)
        for number, line in enumerate(lines, start=1):
            if line.problem:
                raise InvalidError(
                    {f"line {number}": line.problem}, f"Line {number}: {line.problem}"
                )
        _write(lines, reference, by)
    return Batch(reference, len(rows), len({_address(row) for row in rows}), again=not first)


# ---- before anything is written --------------------------------------------------------------


def _refuse_size(rows: Sequence[Row]) -> None:
    if not rows:
        raise InvalidError({"lines": "There is no line: give one for each person."})
    if len(rows) > MOST_AT_ONCE:
        raise InvalidError({"lines": f"{len(rows):,} lines; {MOST_AT_ONCE:,} is the limit."})


def _people(rows: Sequence[Row], *, locked: bool = False) -> dict[str, User]:
    """The people of a batch by address, locked in the order of their keys if asked."""
    which = User.email_key.in_(sorted({_address(row) for row in rows}))
    found = lock_rows(User, which) if locked else db.session.scalars(select(User).where(which))
    return {user.email_key: user for user in found}


def _address(row: Row) -> str:
    """The address as it is compared; empty when no database takes it."""
    try:
        return rules.plain_text(row.email, "address", rules.EMAIL_LENGTH).lower()
    except ValueError:
        return ""


def _judged(rows: Sequence[Row], people: Mapping[str, User], cap: int | None) -> list[Checked]:
    """Each line at its turn; a refused one counts for none of those after it."""
    balances = {key: user.credits_balance for key, user in people.items()}
    sums = dict.fromkeys(people, 0)
    lines = []
    for row in rows:
        key = _address(row)
        line = _judge(row, people.get(key), balances.get(key, 0))
        if not line.problem:
            total = sums[key] + line.amount
            if cap is not None and max(abs(total), abs(line.amount)) > cap:
                why = f"More than {cap:,} credits need a second person: adjust this one by itself."
                line = _refused(row, why, line.user)
            else:
                sums[key], balances[key] = total, line.after
        lines.append(line)
    return lines


def _judge(row: Row, user: User | None, balance: int) -> Checked:
    """A line by itself."""
    try:
        who = rules.plain_text(row.email, "address", rules.EMAIL_LENGTH)
        clean = entries.checked({"amount": row.amount, "reason": row.reason})
    except ValueError as refusal:
        return _refused(row, str(refusal))
    except InvalidError as refusal:
        return _refused(row, refusal.message, user)
    if user is None:
        return _refused(row, f"Nobody has the address {who}." if who else "Give an address.")
    if reason := entries.beyond(balance, clean["amount"]):
        return _refused(row, reason, user)
    return Checked(user.email, user, clean["amount"], clean["reason"], balance)


def _refused(row: Row, why: str, user: User | None = None) -> Checked:
    return Checked(row.email.strip()[: rules.EMAIL_LENGTH], user, problem=why)


# ---- writing ---------------------------------------------------------------------------------

# The tables', which take all rows at once where the mappers' statements would not.
_entries: Table = CreditTransaction.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]
_MOVE = (
    update(_users)
    .where(_users.c.id == bindparam("whose"))
    .values(
        # the sum of lines may be larger than a balance
        credits_balance=_users.c.credits_balance + bindparam("by", type_=BigInteger),
        updated_at=bindparam("now"),
        version=_users.c.version + 1,
    )
)


def _write(lines: Sequence[Checked], reference: str, by: Actor) -> None:
    """What `entries.write` does, for all lines at once."""
    now = utc_now()
    # None is without a person: such a line would have been refused.
    turns = [(line, line.user) for line in lines if line.user is not None]
    connection = db.session.connection()
    _move(connection, turns, now)
    rows = [
        {
            "user_id": user.id,
            "user_email": user.email,
            "amount": line.amount,
            "balance_after": line.after,
            "type": entries.ADJUSTMENT,
            "reference_id": reference,
            "description": entries.signed(by.id, line.reason),
            "actor_id": by.id,
            "actor_email": by.email,
            "created_at": now,
        }
        for line, user in turns
    ]
    # What returns something is sent a thousand rows at a time: on PostgreSQL the trigger that
    # adds up days runs for each statement, and would write its one row anew for each line.
    connection.execute(insert(_entries).returning(_entries.c.id), rows)
    for line, user in turns:
        changes = {"credits_balance": [line.before, line.after], "batch": [None, reference]}
        record("credits.adjusted", user, changes, by=by, reason=line.reason)
    db.session.flush()


def _move(connection: Connection, turns: Sequence[tuple[Checked, User]], now: datetime) -> None:
    """Add to each balance, where it is stored, what the person's lines add up to."""
    people = {user.id: user for _, user in turns}
    sums = dict.fromkeys(people, 0)
    for line, user in turns:
        sums[user.id] += line.amount
    moves = [{"whose": key, "by": amount, "now": now} for key, amount in sums.items()]
    connection.execute(_MOVE, moves)
    for key, user in people.items():
        moved = {"credits_balance": user.credits_balance + sums[key], "updated_at": now}
        for name, value in {**moved, "version": user.version + 1}.items():
            set_committed_value(user, name, value)
