"""Passwords: one's own is changed by oneself, another's only by a one-time link.

Source: D-22, R-000-11, R-000-61.
"""

import secrets
from datetime import timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import undefer

from adminsite.audit import AUDITED_DML, record
from adminsite.db import db, utc_now
from adminsite.errors import InvalidError, MissingError, OutdatedError
from adminsite.models import PasswordReset, User
from adminsite.operations.owners import active_owners, hold, require_still
from adminsite.operations.sessions import digest, end_links, revoke_all, shut_out
from adminsite.operations.users import SelfChangeError
from adminsite.operations.versions import finish, lock
from adminsite.passwords import hash_password, objection
from adminsite.permissions import Actor, Origin, Permission, require

RESET_HOURS = 1


def check(password: str, *, email: str, name: str, field: str = "password") -> None:
    """Refuse a password that breaks a rule.

    Raises:
        InvalidError: with the reason, about `field`.

    Source: D-22.
    """
    if sentence := objection(password, email=email, name=name):
        raise InvalidError({field: sentence})


def set_password(user: User, password: str, *, by: Actor, how: str = "set") -> None:
    """Store a password that was found good, and end the sessions that the old one opened.

    Args:
        how: what the event says of the way it came about.
    """
    lock(user)
    user.password_hash = hash_password(password)
    told = {"how": [None, how]} | shut_out(user, tokens=False)
    finish(user, "password.changed", told, by=by)


def change_own(user: User, password: str, *, by: Actor, stored: str, keep: int | None) -> None:
    """Change one's own password; every other session ends, and every one-time link.

    Args:
        stored: the stored form that the current password was found to match.
        keep: the id of the session that asks, which stays.

    Raises:
        SelfChangeError: it is somebody else's.
        OutdatedError: the password was changed meanwhile.
        InvalidError: the new one breaks a rule (`new_password`).

    Source: D-22, R-000-11.
    """
    lock(user)
    if user.id != by.id:
        raise SelfChangeError("Nobody sets another's password. Issue a one-time link instead.")
    if user.password_hash != stored:
        raise OutdatedError("Your password was changed a moment ago. Sign in with the new one.")
    check(password, email=user.email, name=user.display_name, field="new_password")
    user.password_hash = hash_password(password)
    told = {"how": [None, "with the current one"]} | end_links(user)
    finish(user, "password.changed", told, by=by)
    revoke_all(user, by=by, but=keep)


def issue_reset(user: User, *, by: Actor) -> str:
    """The token of a new one-time link to set a password; earlier links of the person end.

    It works once, within an hour. The password and sessions stay as they are until it is used.

    Raises:
        ForbiddenError: the actor may not manage staff, or no longer.
        SelfChangeError: it is for oneself, which would go round the current password.
        MissingError: the person was deleted meanwhile.

    Source: D-22.
    """
    require(by, Permission.STAFF_WRITE)
    hold(user)
    require_still(by, active_owners().values())
    if user.id == by.id:
        raise SelfChangeError("Change your own password in your account.")
    session, now, token = db.session(), utc_now(), secrets.token_urlsafe(32)
    over = or_(PasswordReset.user_id == user.id, PasswordReset.expires_at <= now)
    session.execute(delete(PasswordReset).where(over), execution_options={AUDITED_DML: True})
    ends = now + timedelta(hours=RESET_HOURS)
    session.add(
        PasswordReset(
            user_id=user.id,
            issued_by=by.id,
            token_hash=digest(token),
            created_at=now,
            expires_at=ends,
        )
    )
    record("password.reset_issued", user, {"expires_at": [None, ends]}, by=by)
    session.flush()
    return token


def find_reset(token: str) -> User | None:
    """The person whose one-time link this is; None when it was used or has expired."""
    found = select(PasswordReset).where(
        PasswordReset.token_hash == digest(token), PasswordReset.expires_at > utc_now()
    )
    reset = db.session.scalar(found)
    return reset.user if reset else None


def use_reset(token: str, password: str, *, origin: Origin) -> User:
    """Set the password by a one-time link, which ends with it, as do all sessions.

    Raises:
        MissingError: the link was used or has expired.
        InvalidError: the password breaks a rule (`new_password`); the link still works.

    Source: D-22.
    """
    user = find_reset(token)
    if user is not None:
        lock(user)
        user = find_reset(token)  # two browsers, one link: the second finds it used
    if user is None:
        raise MissingError("This link was used already, or is older than an hour. Ask for another.")
    check(password, email=user.email, name=user.display_name, field="new_password")
    by = Actor(user.id, user.email, user.display_name, user.level, origin)
    used = delete(PasswordReset).where(PasswordReset.user_id == user.id)
    db.session.execute(used, execution_options={AUDITED_DML: True})
    set_password(user, password, by=by, how="one-time link")
    return user


def with_password(user_id: object) -> User | None:
    """A person with the stored form of their password, to compare with."""
    return db.session.scalar(
        select(User).where(User.id == user_id).options(undefer(User.password_hash))
    )
