"""What the JSON families have in common: what they take, and how they refuse (D-9, D-10)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flask import Blueprint, Response, request
from sqlalchemy.exc import IntegrityError

from adminsite import web
from adminsite.db import transaction
from adminsite.errors import InvalidError
from adminsite.kit.responses import json_object
from adminsite.operations import constraints

LARGEST = 2**31 - 1  # of the integer keys; PostgreSQL refuses to compare with more
NAME_SHOWN = 60


def refuse_with_400(blueprint: Blueprint) -> None:
    """Answer what breaks the rule of a field with 400, where pages answer 422 (contract, JSON)."""
    blueprint.register_error_handler(InvalidError, _invalid)


@contextmanager
def writing() -> Iterator[None]:
    """A transaction in which a refusal of the database is told as a rule's would be.

    Raises:
        InvalidError: somebody else was faster, by a moment.
    """
    try:
        with transaction():
            yield
    except IntegrityError as error:
        field, sentence = constraints.explain(error) or ("", "")
        if not field:
            raise
        raise InvalidError({field: sentence}) from error


def texts(known: Sequence[str]) -> dict[str, str]:
    """The texts that were sent as a JSON object, by field.

    Args:
        known: the fields there are; each may be left out, but not all.

    Raises:
        BadRequest: the body is not a JSON object.
        InvalidError: a field is not one of these, is not a text or is blank, or there is none.
    """
    body = json_object()
    if not body:
        names = ", ".join(known)
        raise InvalidError(dict.fromkeys(known, "Not given."), f"Send at least one of: {names}.")
    problems = {_shown(name): _problem(name, body[name], known) for name in body}
    if wrong := {name: problem for name, problem in problems.items() if problem}:
        raise InvalidError(wrong)
    return body


def key(text: str) -> int | None:
    """The key that stands in an address; None when no record can have it."""
    number = _whole(text)
    return number if number is not None and number <= LARGEST else None


def count(name: str, default: int, most: int = LARGEST) -> int:
    """A number of the query, cut to the most there may be; nonsense is the default (D-10)."""
    number = _whole(request.args.get(name, ""))
    return default if number is None else min(number, most)


def _invalid(error: InvalidError) -> Response:
    return web.refuse(400, error.message, fields=error.fields, code=error.code)


def _problem(name: str, value: object, known: Sequence[str]) -> str:
    if name not in known:
        return f"There is no field called `{_shown(name)}` here."
    if not isinstance(value, str):
        return f"The field {name} must be text."
    return "" if value.strip() else f"The field {name} is blank."


def _shown(name: str) -> str:
    """A field's name as an answer can carry it."""
    return name[:NAME_SHOWN].encode(errors="replace").decode()


def _whole(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    return int(text) if len(text) <= len(str(LARGEST)) else LARGEST + 1
