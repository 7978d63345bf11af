"""Answers: a page, a fragment for htmx, or JSON, from one place that knows which was asked."""

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, jsonify, make_response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from adminsite import web


def toast(answer: ResponseReturnValue, message: str, level: str = "success") -> Response:
    """The answer with a sentence that the page shows for a moment and reads aloud."""
    made = make_response(answer)
    made.headers["HX-Trigger"] = web.toast_header(message, level)
    return made


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


def submitted() -> MultiDict[str, str]:
    """What was sent: form fields, or a JSON object of texts.

    Raises:
        BadRequest: the body is not JSON, not an object, or holds something else than texts.
    """
    if not request.is_json:
        return request.form
    body = request.get_json()
    if not isinstance(body, dict):
        message = "Send a JSON object."
        raise BadRequest(message)
    fields: MultiDict[str, str] = MultiDict()
    for name, value in body.items():
        for item in value if isinstance(value, list) else [value]:
            if item is not None and not isinstance(item, str) and type(item) is not int:
                message = f"The field {name[:60]} must be a text."
                raise BadRequest(message)
            fields.add(name, "" if item is None else str(item))
    return fields
