"""What the JSON families have in common: what they take, and how they refuse (D-9, D-10)."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from marshmallow import Schema, ValidationError
from sqlalchemy.exc import IntegrityError

from adminsite import auth, web
from adminsite.api import contracts
from adminsite.db import folded, transaction
from adminsite.errors import InvalidError, MissingError, UnfitError
from adminsite.kit.listing import clean_term
from adminsite.kit.responses import json_object
from adminsite.models import User
from adminsite.operations import constraints, rules
from adminsite.operations.versions import get_for_update
from adminsite.permissions import Permission, require

LARGEST = 2**31 - 1  # of the integer keys; PostgreSQL refuses to compare with more
NAME_SHOWN = 60


def guard(blueprint: Blueprint, *, read: Permission, write: Permission) -> None:
    """Let nobody near its routes who may not; the one check they share (R-002-11).

    Args:
        read: needed for verbs that change nothing.
        write: needed for the others.
    """

    @blueprint.before_request
    def ask() -> None:
        require(auth.current_person(), read if request.method in auth.SAFE else write)


def refuse_with_400(blueprint: Blueprint) -> None:
    """Answer what cannot be taken with 400, where pages answer 422 (contract, JSON)."""
    blueprint.register_error_handler(UnfitError, _unfit)


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


def sent(contract: Schema, nothing: str = "") -> dict[str, Any]:
    """What was sent as a JSON object, in the shape of the contract.

    Args:
        contract: the fields there are; each may be left out, but not all.
        nothing: the sentence for a body with none of them.

    Raises:
        BadRequest: the body is not a JSON object.
        InvalidError: a field is not one of these, has another shape or is blank, or there is none.
    """
    body, known = json_object(), contract.fields.keys()
    if not (body.keys() & known if nothing else body):
        said = nothing or f"Send at least one of: {', '.join(known)}."
        raise InvalidError(dict.fromkeys(known, "Not given."), said)
    try:
        found: dict[str, Any] = contract.load(body, partial=True)
    except ValidationError as refusal:
        problems = {_shown(name): _problem(name, refusal, known) for name in refusal.messages_dict}
        raise InvalidError(problems) from None
    return found


def filters(known: Mapping[str, rules.Rule]) -> dict[str, Any]:
    """The words of the query that narrow a list; empty ones are left out.

    Raises:
        InvalidError: there is no such word.
    """
    asked = {name: request.args[name] for name in known if request.args.get(name)}
    return rules.check(asked, known)


def term() -> str:
    """What is searched for, as it is stored to be found (D-24)."""
    return folded(clean_term(request.args.get("search", "")))


def locked_person(pk: UUID | None) -> User:
    """The person with this id, locked.

    Raises:
        MissingError: there is none.
    """
    found = get_for_update(User, pk) if pk else None
    if found is None:
        raise MissingError(contracts.NOBODY)
    return found


def key(text: str) -> int | None:
    """The key that stands in an address; None when no record can have it."""
    number = _whole(text)
    return number if number is not None and number <= LARGEST else None


def count(name: str, default: int, most: int = LARGEST) -> int:
    """A number of the query, cut to the most there may be; nonsense is the default (D-10)."""
    number = _whole(request.args.get(name, ""))
    return default if number is None else min(number, most)


def _unfit(error: UnfitError) -> Response:
    return web.refuse(400, error.message, fields=error.fields, code=error.code)


def _problem(name: str, refusal: ValidationError, known: Collection[str]) -> str:
    if name not in known:
        return f"There is no field called `{_shown(name)}` here."
    return str(refusal.messages_dict[name][0])


def _shown(name: str) -> str:
    """A field's name as an answer can carry it."""
    return name[:NAME_SHOWN].encode(errors="replace").decode()


def _whole(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    return int(text) if len(text) <= len(str(LARGEST)) else LARGEST + 1
