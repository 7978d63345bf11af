"""Health: whether the process lives, and whether it can serve."""

from functools import cache

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from adminsite.config import ROOT
from adminsite.db import db

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz", strict_slashes=False)
def alive() -> ResponseReturnValue:
    """The process answers; nothing else is asked."""
    return {"status": "ok"}


@blueprint.get("/readyz", strict_slashes=False)
def ready() -> ResponseReturnValue:
    """The database answers and is migrated as this code expects; 503 otherwise."""
    try:
        connection = db.session.connection()
        at = set(MigrationContext.configure(connection).get_current_heads())
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        return {"status": "unavailable", "reason": "the database does not answer"}, 503
    if at != newest():
        return {"status": "unavailable", "reason": "the database is not migrated"}, 503
    return {"status": "ok"}


@cache
def newest() -> frozenset[str]:
    """The revision that the migrations lead to."""
    return frozenset(ScriptDirectory(str(ROOT / "migrations")).get_heads())
