"""Export: a table as the CSV that import takes back unchanged.

Source: contract, section Commands (data export).
"""

import csv
import io
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement

from adminsite import audit
from adminsite.exchange.tables import TABLES, as_cells
from adminsite.permissions import Actor, Permission, require


def lines(kind: str, where: Sequence[ColumnElement[bool]] = ()) -> Iterator[str]:
    """The file in pieces of many lines, in the order of the keys.

    Cells stand as they are stored: a spreadsheet may take one for a formula.

    Args:
        kind: users, links or keywords.
        where: leave out rows that do not meet these.
    """
    table = TABLES[kind]
    yield _text([table.columns])
    for rows in table.chunks(where):
        yield _text([as_cells(row.values) for row in rows])


def note(kind: str, *, by: Actor) -> None:
    """Record that somebody takes a copy of the table.

    Raises:
        ForbiddenError: the person may not export.
    """
    require(by, Permission.DATA_EXPORT)
    audit.record("data.exported", None, {"what": [None, kind]}, by=by)


def _text(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
