"""Rows for the pages, saved; what a factory makes, as the model it is."""

from typing import Any, cast

from adminsite.models import Admin, Keyword, Link, Subscription, Tag, User
from tests.factories import (
    AdminFactory,
    KeywordFactory,
    LinkFactory,
    SubscriptionFactory,
    TagFactory,
    UserFactory,
)


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


def a_colleague(role: str = "admin", status: str = "active", **values: Any) -> Admin:
    """Somebody who is staff; the values are the person's."""
    values = {"role": "admin" if status == "active" else "user"} | values
    return cast("Admin", AdminFactory(user=a_person(**values), role=role, status=status))


def a_subscription(user: User, **values: Any) -> Subscription:
    """What somebody pays for."""
    return cast("Subscription", SubscriptionFactory(user=user, **values))
