"""Rows for the pages, saved; what a factory makes, as the model it is."""

from typing import Any, cast

from adminsite.models import Keyword, Link, Tag, User
from tests.factories import KeywordFactory, LinkFactory, TagFactory, UserFactory


def a_link(**values: Any) -> Link:
    """A link, with an owner of its own unless one is named."""
    return cast("Link", LinkFactory(**values))


def a_keyword(**values: Any) -> Keyword:
    """A keyword."""
    return cast("Keyword", KeywordFactory(**values))


def a_tag(name: str) -> Tag:
    """A tag."""
    return cast("Tag", TagFactory(name=name))


def a_person(**values: Any) -> User:
    """Somebody who is no staff."""
    return cast("User", UserFactory(**values))
