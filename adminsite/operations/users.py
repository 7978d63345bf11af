"""Users: people by e-mail address; members and staff alike.

Source: D-1, D-4, D-5, D-22.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select

from adminsite.audit import created, record
from adminsite.db import db
from adminsite.errors import InvalidError, RuleError
from adminsite.models import User, UserSession
from adminsite.operations import rules
from adminsite.operations.versions import Saved, finish, lock, reconcile, write
from adminsite.permissions import Actor, Permission, require

FIELDS = ("email", "display_name", "role")
RULES: dict[str, rules.Rule] = {
    "email": rules.email,
    "display_name": rules.display_name,
    "role": rules.role,
}


class SelfChangeError(RuleError):
    """Nobody changes their own role or status, or deletes themselves (D-5)."""


class StaffChangeError(RuleError):
    """What a staff record says is changed there, so that both agree (D-1)."""


def checked(values: Mapping[str, object], *, by: Actor) -> dict[str, Any]:  # noqa: ARG001 - as in the others
    """The values of a new person as they will be stored.

    Raises:
        InvalidError: a field breaks its rule.
    """
    return rules.complete(values, RULES)


def check_new_role(values: Mapping[str, object], by: Actor) -> None:
    """Whether somebody may be added with this role: no answer means yes.

    Raises:
        ForbiddenError: the person may not give a role.

    Source: D-3, D-4.
    """
    if values["role"] != User.ROLES[0]:
        require(by, Permission.ROLES_WRITE)


def create(values: Mapping[str, object], *, by: Actor) -> User:
    """Add a person, who cannot sign in before they have a password.

    Raises:
        ForbiddenError: the person may not add people, or not with that role.
        InvalidError: a field breaks its rule, or the address is taken.

    Source: D-22.
    """
    return create_many([values], by=by)[0]


def create_many(batch: Sequence[Mapping[str, object]], *, by: Actor) -> list[User]:
    """Add people with as few statements as one needs.

    Raises:
        ForbiddenError: the person may not add people, or not with such a role.
        InvalidError: a field of one breaks its rule, or an address is taken.
    """
    require(by, Permission.USERS_WRITE)
    clean = [checked(values, by=by) for values in batch]
    for values in clean:
        check_new_role(values, by)
    _refuse_taken([values["email"] for values in clean])
    people = [User(**values) for values in clean]
    db.session.add_all(people)
    for person in people:
        record("user.created", person, created(person, FIELDS), by=by)
    db.session.flush()
    return people


def update(
    user: User, values: Mapping[str, object], *, by: Actor, seen: int | None = None
) -> Saved[User]:
    """Change a person's address, name or role; a new role ends their sessions.

    Raises:
        ForbiddenError: the person may not change people, or not their role.
        InvalidError: a field breaks its rule, or the address is taken.
        SelfChangeError: one's own role.
        StaffChangeError: the role of somebody with a staff record.
        ConflictError: somebody else changed the same field meanwhile.
        MissingError: the user was deleted meanwhile.

    Source: D-1, D-5, D-7, D-22.
    """
    require(by, Permission.USERS_WRITE)
    lock(user)
    apply, merged = reconcile(user, rules.check(values, RULES), seen, FIELDS)
    if "email" in apply and apply["email"].lower() != user.email_key:
        _refuse_taken([apply["email"]])
    if "role" in apply:
        check_role_change(user, by=by)
        db.session.execute(delete(UserSession).where(UserSession.user_id == user.id))
    if apply:
        action = "user.role_changed" if "role" in apply else "user.updated"
        finish(user, action, write(user, apply), by=by)
    return Saved(user, tuple(apply), merged)


def check_role_change(user: User, *, by: Actor) -> None:
    """Whether this person's role may be changed by that one: no answer means yes.

    Raises:
        ForbiddenError: the person may not change roles.
        SelfChangeError: one's own role.
        StaffChangeError: somebody with a staff record.

    Source: D-1, D-4, D-5.
    """
    require(by, Permission.ROLES_WRITE)
    if user.id == by.id:
        raise SelfChangeError("Nobody changes their own role. Ask another owner.")
    if user.staff is not None:
        raise StaffChangeError(
            f"{user.display_name} has a staff record. Change their level or status there."
        )


def _refuse_taken(emails: list[str]) -> None:
    keys = [email.lower() for email in emails]
    taken = set(db.session.scalars(select(User.email_key).where(User.email_key.in_(keys))))
    for email, key in zip(emails, keys, strict=True):
        if key in taken:
            sentence = f"Somebody with the address `{email}` exists. Edit that person instead."
            raise InvalidError({"email": sentence})
        taken.add(key)
