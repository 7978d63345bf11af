"""The page behind a one-time link: whoever has it sets the password, signed in or not.

Source: D-22.
"""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, PasswordField

from adminsite import auth, web
from adminsite.db import transaction
from adminsite.errors import InvalidError, MissingError
from adminsite.kit import responses
from adminsite.kit.forms import marked
from adminsite.models import User
from adminsite.operations import credentials, sessions
from adminsite.views.account import panels
from adminsite.views.account.blueprint import blueprint

DONE = "Your password is set. Sign in."


class NewPasswordForm(Form):
    """The password to set."""

    new_password = PasswordField(
        "New password",
        description=panels.NEW_PASSWORD,
        render_kw={"autocomplete": "new-password", "required": True},
    )


@blueprint.route("/set-password/<token>", methods=["GET", "POST"], strict_slashes=False)
def set_password(token: str) -> ResponseReturnValue:
    """The form, if the link still works; sent, it sets the password and ends the link."""
    if request.method == "POST":
        return _use(token)
    user = credentials.find_reset(token)
    return _form(user, token) if user else _gone()


@blueprint.after_request
def tell_nobody_of_the_token(answer: Response) -> Response:
    """Keep the address, which is a secret, from whatever the browser asks for next.

    Not no-referrer: over HTTPS the CSRF check wants to know which site a form came from.
    """
    if request.endpoint == "account.set_password":
        answer.headers["Referrer-Policy"] = "strict-origin"
    return answer


def _use(token: str) -> ResponseReturnValue:
    """Set the password; this browser's session ends, whoever's it is."""
    password = responses.submitted_once().get("new_password", "")
    before, session_id = auth.current_actor(), auth.current_session_id()
    try:
        with transaction():
            credentials.use_reset(token, password, origin=web.origin())
            if before and session_id:
                sessions.sign_out(session_id, by=before)
    except MissingError as refusal:
        return _gone(refusal)
    except InvalidError as refusal:
        return _refused(refusal, token)
    auth.end()
    if responses.wants_json():
        return responses.accepted({})
    flash(DONE, "success")
    return redirect(url_for("account.login"), 303)


def _form(user: User, token: str, form: Form | None = None) -> str:
    actor = auth.current_actor()
    return render_template(
        "set_password.html",
        page_title="Set your password",
        user=user,
        token=token,
        form=form or NewPasswordForm(),
        leaves=actor if actor and actor.id != user.id else None,
    )


def _refused(refusal: InvalidError, token: str) -> ResponseReturnValue:
    user = credentials.find_reset(token)
    if responses.wants_json():
        return responses.refused(refusal.message, refusal.fields, refusal.status)
    if user is None:
        return _gone()
    return _form(user, token, marked(NewPasswordForm(), refusal.fields)), refusal.status


def _gone(refusal: MissingError | None = None) -> ResponseReturnValue:
    if responses.wants_json():
        return web.refuse(404, refusal.message if refusal else None)
    return render_template("set_password_gone.html", page_title="This link has ended"), 404
