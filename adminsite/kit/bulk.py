"""Bulk actions: a preview that says what will happen, then all of it or nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request
from sqlalchemy import select
from werkzeug.exceptions import BadRequest

from adminsite import auth
from adminsite.db import db, transaction
from adminsite.errors import ForbiddenError, RuleError
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
    """The keys a bulk request names, or those that match the list's filters now.

    Raises:
        BadRequest: none, too many, or one that is no key.
    """
    if request.form.get("all") == "1":
        query = listing.read(view, request.form)
        session = db.session()
        keys = select(view.pk_column).where(*listing.conditions(view, session, query))
        found = list(session.scalars(keys.order_by(view.pk_column).limit(MAX_ROWS + 1)))
    else:
        texts = [t for text in request.form.getlist("rowid") for t in text.split(",") if t]
        found = sorted({view.coerce_pk(text) for text in texts} - {None}, key=str)
        if len(found) != len(set(texts)):
            message = "One of the rows chosen does not exist."
            raise BadRequest(message)
    if not found:
        message = "Choose at least one row."
        raise BadRequest(message)
    if len(found) > MAX_ROWS:
        message = f"At most {MAX_ROWS:,} rows at once. Narrow the list first."
        raise BadRequest(message)
    return found


def preview(view: "ResourceView", action: BulkAction, keys: Sequence[Any]) -> dict[str, Any]:
    """What the confirmation says: how many, which first, which of them will be refused."""
    label = getattr(view.model, view.label_name)
    session = db.session()
    statement = select(label).where(view.pk_column.in_(keys[:SAMPLE])).order_by(view.pk_column)
    names = list(session.scalars(statement))
    noun = view.singular if len(keys) == 1 else view.plural
    return {
        "title": f"{action.label} {len(keys):,} {noun}?",
        "lines": [action.warning] if action.warning else [],
        "sample": names,
        "more": len(keys) - len(names),
        "confirm_url": f"{view.url}/action/",
        "confirm_label": f"{action.label} {len(keys):,} {noun}",
        "danger": action.danger,
        "fields": [("action", action.name), ("rowid", ",".join(map(str, keys)))],
    }


def run(view: "ResourceView", action: BulkAction, keys: Sequence[Any]) -> str:
    """Do it to every record in one transaction; returns the sentence that says so.

    Raises:
        RuleError: a record was refused, it is named, and none was changed.
    """
    person = auth.current_person()
    with transaction():
        rows = _locked(view, keys)
        if len(rows) != len(keys):
            message = f"Of {len(keys):,} rows chosen, {len(rows):,} exist. Nothing was changed."
            raise RuleError(message)
        for row in rows:
            label = str(row)
            try:
                reason = view.refuses(action.verb, row, person)
                if reason:
                    raise ForbiddenError(reason)
                action.apply(row, by=person)
            except RuleError as refusal:
                message = f"{label}: {refusal.message} Nothing was changed."
                raise type(refusal)(message) from refusal
    noun = view.singular if len(keys) == 1 else view.plural
    return f"{action.done} {len(keys):,} {noun}."


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
