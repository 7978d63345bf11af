"""Rows for tests, saved and committed; one short factory per table."""

from functools import cache
from typing import Any
from uuid import uuid4

import factory
from factory.alchemy import SQLAlchemyModelFactory

from adminsite import audit, passwords
from adminsite.db import Base, db, utc_now
from adminsite.models import (
    Admin,
    CreditTransaction,
    Keyword,
    Link,
    LinkOwner,
    Subscription,
    Tag,
    User,
)

PASSWORD = "demo-password"


@cache
def password_hash() -> str:
    """The stored form of PASSWORD; made once, because it is slow on purpose."""
    return passwords.hash_password(PASSWORD)


def save(*rows: Base) -> None:
    """Commit rows that no operation made, and that therefore no audit event names."""
    session = db.session()
    session.add_all(rows)
    session.flush()
    session.info.pop(audit.WRITTEN, None)
    session.commit()


class _Factory(SQLAlchemyModelFactory):
    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: type[Base], *args: Any, **kwargs: Any) -> Base:
        row = model_class(*args, **kwargs)
        save(row)
        return row


class UserFactory(_Factory):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    display_name = factory.Sequence(lambda n: f"Person {n}")
    password_hash = factory.LazyFunction(password_hash)


class AdminFactory(_Factory):
    """A staff record; `user__email=...` says something about the person."""

    class Meta:
        model = Admin

    user = factory.SubFactory(UserFactory, role="admin")
    role = "admin"
    status = "active"


class TagFactory(_Factory):
    class Meta:
        model = Tag

    name = factory.Sequence(lambda n: f"Tag {n}")
    slug = factory.LazyAttribute(lambda tag: tag.name.casefold())


class LinkFactory(_Factory):
    """A link with `owner` as its primary owner and any `co_owners`, in that order."""

    class Meta:
        model = Link

    class Params:
        owner = factory.SubFactory(UserFactory)
        co_owners = ()

    slug = factory.Sequence(lambda n: f"link-{n}")
    url = factory.LazyAttribute(lambda link: f"https://example.com/{link.slug}")
    title = factory.LazyAttribute(lambda link: f"Title of {link.slug}")
    owners = factory.LazyAttribute(
        lambda link: [
            LinkOwner(user=link.owner, is_primary=True, created_at=utc_now()),
            *(LinkOwner(user=user, created_at=utc_now()) for user in link.co_owners),
        ]
    )


class KeywordFactory(_Factory):
    class Meta:
        model = Keyword

    keyword = factory.Sequence(lambda n: f"word{n}")
    url_template = factory.LazyAttribute(lambda row: f"https://{row.keyword}.example.com/{{slug}}")
    description = ""


class SubscriptionFactory(_Factory):
    class Meta:
        model = Subscription

    class Params:
        user = factory.SubFactory(UserFactory)

    id = factory.LazyFunction(lambda: f"sub_{uuid4().hex}")
    user_id = factory.LazyAttribute(lambda row: row.user.id)
    status = "active"
    tier = "pro"


class CreditTransactionFactory(_Factory):
    """A ledger entry alone: the balance of its user is not moved."""

    class Meta:
        model = CreditTransaction

    class Params:
        user = factory.SubFactory(UserFactory)

    user_id = factory.LazyAttribute(lambda row: row.user.id)
    user_email = factory.LazyAttribute(lambda row: row.user.email)
    amount = 10
    balance_after = factory.LazyAttribute(lambda row: row.amount)
    type = "purchase"
