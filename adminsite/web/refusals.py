"""Refusals: every error as a page, as a fragment with a toast, or as JSON, by what was asked."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from markupsafe import Markup
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, InternalServerError

from adminsite.db import db
from adminsite.errors import LevelError, RuleError
from adminsite.web.asked import is_htmx, request_id, under, wants_json

TITLES = {
    400: "That did not work",
    401: "Sign in first",
    403: "You may not open this",
    404: "Nothing is here",
    405: "Not possible here",
    409: "Somebody was faster",
    413: "Too large",
    422: "Check what you entered",
    429: "Too many tries",
    500: "The fault is ours",
    503: "Not available right now",
}
SENTENCES = {
    400: "The request could not be understood. Nothing was changed.",
    401: "Sign in to go on.",
    403: "Your account may not do this.",
    404: "There is nothing at this address. It may have been deleted.",
    405: "This address does not take that kind of request.",
    409: "Somebody changed this a moment ago. Reload the page and try again.",
    413: "This is too large to send.",
    415: "Send a form or JSON.",
    422: "Some of the values cannot be taken.",
    429: "Too many tries. Wait a moment, then try again.",
    500: "Something went wrong on our side, and it has been recorded.",
    503: "The database is busy. Nothing was changed; try again in a moment.",
}
NO_ADMIN = "Forbidden: Admin access required."  # the words of R-002-14
STALE_FORM = "This page is out of date. Reload it and send the form again; nothing was changed."
API = ("/api",)  # the family whose refusals carry a code
CODES = {
    401: "NO_USER",
    403: "NOT_ADMIN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "TOO_LARGE",
    429: "RATE_LIMITED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
SQLITE_PASSING = ("database is locked", "database table is locked", "unable to open")
# SQLSTATE classes: connection, deadlock and serialisation, resources, locks, operator
POSTGRES_PASSING = ("08", "40", "53", "55", "57")
RETRY_S = "5"
BARE_PAGE = Markup(
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    "<h1>{title}</h1><p>{message}</p><p>Reference: {reference}</p></html>"
)
BARE_FRAGMENT = Markup("<p>{message}</p>")


def init_app(app: Flask) -> None:
    """Answer every error in the form that was asked for."""
    app.register_error_handler(RuleError, _rule)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(IntegrityError, _clash)
    app.register_error_handler(StaleDataError, _clash)
    app.register_error_handler(DataError, _unfit)
    app.register_error_handler(OperationalError, _unavailable)
    app.register_error_handler(PoolTimeoutError, _unavailable)


def refuse(
    status: int,
    message: str | None = None,
    *,
    fields: Mapping[str, str] | None = None,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that says why not: JSON, a fragment with a toast, or a page.

    Args:
        message: a sentence; by default the status's own.
        fields: messages by field name.
        code: the word for it in JSON; by default the status's own.

    Source: D-8, D-9.
    """
    said = message or SENTENCES.get(status, SENTENCES[400 if status < 500 else 500])  # noqa: PLR2004
    if wants_json():
        answer = _json(status, said, fields, code or CODES.get(status, "INVALID"))
    else:
        answer = make_response(_html(status, said))
        if is_htmx():  # a row is never replaced by an error
            answer.headers.update({"HX-Reswap": "none", "HX-Trigger": toast_header(said, "error")})
    answer.status_code = status
    answer.headers.update(headers or {})
    return answer


def toast_header(message: str, level: str = "success") -> str:
    """The value of HX-Trigger that shows a sentence for a moment."""
    return json.dumps({"toast": {"message": message, "level": level}})


def _json(status: int, message: str, fields: Mapping[str, str] | None, code: str) -> Response:
    body: dict[str, Any]
    if under(request.path, API):
        body = {"error": message, "code": code, "details": dict(fields or {})}
    else:
        body = {"success": False, "error": {"message": message, "fields": dict(fields or {})}}
    if status >= 500:  # noqa: PLR2004
        body["reference"] = request_id()
    return jsonify(body)


def _html(status: int, message: str) -> str:
    context = {
        "code": status,
        "title": TITLES.get(status, TITLES[400]),
        "message": message,
        "reference": request_id(),
    }
    fragment = is_htmx()
    try:
        return render_template(
            "errors/_error.html" if fragment else "errors/error.html",
            **context,
            page_title=context["title"],
            breadcrumb=(),
            home_url=f"{request.script_root}/",
        )
    except Exception:  # the page of an error must not be one
        current_app.logger.exception("the error page failed")
        return (BARE_FRAGMENT if fragment else BARE_PAGE).format(**context)


# ---- one for each kind of error --------------------------------------------------------------


def _rule(error: RuleError) -> Response:
    said = error.message
    if isinstance(error, LevelError) and error.code == CODES[403] and under(request.path, API):
        said = f"{NO_ADMIN} {said}"
    return refuse(error.status, said, fields=error.fields, code=error.code)


def _stale_form(error: CSRFError) -> Response:
    current_app.logger.info("refused without a CSRF token: %s", error.description)
    return refuse(400, STALE_FORM)


def _http(error: HTTPException) -> HTTPException | Response:
    """The error in the form that was asked for; redirects and ready answers as they are."""
    if error.response is not None or error.code is None or error.code < 400:  # noqa: PLR2004
        return error
    if isinstance(error, InternalServerError):
        db.session.rollback()
    headers = {k: v for k, v in error.get_headers(request.environ) if k != "Content-Type"}
    own_words = vars(error).get("description")  # given where it was raised
    return refuse(error.code, own_words if error.code < 500 else None, headers=headers)  # noqa: PLR2004


def _clash(error: Exception) -> Response:
    _note("a write was refused by the database", error)
    return refuse(409)


def _unfit(error: Exception) -> Response:
    _note("a value was refused by the database", error)
    return refuse(400, "A value in this request cannot be stored or searched for.")


def _unavailable(error: Exception) -> Response:
    _note("the database refused", error)
    if isinstance(error, OperationalError) and not _passes(error.orig):
        return refuse(500)
    return refuse(503, headers={"Retry-After": RETRY_S})


def _passes(cause: BaseException | None) -> bool:
    """Whether the database may answer when asked again: locked, overloaded, not reached."""
    if isinstance(cause, sqlite3.Error):
        return str(cause).startswith(SQLITE_PASSING)
    state = getattr(cause, "sqlstate", None)
    return state is None or state.startswith(POSTGRES_PASSING)


def _note(what: str, error: Exception) -> None:
    current_app.logger.error(what, exc_info=error)
    db.session.rollback()
