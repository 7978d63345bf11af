"""Answers: a page, a fragment for htmx, or JSON, from one place that knows which was asked."""

import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Response, flash, jsonify, make_response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from adminsite import web

NUMBERS = frozenset({"row_version", "list_form_pk"})
# Refusals of what was typed, and of the whole: on a page the form is shown again, filled in.
SHOWN_AGAIN = frozenset({400, 409, 422})
IN_DIALOG = {"HX-Retarget": "#dialog", "HX-Reswap": "innerHTML"}


def toast(answer: ResponseReturnValue, message: str, level: str = "success") -> Response:
    """The answer with a sentence that the page shows for a moment and reads aloud."""
    made = make_response(answer)
    made.headers["HX-Trigger"] = web.toast_header(message, level)
    return made


def telling(answer: ResponseReturnValue, event: str) -> Response:
    """The answer with word to the parts of the page that listen for the event."""
    made = make_response(answer)
    told = json.loads(made.headers.get("HX-Trigger", "{}"))
    made.headers["HX-Trigger"] = json.dumps(told | {event: True})
    return made


def asked_from() -> tuple[str, MultiDict[str, str]] | None:
    """The path and parameters of the page that htmx asks from; None when it does not say."""
    try:
        here = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return None
    if not here.path:
        return None
    path = here.path.removeprefix(request.script_root).rstrip("/")
    return path, MultiDict(parse_qsl(here.query))


def done(url: str, message: str) -> ResponseReturnValue:
    """After a change made by a plain form: back to the list, which says what happened."""
    flash(message, "success")
    return redirect(url, 303)


def accepted(data: Mapping[str, Any], status: int = 200) -> ResponseReturnValue:
    """A change made by a script, in the envelope of the panel's JSON (D-9)."""
    return jsonify(success=True, data=data), status


def refused(message: str, fields: Mapping[str, str], status: int) -> ResponseReturnValue:
    """A refusal in the same envelope."""
    error: dict[str, Any] = {"message": message, "fields": dict(fields)}
    return jsonify(success=False, error=error), status


def is_fragment() -> bool:
    """Whether htmx asks for a part of the page."""
    return web.is_htmx()


def wants_json() -> bool:
    """Whether a script asks."""
    return web.wants_json()


def submitted_once(numbers: Collection[str] = ()) -> MultiDict[str, str]:
    """Like `submitted`, for a form without a field of several values.

    Raises:
        BadRequest: also when a field has two values, of which nobody could say which is meant,
            or a list of one.
    """
    sent = submitted(numbers, lists=False)
    for name in sent:
        if len(sent.getlist(name)) > 1:
            message = f"Give one value for {name[:60]}."
            raise BadRequest(message)
    return sent


def submitted(numbers: Collection[str] = (), *, lists: bool = True) -> MultiDict[str, str]:
    """What was sent: form fields, or a JSON object of texts.

    Args:
        numbers: the fields that may also be whole numbers in JSON.
        lists: whether a field may have several values, as a list in JSON.

    Raises:
        BadRequest: the body is not JSON, not an object, or holds something else than texts.
    """
    if not request.is_json:
        return request.form
    fields: MultiDict[str, str] = MultiDict()
    for name, value in json_object().items():
        items = value if lists and isinstance(value, list) else [value]
        for item in items or [None]:  # an empty list is a field sent empty
            fields.add(name, _text(name, item, whole=name in NUMBERS or name in numbers))
    return fields


def json_object() -> dict[str, Any]:
    """What was sent as JSON.

    Raises:
        BadRequest: the body is not JSON, not an object, or says a name twice, of which nobody
            could say which is meant.
    """
    sent = request.get_data() if request.is_json else b""
    try:
        body = json.loads(sent, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        message = "Send a JSON object."
        raise BadRequest(message)
    return body


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        message = "a name is said twice"
        raise ValueError(message)
    return found


def _text(name: str, value: Any, *, whole: bool) -> str:
    if any("\ud800" <= char <= "\udfff" for char in f"{name}{value}"):
        message = "The request holds half a character; send whole ones, as UTF-8."
        raise BadRequest(message)
    if value is None or isinstance(value, str):
        return value or ""
    if whole and type(value) is int:
        return str(value)
    message = f"The field {name[:60]} must be {'a whole number' if whole else 'text'}."
    raise BadRequest(message)
