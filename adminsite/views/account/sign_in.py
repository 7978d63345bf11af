"""Signing in and out."""

from uuid import UUID

from flask import current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from adminsite import auth, passwords, throttle, web
from adminsite.config import Settings
from adminsite.db import transaction
from adminsite.models import User
from adminsite.operations import sessions, versions
from adminsite.permissions import Actor, Permission, may
from adminsite.views.account.blueprint import blueprint

WRONG = "The e-mail address or the password is wrong."


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """The page that somebody starts from."""
    return redirect(_start(auth.current_actor()))


@blueprint.get("/login", strict_slashes=False)
def login() -> ResponseReturnValue:
    """The sign-in page; whoever is signed in goes on at once."""
    target = auth.safe_next(request.args.get("next"))
    if (actor := auth.current_actor()) is not None:
        return redirect(target or _start(actor))
    return _login_page("", target)


@blueprint.post("/login", strict_slashes=False)
def sign_in() -> ResponseReturnValue:
    """Open a session; a wrong address and a wrong password get the same answer.

    Source: contract, section Pages; peers E 61.
    """
    email, password = request.form.get("email", ""), request.form.get("password", "")
    target = auth.safe_next(request.form.get("next"))
    keys = throttle.login_keys(email)
    try:
        throttle.attempts().count(*keys)
    except TooManyRequests as refusal:
        return _refuse(str(refusal.description), email, target, refusal)
    user = sessions.find_by_email(email)
    user_id, stored = (user.id, user.password_hash) if user else (None, None)
    right = passwords.matches(stored, password)
    actor = _admit(user_id, stored, password) if right and user_id and stored else None
    if actor is None:
        _note_failure(email, user_id)
        return _refuse(WRONG, email, target)
    throttle.attempts().forgive(*keys)
    return redirect(target or _start(actor), 303)


@blueprint.post("/logout", strict_slashes=False)
def sign_out() -> ResponseReturnValue:
    """End the session, here and in the table."""
    actor, session_id = auth.current_actor(), auth.current_session_id()
    if actor and session_id:
        with transaction():
            sessions.sign_out(session_id, by=actor)
    auth.end()
    return redirect(url_for("account.login"), 303)


def _start(actor: Actor | None) -> str:
    if actor is None:
        return url_for("account.login")
    staff = may(actor, Permission.PANEL_READ)
    return f"{request.script_root}/admin" if staff else url_for("account.dashboard")


def _admit(user_id: UUID, stored: str, password: str) -> Actor | None:
    """Sign the person in, unless they or the password changed while it was being checked."""
    anew = passwords.hash_password(password) if passwords.is_outdated(stored) else None
    before, session_id = auth.current_actor(), auth.current_session_id()
    settings: Settings = current_app.config["SETTINGS"]
    with transaction():
        # Locked: who changes the password or suspends now is waited for, and not overtaken.
        user = versions.get_for_update(User, user_id)
        if user is None or user.password_hash != stored:
            return None
        if before and session_id:
            sessions.sign_out(session_id, by=before)
        actor = Actor(user.id, user.email, user.display_name, user.level, web.origin())
        token = sessions.sign_in(user, by=actor, hours=settings.session_hours, password_hash=anew)
    auth.begin(token)
    return actor


def _note_failure(email: str, user_id: UUID | None) -> None:
    with transaction() as session:
        user = session.get(User, user_id) if user_id else None
        sessions.sign_in_failed(email, user, by=sessions.NOBODY.seen_from(web.origin()))


def _refuse(
    message: str, email: str, target: str | None, refusal: TooManyRequests | None = None
) -> ResponseReturnValue:
    status = refusal.code if refusal else 422
    headers = {"Retry-After": str(refusal.retry_after)} if refusal else {}
    if web.wants_json():
        return web.refuse(status, message, headers=headers)
    return _login_page(email, target, message), status, headers


def _login_page(email: str, target: str | None, message: str = "") -> str:
    return render_template(
        "login.html", page_title="Sign in", email=email, next=target or "", message=message
    )
