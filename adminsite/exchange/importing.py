"""Import: every row is checked by the rules of its operation, then all good ones are written.

A preview and an import decide by the same code; the import then writes, in the one transaction
that its caller opened.

Source: contract, section Commands (data import); docs/rules.md.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import TextIO

from sqlalchemy import FromClause

from adminsite import audit
from adminsite.db import Base, db
from adminsite.errors import MissingError, RuleError
from adminsite.exchange.checking import Checker, Verdict
from adminsite.exchange.reading import IGNORED, Line, Upload, rows
from adminsite.exchange.tables import TABLES, Table
from adminsite.permissions import Actor, Permission, require

BATCH = 500
PROBLEMS_KEPT = 200
VALUE_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Order:
    """What to import, in whose name.

    Attributes:
        kind: users, links or keywords.
        upload: the file.
        update: whether a row may change the record that has its name already.
        refused: where refused rows are written, with a column that says why.
    """

    kind: str
    upload: Upload
    by: Actor
    update: bool = False
    refused: TextIO | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row was refused; `field` is empty when it is about the whole row."""

    line: int
    field: str
    value: str
    why: str


@dataclass(slots=True)
class Report:
    """What became of the rows.

    Attributes:
        problems: the first ones; `refused` counts all rows.
    """

    kind: str
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows came to what."""
        return {
            "inserted": self.inserted,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "refused": self.refused,
        }

    def __str__(self) -> str:
        return " ".join(f"{name}={count}" for name, count in self.counts.items())


def preview(order: Order) -> Report:
    """What an import would do; nothing is written.

    Raises:
        ForbiddenError: the person may not import.
        UnreadableError: no row can be taken from the file.
    """
    report = Report(order.kind)
    for _verdict in _verdicts(order, report):
        pass
    return report


def apply(order: Order) -> Report:
    """Import the file: all rows that are not refused, each with its own event.

    Raises:
        ForbiddenError: the person may not import.
        UnreadableError: no row can be taken from the file.
        InvalidError: somebody else took a slug, keyword or address during the import.
        MissingError: somebody else deleted a record that was to be updated.

    Source: contract, section Audit actions (data.imported).
    """
    report, table = Report(order.kind), TABLES[order.kind]
    for number, verdict in enumerate(_verdicts(order, report), 1):
        _write(table, verdict, order.by)
        if verdict.inserts and number & (number - 1) == 0:  # the 1st, 2nd, 4th, 8th ...
            _count_again(table)
    told = {"what": order.kind, **report.counts}
    audit.record("data.imported", None, {k: [None, v] for k, v in told.items()}, by=order.by)
    return report


def _verdicts(order: Order, report: Report) -> Iterator[Verdict]:
    """Check the file some rows at a time, counting what they come to."""
    table = TABLES[order.kind]
    require(order.by, Permission.DATA_IMPORT)
    require(order.by, table.resource.write)
    checker = Checker(table, by=order.by, update=order.update)
    lines = rows(order.upload, table.columns)
    if order.refused:
        _write_row(order.refused, [*table.columns, IGNORED])
    while some := list(islice(lines, BATCH)):
        verdict = checker.check(some)
        report.inserted += len(verdict.inserts)
        report.updated += len(verdict.updates)
        report.unchanged += verdict.unchanged
        for line, refusal in sorted(verdict.refused, key=lambda pair: pair[0].number):
            _refuse(order, report, line, refusal)
        yield verdict


def _write(table: Table, verdict: Verdict, by: Actor) -> None:
    # in the order of keys, as bulk actions lock them: neither waits for the other for ever
    for pk, changes in sorted(verdict.updates, key=itemgetter(0)):
        row = table.resource.get_for_update(pk)
        if row is None:
            raise MissingError("A record was deleted during the import. Import the file again.")
        table.resource.operations.update(row, changes, by=by)
    if verdict.inserts:
        table.resource.operations.create_many(verdict.inserts, by=by)


def _count_again(table: Table) -> None:
    """Tell PostgreSQL how large the tables have become.

    It plans by what it counted last, maybe when they were empty: it would then read all of a
    table to find one row, for each row of the file. A table that somebody else counts is left out,
    so that no import waits for another one here.
    """
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        own = table.resource.model.__table__
        filled = [own, *(one for one in Base.metadata.sorted_tables if _refers(one, own))]
        names = ", ".join(one.name for one in filled)
        connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {names}")


def _refers(one: FromClause, other: FromClause) -> bool:
    return any(key.column.table is other for key in one.foreign_keys)


def _refuse(order: Order, report: Report, line: Line, refusal: RuleError) -> None:
    report.refused += 1
    reasons = refusal.fields or {"": refusal.message}
    room = PROBLEMS_KEPT - len(report.problems)
    report.problems += [
        Problem(line.number, name, line.cells.get(name, "")[:VALUE_SHOWN], why)
        for name, why in list(reasons.items())[:room]
    ]
    if order.refused:
        why = " ".join(f"{name}: {why}" if name else why for name, why in reasons.items())
        columns = TABLES[order.kind].columns
        _write_row(order.refused, [*(line.cells[column] for column in columns), why])


def _write_row(file: TextIO, cells: list[str]) -> None:
    # Every cell quoted: a lone carriage return in one would end the row otherwise.
    csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(cells)
