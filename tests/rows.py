"""The factories' rows with their types: `link(owner=person("Alice"), tags=[tag("red")])`."""

from typing import Any, cast

from adminsite.models import Admin, Keyword, Link, Tag, User
from tests.factories import AdminFactory, KeywordFactory, LinkFactory, TagFactory, UserFactory


def link(**values: Any) -> Link:
    """A saved link."""
    return cast("Link", LinkFactory(**values))


def keyword(**values: Any) -> Keyword:
    """A saved keyword."""
    return cast("Keyword", KeywordFactory(**values))


def tag(name: str = "", **values: Any) -> Tag:
    """A saved tag."""
    return cast("Tag", TagFactory(**({"name": name} if name else {}), **values))


def person(name: str = "", **values: Any) -> User:
    """A saved person who is no staff."""
    return cast("User", UserFactory(**({"display_name": name} if name else {}), **values))


def staff(role: str = "admin", name: str = "", **values: Any) -> Admin:
    """A saved member of staff; `user__email=...` says something about the person."""
    named = {"user__display_name": name} if name else {}
    return cast("Admin", AdminFactory(role=role, **named, **values))
