"""Ending one's own sessions elsewhere."""

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from adminsite import auth
from adminsite.db import transaction
from adminsite.kit import responses
from adminsite.models import UserSession
from adminsite.operations import sessions
from adminsite.views.account import page, panels
from adminsite.views.account.blueprint import LARGEST_ID, blueprint, me
from adminsite.views.account.sign_in import sign_out

SIGNED_OUT_THERE = "Signed out there."


@blueprint.post("/dashboard/sessions/<int:session_id>/revoke", strict_slashes=False)
def revoke(session_id: int) -> ResponseReturnValue:
    """End one of one's own sessions; another's is not found."""
    actor = auth.current_person()
    if session_id == auth.current_session_id():
        return sign_out()
    with transaction() as session:
        row = session.get(UserSession, session_id) if session_id <= LARGEST_ID else None
        if row is None or row.user_id != actor.id:
            abort(404, "This session has ended already.")
        sessions.revoke(row, by=actor)
    if responses.is_fragment():
        part = render_template("dashboard/_sessions.html", **panels.sessions(me()))
        return responses.toast(part, SIGNED_OUT_THERE)
    if responses.wants_json():
        return responses.accepted({"id": session_id})
    return page.done(SIGNED_OUT_THERE)
