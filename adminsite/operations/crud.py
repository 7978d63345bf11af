"""Create, update and delete for a table without rules of its own.

Source: style section 5.
"""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, inspect

from adminsite.audit import UNTRACKED, created, record, removed
from adminsite.db import Base, db
from adminsite.operations import rules
from adminsite.operations.versions import Saved, finish, lock, noun, reconcile, write
from adminsite.permissions import Actor, Permission, require

Row = TypeVar("Row", bound=Base)


class Crud(Generic[Row]):
    """The operations of a model whose columns say all there is to know.

    A Resource takes it where others have a module: `operations=Crud(Note, Permission.…)`.
    """

    def __init__(self, model: type[Row], write: Permission) -> None:
        self.model = model
        self.permission = write
        columns = [column for column in inspect(model).columns if not column.primary_key]
        self.rules = {c.key: _rule(c) for c in columns if c.key not in UNTRACKED}
        self.required = [c.key for c in columns if c.key in self.rules and _is_required(c)]

    def create(self, values: Mapping[str, object], *, by: Actor) -> Row:
        """Add a record.

        Raises:
            ForbiddenError: the person may not change such records.
            InvalidError: a value does not fit its column.
        """
        require(by, self.permission)
        row = self.model(**rules.check({**dict.fromkeys(self.required), **values}, self.rules))
        db.session.add(row)
        db.session.flush()  # what the columns fill in belongs to the event too
        record(f"{noun(row)}.created", row, created(row, self.rules), by=by)
        return row

    def update(
        self, row: Row, values: Mapping[str, object], *, by: Actor, seen: int | None = None
    ) -> Saved[Row]:
        """Change what is named of a record.

        Raises:
            ForbiddenError: the person may not change such records.
            InvalidError: a value does not fit its column.
            ConflictError: somebody else changed the same field meanwhile.
            MissingError: it was deleted meanwhile.
        """
        require(by, self.permission)
        lock(row)
        apply, merged = reconcile(row, rules.check(values, self.rules), seen, self.rules)
        if apply:
            finish(row, f"{noun(row)}.updated", write(row, apply), by=by)
        return Saved(row, tuple(apply), merged)

    def delete(self, row: Row, *, by: Actor) -> None:
        """Remove a record.

        Raises:
            ForbiddenError: the person may not change such records.
            MissingError: it was deleted meanwhile.
        """
        require(by, self.permission)
        lock(row)
        record(f"{noun(row)}.deleted", row, removed(row, self.rules), by=by)
        db.session.delete(row)
        db.session.flush()


def _is_required(column: Column[Any]) -> bool:
    return not column.nullable and column.default is None and column.server_default is None


def _rule(column: Column[Any]) -> rules.Rule:
    """What fits the column: something where it must be, text no longer than it."""
    what = column.key.replace("_", " ")
    length = getattr(column.type, "length", None)

    def rule(value: object) -> object:
        fitting = rules.plain_text(value, what, length) if isinstance(value, str) else value
        if fitting in (None, "") and not column.nullable:
            raise ValueError(f"Give the {what}.")
        return None if fitting == "" else fitting

    return rule
