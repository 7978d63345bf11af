"""What the routes of one's own account are registered with."""

from flask import Blueprint

from adminsite import auth
from adminsite.db import db
from adminsite.errors import MissingError
from adminsite.models import User

LARGEST_ID = 2**31 - 1  # of the integer keys; PostgreSQL refuses to compare with more

blueprint = Blueprint("account", __name__)


def me() -> User:
    """The row of whoever asks.

    Raises:
        Unauthorized: nobody is signed in.
        MissingError: they were deleted a moment ago.
    """
    user = db.session.get(User, auth.current_person().id)
    if user is None:
        raise MissingError("Your account was deleted a moment ago.")
    return user
