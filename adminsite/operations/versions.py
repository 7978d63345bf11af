"""Two people, one record: rows are locked before rules look at them, edits are merged by field.

Source: peers.md c2, R-001-16.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, inspect, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from adminsite.audit import plain, record
from adminsite.db import Base, db, utc_now
from adminsite.errors import Clash, ConflictError, InvalidError, MissingError
from adminsite.models import AuditEvent
from adminsite.permissions import Actor

Row = TypeVar("Row", bound=Base)
LOCKED = "locked_rows"


@dataclass(frozen=True, slots=True)
class Saved(Generic[Row]):
    """What became of an update.

    Attributes:
        row: the record as it is now.
        changed: the fields this save changed; none when it held nothing new.
        merged: fields that somebody else changed meanwhile and that kept their value.
    """

    row: Row
    changed: tuple[str, ...] = ()
    merged: tuple[Clash, ...] = ()


@dataclass(frozen=True, slots=True)
class _Change:
    before: object
    who: str
    when: datetime | None


def lock(row: Base) -> None:
    """Read the row anew and keep others from changing it until the transaction ends.

    Raises:
        MissingError: it was deleted meanwhile.
    """
    if not is_locked(row) and get_for_update(type(row), *_identity(row)) is None:
        raise gone(row)


def key_of(row: Base) -> Any:
    """The key of a stored row, also when the row is gone by now: reading it might query."""
    return _identity(row)[0]


def is_locked(row: Base) -> bool:
    """Whether this transaction has locked the row already."""
    return _key(row) in _locked(db.session())


def gone(row: Base) -> MissingError:
    """What to say when the row is not there any more."""
    return MissingError(f"This {noun(row)} was deleted meanwhile.")


def get_for_update(model: type[Row], *pk: Any) -> Row | None:
    """The row by its key, read anew and locked; None when there is none."""
    key = zip(inspect(model).primary_key, pk, strict=True)
    # Not Session.get: it compares the version with one read before the wait for the lock.
    return next(iter(lock_rows(model, *(column == value for column, value in key))), None)


def get_all_for_update(
    model: type[Row], pks: Collection[Any], *options: ORMOption
) -> Sequence[Row]:
    """The rows that exist of these, read anew and locked, in the order of their keys.

    Args:
        model: a table with a key of one column.
        pks: the keys; unknown ones are left out of the answer.
        options: what to load with the rows.
    """
    return lock_rows(model, inspect(model).primary_key[0].in_(pks), options=options)


def lock_rows(
    model: type[Row],
    *where: ColumnElement[bool],
    options: Sequence[ORMOption] = (),
    to_delete: bool = False,
) -> Sequence[Row]:
    """The rows that meet these conditions, read anew and locked, in the order of their keys.

    Args:
        model: their table.
        where: the conditions.
        options: what to load with the rows.
        to_delete: keep others from referring to the rows as well, which they may do otherwise.
    """
    rows = (
        db.session()
        .scalars(
            select(model)
            .where(*where)
            .order_by(*inspect(model).primary_key)
            .with_for_update(of=model, key_share=not to_delete)
            .options(*options)
            .execution_options(populate_existing=True)
        )
        .all()
    )
    mark_locked(rows)
    return rows


def mark_locked(rows: Iterable[Base]) -> None:
    """Note that these rows are safe: locked, or guarded by the lock on another one."""
    _locked(db.session()).update(_key(row) for row in rows)


def seen_version(text: str | None) -> int | None:
    """The version an editor saw, from the text of `row_version`; None when it is not given.

    Raises:
        InvalidError: it is no number.
    """
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:  # noqa: PLR2004 - 32 bits hold nine
        raise _nonsense()
    return int(text)


def reconcile(
    row: Base, values: Mapping[str, Any], seen: int | None, fields: Iterable[str]
) -> tuple[dict[str, Any], tuple[Clash, ...]]:
    """Which values to write, and what others changed since the editor looked.

    Args:
        row: locked.
        values: clean values of the fields that were edited.
        seen: the version the editor saw; None for "the stored one".
        fields: those of the record that an editor is told about.

    Raises:
        ConflictError: the editor and somebody else changed the same field.
        InvalidError: there never was such a version.
    """
    stored = {name: value_of(row, name) for name in values}
    mine = {name: value for name, value in values.items() if not same(value, stored[name])}
    version: int = row.version  # type: ignore[attr-defined]
    if seen is None or seen == version:
        return mine, ()
    if not 0 < seen < version:
        raise _nonsense()
    since = {
        name: change
        for name, change in _changes_since(row, seen).items()
        if name in {*fields, *mine} and not same(change.before, value_of(row, name))
    }
    return _merge(row, values, mine, since)


def write(row: Base, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Set the fields; what that changed, as an event tells it: {field: [before, after]}."""
    before = {name: value_of(row, name) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    return {name: [before[name], value_of(row, name)] for name in values}


def finish(row: Base, action: str, changes: Mapping[str, Any], *, by: Actor) -> None:
    """Save the change: next version, time of change, one event."""
    if hasattr(row, "updated_at"):
        row.updated_at = utc_now()  # also when only relations changed: the version must move
    record(action, row, changes, by=by)
    db.session.flush()


def value_of(row: Base, name: str) -> Any:
    """A field as an event keeps it; related records by name."""
    return plain(getattr(row, name))


def same(one: object, other: object) -> bool:
    """Whether two values of a field are one; lists are sets of words, whatever their case."""
    if isinstance(one, list) and isinstance(other, list):
        return {str(word).casefold() for word in one} == {str(word).casefold() for word in other}
    return bool(plain(one) == plain(other))


def noun(row: Base) -> str:
    """What to call such a record in a sentence."""
    return str(row.__tablename__).removesuffix("s")


def _merge(
    row: Base, values: Mapping[str, Any], mine: dict[str, Any], since: Mapping[str, _Change]
) -> tuple[dict[str, Any], tuple[Clash, ...]]:
    """Split my values: written, given way to others, in conflict with others."""
    theirs = {k for k in since if k not in mine or same(mine[k], since[k].before)}
    clashes = [k for k in since if k not in theirs]
    if clashes:
        settled = {
            k: mine[k] if k in mine and k not in theirs else value_of(row, k)
            for k in values
            if k not in clashes
        }
        raise _conflict(row, [_clash(row, k, since[k], mine[k]) for k in clashes], settled)
    agreed = {k for k in values if k not in mine}
    merged = tuple(_clash(row, k, since[k], None) for k in since if k not in agreed)
    return {k: v for k, v in mine.items() if k not in theirs}, merged


def _clash(row: Base, field: str, change: _Change, mine: object) -> Clash:
    return Clash(field, plain(mine), value_of(row, field), change.who, change.when)


def _changes_since(row: Base, seen: int) -> dict[str, _Change]:
    """By field: what it was in the version seen, and who changed it last since."""
    events = db.session.execute(
        select(AuditEvent.changes, AuditEvent.actor_email, AuditEvent.at)
        .where(
            AuditEvent.subject_type == noun(row),
            AuditEvent.subject_id == ",".join(str(part) for part in _identity(row)),
            AuditEvent.subject_version > seen,
        )
        .order_by(AuditEvent.id)
    )
    since: dict[str, _Change] = {}
    for changes, who, when in events:
        for name, pair in changes.items():
            before = since[name].before if name in since else pair[0]
            since[name] = _Change(before, who or "somebody", when)
    return since


def _conflict(row: Base, clashes: list[Clash], settled: Mapping[str, object]) -> ConflictError:
    names = ", ".join(clash.field.replace("_", " ") for clash in clashes)
    who = " and ".join(dict.fromkeys(clash.who for clash in clashes))
    version: int = row.version  # type: ignore[attr-defined]
    message = f"{who} changed {names} while you were editing. Choose what to keep, then save."
    return ConflictError(tuple(clashes), version, message, settled)


def _nonsense() -> InvalidError:
    return InvalidError({"row_version": "This form is not of this record. Open it again."})


def _key(row: Base) -> tuple[Any, ...]:
    return (type(row), *_identity(row))


def _identity(row: Base) -> tuple[Any, ...]:
    """The stored row's key; asked of the session, since reading it might query."""
    return tuple(inspect(row).identity or ())


def _locked(session: Session) -> set[tuple[Any, ...]]:
    """The rows locked in this transaction; a new transaction begins with none."""
    now = session.get_transaction()
    kept: tuple[object, set[tuple[Any, ...]]] | None = session.info.get(LOCKED)
    if kept is None or kept[0] is not now:
        kept = session.info[LOCKED] = (now, set())
    return kept[1]
