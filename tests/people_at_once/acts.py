"""What the processes can do, as the screens do it: see `worker`."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from adminsite.db import db
from adminsite.errors import MissingError
from adminsite.models import Admin, Link, User
from adminsite.operations import admins, links, users, versions
from adminsite.permissions import Actor
from adminsite.queries import deletion
from tests.people import acting

Deed = Callable[[], object]


def change_staff(by: UUID, admin: int, values: dict[str, str]) -> Deed:
    """Give a staff record another level or status."""
    actor = _person(by)

    def deed() -> None:
        admins.update(_record(admin), values, by=actor)

    return deed


def remove_staff(by: UUID, admin: int) -> Deed:
    """Remove a staff record."""
    actor = _person(by)

    def deed() -> None:
        admins.delete(_record(admin), by=actor)

    return deed


def delete_user(by: UUID, user: UUID, link_action: str, *, shown: bool, early: bool) -> Deed:
    """Delete a person, with the digest of what was shown or without, read early or late."""
    actor = _person(by)
    plan = deletion.plan(db.session(), [user]).digest if shown else None
    known = _there(db.session.get(User, user)) if early else None

    def deed() -> None:
        row = known or _there(versions.get_for_update(User, user))
        users.delete(row, by=actor, link_action=link_action, plan=plan)

    return deed


def rename_link(by: UUID, link: int, title: str) -> Deed:
    """Give a link another title, as seen on a form."""
    actor, seen = _person(by), _there(db.session.get(Link, link)).version

    def deed() -> None:
        row = _there(versions.get_for_update(Link, link))
        links.update(row, {"title": title}, by=actor, seen=seen)

    return deed


def give_link(by: UUID, link: int, to: UUID) -> Deed:
    """Make somebody the primary owner of a link."""
    actor = _person(by)

    def deed() -> None:
        row = _there(versions.get_for_update(Link, link))
        links.transfer(row, _there(db.session.get(User, to)), by=actor)

    return deed


def _person(who: UUID) -> Actor:
    return acting(db.session.get_one(User, who))


def _record(admin: int) -> Admin:
    found: Admin = _there(next(iter(admins.get_all_for_update([admin])), None))
    return found


def _there(row: Any) -> Any:
    if row is None:
        raise MissingError("There is no such record.")
    return row
