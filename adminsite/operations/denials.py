"""Denials: what somebody tried who may not."""

from adminsite.audit import record
from adminsite.db import db
from adminsite.models import User
from adminsite.permissions import Actor


def note(request: str, *, by: Actor) -> None:
    """Record that a signed-in person was refused something; nothing else is changed.

    Args:
        request: the verb and the route, not the address: that may hold a secret.

    Source: D-20; contract, section Audit actions.
    """
    user = db.session.get(User, by.id)
    record("access.denied", user, {"request": [None, request]}, by=by)
