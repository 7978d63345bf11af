"""Every request that a signed-in person was refused for who they are (403) goes on record."""

from flask import Flask, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from adminsite import auth, throttle
from adminsite.db import db, patience, transaction
from adminsite.operations import denials

REFUSED = 403
PATIENCE_MS = 1000  # for another writer: nobody holds a thread of the server by being refused


def init_app(app: Flask) -> None:
    """Look at every answer."""
    app.after_request(_note)


def _note(answer: Response) -> Response:
    """Record the refusal; when that cannot be done, the answer is the same."""
    if answer.status_code != REFUSED:
        return answer
    actor = auth.current_actor()
    if actor is None or not throttle.counts_denial(str((actor.behind or actor).id)):
        return answer
    route = request.url_rule.rule if request.url_rule else "an unknown address"
    db.session.rollback()  # what the request read, and failed to write
    try:
        with patience(db.session.connection(), PATIENCE_MS), transaction():
            denials.note(f"{request.method} {route}", by=actor)
    except SQLAlchemyError:
        current_app.logger.exception("a refusal could not be recorded")
    return answer
