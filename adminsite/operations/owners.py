"""Owners: who may manage the staff right now, decided under locks.

A person's row in `users` is the lock of the person and of their staff record. What might take
the last owner away locks every active owner's row as well, all in the order of their keys: two
owners who demote each other wait for one another, and the second finds out.

Source: D-6.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from adminsite.db import db
from adminsite.errors import ForbiddenError
from adminsite.models import Admin, User
from adminsite.operations.versions import gone, key_of, lock_rows
from adminsite.permissions import Actor, Level, Permission, refusal

ACTIVE_OWNER = and_(Admin.role == "owner", Admin.status == "active")


def active_owners() -> dict[int, UUID]:
    """The staff records of all active owners, and whose they are."""
    rows = db.session.execute(select(Admin.id, Admin.user_id).where(ACTIVE_OWNER))
    return {row.id: row.user_id for row in rows}


def lock_people(which: Any, *more: UUID) -> Sequence[User]:
    """Lock the people of these staff records, and some more, in the order of their keys."""
    theirs = select(Admin.user_id).where(which)
    return lock_rows(User, or_(User.id.in_(theirs), User.id.in_(more)))


def hold(user: User) -> None:
    """Lock a person together with every active owner.

    Raises:
        MissingError: the person was deleted meanwhile.
    """
    key = key_of(user)
    if key not in {person.id for person in lock_people(ACTIVE_OWNER, key)}:
        raise gone(user)


def require_still(by: Actor, owners: Collection[UUID]) -> None:
    """Refuse somebody who was an owner when they asked, and whom another demoted since.

    Args:
        by: who asks; the system itself is nobody's to demote.
        owners: the people who are active owners, read under the lock.

    Raises:
        ForbiddenError: with the level they have by now.
    """
    if by.id is None or by.id in owners:
        return
    user = db.session.get(User, by.id)
    level = user.level if user else Level.NONE
    now = Actor(by.id, by.email, by.name, min(level, Level.ADMIN), by.origin)
    raise ForbiddenError(refusal(now, Permission.STAFF_WRITE))
