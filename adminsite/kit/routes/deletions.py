"""Deleting one record: the question, the answers to it, and what follows."""

from typing import TYPE_CHECKING, Any

from flask import flash, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from adminsite import auth
from adminsite.errors import OutdatedError, RuleError
from adminsite.kit import editing, pages
from adminsite.kit.responses import (
    IN_DIALOG,
    accepted,
    done,
    is_fragment,
    submitted,
    toast,
    wants_json,
)
from adminsite.kit.routes import lists

if TYPE_CHECKING:
    from adminsite.kit.view import ResourceView


def confirm(view: "ResourceView", pk: Any) -> ResponseReturnValue:
    """The question, with what goes; a page of its own without htmx.

    Raises:
        RuleError: it would be refused, whatever the answer.
    """
    found = editing.record(view, pk)
    if reason := view.objection("delete", found, auth.current_person()):
        raise RuleError(reason)
    return pages.delete_dialog(view, found, whole=not is_fragment(), leave=_on_its_page())


def delete(view: "ResourceView", pk: Any) -> ResponseReturnValue:
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
        return toast(lists.where_asked(view) if view.rules_span_rows else "", message)
    return done(auth.safe_next(request.form.get("return_to")) or str(view.url), message)


def _on_its_page() -> bool:
    """Whether the question is asked on the page of the record that would go."""
    return request.args.get("from") == "page"


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
