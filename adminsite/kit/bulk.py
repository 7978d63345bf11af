"""Bulk actions: a preview that says what will happen, then all of it or nothing."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request
from sqlalchemy import select
from werkzeug.exceptions import BadRequest

from adminsite import auth
from adminsite.db import db, transaction
from adminsite.errors import ForbiddenError, MissingError, RuleError
from adminsite.kit import listing

if TYPE_CHECKING:
    from adminsite.kit.view import ResourceView

MAX_ROWS = 5000
BATCH = 500
SAMPLE = 5


@dataclass(frozen=True, slots=True)
class BulkAction:
    """Something done to many records at once.

    Attributes:
        name: its name in requests.
        label: the word on its button.
        verb: "edit" or "delete", for the row rules.
        apply: (row, by) to the change of one record.
        warning: the sentence that says what cannot be undone.
    """

    name: str
    label: str
    icon: str
    verb: str
    apply: Callable[..., Any]
    done: str
    warning: str = ""
    danger: bool = False


def chosen(view: "ResourceView") -> list[Any]:
    """The keys a preview is asked for: those named, or all that match the list's filters now.

    Raises:
        BadRequest: none, too many, or one that is no key.
    """
    if request.form.get("all") != "1":
        return named(view)
    query = listing.read(view, request.form)
    session = db.session()
    keys = select(view.pk_column).where(*listing.conditions(view, session, query))
    return _some(list(session.scalars(keys.order_by(view.pk_column).limit(MAX_ROWS + 1))))


def named(view: "ResourceView") -> list[Any]:
    """The keys that a bulk request names, in their order: never what matches by then.

    Raises:
        BadRequest: none, too many, or one that is no key.
    """
    texts = {t for text in request.form.getlist("rowid") for t in text.split(",") if t}
    found = {view.coerce_pk(text) for text in texts}
    if None in found:
        message = "One of the rows chosen does not exist."
        raise BadRequest(message)
    return _some(sorted(found))


def _some(keys: list[Any]) -> list[Any]:
    if not keys:
        message = "Choose at least one row."
        raise BadRequest(message)
    if len(keys) > MAX_ROWS:
        message = f"At most {MAX_ROWS:,} rows at once. Narrow the list first."
        raise BadRequest(message)
    return keys


def preview(view: "ResourceView", action: BulkAction, keys: Sequence[Any]) -> dict[str, Any]:
    """What the confirmation says: how many, and which first.

    Raises:
        MissingError: one of them does not exist, or not for this person.
    """
    label = getattr(view.model, view.label_name)
    wanted = select(view.pk_column, label).where(view.pk_column.in_(keys), *view.scope())
    found = db.session.execute(wanted.order_by(view.pk_column)).all()
    _all_there(view, keys, {row[0] for row in found})
    noun = view.singular if len(keys) == 1 else view.plural
    where = listing.read(view, request.form).params  # the list to come back to
    return {
        "title": f"{action.label} {len(keys):,} {noun}?",
        "lines": [action.warning] if action.warning else [],
        "sample": [row[1] for row in found[:SAMPLE]],
        "more": max(len(keys) - SAMPLE, 0),
        "confirm_url": f"{view.url}/action/",
        "confirm_label": f"{action.label} {len(keys):,} {noun}",
        "danger": action.danger,
        "fields": [("action", action.name), ("rowid", ",".join(map(str, keys))), *where.items()],
    }


def run(view: "ResourceView", action: BulkAction, keys: Sequence[Any]) -> str:
    """Do it to every record in one transaction; returns the sentence that says so.

    Raises:
        RuleError: a record was refused, it is named, and none was changed.
    """
    person = auth.current_person()
    with transaction():
        rows = _locked(view, keys)
        _all_there(view, keys, {row.id for row in rows})
        for row in rows:
            label = str(row)
            try:
                reason = view.refuses(action.verb, row, person)
                if reason:
                    raise ForbiddenError(reason)
                action.apply(row, by=person)
            except RuleError as refusal:
                raise _about(label, refusal) from refusal
    noun = view.singular if len(keys) == 1 else view.plural
    return f"{action.done} {len(keys):,} {noun}."


def _all_there(view: "ResourceView", keys: Sequence[Any], found: Collection[Any]) -> None:
    gone = [str(key) for key in keys if key not in found]
    if gone:
        some = ", ".join(gone[:SAMPLE]) + (" and others" if len(gone) > SAMPLE else "")
        noun, verb = (view.singular, "does") if len(gone) == 1 else (view.plural, "do")
        message = f"The {noun} {some} {verb} not exist any more. Nothing was changed."
        raise MissingError(message)


def _about(label: str, refusal: RuleError) -> RuleError:
    """The refusal with the name of the row that it is about."""
    told = RuleError(f"{label}: {refusal.message} Nothing was changed.", refusal.fields)
    told.status, told.code = refusal.status, refusal.code
    return told


def _locked(view: "ResourceView", keys: Sequence[Any]) -> list[Any]:
    """The records, locked in the order of their keys, so that two bulk runs cannot deadlock."""
    found: list[Any] = []
    session = db.session()
    for start in range(0, len(keys), BATCH):
        some = keys[start : start + BATCH]
        if view.scope():
            allowed = select(view.pk_column).where(view.pk_column.in_(some), *view.scope())
            some = list(session.scalars(allowed))
        found += view.resource.get_all_for_update(some)
    return found
