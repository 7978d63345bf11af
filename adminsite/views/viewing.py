"""Viewing the site as a user: the question before it, its start, and its end.

Source: R-002-75, D-26.
"""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, TextAreaField

from adminsite import auth
from adminsite.db import transaction
from adminsite.errors import InvalidError
from adminsite.kit import responses
from adminsite.kit.forms import Required, marked
from adminsite.models import User
from adminsite.operations import viewing

blueprint = Blueprint("viewing", __name__)


class ReasonForm(Form):
    """Why somebody's pages are looked at."""

    reason = TextAreaField(
        "Reason",
        [Required()],
        id="view-reason",
        description="Who asked, and what for. It is kept on record.",
        render_kw={"rows": 3, "required": True},
    )


@blueprint.post("/impersonation/stop", strict_slashes=False)
def stop() -> ResponseReturnValue:
    """Be oneself again, on the page of whom one viewed as."""
    actor, target = auth.current_person(), f"{request.script_root}/"
    with transaction():
        stopped = viewing.stop(auth.current_session_id(), by=actor)
    if stopped and actor.behind:
        target = f"{request.script_root}/admin/users/{actor.id}"
        flash(f"You stopped viewing as {actor.name}.", "success")
    return responses.accepted({}) if responses.wants_json() else redirect(target, 303)


def ask(user: User, form: Form | None = None) -> str:
    """The question: a dialog over the person's page, or a page of its own."""
    return render_template(
        "users/_view_as.html" if responses.is_fragment() else "users/view_as.html",
        user=user,
        form=form or ReasonForm(),
        refusal=objection(user),
        path=f"{request.script_root}/admin/users/{user.id}",
        minutes=viewing.MINUTES,
        page_title=f"View the site as {user.display_name}?",
        breadcrumb=[("Users", f"{request.script_root}/admin/users"), (user.display_name, None)],
    )


def start(user: User) -> ResponseReturnValue:
    """Begin to view the site as somebody: what they see first is their own page."""
    sent = responses.submitted_once()
    actor, session_id = auth.current_person(), auth.current_session_id()
    try:
        with transaction():
            until = viewing.start(user, sent.get("reason", ""), session_id=session_id, by=actor)
    except InvalidError as refusal:
        return _refused(user, sent, refusal)
    if responses.wants_json():
        return responses.accepted({"id": str(user.id), "until": until.isoformat()})
    target = url_for("account.dashboard")
    if responses.is_fragment():
        return "", 200, {"HX-Redirect": target}
    return redirect(target, 303)


def objection(user: User) -> str | None:
    """Why whoever asks may not view the site as this person; None when they may."""
    refusal = viewing.objection(user, by=auth.current_person())
    return refusal.message if refusal else None


def _refused(user: User, sent: Any, refusal: InvalidError) -> ResponseReturnValue:
    if responses.wants_json():
        return responses.refused(refusal.message, refusal.fields, refusal.status)
    return ask(user, marked(ReasonForm(sent), refusal.fields)), refusal.status
