"""Checking a file's rows: each is inserted, updated, unchanged or refused, and why.

Source: contract, section Commands (data import); docs/rules.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from adminsite.db import db
from adminsite.errors import InvalidError, RuleError
from adminsite.exchange.reading import Line
from adminsite.exchange.tables import Stored, Table, Values
from adminsite.models import User
from adminsite.operations import rules
from adminsite.operations.versions import same
from adminsite.permissions import Actor

People = Mapping[str, UUID]


@dataclass(slots=True)
class Verdict:
    """What some rows come to.

    Attributes:
        inserts: values of new records.
        updates: keys of stored ones, with the values that change.
        unchanged: how many rows are stored just so.
        refused: rows that cannot be taken, and why.
    """

    inserts: list[Values] = field(default_factory=list)
    updates: list[tuple[Any, Values]] = field(default_factory=list)
    unchanged: int = 0
    refused: list[tuple[Line, RuleError]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that keeps the rules of its fields.

    Attributes:
        values: as the operation takes them.
        shown: as the file has them, people by address.
    """

    line: Line
    name: str
    values: Values
    shown: Values


class Checker:
    """The checks of one file: rows are compared with what is stored, and with each other."""

    def __init__(self, table: Table, *, by: Actor, update: bool) -> None:
        self.table = table
        self.by = by
        self.update = update
        self._before: dict[str, tuple[int, int]] = {}  # name -> its line, and its content's hash

    def check(self, lines: Sequence[Line]) -> Verdict:
        """Decide on some rows, with few queries."""
        verdict = Verdict()
        people = self._find_people(lines)
        emails = {key: email for email, key in people.items()}
        rows = []
        for line in lines:
            try:
                rows.append(self._fitting(line, people, emails))
            except RuleError as refusal:
                verdict.refused.append((line, refusal))
        stored = self.table.stored([row.name for row in rows])
        for row in rows:
            try:
                self._place(row, stored.get(row.name), verdict)
            except RuleError as refusal:
                verdict.refused.append((row.line, refusal))
        return verdict

    def _find_people(self, lines: Sequence[Line]) -> People:
        """The people named in these rows, by address in lower case."""
        cells = (line.cells[column] for line in lines for column in self.table.people)
        named = {name for cell in cells for name in _addresses(cell)[: rules.OWNERS_PER_LINK]}
        wanted = [name for name in named if name.isprintable()]  # no NUL reaches the database
        if not wanted:
            return {}
        query = select(User.email_key, User.id).where(User.email_key.in_(wanted))
        return {row.email_key: row.id for row in db.session.execute(query)}

    def _fitting(self, line: Line, people: People, emails: Mapping[UUID, str]) -> _Row:
        """The row with its values as its operation would store them.

        Raises:
            InvalidError: a cell breaks its rule, or names somebody who does not exist.
            ForbiddenError: the person may not add such a record.
        """
        values: Values = {name: line.cells[name] for name in self.table.columns}
        unknown: dict[str, str] = {}
        for column in self.table.people:
            names = _addresses(values[column])
            values[column] = [people.get(name, name) for name in names]
            if missing := [name for name in names[: rules.OWNERS_PER_LINK] if name not in people]:
                unknown[column] = f"Nobody has the address `{missing[0]}`. Import users first."
        try:
            clean: Values = self.table.resource.operations.checked(values, by=self.by)
        except InvalidError as refusal:
            raise InvalidError(refusal.fields | unknown) from None
        if unknown:  # an id in place of an address keeps the rules of an owner
            raise InvalidError(unknown)
        shown = clean | {name: [emails[key] for key in clean[name]] for name in self.table.people}
        return _Row(line, self.table.name_of(clean), clean, shown)

    def _place(self, row: _Row, stored: Stored | None, verdict: Verdict) -> None:
        """Add the row to the verdict.

        Raises:
            InvalidError: its name is taken by something else, stored or in this file.
            RuleError: an update of that record is refused.
        """
        content = _content(row.shown)
        line, before = self._before.get(row.name, (0, content))
        if before != content:
            raise self._taken(row, f"is on line {line} of this file too, with another content")
        if line:
            verdict.unchanged += 1
            return
        if stored is None:
            self.table.may_create(row.values, self.by)
            verdict.inserts.append(row.values)
        else:
            self._compare(row, stored, verdict)
        self._before[row.name] = (row.line.number, content)

    def _compare(self, row: _Row, stored: Stored, verdict: Verdict) -> None:
        differing = [name for name in row.shown if not self._same(name, row.shown, stored.values)]
        if not differing:
            verdict.unchanged += 1
            return
        if not self.update:
            raise self._taken(row, f"exists and differs in {', '.join(differing)}")
        self.table.may_update(stored.pk, differing, self.by)
        verdict.updates.append((stored.pk, {name: row.values[name] for name in differing}))

    def _same(self, name: str, one: Values, other: Values) -> bool:
        if name in self.table.people and _first(one[name]) != _first(other[name]):
            return False
        return same(one[name], other[name])

    def _taken(self, row: _Row, how: str) -> InvalidError:
        column = self.table.columns[0]
        noun = self.table.resource.key.removesuffix("s")
        return InvalidError({column: f"A {noun} called `{row.shown[column]}` {how}."})


def _addresses(cell: str) -> list[str]:
    return [name.lower() for part in cell.split(rules.SEPARATOR) if (name := part.strip())]


def _first(names: Sequence[str]) -> str:
    return names[0].lower() if names else ""


def _content(shown: Values) -> int:
    """Equal for rows that say the same."""
    return hash(
        tuple(
            (_first(value), frozenset(word.casefold() for word in value))
            if isinstance(value, list)
            else value
            for value in shown.values()
        )
    )
