"""Export: the list as it is filtered, streamed as CSV that no spreadsheet will run."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Response, stream_with_context
from sqlalchemy.orm import Session

from adminsite.db import db
from adminsite.kit import listing
from adminsite.kit.columns import Chip, Person
from adminsite.kit.cursor import Cursor

if TYPE_CHECKING:
    from adminsite.kit.view import ResourceView

CHUNK = 1000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """A file that gives each line back instead of keeping it."""

    def write(self, text: str) -> str:
        return text


def formula_safe(text: str) -> str:
    """The text, with a quote in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def safe(value: Any) -> str:
    """The value as text for a CSV cell; a number below zero is no formula."""
    return str(value) if isinstance(value, int) else formula_safe(cell(value))


def cell(value: Any) -> str:
    """A value as text for a CSV cell: several separated by `;`, times in ISO 8601, JSON as such."""
    if value is None:
        return ""
    written = next((write for kind, write in WRITTEN if isinstance(value, kind)), str)
    return written(value)


WRITTEN: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (datetime, datetime.isoformat),
    (Person, lambda person: person.email),
    (Chip, lambda chip: chip.name),
    (dict, partial(json.dumps, ensure_ascii=False)),
    (list, lambda items: ";".join(cell(item) for item in items)),
)


def respond(view: "ResourceView", query: listing.Query) -> Response:
    """The export as a download that begins at once and takes little memory at any size."""
    name = f"{view.key}.csv"
    return Response(
        stream_with_context(lines(view, query)),
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename={name}"},
    )


def lines(view: "ResourceView", query: listing.Query) -> Iterator[str]:
    """The CSV's lines, header first, in the order of the list."""
    writer = csv.writer(_Line(), lineterminator="\n")
    session = db.session()
    names = view.export_columns()
    yield str(writer.writerow(names))  # csv gives back what write() returned
    wanted = listing.conditions(view, session, query)
    last: Any = None
    while True:
        records = _chunk(view, session, query, wanted, last)
        if not records:
            return
        last = records[-1]
        related = listing.related(view, session, records)
        text = [
            writer.writerow(
                [safe(related[n].get(r.id, []) if n in related else getattr(r, n)) for n in names]
            )
            for r in records
        ]
        yield "".join(text)


def _chunk(
    view: "ResourceView", session: Session, query: listing.Query, wanted: list[Any], last: Any
) -> list[Any]:
    place = (
        None
        if last is None
        else Cursor("next", getattr(last, view.sort_key(query.sort)), last.id, 0)
    )
    asked = replace(query, cursor=place)
    statement = view.select_columns(*view.export_columns(), view.sort_key(query.sort))
    statement = statement.where(*wanted, *listing.after(view, asked))
    ordered = statement.order_by(*listing.order(view, asked, "next")).limit(CHUNK)
    return list(session.connection().execute(ordered))
