"""Viewing the site as a user: an overlay on one session of a member of staff, read only.

The session's row says as whom and until when, so that no cookie, tab or repeated request can.
Nothing else is changed in anybody's name meanwhile: `audit.record` refuses it.
"""

from datetime import datetime, timedelta

from adminsite.audit import record
from adminsite.db import db, utc_now
from adminsite.errors import MissingError, OutdatedError, RuleError
from adminsite.models import User, UserSession
from adminsite.operations import rules
from adminsite.operations.versions import get_for_update, lock
from adminsite.permissions import Actor, Permission, require

MINUTES = 15
RULES: dict[str, rules.Rule] = {"reason": rules.reason}


class NotViewableError(RuleError):
    """Nobody views the site as this person."""


def objection(user: User, *, by: Actor) -> RuleError | None:
    """Why that person may not view the site as this one; None when they may.

    Source: issue 4, Build 6 (never of staff).
    """
    if user.id == by.id:
        return NotViewableError("This is you. Your own page is in the menu under your name.")
    if user.is_staff:
        return NotViewableError(f"{user.email} is staff. Only members are viewed as.")
    return None


def start(user: User, reason: object, *, session_id: int | None, by: Actor) -> datetime:
    """Begin to view the site as somebody, in this session, and tell until when.

    Args:
        reason: 1 to 500 characters, kept in the audit.
        session_id: the one that asks; a token for scripts has none.

    Raises:
        ForbiddenError: the actor may not, or is viewing as somebody.
        MissingError: the person was deleted, or the session has ended, meanwhile.
        NotViewableError: it is staff, or oneself.
        InvalidError: the reason breaks its rule.
        OutdatedError: the session views as somebody by now.

    Source: R-002-75, D-26.
    """
    require(by, Permission.USERS_VIEW_AS)
    lock(user)  # who makes the person staff, or deletes them, waits, or is seen
    if refusal := objection(user, by=by):
        raise refusal
    clean = rules.complete({"reason": reason}, RULES)
    # Last: who suspends the actor or changes their level ends this session first, or waits.
    row = _own(session_id, by)
    if row is None:
        raise MissingError("Your session has ended. Sign in again.")
    now = utc_now()
    if row.viewing_as_id is not None and row.viewing_until and row.viewing_until > now:
        raise OutdatedError("You are viewing the site as somebody already. Stop that first.")
    row.viewing_as_id, row.viewing_until = user.id, now + timedelta(minutes=MINUTES)
    told = {"until": [None, row.viewing_until]}
    record("impersonation.started", user, told, by=by, reason=clean["reason"])
    db.session.flush()
    return row.viewing_until


def stop(
    session_id: int | None, *, by: Actor, how: str = "stopped", until: datetime | None = None
) -> bool:
    """End what this session views; False when there is nothing, or nothing any more.

    Args:
        how: what the event says of the way it ended.
        until: ends only what would have lasted until then: it was found to be over.
    """
    row = _own(session_id, by)
    if row is None or row.viewing_as_id is None or (until and row.viewing_until != until):
        return False
    user = db.session.get(User, row.viewing_as_id)
    told = {"how": [None, how]} | ({} if user else {"user": [str(row.viewing_as_id), None]})
    row.viewing_as_id = None
    if until is None:  # else the forms of the page that tells of the end would be out of date
        row.viewing_until = utc_now()
    record("impersonation.stopped", user, told, by=by)
    db.session.flush()
    return True


def _own(session_id: int | None, by: Actor) -> UserSession | None:
    """The session, locked, if it is the actor's: whoever is behind, if somebody is."""
    row = get_for_update(UserSession, session_id) if session_id is not None else None
    return row if row is not None and row.user_id == (by.behind or by).id else None
