"""The OpenAPI document, and the page that is drawn from it.

Both are for everybody: they tell how the JSON families work and hold nothing of anybody's.

Source: contract, JSON.
"""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from adminsite.api import openapi

_CODE = re.compile(r"`([^`]*)`")
Json = Mapping[str, Any]

blueprint = Blueprint("api_docs", __name__, url_prefix="/api")


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a body.

    Attributes:
        kind: its type in the words of JSON, around `schema`.
        schema: the name of another contract, if it is one.
        words: the values there are, if they are few.
    """

    name: str
    kind: str
    schema: str
    required: bool
    about: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with what it comes with."""

    status: str
    about: str
    schema: str


@dataclass(frozen=True, slots=True)
class Route:
    """One verb at one address."""

    name: str
    verb: str
    path: str
    summary: str
    parameters: tuple[Field, ...]
    takes: str
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]
    curl: str


@blueprint.get("/openapi.json", strict_slashes=False)
def document() -> ResponseReturnValue:
    """What both families take and answer, as OpenAPI 3.1."""
    told = openapi.document(current_app) | {"servers": [{"url": request.script_root or "/"}]}
    return Response(json.dumps(told), mimetype=openapi.JSON)


@blueprint.get("/docs", strict_slashes=False)
def page() -> ResponseReturnValue:
    """The same to read."""
    told = openapi.document(current_app)
    schemas: Json = told["components"]["schemas"]
    return render_template(
        "api/docs.html",
        page_title="API documentation",
        breadcrumb=[("API documentation", None)],
        about=[pieces(part) for part in told["info"]["description"].strip().split("\n\n")],
        groups=[
            (tag["name"], tag["description"], routes(told, tag["name"])) for tag in told["tags"]
        ],
        schemas=[(name, one["description"], fields(one)) for name, one in sorted(schemas.items())],
        pieces=pieces,
    )


def routes(told: Json, tag: str) -> tuple[Route, ...]:
    """The routes of one subject, in the order of the document."""
    return tuple(
        _route(told, verb, path, one)
        for path, verbs in told["paths"].items()
        for verb, one in sorted(verbs.items())
        if tag in one["tags"]
    )


def fields(schema: Json) -> tuple[Field, ...]:
    """The fields of a contract."""
    needed = schema.get("required", ())
    return tuple(
        _field(name, one, one.get("description", ""), required=name in needed)
        for name, one in schema["properties"].items()
    )


def pieces(text: str) -> list[tuple[bool, str]]:
    """A text in parts, each with whether it stood between backticks."""
    return [(bool(n % 2), part) for n, part in enumerate(_CODE.split(text)) if part]


def _route(told: Json, verb: str, path: str, one: Json) -> Route:
    content = one.get("requestBody", {}).get("content", {}).get(openapi.JSON, {})
    takes = _name(content.get("schema", {}))
    return Route(
        name=one["operationId"],
        verb=verb.upper(),
        path=path,
        summary=one["summary"],
        parameters=tuple(
            _field(p["name"], p["schema"], p["description"], required=p.get("required", False))
            for p in one.get("parameters", ())
        ),
        takes=takes,
        body=fields(told["components"]["schemas"][takes]) if takes else (),
        answers=tuple(_answer(told, status, said) for status, said in one["responses"].items()),
        curl=_curl(verb.upper(), path, one.get("parameters", ()), content.get("example")),
    )


def _field(name: str, schema: Json, about: str, *, required: bool) -> Field:
    kind, inner = _kind(schema)
    words = tuple(str(word) for word in schema.get("enum", ()) if word)
    return Field(name, kind, inner, required, about, words)


def _kind(schema: Json) -> tuple[str, str]:
    """The type, and the name of the contract in it."""
    if "anyOf" in schema:
        one, _null = schema["anyOf"]
        return "or null", _name(one)
    if schema.get("type") == "array":
        return "list of", _name(schema["items"])
    if "$ref" in schema:
        return "", _name(schema)
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    told = " or ".join(types)
    return f"{told} ({schema['format']})" if "format" in schema else told, ""


def _answer(told: Json, status: str, said: Json) -> Answer:
    if "$ref" in said:
        said = told["components"]["responses"][_name(said)]
    schema = said["content"][openapi.JSON]["schema"]
    inner = schema["properties"]["data"] if "properties" in schema else schema
    return Answer(status, said["description"], _name(inner))


def _curl(verb: str, path: str, parameters: Sequence[Json], body: Json | None) -> str:
    """A line for a shell, which works once its token is a real one."""
    for one in parameters:
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", str(one["example"]))
    words = ["curl", *(("-X", verb) if verb != "GET" else ())]
    words += ["-H", "Authorization: Bearer TOKEN"]
    for one in parameters:
        if one["in"] == "header":
            words += ["-H", f"{one['name']}: {one['example']}"]
    if body is not None:
        words += ["-H", f"Content-Type: {openapi.JSON}", "-d", json.dumps(body)]
    return shlex.join([*words, request.url_root.rstrip("/") + path])


def _name(schema: Json) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
