"""Sessions: who is signed in where. Rows of `sessions` are told of by events about the person."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import ColumnElement, Delete, Update, delete, or_, select, update
from sqlalchemy.orm import joinedload, undefer

from adminsite import audit
from adminsite.db import db, utc_now
from adminsite.models import Admin, ApiToken, PasswordReset, User, UserSession
from adminsite.permissions import Actor, Level, Permission, require

NOBODY = Actor(id=None, email="nobody", name="Nobody", level=Level.NONE)
EMAIL_SHOWN = 254


def digest(token: str) -> str:
    """The form in which the token of a session, a script or a one-time link is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_by_email(email: str) -> User | None:
    """The person with that address, with what a sign-in needs to know of them."""
    if "\x00" in email:  # PostgreSQL refuses to compare with it
        return None
    return db.session.scalar(
        select(User)
        .where(User.email_key == email.strip().lower())
        .options(joinedload(User.staff), undefer(User.password_hash))
    )


def sign_in(user: User, *, by: Actor, hours: float, password_hash: str | None = None) -> str:
    """Open a session for somebody whose password was right, and give its token.

    Args:
        hours: the session ends after these, used or not.
        password_hash: the password stored anew, when the way of storing it has changed.

    Source: requirements 2; R-000-5 (last_login_at).
    """
    session, now, token = db.session(), utc_now(), secrets.token_urlsafe(32)
    session.execute(delete(UserSession).where(UserSession.expires_at <= now))
    session.add(
        UserSession(
            user_id=user.id,
            token_hash=digest(token),
            ip=by.origin.ip,
            user_agent=by.origin.user_agent,
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(hours=hours),
        )
    )
    named = {audit.AUDITED_DML: True}  # by the event below
    changes = {}
    if user.staff is not None:
        changes["last_login_at"] = [user.staff.last_login_at, now]
        # without a new version: nobody's edit of this record is out of date by a sign-in
        seen = update(Admin).where(Admin.user_id == user.id)
        session.execute(
            seen.values(last_login_at=now, updated_at=Admin.updated_at), execution_options=named
        )
    if password_hash is not None:
        stored = update(User).where(User.id == user.id)
        session.execute(
            stored.values(password_hash=password_hash, updated_at=User.updated_at),
            execution_options=named,
        )
    audit.record("session.signed_in", user, changes, by=by)
    return token


def sign_in_failed(email: str, user: User | None, *, by: Actor) -> None:
    """Note a sign-in that was refused; an entry that is no address may be a password."""
    shown = email.strip()[:EMAIL_SHOWN]
    tried = shown if "@" in shown and shown.isprintable() else "(no e-mail address)"
    audit.record("session.sign_in_failed", user, {"email": [None, tried]}, by=by)


def sign_out(session_id: int, *, by: Actor) -> None:
    """End the person's own session, with what it views; one that has ended already is fine."""
    row = db.session.get(UserSession, session_id)
    if row is not None and row.user_id == (by.behind or by).id:
        audit.record("session.signed_out", row.user, {}, by=by)
        db.session.delete(row)


def revoke(row: UserSession, *, by: Actor) -> None:
    """End one session from elsewhere.

    Raises:
        ForbiddenError: it is somebody else's, and the actor may not manage staff.
    """
    if row.user_id != by.id:
        require(by, Permission.STAFF_WRITE)
    audit.record("session.revoked", row.user, {"sessions": [1, 0]}, by=by)
    db.session.delete(row)


def revoke_all(user: User, *, by: Actor, but: int | None = None) -> int:
    """End every session of a person, and tell how many there were.

    Args:
        but: the id of the session that stays: the one that asks.

    Raises:
        ForbiddenError: it is somebody else, and the actor may not manage staff.

    Source: D-7.
    """
    if user.id != by.id:
        require(by, Permission.STAFF_WRITE)
    theirs = select(UserSession).where(UserSession.user_id == user.id, UserSession.id != (but or 0))
    rows = db.session.scalars(theirs).all()
    for row in rows:
        db.session.delete(row)
    if rows:
        audit.record("session.revoked", user, {"sessions": [len(rows), 0]}, by=by)
    return len(rows)


def shut_out(user: User, *, tokens: bool) -> dict[str, list[int]]:
    """End every session of a person, and if asked their tokens and the links to or from them.

    What that ended is the answer. The caller's event about the person tells of it, so it belongs
    into its changes.

    Source: D-7.
    """
    ended: dict[str, Delete | Update] = {
        "sessions": delete(UserSession).where(UserSession.user_id == user.id)
    }
    if tokens:
        theirs = update(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
        links = or_(PasswordReset.user_id == user.id, PasswordReset.issued_by == user.id)
        ended |= {"tokens": theirs.values(revoked_at=utc_now()), **_links(links)}
    return _end(ended)


def end_links(user: User) -> dict[str, list[int]]:
    """End the one-time links that were sent to a person; told of as `shut_out` says.

    Source: D-22.
    """
    return _end(_links(PasswordReset.user_id == user.id))


def _links(which: ColumnElement[bool]) -> dict[str, Delete | Update]:
    return {"one_time_links": delete(PasswordReset).where(which)}


def _end(statements: Mapping[str, Delete | Update]) -> dict[str, list[int]]:
    session, named = db.session(), {audit.AUDITED_DML: True}
    with session.no_autoflush:  # what the caller has changed is written once, with its event
        counts = {
            name: session.execute(statement, execution_options=named).rowcount  # type: ignore[attr-defined]
            for name, statement in statements.items()
        }
    return {name: [count, 0] for name, count in counts.items() if count}
