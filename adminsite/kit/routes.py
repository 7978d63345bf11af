"""What each route of a `ResourceView` answers: as a page, as a fragment, or as JSON."""

from typing import TYPE_CHECKING, Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, NotFound

from adminsite import audit, auth
from adminsite.db import db, folded, transaction
from adminsite.errors import ConflictError, InvalidError, OutdatedError, RuleError
from adminsite.kit import bulk, editing, listing, pages
from adminsite.kit import export as exports
from adminsite.kit.editing import Draft
from adminsite.kit.filters import FilterError
from adminsite.kit.forms import Lookup
from adminsite.kit.responses import (
    accepted,
    asked_from,
    done,
    is_fragment,
    refused,
    submitted,
    toast,
    wants_json,
)
from adminsite.permissions import require

if TYPE_CHECKING:
    from adminsite.kit.view import ResourceView

OfFields = (InvalidError, ConflictError)
# Refusals of what was typed, and of the whole: on a page the form is shown again, filled in.
SHOWN_AGAIN = frozenset({400, 409, 422})
IN_DIALOG = {"HX-Retarget": "#dialog", "HX-Reswap": "innerHTML"}
PLAIN_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


def index(view: "ResourceView") -> ResponseReturnValue:
    """The list, or only its region when htmx asks."""
    return pages.listed(view, request.args, whole=not is_fragment())


def count(view: "ResourceView") -> ResponseReturnValue:
    """The exact count, fetched after the list is on the screen."""
    query = listing.read(view, request.args)
    number = listing.exact_count(view, db.session(), query)
    first = request.args.get("first", "")
    place = int(first) if first.isascii() and first.isdigit() and len(first) < 10 else 0  # noqa: PLR2004
    paging = pages.paging(query.page_size, place, number) if view.counts_pages and place else None
    return view.render("model/_count.html", count_text=f"{number:,}", paging=paging, late=True)


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
        if refusal.status not in SHOWN_AGAIN:
            raise
        return _refused_new(view, data, refusal)
    once = view.shown_once(row)
    if wants_json():
        extra = {once.name: once.value} if once else {}
        return accepted(pages.plain_record(view, row) | extra, 201)
    message = f"Created {row}."
    if is_fragment():
        shown = view.render("model/_once.html", once=once, oob=True) if once else ""
        return toast(pages.listed(view, MultiDict(), whole=False) + shown, message)
    return pages.once(view, once) if once else done(_after_creating(view, row), message)


def _after_creating(view: "ResourceView", row: Any) -> str:
    """Where the button that was pressed leads on to."""
    if "_add_another" in request.form:
        return f"{view.url}/new/"
    if "_continue_editing" in request.form:
        return f"{view.url}/edit/?id={row.id}"
    return str(view.url)


def _refused_new(
    view: "ResourceView", data: MultiDict[str, str], refusal: RuleError
) -> ResponseReturnValue:
    if wants_json():
        return refused(refusal.message, refusal.fields, refusal.status)
    page = pages.create_form(view, editing.refused_form(view, view.create_fields, data, refusal))
    # sent from the dialog, whose target is the list: the messages belong in the dialog
    return page, refusal.status, IN_DIALOG if is_fragment() else {}


def edit_page(view: "ResourceView") -> ResponseReturnValue:
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
        return _refused_page(view, pk, data, refusal, back)
    message = f"Saved {saved.row}.{editing.merged_text(saved)}"
    if wants_json():
        return accepted(pages.plain_record(view, saved.row))
    if "_continue_editing" in request.form:
        return done(f"{view.url}/edit/?id={saved.row.id}", message)
    return done(back, message)


def _refused_page(
    view: "ResourceView",
    pk: Any,
    data: MultiDict[str, str],
    refusal: RuleError,
    back: str,
) -> ResponseReturnValue:
    if refusal.status not in SHOWN_AGAIN:
        raise refusal
    if wants_json():
        return refused(refusal.message, refusal.fields, refusal.status)
    row = editing.record(view, pk)
    draft = editing.refused_form(view, view.edit_fields, data, refusal, row)
    return pages.edit_form(view, row, draft, back=back), refusal.status


def details(view: "ResourceView") -> ResponseReturnValue:
    """A record to read."""
    return pages.details(view, editing.record(view, request.args.get("id", "")))


def row(view: "ResourceView", pk: Any) -> ResponseReturnValue:
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
            return _refused_page(view, pk, data, refusal, str(view.url))
        if not isinstance(refusal, OfFields):
            raise
        found = editing.record(view, pk)
        draft = editing.refused_form(view, names, data, refusal, found)
        return pages.row_form(view, found, draft), refusal.status
    message = f"Saved {saved.row}.{editing.merged_text(saved)}"
    if wants_json():
        return accepted(pages.plain_record(view, saved.row))
    if is_fragment():
        return toast(editing.drawn_row(view, pk), message)
    return done(str(view.url), message)


def cell(view: "ResourceView", pk: Any, field: str) -> ResponseReturnValue:
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
        return _refused_cells(view, pk, names, data, refusal)
    message = f"Saved {saved.row}.{editing.merged_text(saved)}"
    if wants_json():
        return accepted(pages.plain_record(view, saved.row))
    if not is_fragment():
        return message, PLAIN_TEXT
    if view.rules_span_rows:
        return toast(_whole_list(view), message)
    return toast(_redrawn(view, saved.row, names), message)


def _redrawn(view: "ResourceView", row: Any, names: tuple[str, ...]) -> ResponseReturnValue:
    """The cell that was changed; the whole row where the change tells on more than that."""
    if len(names) == 1 and names[0] not in view.ruling_columns:
        return str(view.draw_cell(row, view.column(names[0])))
    whole_row = {"HX-Retarget": f"#{view.row_prefix}-{row.id}", "HX-Reswap": "outerHTML"}
    return editing.drawn_row(view, row.id), whole_row


def _whole_list(view: "ResourceView") -> ResponseReturnValue:
    """The list as the page shows it: one change may have changed what other rows allow."""
    try:
        answer = pages.listed(view, _shown(), whole=False)
    except FilterError:
        answer = pages.listed(view, MultiDict(), whole=False)
    return answer, {"HX-Retarget": "#list", "HX-Reswap": "outerHTML"}


def _shown() -> MultiDict[str, str]:
    """The parameters of the page that htmx asks from; none when its address makes no sense."""
    here = asked_from()
    return here[1] if here else MultiDict()


def _refused_cells(
    view: "ResourceView",
    pk: str,
    names: tuple[str, ...],
    data: MultiDict[str, str],
    refusal: RuleError,
) -> ResponseReturnValue:
    if wants_json():
        return refused(refusal.message, refusal.fields, refusal.status)
    if not is_fragment():
        return refusal.message, refusal.status, PLAIN_TEXT
    found = editing.record(view, pk)
    draft = editing.refused_form(view, names, data, refusal, found)
    if len(names) > 1:
        return pages.row_form(view, found, draft), refusal.status
    return pages.cell_form(view, found, names[0], draft), refusal.status


def confirm_delete(view: "ResourceView", pk: Any) -> ResponseReturnValue:
    """The question, with what goes; a page of its own without htmx.

    Raises:
        RuleError: it would be refused, whatever the answer.
    """
    found = editing.record(view, pk)
    if reason := view.objection("delete", found, auth.current_person()):
        raise RuleError(reason)
    return pages.delete_dialog(view, found, whole=not is_fragment(), leave=_on_its_page())


def _on_its_page() -> bool:
    """Whether the question is asked on the page of the record that would go."""
    return request.args.get("from") == "page"


def delete_row(view: "ResourceView", pk: Any) -> ResponseReturnValue:
    """Delete the record: the row leaves the list and a toast says so.

    When what the question said is not so any more, it is asked anew.
    """
    try:
        label = editing.delete(view, pk, answers(view))
    except OutdatedError as refusal:
        if wants_json():
            raise
        row = editing.record(view, pk)
        again = pages.delete_dialog(
            view, row, whole=not is_fragment(), leave=_on_its_page(), message=refusal.message
        )
        return again, refusal.status, IN_DIALOG if is_fragment() else {}
    message = f"Deleted {label}."
    if wants_json():
        return accepted({"id": str(pk)})
    if is_fragment():
        if _on_its_page():
            return _leave(str(view.url), message)
        return toast(_whole_list(view) if view.rules_span_rows else "", message)
    return done(auth.safe_next(request.form.get("return_to")) or str(view.url), message)


def _leave(url: str, message: str) -> ResponseReturnValue:
    """Let htmx go to another page, which says what happened."""
    flash(message, "success")
    return "", 200, {"HX-Redirect": url}


def answers(view: "ResourceView") -> dict[str, str]:
    """What the request answers to the view's question, in its form, its query or its JSON.

    Raises:
        BadRequest: the body is not JSON, an answer is no text, or there are two different ones.
    """
    if not view.delete_answers:
        return {}
    sent = submitted() if request.content_length else MultiDict()
    found: dict[str, str] = {}
    for name in view.delete_answers:
        given = {value for value in (*sent.getlist(name), *request.args.getlist(name)) if value}
        if len(given) > 1:
            message = f"Give one {name}, not several."
            raise BadRequest(message)
        found.update((name, value) for value in given)
    return found


def preview_action(view: "ResourceView") -> ResponseReturnValue:
    """What a bulk action would do, and the button for it."""
    return _previewed(view, _action(view), bulk.chosen(view))


def _previewed(
    view: "ResourceView", action: bulk.BulkAction, keys: list[Any], message: str = ""
) -> str:
    context = bulk.preview(view, action, keys, message)
    return str(view.render("model/_bulk.html" if is_fragment() else "model/bulk.html", **context))


def run_action(view: "ResourceView") -> ResponseReturnValue:
    """Do a bulk action: all of it, or nothing and the name of the row that stands in the way."""
    action = _action(view)
    keys = bulk.named(view)
    listing.read(view, request.form)  # refused before anything is done, not after
    try:
        message = bulk.run(view, action, keys, answers(view) if action.asks else {})
    except OutdatedError as refusal:
        if wants_json():
            raise
        again = _previewed(view, action, keys, refusal.message)
        return again, refusal.status, IN_DIALOG if is_fragment() else {}
    if wants_json():
        return accepted({"count": len(keys)})
    if is_fragment():
        return toast(_list_after(view), message)
    return done(str(view.url), message)


def _list_after(view: "ResourceView") -> str:
    """The list as it was narrowed; whole, when what narrowed it is gone by now."""
    try:
        return pages.listed(view, request.form, whole=False)
    except FilterError:
        return pages.listed(view, MultiDict(), whole=False)


def _action(view: "ResourceView") -> bulk.BulkAction:
    name = request.form.get("action", "")
    for action in view.allowed_actions():
        if action.name == name:
            return action
    message = f"There is no action called “{name[:40]}” here."
    raise BadRequest(message)


def lookup(view: "ResourceView") -> ResponseReturnValue:
    """Records a picker offers for what was typed.

    Raises:
        NotFound: the view has no picker of that name.
    """
    finder = view.form_lookups.get(request.args.get("name", ""))
    if finder is None:
        raise NotFound
    term = folded(listing.clean_term(request.args.get("query", "")))
    options = finder.find(db.session(), term, Lookup.LIMIT)
    if is_fragment():
        return view.render("model/_options.html", options=options, term=term)
    return [[option.value, option.name, option.detail] for option in options]


def export(view: "ResourceView", export_type: str) -> ResponseReturnValue:
    """The list as it is filtered, as CSV; who took it is recorded first.

    Raises:
        NotFound: another format than CSV.
    """
    if export_type != "csv":
        raise NotFound
    query = listing.read(view, request.args)
    filters = {name: active.text for name, active in query.filters.items()}
    asked = {"resource": view.key, "search": query.search, "filters": filters}
    with transaction():
        audit.record("data.exported", None, asked, by=auth.current_person())
    return exports.respond(view, query)
