"""Many adjustments at once: lines are pasted or sent as a file, checked, then all applied."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from adminsite import auth
from adminsite.db import transaction
from adminsite.errors import RuleError
from adminsite.exchange.reading import UnreadableError, Upload, rows
from adminsite.kit import responses
from adminsite.kit.columns import signed
from adminsite.operations import ledger
from adminsite.operations.ledger import Checked, KeyReusedError, Row
from adminsite.views.credits import answers, words
from adminsite.views.credits.forms import BulkForm, marked, new_key

if TYPE_CHECKING:
    from adminsite.kit import ResourceView

COLUMNS = ("email", "amount", "reason")
LARGEST_BYTES = 400_000  # a form's texts may have half a million together
LINES_SHOWN = 500
REFUSED_SHOWN = 200
SEPARATORS = "\t;"  # what spreadsheets copy, and what some save
NOT_TEXT = "The file is not UTF-8 text. Save it as UTF-8, then send it again."


def form(view: "ResourceView") -> str:
    """The empty page."""
    return shown(view, BulkForm(MultiDict({"idempotency_key": new_key()})))


def submit(view: "ResourceView") -> ResponseReturnValue:
    """Check the lines, or apply them when asked to; what was pasted is never lost."""
    sent = MultiDict(responses.submitted())
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
    body = text.removeprefix("\ufeff").strip()
    if not body:
        return []
    first = body.splitlines()[0]
    separator = next((s for s in SEPARATORS if s in first and "," not in first), ",")
    if separator != ",":
        body = _with_commas(body, separator)
    head, _, rest = body.partition("\n")
    names = [cell.strip().lower() for cell in head.split(",")]
    named = sorted(names) == sorted(COLUMNS)
    body = f"{','.join(names)}\n{rest}" if named else f"{','.join(COLUMNS)}\n{body}"
    upload = Upload(io.BytesIO(body.encode()), max_mb=1)
    return [Row(*(line.cells[name] for name in COLUMNS)) for line in rows(upload, COLUMNS)]


def _with_commas(text: str, separator: str) -> str:
    made = io.StringIO()
    try:
        csv.writer(made, lineterminator="\n").writerows(
            csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        )
    except csv.Error as error:
        raise UnreadableError(f"This is not valid CSV: {error}.") from None
    return made.getvalue()


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
