"""One record: made, read, and changed in a form of its own."""

from typing import TYPE_CHECKING, Any

from flask import redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from adminsite import auth
from adminsite.errors import RuleError
from adminsite.kit import editing, pages
from adminsite.kit.editing import Draft
from adminsite.kit.responses import (
    IN_DIALOG,
    SHOWN_AGAIN,
    accepted,
    done,
    is_fragment,
    submitted,
    toast,
    wants_json,
)

if TYPE_CHECKING:
    from adminsite.kit.view import ResourceView


def new(view: "ResourceView") -> ResponseReturnValue:
    """An empty form, in a dialog when htmx asks."""
    form = view.create_form_class()
    view.prefill(form, None)
    return pages.create_form(view, Draft(form))


def create(view: "ResourceView") -> ResponseReturnValue:
    """Make a record; a refusal shows the form again with everything that was typed."""
    data = submitted(view.number_fields)
    try:
        row = editing.create(view, data)
    except RuleError as refusal:
        return _new_again(view, data, refusal)
    once = view.shown_once(row)
    if wants_json():
        extra = {once.name: once.value} if once else {}
        return accepted(pages.plain_record(view, row) | extra, 201)
    message = f"Created {row}."
    if is_fragment():
        shown = view.render("model/_once.html", once=once, oob=True) if once else ""
        return toast(pages.listed(view, MultiDict(), whole=False) + shown, message)
    return pages.once(view, once) if once else done(_after_creating(view, row), message)


def _new_again(
    view: "ResourceView", data: MultiDict[str, str], refusal: RuleError
) -> ResponseReturnValue:
    if refusal.status not in SHOWN_AGAIN or wants_json():
        raise refusal
    page = pages.create_form(view, editing.refused_form(view, view.create_fields, data, refusal))
    # sent from the dialog, whose target is the list: the messages belong in the dialog
    return page, refusal.status, IN_DIALOG if is_fragment() else {}


def _after_creating(view: "ResourceView", row: Any) -> str:
    """Where the button that was pressed leads on to."""
    if "_add_another" in request.form:
        return f"{view.url}/new/"
    if "_continue_editing" in request.form:
        return f"{view.url}/edit/?id={row.id}"
    return str(view.url)


def show(view: "ResourceView", pk: Any) -> ResponseReturnValue:
    """The row for htmx, the record for a script, the record's page for a person."""
    if is_fragment():
        return editing.drawn_row(view, pk)  # type: ignore[no-any-return]
    found = editing.record(view, pk)
    if wants_json():
        return accepted(pages.plain_record(view, found))
    if view.record_template:
        return pages.record(view, found)
    page = "edit" if view.can_edit else "details"
    return redirect(f"{view.url}/{page}/?id={found.id}", 302)


def details(view: "ResourceView") -> ResponseReturnValue:
    """A record to read."""
    return pages.details(view, editing.record(view, request.args.get("id", "")))


def edit(view: "ResourceView") -> ResponseReturnValue:
    """A record's form; sent, it is saved, or shown again with messages or the other's values."""
    pk = request.args.get("id", "")
    # Flask-Admin's own `url` is the list to go back to; in a form that name is a field's
    asked = request.form.get("return_to") or request.args.get("url")
    back = auth.safe_next(asked) or str(view.url)
    if request.method == "GET":
        row = editing.record(view, pk)
        draft = editing.bound_form(view, view.edit_fields, row)
        return pages.edit_form(view, row, draft, back=back)
    data = submitted(view.number_fields)
    try:
        saved = editing.save(view, pk, data, view.edit_fields)
    except RuleError as refusal:
        return edit_again(view, pk, data, refusal, back)
    if wants_json():
        return accepted(pages.plain_record(view, saved.row))
    if "_continue_editing" in request.form:
        back = f"{view.url}/edit/?id={saved.row.id}"
    return done(back, editing.saved_text(saved))


def edit_again(
    view: "ResourceView",
    pk: Any,
    data: MultiDict[str, str],
    refusal: RuleError,
    back: str,
) -> ResponseReturnValue:
    """The record's form with what was sent and why it was refused.

    Raises:
        RuleError: the refusal itself, where no other input would help, or a script asks.
    """
    if refusal.status not in SHOWN_AGAIN or wants_json():
        raise refusal
    row = editing.record(view, pk)
    draft = editing.refused_form(view, view.edit_fields, data, refusal, row)
    return pages.edit_form(view, row, draft, back=back), refusal.status
