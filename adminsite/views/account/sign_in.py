"""One's own account: signing in and out, and the page that shows it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from adminsite import auth, passwords, queries, throttle, web
from adminsite.config import Settings
from adminsite.db import db, transaction, utc_now
from adminsite.models import User, UserSession
from adminsite.operations import sessions
from adminsite.permissions import Actor, Permission, may

WRONG = "The e-mail address or the password is wrong."
SIGNED_OUT_THERE = "Signed out there."
OWN_LINKS_SHOWN = 20
LARGEST_ID = 2**31 - 1  # of the integer keys; PostgreSQL refuses to compare with more

blueprint = Blueprint("account", __name__)


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


@blueprint.get("/dashboard", strict_slashes=False)
def dashboard() -> ResponseReturnValue:
    """One's own account: profile, balance, links and sessions, and nobody else's (D-27)."""
    actor, session = auth.current_person(), db.session()
    user = session.get_one(User, actor.id)
    return render_template(
        "dashboard/index.html",
        page_title="Your account",
        breadcrumb=[("Your account", None)],
        profile=_profile(user, actor),
        links=queries.people.own_links(session, user.id, OWN_LINKS_SHOWN),
        n_links=queries.people.count_own_links(session, user.id),
        sessions=_sessions(user.id),
    )


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
    if web.is_htmx():
        page = render_template("dashboard/_sessions.html", sessions=_sessions(row.user_id))
        return page, {"HX-Trigger": web.toast_header(SIGNED_OUT_THERE)}
    flash(SIGNED_OUT_THERE, "success")
    return redirect(url_for("account.dashboard"), 303)


@blueprint.get("/dashboard/admin", strict_slashes=False)
@blueprint.get("/dashboard/admin/<path:_page>", strict_slashes=False)
def panel(_page: str = "") -> ResponseReturnValue:
    """The panel under its other name (D-8)."""
    if not may(auth.current_person(), Permission.PANEL_READ):
        return redirect(url_for("account.dashboard"))
    path = request.full_path.rstrip("?").removeprefix("/dashboard")
    return redirect(request.script_root + path)


def _profile(user: User, actor: Actor) -> list[tuple[str, str]]:
    return [
        ("Name", user.display_name),
        ("E-mail", user.email),
        ("Level", actor.level.label),
        ("Credits", f"{user.credits_balance:,}"),
        ("Here since", f"{user.created_at:%b} {user.created_at.day}, {user.created_at.year}"),
    ]


def _sessions(user_id: UUID) -> list[dict[str, Any]]:
    here = auth.current_session_id()
    return [
        {
            "id": row.id,
            "user_agent": _browser(row.user_agent or ""),
            "ip": row.ip,
            "last_seen": f"{row.last_seen_at:%Y-%m-%d %H:%M} UTC",
            "current": row.id == here,
        }
        for row in queries.people.own_sessions(db.session(), user_id, utc_now())
    ]


def _browser(agent: str) -> str:
    """A browser as people call it, from what it calls itself."""
    names = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
    )
    name = _first(agent, (*names, ("Safari/", "Safari")))
    system = _first(agent, (*systems, ("Mac OS", "macOS"), ("Linux", "Linux")))
    return f"{name} on {system}" if name and system else agent[:60]


def _first(agent: str, marks: Iterable[tuple[str, str]]) -> str | None:
    return next((name for mark, name in marks if mark in agent), None)


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
    with transaction() as session:
        user = session.get(User, user_id)
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
