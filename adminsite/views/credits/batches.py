"""Many adjustments at once: lines are pasted or sent as a file, checked, then all applied."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from adminsite import auth
from adminsite.db import transaction
from adminsite.errors import RuleError
from adminsite.exchange.reading import UnreadableError
from adminsite.kit import responses
from adminsite.kit.columns import signed
from adminsite.kit.forms import marked
from adminsite.operations import ledger
from adminsite.operations.ledger import Checked, KeyReusedError, Row
from adminsite.views.credits import answers, words
from adminsite.views.credits.forms import BulkForm, new_key

if TYPE_CHECKING:
    from adminsite.kit import ResourceView

COLUMNS = ("email", "amount", "reason")
LARGEST_BYTES = 400_000  # a form's texts may have half a million together
LINES_SHOWN = 500
REFUSED_SHOWN = 200
SEPARATORS = ",\t;"  # what a list has, what spreadsheets copy, and what some save
NOT_TEXT = "The file is not UTF-8 text. Save it as UTF-8, then send it again."


def form(view: "ResourceView") -> str:
    """The empty page."""
    return shown(view, BulkForm(MultiDict({"idempotency_key": new_key()})))


def submit(view: "ResourceView") -> ResponseReturnValue:
    """Check the lines, or apply them when asked to; what was pasted is never lost."""
    sent = MultiDict(responses.submitted_once())
    applying = bool(sent.get("apply"))
    lines: Sequence[Checked] = ()
    try:
        sent["lines"] = text = uploaded() or sent.get("lines", "")
        read = parsed(text)
        person, limit = auth.current_person(), answers.cap()
        lines = ledger.check_batch(read, by=person, cap=limit)
        if applying:
            with transaction():
                key = sent.get("idempotency_key", "")
                made = ledger.adjust_batch(read, by=person, cap=limit, key=key)
            data = {"entries": made.entries, "people": made.people, "reference": made.reference}
            return answers.changed(view, words.batched(made), data)
    except RuleError as refusal:
        return _refused(view, sent, lines, refusal)
    if responses.wants_json():
        return responses.accepted(_plain(lines))
    sent["idempotency_key"] = sent.get("idempotency_key") or new_key()
    return shown(view, BulkForm(sent), lines)


def _refused(
    view: "ResourceView", sent: MultiDict[str, str], lines: Sequence[Checked], refusal: RuleError
) -> ResponseReturnValue:
    if responses.wants_json() or refusal.status == 403:  # noqa: PLR2004
        raise refusal
    if isinstance(refusal, KeyReusedError) or not sent.get("idempotency_key"):
        sent["idempotency_key"] = new_key()
    fields = refusal.fields or {"lines": refusal.message}
    typed = marked(BulkForm(sent), fields)
    return shown(view, typed, lines, refusal.message), refusal.status


def uploaded() -> str:
    """The text of the file that was sent; empty when there is none.

    Raises:
        UnreadableError: it is too large, or no text.
    """
    file = request.files.get("file")
    data = file.stream.read(LARGEST_BYTES + 1) if file is not None else b""
    try:
        return _measured(data).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError(NOT_TEXT, {"file": NOT_TEXT}) from None


def _measured(data: bytes) -> bytes:
    if len(data) > LARGEST_BYTES:
        most = f"That is more than {LARGEST_BYTES:,} bytes. Send it in several parts."
        raise UnreadableError(most, {"lines": most})
    return data


def parsed(text: str) -> list[Row]:
    """The lines of a CSV text, with or without a header, as comma, tab or semicolon separate it.

    Raises:
        UnreadableError: a line has too many or too few cells, or is no CSV.
    """
    _measured(text.encode())
    lines = list(_cells(text.removeprefix("\ufeff").strip()))
    names = [cell.strip().lower() for cell in lines[0][1]] if lines else []
    named = sorted(names) == sorted(COLUMNS)
    columns = names if named else COLUMNS
    return [_row(number, cells, columns) for number, cells in lines[named:]]


def _row(number: int, cells: list[str], columns: Sequence[str]) -> Row:
    if len(cells) != len(columns):
        count = f"{len(cells)} cells" if len(cells) > 1 else "1 cell"
        why = f"Line {number} has {count}; give three: e-mail, amount and reason."
        raise UnreadableError(why, {"lines": why})
    return Row(**dict(zip(columns, cells, strict=True)))


def _cells(text: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that is not blank, with the number of the line it begins on."""
    reader, begins = _reader(text, _separator(text)), 1
    try:
        for cells in reader:
            if cells:
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        why = f"Line {reader.line_num} is not valid CSV: {error}."
        raise UnreadableError(why, {"lines": why}) from None


def _separator(text: str) -> str:
    """What parts the first line into as many cells as there are columns."""
    for separator in SEPARATORS:
        with suppress(csv.Error):
            if len(next(_reader(text, separator), ())) == len(COLUMNS):
                return separator
    return next((one for one in SEPARATORS if one in text.partition("\n")[0]), SEPARATORS[0])


def _reader(text: str, separator: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)


def shown(
    view: "ResourceView",
    typed: BulkForm,
    lines: Sequence[Checked] = (),
    message: str | None = None,
) -> str:
    """The page: the lines as they were typed, and what they would do."""
    title = "Adjust many"
    return str(
        view.render(
            "credits/bulk.html",
            view=view,
            form=typed,
            message=message,
            check=checked(lines) if lines else None,
            most=ledger.MOST_AT_ONCE,
            action_url=f"{answers.URL}/bulk",
            page_title=title,
            breadcrumb=[(view.name, answers.URL), (title, None)],
        )
    )


def checked(lines: Sequence[Checked]) -> dict[str, Any]:
    """What the lines would do: line by line, and in sum."""
    numbered = list(enumerate(lines, start=1))
    refused = [(number, line) for number, line in numbered if line.problem]
    amounts = [line.amount for line in lines if not line.problem]
    late = [pair for pair in refused if pair[0] > LINES_SHOWN][:REFUSED_SHOWN]
    drawn = numbered[:LINES_SHOWN] + late
    return {
        "lines": [_line(number, line) for number, line in drawn],
        "more": len(lines) - len(drawn),
        "count": len(lines),
        "refused": len(refused),
        "people": len({line.email.lower() for line in lines if not line.problem}),
        "added": words.moved(sum(amount for amount in amounts if amount > 0)),
        "taken": words.moved(sum(amount for amount in amounts if amount < 0)),
        "net": words.moved(sum(amounts)),
    }


def _line(number: int, line: Checked) -> dict[str, Any]:
    return {
        "number": number,
        "email": line.email,
        "amount": signed(line.amount),
        "gain": line.amount > 0,
        "before": line.before,
        "after": line.after,
        "reason": line.reason,
        "problem": line.problem,
    }


def _plain(lines: Sequence[Checked]) -> dict[str, Any]:
    told = [
        {"line": number, "email": line.email, "problem": line.problem}
        if line.problem
        else {
            "line": number,
            "email": line.email,
            "amount": line.amount,
            "before": line.before,
            "after": line.after,
        }
        for number, line in enumerate(lines, start=1)
    ]
    return {"lines": told, "refused": sum(bool(line.problem) for line in lines)}
