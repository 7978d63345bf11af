"""One person of each level, and browsers they are signed in with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

import pytest
from flask import Flask
from sqlalchemy import Table, delete, insert, select

from adminsite.db import db, utc_now
from adminsite.models import User, UserSession
from adminsite.permissions import Actor
from tests.client import SiteClient
from tests.database import Database
from tests.factories import PASSWORD, AdminFactory, UserFactory

LEVELS = ("owner", "admin", "support", "member")
SESSIONS = cast("Table", UserSession.__table__)


@dataclass(frozen=True)
class SignIn:
    """What a browser and the database hold of somebody who signed in."""

    cookies: dict[str, str]
    csrf_token: str
    rows: list[dict[str, Any]]


def make_person(level: str) -> User:
    """Save the person of that level: the same id and address in every test."""
    values = {
        "id": uuid5(NAMESPACE_URL, level),
        "email": f"{level}@example.com",
        "display_name": f"{level.title()} Person",
    }
    if level == "member":
        return cast("User", UserFactory(**values))
    person = UserFactory(role="admin", **values)
    AdminFactory(user=person, role=level)
    return cast("User", person)


def acting(user: User) -> Actor:
    """The person as operations take them: `links.delete(link, by=acting(admin))`."""
    return Actor(id=user.id, email=user.email, name=user.display_name, level=user.level)


@pytest.fixture
def owner(app: Flask) -> User:
    """A person of level owner."""
    return make_person("owner")


@pytest.fixture
def admin(app: Flask) -> User:
    """A person of level admin."""
    return make_person("admin")


@pytest.fixture
def support(app: Flask) -> User:
    """A person of level support."""
    return make_person("support")


@pytest.fixture
def member(app: Flask) -> User:
    """A person who is no staff."""
    return make_person("member")


@pytest.fixture(scope="session")
def sign_ins(application: Flask, database: Database) -> dict[str, SignIn]:
    """Everybody's sign-in, done once through the login page; a password check takes its time."""
    with application.app_context():
        found = {level: _sign_in(application, make_person(level)) for level in LEVELS}
        db.session.remove()
    database.reset()
    return found


@pytest.fixture
def client_as(
    request: pytest.FixtureRequest, app: Flask, sign_ins: dict[str, SignIn]
) -> Callable[[str | User], SiteClient]:
    """A new browser tab: `client_as("admin")`, or of a person whose password is PASSWORD."""

    def sign_in(who: str | User) -> SiteClient:
        client = cast("SiteClient", app.test_client())
        if isinstance(who, User):
            client.sign_in(who.email, PASSWORD)
            return client
        request.getfixturevalue(who)
        restore_session(sign_ins[who])
        client.adopt(sign_ins[who].cookies, sign_ins[who].csrf_token)
        return client

    return sign_in


def restore_session(sign_in: SignIn) -> None:
    """Put the rows of a sign-in back, unless they are there as they were."""
    same = SESSIONS.c.id.in_([row["id"] for row in sign_in.rows])
    held = select(SESSIONS.c.id).where(same, SESSIONS.c.viewing_until.is_(None))
    if not db.session.execute(held).all():
        db.session.execute(delete(SESSIONS).where(same))
        seen = {"last_seen_at": utc_now()}  # else a slow run pays for noting that it is in use
        db.session.execute(insert(SESSIONS), [{**row, **seen} for row in sign_in.rows])
        db.session.commit()


def _sign_in(application: Flask, person: User) -> SignIn:
    client = cast("SiteClient", application.test_client())
    client.sign_in(person.email, PASSWORD)
    rows = db.session.execute(select(SESSIONS).where(SESSIONS.c.user_id == person.id)).mappings()
    found = SignIn(client.cookies(), client.csrf_token, [dict(row) for row in rows])
    if not (found.rows and found.csrf_token):
        raise AssertionError(f"{person.email} could not sign in")
    return found
