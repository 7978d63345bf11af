"""Changing one's own password.

Source: D-22, R-000-11.
"""

from flask import render_template
from flask.typing import ResponseReturnValue

from adminsite import auth, passwords, throttle
from adminsite.db import transaction
from adminsite.errors import InvalidError
from adminsite.kit import responses
from adminsite.kit.forms import marked
from adminsite.operations import credentials
from adminsite.permissions import Actor
from adminsite.views.account import page, panels
from adminsite.views.account.blueprint import blueprint, me

CHANGED = "Your password is changed. You are signed out everywhere else."
WRONG = "This is not your current password."


@blueprint.post("/dashboard/password", strict_slashes=False)
def change_password() -> ResponseReturnValue:
    """Change one's own password; every other session ends.

    Source: contract, section Pages.
    """
    actor, sent = auth.current_person(), responses.submitted_once()
    try:
        _change(actor, sent.get("current_password", ""), sent.get("new_password", ""))
    except InvalidError as refusal:
        form = marked(panels.PasswordForm(), refusal.fields)
        return page.refused(refusal, "password", password_form=form, email=actor.email)
    if responses.wants_json():
        return responses.accepted({})
    if responses.is_fragment():
        return responses.toast(_parts(), CHANGED)
    return page.done(CHANGED)


def _change(actor: Actor, current: str, new: str) -> None:
    """Change it if the current one is right; wrong ones are counted, as at the sign-in.

    Raises:
        TooManyRequests: with the whole seconds to wait.
        InvalidError: the current one is wrong, or the new one breaks a rule.
        OutdatedError: it was changed meanwhile.
    """
    key = throttle.password_key(str(actor.id))
    throttle.attempts().count(key, act="change your password")
    user = credentials.with_password(actor.id)
    stored = user.password_hash if user else None
    # Outside of the transaction: this takes 50 ms, in which nobody else could write.
    if not passwords.matches(stored, current) or stored is None:
        raise InvalidError({"current_password": WRONG})
    throttle.attempts().forgive(key)
    keep = auth.current_session_id()
    with transaction():
        credentials.change_own(me(), new, by=actor, stored=stored, keep=keep)


def _parts() -> str:
    """The form, empty again, and where one is signed in now: here alone."""
    form = {"password_form": panels.PasswordForm(), "email": auth.current_person().email}
    return render_template("dashboard/_password.html", **form) + render_template(
        "dashboard/_sessions.html", **panels.sessions(me()), oob=True
    )
