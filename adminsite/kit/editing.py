"""Editing: what was sent becomes a call of the operation; refusals become messages in place.

Forms, whole rows and single cells all end in `save`, `create` or `delete` here, so a rule, a
permission or a lock cannot be met in one of them and missed in another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest
from wtforms import SelectField

from adminsite import auth
from adminsite.db import db, transaction
from adminsite.errors import (
    Clash,
    ConflictError,
    ForbiddenError,
    InvalidError,
    MissingError,
    RuleError,
)
from adminsite.kit import listing
from adminsite.kit.forms import ResourceForm, TagsField
from adminsite.permissions import require

if TYPE_CHECKING:
    from adminsite.kit.view import ResourceView


PLUMBING = frozenset({"csrf_token", "row_version", "list_form_pk", "return_to"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as it is shown: new, or sent and refused.

    Attributes:
        row_version: the version it was made from, or that a conflict is to be decided on.
        clashes: by field, what two people changed.
        message: what stands in the way.
    """

    form: ResourceForm
    row_version: str = ""
    clashes: Mapping[str, Clash] = field(default_factory=dict)
    message: str | None = None


def record(view: "ResourceView", pk: Any) -> Any:
    """The record with this key, if the person may see it.

    Raises:
        MissingError: it does not exist, or not for this person.
    """
    found = view.get_one(pk)
    if found is None:
        raise MissingError(view.missing_text)
    return found


def locked(view: "ResourceView", verb: str, pk: Any) -> Any:
    """The record, locked for a change, if the person may make it.

    Raises:
        MissingError: it does not exist, or not for this person.
        ForbiddenError: a row rule of the view refuses; the message says why.
    """
    key = view.coerce_pk(pk)
    found = None if key is None else view.resource.get_for_update(key)
    scope = view.scope()
    if found is None or (scope and listing.one(view, db.session(), key) is None):
        raise MissingError(view.missing_text)
    reason = view.refuses(verb, found, auth.current_person())
    if reason:
        raise ForbiddenError(reason)
    return found


def values_of(
    view: "ResourceView", form: ResourceForm, data: MultiDict[str, str], names: Iterable[str]
) -> dict[str, Any]:
    """The values sent for these fields; a field that was not sent is not touched.

    Raises:
        ForbiddenError: the person may not set one of them.
        InvalidError: one is not of its field's type.
    """
    person = auth.current_person()
    for name in data:
        for permission in view.asks_for(name):
            require(person, permission)
    sent = [name for name in names if name in data]
    form.validate()
    wrong = {name: str(form[name].errors[0]) for name in sent if form[name].errors}
    single = (name for name in sent if not isinstance(form[name], TagsField))
    wrong |= {name: "Give one value." for name in single if len(data.getlist(name)) > 1}
    wrong |= {name: "Choose one." for name in sent if _is_unchosen(form[name])}
    if wrong:
        raise InvalidError(wrong)
    return view.clean({name: form[name].data for name in sent})


def _is_unchosen(field: Any) -> bool:
    """Whether one of a few words was asked for and none was sent; no default stands in for it."""
    if not isinstance(field, SelectField) or field.data:
        return False
    return "" not in [choice[0] for choice in field.iter_choices()]


def seen_version(data: MultiDict[str, str]) -> int | None:
    """The version the editor saw; None when the request does not say.

    Raises:
        BadRequest: it is not a whole number.
    """
    text = ",".join(data.getlist("row_version"))
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < len(str(2**31))):
        message = "row_version must be the whole number that came with the form."
        raise BadRequest(message)
    return int(text)


def save(view: "ResourceView", pk: Any, data: MultiDict[str, str], names: Iterable[str]) -> Any:
    """Change one record under its rules; returns the operation's `Saved`.

    Raises:
        MissingError, ForbiddenError, InvalidError, ConflictError: nothing was changed.
    """
    form = view.form_for(tuple(names))(formdata=data)
    values = values_of(view, form, data, names)
    seen = seen_version(data)
    try:
        with transaction():
            row = locked(view, "edit", pk)
            return view.resource.operations.update(row, values, by=auth.current_person(), seen=seen)
    except IntegrityError as error:
        raise _explained(view, error) from error


def create(view: "ResourceView", data: MultiDict[str, str]) -> Any:
    """Make one record under its rules and return it.

    Raises:
        ForbiddenError, InvalidError: nothing was made.
    """
    form = view.create_form_class(formdata=data)
    values = values_of(view, form, data, view.create_fields)
    try:
        with transaction():
            return view.make(values, auth.current_person())
    except IntegrityError as error:
        raise _explained(view, error) from error


def delete(view: "ResourceView", pk: Any, answers: Mapping[str, str] | None = None) -> str:
    """End one record under its rules; returns the name it had.

    Args:
        answers: what the operation must be told, see `ResourceView.delete_answers`.

    Raises:
        MissingError, RuleError: nothing was deleted.
    """
    with transaction():
        row = locked(view, "delete", pk)
        label = str(row)
        view.resource.operations.delete(row, by=auth.current_person(), **(answers or {}))
    return label


def _explained(view: "ResourceView", error: IntegrityError) -> RuleError:
    explained = view.resource.explain(error)
    if explained is None:
        raise error
    return explained


def refused_form(
    view: "ResourceView",
    names: tuple[str, ...],
    data: MultiDict[str, str],
    refusal: RuleError,
    row: Any = None,
) -> Draft:
    """A form to be shown again: the values as sent, with the messages.

    Args:
        row: the record it is of; what was not sent is shown as stored, never as empty.
    """
    form = view.form_for(names)(formdata=data, obj=row)
    form.validate()
    for name, message in refusal.fields.items():
        if name in form:
            form[name].errors = [message]
    view.prefill(form, row)
    _close(view, form, row)
    if not isinstance(refusal, ConflictError):
        return Draft(form, data.get("row_version", ""), message=refusal.message)
    clashes = {clash.field: clash for clash in refusal.clashes}
    for name, value in refusal.values.items():
        if name in form and name not in clashes:
            _show(form[name], value)
    return Draft(form, str(refusal.version), clashes, refusal.message)


def _show(field: Any, value: Any) -> None:
    if isinstance(field, TagsField):
        field.process_data(value)
    else:
        field.data = value


def bound_form(view: "ResourceView", names: tuple[str, ...], row: Any) -> Draft:
    """A form that shows a record's present values."""
    form = view.form_for(names)(obj=row)
    view.prefill(form, row)
    _close(view, form, row)
    return Draft(form, str(row.version))


def _close(view: "ResourceView", form: ResourceForm, row: Any) -> None:
    """Show the fields that a rule keeps as they are stored, closed, with the reason."""
    ruled = view.refusals([row], auth.current_person()) if row is not None else None
    for name, why in (ruled or {}).get(getattr(row, "id", None), {}).items():
        if why and name in form:
            _show(form[name], getattr(row, name))
            form[name].render_kw = {**(form[name].render_kw or {}), "disabled": True}
            form[name].description = why


def drawn_row(view: "ResourceView", pk: Any) -> Any:
    """One row as the list draws it.

    Raises:
        MissingError: it does not exist, or not for this person.
    """
    key = view.coerce_pk(pk)
    session = db.session()
    found = None if key is None else listing.one(view, session, key)
    if found is None:
        raise MissingError(view.missing_text)
    return view.draw_rows([found], listing.related(view, session, [found]))


def drawn_cell(view: "ResourceView", name: str, pk: Any) -> Any:
    """The inside of one editable cell as the list draws it.

    Raises:
        MissingError: it does not exist, or not for this person.
    """
    return view.draw_cell(record(view, pk), view.column(name))


def saved_text(saved: Any) -> str:
    """What to say of a change; also when somebody else's to other fields was kept, too."""
    said = f"Saved {saved.row}."
    if not saved.merged:
        return said
    fields = ", ".join(clash.field.replace("_", " ") for clash in saved.merged)
    return f"{said} {saved.merged[0].who} changed {fields} meanwhile; both are kept."
