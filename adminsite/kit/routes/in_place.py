"""Rows and cells edited in their place in the list."""

from typing import TYPE_CHECKING, Any

from flask import redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, NotFound

from adminsite import auth
from adminsite.errors import ConflictError, InvalidError, RuleError
from adminsite.kit import editing, pages
from adminsite.kit.responses import accepted, done, is_fragment, submitted, toast, wants_json
from adminsite.kit.routes import lists, records
from adminsite.permissions import require

if TYPE_CHECKING:
    from adminsite.kit.view import ResourceView

OfFields = (InvalidError, ConflictError)
PLAIN_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


def edit_row(view: "ResourceView", pk: Any) -> ResponseReturnValue:
    """The row as a form in its place."""
    found = editing.record(view, pk)
    if not is_fragment():
        return redirect(f"{view.url}/edit/?id={found.id}", 302)
    return pages.row_form(view, found, editing.bound_form(view, view.row_fields, found))


def update_row(view: "ResourceView", pk: Any) -> ResponseReturnValue:
    """Save the row; a refusal is the row's form again, or the page without htmx."""
    data = submitted(view.number_fields)
    names = view.row_fields if is_fragment() else view.edit_fields
    try:
        saved = editing.save(view, pk, data, names)
    except RuleError as refusal:
        if not is_fragment():
            return records.edit_again(view, pk, data, refusal, str(view.url))
        if not isinstance(refusal, OfFields):
            raise
        found = editing.record(view, pk)
        draft = editing.refused_form(view, names, data, refusal, found)
        return pages.row_form(view, found, draft), refusal.status
    message = editing.saved_text(saved)
    if wants_json():
        return accepted(pages.plain_record(view, saved.row))
    if is_fragment():
        return toast(editing.drawn_row(view, pk), message)
    return done(str(view.url), message)


def edit_cell(view: "ResourceView", pk: Any, field: str) -> ResponseReturnValue:
    """One cell as a form; with `cancel=1` as it was."""
    if field not in view.column_editable_list:
        raise NotFound
    for permission in view.asks_for(field):
        require(auth.current_person(), permission)
    if request.args.get("cancel") == "1":
        return str(editing.drawn_cell(view, field, pk))
    found = editing.record(view, pk)
    ruled = view.refusals([found], auth.current_person()) or {}
    if why := ruled.get(found.id, {}).get(field):
        raise RuleError(why)
    return pages.cell_form(view, found, field, editing.bound_form(view, (field,), found))


def update_cells(view: "ResourceView") -> ResponseReturnValue:
    """Save cells posted as Flask-Admin posts them: `list_form_pk` and the columns' names.

    Raises:
        BadRequest: no record, no column, or one that is not editable.
    """
    data = submitted(view.number_fields)
    pk = data.get("list_form_pk", "")
    names = tuple(name for name in data if name not in editing.PLUMBING)
    unknown = [name for name in names if name not in view.column_editable_list]
    if not pk or not names or unknown:
        message = (
            f"{unknown[0][:60]} cannot be edited here."
            if unknown
            else "Say which record (list_form_pk) and which column."
        )
        raise BadRequest(message)
    try:
        saved = editing.save(view, pk, data, names)
    except OfFields as refusal:
        return _cells_again(view, pk, names, data, refusal)
    message = editing.saved_text(saved)
    if wants_json():
        return accepted(pages.plain_record(view, saved.row))
    if not is_fragment():
        return message, PLAIN_TEXT
    if view.rules_span_rows:
        return toast(lists.where_asked(view), message)
    return toast(_redrawn(view, saved.row, names), message)


def _redrawn(view: "ResourceView", row: Any, names: tuple[str, ...]) -> ResponseReturnValue:
    """The cell that was changed; the whole row where the change tells on more than that."""
    if len(names) == 1 and names[0] not in view.ruling_columns:
        return str(view.draw_cell(row, view.column(names[0])))
    whole_row = {"HX-Retarget": f"#{view.row_prefix}-{row.id}", "HX-Reswap": "outerHTML"}
    return editing.drawn_row(view, row.id), whole_row


def _cells_again(
    view: "ResourceView",
    pk: str,
    names: tuple[str, ...],
    data: MultiDict[str, str],
    refusal: RuleError,
) -> ResponseReturnValue:
    if wants_json():
        raise refusal
    if not is_fragment():
        return refusal.message, refusal.status, PLAIN_TEXT
    found = editing.record(view, pk)
    draft = editing.refused_form(view, names, data, refusal, found)
    if len(names) > 1:
        return pages.row_form(view, found, draft), refusal.status
    return pages.cell_form(view, found, names[0], draft), refusal.status
