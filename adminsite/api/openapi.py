"""The OpenAPI document of both JSON families, made from the routes and their contracts.

Source: contract, JSON (`GET /api/openapi.json`).
"""

from collections.abc import Callable, Iterator
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec_webframeworks.flask import FlaskPlugin
from flask import Flask
from werkzeug.routing import Rule

from adminsite.api import contracts
from adminsite.api.describe import Operation, operation_of
from adminsite.api.envelope import LARGEST
from adminsite.operations.rules import KEY_LENGTH
from adminsite.web.asked import JSON_PATHS, under
from adminsite.web.refusals import API

KEY = "adminsite_openapi"
JSON = "application/json"
TITLE = "adminsite"
ABOUT = """\
What staff do on the screens, for scripts: the same rules, the same audit.

Sign in with an API token of your own account, as `Authorization: Bearer TOKEN`; nothing else is
needed then. A browser's session works too, with its CSRF token on every verb that changes
something. Support may read, admins change plans and credits, owners change roles and staff.

Both families answer `{"success": true, "data": …}`. They refuse in forms of their own: see
MessageRefusal for `/admin/api`, CodeRefusal for `/api/admin`. Whoever sends more requests than
a token may is answered 429, with the seconds to wait in `Retry-After`.

Times are in UTC as ISO 8601 writes them, credits are whole numbers, money is in cents.
"""
TAGS = {
    "Users": "People: members and staff alike.",
    "Credits": "The ledger of credits.",
    "Stats": "The totals.",
    "Admins": "The staff. Owners only.",
}
WRITES = frozenset({"post", "put", "patch", "delete"})
PLACES: dict[str, dict[str, Any]] = {  # what stands in an address, by its name there
    "key": {
        "description": "The id of a staff record.",
        "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST},
        "example": 7,
    },
    "user_id": {
        "description": "The id of a person.",
        "schema": {"type": "string", "format": "uuid"},
        "example": contracts.EXAMPLE_USER,
    },
}
DONE = {200: "Done.", 201: "Made.", 202: "Asked for: a second person decides. Nothing changed."}
WAIT = {"Retry-After": ("Whole seconds to wait.", {"type": "integer", "minimum": 1})}
REFUSED: dict[int, tuple[str, dict[str, tuple[str, dict[str, Any]]]]] = {
    400: ("The request breaks a rule, or cannot be read. Nothing was changed.", {}),
    401: (
        "Nobody is signed in, or the token is none.",
        {"WWW-Authenticate": ("Bearer", {"type": "string"})},
    ),
    403: ("Your level, or the scope of your token, does not allow this.", {}),
    404: ("There is no such record.", {}),
    405: (
        "This address does not take that verb.",
        {"Allow": ("The verbs it takes.", {"type": "string"})},
    ),
    409: ("Somebody was faster, or the idempotency key was used for something else.", {}),
    413: ("The body is too large.", {}),
    429: ("Too many requests with this token.", WAIT),
    500: ("The fault is ours. Nothing was changed.", {}),
    503: ("The database is busy. Nothing was changed.", WAIT),
}
OF_WRITES = frozenset({409, 413})


def document(app: Flask) -> dict[str, Any]:
    """The document, made once for each application."""
    if KEY not in app.extensions:
        app.extensions[KEY] = _made(app)
    found: dict[str, Any] = app.extensions[KEY]
    return found


def routes(app: Flask) -> list[Rule]:
    """The routes of both families, in the order of the document."""
    found = [rule for rule in app.url_map.iter_rules() if under(rule.rule, FAMILIES)]
    return sorted(found, key=lambda rule: (not under(rule.rule, API), rule.rule))


FAMILIES = (*(path for path in JSON_PATHS if path not in API), *(f"{path}/admin" for path in API))


def _made(app: Flask) -> dict[str, Any]:
    spec = APISpec(
        title=TITLE,
        version="1",
        openapi_version="3.1.0",
        info={"description": ABOUT},
        tags=[{"name": name, "description": said} for name, said in TAGS.items()],
        plugins=[FlaskPlugin(), MarshmallowPlugin()],
    )
    _add_security(spec, app)
    for name in ("Message", "Code"):
        for status in REFUSED:
            spec.components.response(f"{name}{status}", _refusal(name, status))
    for contract in (contracts.AdminChange, contracts.UserChange):
        spec.components.schema(contract.__name__, {"minProperties": 1}, schema=contract)
    for rule in routes(app):
        view = app.view_functions[rule.endpoint]
        if operation := operation_of(view):
            verbs = {verb.lower() for verb in rule.methods or ()} - {"head", "options"}
            told = {verb: _operation(rule, verb, view, operation) for verb in verbs}
            spec.path(view=view, app=app, operations=told)
    told = spec.to_dict()
    for name, schema in told["components"]["schemas"].items():
        schema["description"] = getattr(contracts, name).__doc__
    return told


def _add_security(spec: APISpec, app: Flask) -> None:
    schemes = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token of your own account; one with the scope read only reads.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": app.config["SESSION_COOKIE_NAME"],
            "description": "The cookie of a browser that is signed in.",
        },
        "csrf": {
            "type": "apiKey",
            "in": "header",
            "name": "X-CSRFToken",
            "description": "With the session, for verbs that change something: the content of "
            '`<meta name="csrf-token">` on any page.',
        },
    }
    for name, scheme in schemes.items():
        spec.components.security_scheme(name, scheme)


def _operation(
    rule: Rule, verb: str, view: Callable[..., Any], operation: Operation
) -> dict[str, Any]:
    family = "Code" if under(rule.rule, API) else "Message"
    session: dict[str, list[str]] = {"session": []}
    if verb in WRITES:
        session["csrf"] = []
    told: dict[str, Any] = {
        "operationId": rule.endpoint.removeprefix("api_").replace(".", "_"),
        "summary": (view.__doc__ or "").partition("\n")[0],
        "tags": [operation.tag],
        "security": [{"token": []}, session],
        "parameters": list(_parameters(rule, operation)),
        "responses": {
            **{str(status): _answer(status, data) for status, data in operation.gives.items()},
            **{str(status): f"{family}{status}" for status in _refusals(rule, verb, operation)},
        },
    }
    if operation.takes:
        told["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": operation.takes, "example": example(operation.takes)}},
        }
    return told


def _parameters(rule: Rule, operation: Operation) -> Iterator[dict[str, Any]]:
    for name in sorted(rule.arguments):
        yield {"in": "path", "name": name, "required": True, **PLACES[name]}
    if operation.asks:
        yield {"in": "query", "schema": operation.asks}
    if operation.keyed:
        yield {
            "in": "header",
            "name": "Idempotency-Key",
            "description": "Names the request: sent again with the same body it is not done again "
            "and answers the same, with another body it answers 409. Keys are your own.",
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": KEY_LENGTH,
                "pattern": r"^[\x20-\x7e]+$",
            },
            "example": "goodwill-2026-01-05-ann",
        }


def _refusals(rule: Rule, verb: str, operation: Operation) -> list[int]:
    found = set(REFUSED) - (OF_WRITES if verb not in WRITES else set())
    names_a_record = rule.arguments or operation.keyed
    return sorted(found if names_a_record else found - {404})


def _answer(status: int, data: type[contracts.Contract]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["success", "data"],
        "properties": {"success": {"const": True}, "data": data},
        "additionalProperties": False,
    }
    return {"description": DONE[status], "content": {JSON: {"schema": schema}}}


def _refusal(family: str, status: int) -> dict[str, Any]:
    said, headers = REFUSED[status]
    kind = "Refusal" if status < 500 else "Fault"  # noqa: PLR2004
    told: dict[str, Any] = {
        "description": said,
        "content": {JSON: {"schema": getattr(contracts, f"{family}{kind}")}},
    }
    if headers:
        told["headers"] = {
            name: {"description": about, "required": True, "schema": schema}
            for name, (about, schema) in headers.items()
        }
    return told


def example(contract: type[contracts.Contract]) -> dict[str, Any]:
    """A body that the contract takes."""
    return {name: one.metadata["example"] for name, one in contract().fields.items()}
