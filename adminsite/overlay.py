"""What a session views the site as, at each request: the door that is shut meanwhile, its end.

The session's row decides, so another tab, an older cookie or a request sent again find the same.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import flash, request, session
from sqlalchemy import Row

from adminsite.db import transaction
from adminsite.operations import viewing
from adminsite.permissions import Actor, Permission, may, require_oneself

# What may be sent while viewing: each ends it.
OPEN = frozenset({"viewing.stop", "account.sign_out"})
TIME_IS_UP = "the time is up"


@dataclass(frozen=True, slots=True)
class Overlay:
    """What the session's row says of viewing.

    Attributes:
        staff: whose session it is.
        viewed: whom they view as, with them behind; None when that is over.
        until: when it ends, or when the last one ended.
        ended: why it is over, when nobody has been told yet.
    """

    session_id: int
    staff: Actor
    viewed: Actor | None
    until: datetime
    ended: str | None = None

    @property
    def actor(self) -> Actor:
        """In whose name the request is made."""
        return self.viewed or self.staff


def read(
    row: Row[Any], staff: Actor, now: datetime, find: Callable[[UUID, Actor], Actor | None]
) -> Overlay | None:
    """What a session's row says of viewing; None when it never did.

    Args:
        find: gives the person to view as, unless they are gone or staff by now.
    """
    until: datetime | None = row.viewing_until
    if until is None:
        return None
    viewed, ended = None, None
    if row.viewing_as_id is None:
        pass
    elif until <= now:
        ended = TIME_IS_UP
    elif not may(staff, Permission.USERS_VIEW_AS):
        ended = "the level of the viewer was changed"
    else:
        viewed = find(row.viewing_as_id, staff)
        ended = None if viewed else "the person was deleted or made staff"
    return Overlay(row.session_id, staff, viewed, until, ended)


def bind_forms(overlay: Overlay, secret: str) -> None:
    """Give the forms of each stretch of a session a CSRF token of their own.

    A form that was drawn before viewing began, or before it ended, is out of date afterwards:
    it cannot act in the name of somebody else. The token follows from the session's row, and not
    from what the cookie held.

    Args:
        secret: the session's token.
    """
    stretch = f"{overlay.viewed.id if overlay.viewed else ''} {overlay.until.isoformat()}"
    token = hashlib.sha256(f"{stretch} {secret}".encode()).hexdigest()
    if session.get("csrf_token") != token:
        session["csrf_token"] = token


def settle(overlay: Overlay) -> None:
    """Record that viewing has ended by itself, and say so on the next page: once."""
    if overlay.ended is None:
        return
    with transaction():
        told = viewing.stop(
            overlay.session_id, by=overlay.staff, how=overlay.ended, until=overlay.until
        )
    if told:
        flash(f"Viewing ended: {overlay.ended}. You are yourself again.", "error")


def shut(overlay: Overlay) -> None:
    """Let nothing be sent while viewing, but what ends it.

    Raises:
        ForbiddenError: with whom they view as.
    """
    if overlay.viewed is not None and request.endpoint not in OPEN:
        require_oneself(overlay.viewed)
