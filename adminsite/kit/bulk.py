"""Bulk actions: a preview that says what will happen, then all of it or nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request
from sqlalchemy import select
from werkzeug.exceptions import BadRequest

from adminsite import auth
from adminsite.db import db, transaction
from adminsite.errors import ForbiddenError, MissingError, RuleError
from adminsite.kit import listing
from adminsite.permissions import Actor, Permission

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
        phrase: what it does to `{names}`, as the question says it; by default the label first.
        verb: "edit" or "delete", for the row rules.
        apply: (row, by) to the change of one record.
        apply_all: (rows, by, answers) to the change of all at once, where that is one operation.
        asks: whether the view's `delete_question` is asked first.
        refused: (row, person) to why not, where it differs from the view's `objection`.
        settled: (row) to whether there is nothing to change; previews count those.
        warning: the sentence that says what cannot be undone.
    """

    name: str
    label: str
    icon: str
    verb: str
    apply: Callable[..., Any]
    done: str
    phrase: str = ""
    apply_all: Callable[..., Any] | None = None
    asks: bool = False
    refused: Callable[[Any, Any], str | None] | None = None
    settled: Callable[[Any], bool] | None = None
    permission: Permission | None = None
    warning: str = ""
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action would do to the records chosen.

    Attributes:
        changed: those it would change.
        settled: how many are so already.
        refused: the names of those it may not touch, each with the reason.
    """

    changed: Sequence[Any]
    settled: int
    refused: Sequence[tuple[str, str]]


def chosen(view: "ResourceView") -> list[Any]:
    """The keys a preview is asked for: those named, or all that match the list's filters now.

    Raises:
        BadRequest: none, too many, or one that is no key.
    """
    if request.form.get("all") != "1":
        return named(view)
    query = listing.read(view, request.form)
    session = db.session()
    keys = view.select_keys().where(*listing.conditions(view, session, query))
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


def judge(view: "ResourceView", action: BulkAction, keys: Sequence[Any]) -> Outcome:
    """What the action would do to each, before anybody says yes.

    Raises:
        MissingError: one of them does not exist, or not for this person.
    """
    rows = _read(view, keys)
    _all_there(view, keys, {row.id for row in rows})
    person = auth.current_person()
    objections = view.objections(action.verb, rows, person)
    changed, refused, settled = [], [], 0
    for row in rows:
        if action.settled and action.settled(row):
            settled += 1
            continue
        why = objections.get(row.id) or (action.refused(row, person) if action.refused else None)
        if why:
            refused.append((str(row), why))
        else:
            changed.append(row)
    return Outcome(changed, settled, refused)


def preview(
    view: "ResourceView", action: BulkAction, keys: Sequence[Any], message: str = ""
) -> dict[str, Any]:
    """What the confirmation says: how many change, how many do not and why, and which first.

    Args:
        message: why it is shown again.

    Raises:
        MissingError: one of them does not exist, or not for this person.
    """
    outcome = judge(view, action, keys)
    change = len(outcome.changed)
    names = f"{change:,} {_noun(view, change)}"
    asked = (action.phrase or f"{action.label} {{names}}").format(names=names)
    question = view.delete_question(outcome.changed) if action.asks and change else None
    chosen_keys = ",".join(str(row.id) for row in outcome.changed)
    where = listing.read(view, request.form).params  # the list to come back to
    return {
        "title": f"{asked}?" if change else f"{action.label}: nothing to do",
        "message": message,
        "question": question,
        "lines": _told(action, outcome),
        "refused": outcome.refused[:SAMPLE],
        "refused_more": max(len(outcome.refused) - SAMPLE, 0),
        "names_are_code": view.column_kinds.get(view.label_name) == "code",
        "sample": [str(row) for row in outcome.changed[:SAMPLE]],
        "more": max(change - SAMPLE, 0),
        "confirm_url": f"{view.url}/action/",
        "confirm_label": asked if change else None,
        "danger": action.danger,
        "fields": [("action", action.name), ("rowid", chosen_keys), *where.items()],
    }


def _told(action: BulkAction, outcome: Outcome) -> list[str]:
    change, refused = len(outcome.changed), len(outcome.refused)
    parts = [f"{change:,} {'changes' if change == 1 else 'change'}"]
    if outcome.settled:
        parts.append(f"{outcome.settled:,} already so")
    if refused:
        parts.append(f"{refused:,} refused")
    lines = [f"{', '.join(parts)}."] if outcome.settled or refused else []
    return [*lines, action.warning] if action.warning and change else lines


def _noun(view: "ResourceView", count: int) -> str:
    return view.singular if count == 1 else view.plural


def run(
    view: "ResourceView",
    action: BulkAction,
    keys: Sequence[Any],
    answers: Mapping[str, str] | None = None,
) -> str:
    """Do it to every record in one transaction; returns the sentence that says so.

    Args:
        answers: what the operation must be told, see `ResourceView.delete_answers`.

    Raises:
        RuleError: a record was refused, it is named, and none was changed.
    """
    person = auth.current_person()
    with transaction():
        rows = _locked(view, keys)
        _all_there(view, keys, {row.id for row in rows})
        for row in rows:
            if reason := view.refuses(action.verb, row, person):
                raise _about(str(row), ForbiddenError(reason))
        if action.apply_all is not None:
            action.apply_all(rows, by=person, **(answers or {}))
        else:
            _apply_each(action, rows, person)
    return f"{action.done} {len(keys):,} {_noun(view, len(keys))}."


def _apply_each(action: BulkAction, rows: Sequence[Any], person: Actor) -> None:
    for row in rows:
        label = str(row)
        try:
            action.apply(row, by=person)
        except RuleError as refusal:
            raise _about(label, refusal) from refusal


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


def _read(view: "ResourceView", keys: Sequence[Any]) -> list[Any]:
    """The records as they are now, with what the rules ask about them."""
    found: list[Any] = []
    for start in range(0, len(keys), BATCH):
        some = view.pk_column.in_(keys[start : start + BATCH])
        wanted = select(view.model).where(some, *view.scope()).options(*view.preview_options)
        found += db.session.scalars(wanted.order_by(view.pk_column))
    return found


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
