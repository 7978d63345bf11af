"""Sign-in: the session behind the cookie or the token of a script, and the person behind either.

The signed cookie carries a random token, the table its hash; so a session ends when its row
goes. Scripts send theirs as `Authorization: Bearer`, to the JSON addresses only. This is the
only module that knows Flask-Login.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, current_app, g, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from sqlalchemy import Row, Select, Table, Update, bindparam, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import Unauthorized

from adminsite import overlay, own_rows, throttle, web
from adminsite.config import Settings
from adminsite.db import WRITE, db, patience, utc_now
from adminsite.errors import ForbiddenError
from adminsite.models import Admin, ApiToken, User, UserSession
from adminsite.operations.sessions import digest
from adminsite.overlay import Overlay
from adminsite.permissions import Actor, Level, Permission, level_of, require
from adminsite.web.asked import JSON_PATHS, under

STAFF_PATHS = ("/admin", "/api/admin")
OWN_PATHS = ("/dashboard",)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Here the form or the link says who acts, whoever is signed in.
DOORS = frozenset({"account.sign_in", "account.set_password"})
SIGN_IN_FIRST = "Sign in to go on."
NOT_VALID = "This token is unknown, was revoked or has expired."
READ_ONLY = "This token may only read. Use one with the scope “write”."
TOUCH_EVERY = timedelta(minutes=1)
TOUCH_PATIENCE_MS = 50
IDLE = "adminsite_idle"
_UNSAFE_IN_PATH = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_LONGEST_PATH = 2000

_sessions: Table = UserSession.__table__  # type: ignore[assignment]
_tokens: Table = ApiToken.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]
_admins: Table = Admin.__table__  # type: ignore[assignment]
_WHO = (
    _users.c.id,
    _users.c.email,
    _users.c.display_name,
    _users.c.role,
    _admins.c.role.label("staff_role"),
    _admins.c.status.label("staff_status"),
)
_BY_SESSION = (
    select(
        _sessions.c.id.label("session_id"),
        _sessions.c.last_seen_at,
        _sessions.c.expires_at,
        _sessions.c.viewing_as_id,
        _sessions.c.viewing_until,
        *_WHO,
    )
    .select_from(_sessions.join(_users).outerjoin(_admins))
    .where(_sessions.c.token_hash == bindparam("token_hash"))
)
_BY_TOKEN = (
    select(
        _tokens.c.id.label("token_id"),
        _tokens.c.scopes,
        _tokens.c.last_used_at,
        _tokens.c.expires_at,
        _tokens.c.revoked_at,
        *_WHO,
    )
    .select_from(_tokens.join(_users).outerjoin(_admins))
    .where(_tokens.c.token_hash == bindparam("token_hash"))
)
_BY_ID = select(*_WHO).select_from(_users.outerjoin(_admins)).where(_users.c.id == bindparam("pk"))
_SEEN = (
    update(_sessions)
    .where(_sessions.c.id == bindparam("pk"), _sessions.c.last_seen_at < bindparam("since"))
    .values(last_seen_at=bindparam("now"))
)
_USED = (
    update(_tokens)
    .where(
        _tokens.c.id == bindparam("pk"),
        or_(_tokens.c.last_used_at.is_(None), _tokens.c.last_used_at < bindparam("since")),
    )
    .values(last_used_at=bindparam("now"))
)


class Visitor(UserMixin):
    """The signed-in person as Flask-Login keeps them; everybody else asks for the actor."""

    def __init__(
        self, token: str, session_id: int, actor: Actor, seen_as: Overlay | None = None
    ) -> None:
        self.token = token
        self.session_id = session_id
        self.actor = seen_as.actor if seen_as else actor
        self.overlay = seen_as

    def get_id(self) -> str:
        """What the cookie carries."""
        return self.token


@dataclass(frozen=True, slots=True)
class Holder:
    """The person whose token a script sent, and what it is good for."""

    actor: Actor
    scope: str
    token_id: int


def init_app(app: Flask, settings: Settings) -> None:
    """Close the panel to whoever is not signed in, and tell templates who is."""
    secure = settings.session_cookie_secure
    app.config.update(
        SESSION_COOKIE_NAME="__Host-adminsite" if secure else "adminsite",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_PATH="/",
        SESSION_PROTECTION=None,  # addresses and browsers change while somebody works
    )
    app.extensions[IDLE] = timedelta(minutes=settings.session_idle_minutes)
    manager = LoginManager()
    manager.user_loader(lambda token: _load(token, app.extensions[IDLE]))
    manager.init_app(app, add_context_processor=False)
    # First of all, before the CSRF check: who is not signed in is told so.
    app.before_request_funcs.setdefault(None, []).insert(0, _close)
    # Asked below instead: of every request but those that an API token signs in.
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.before_request(_check_csrf)
    app.register_error_handler(Unauthorized, lambda _error: ask_to_sign_in())
    app.context_processor(lambda: {"person": current_actor(), "viewing": current_overlay()})


def current_actor() -> Actor | None:
    """Who asks, or None when nobody is signed in."""
    if "actor" not in g:
        g.actor = None  # should the database fail now, the error page must not ask again
        found = _visitor() if _bearer() is None else _holder()
        if found is not None:
            _confine(found.actor)
            g.actor = found.actor
    actor: Actor | None = g.actor
    return actor


def current_person() -> Actor:
    """Who asks.

    Raises:
        Unauthorized: nobody is signed in.
    """
    actor = current_actor()
    if actor is None:
        raise Unauthorized(SIGN_IN_FIRST)
    return actor


def current_session_id() -> int | None:
    """The row of the session that asks; a token is none."""
    visitor = _visitor() if _bearer() is None else None
    return visitor.session_id if visitor else None


def current_overlay() -> Overlay | None:
    """What the session that asks views the site as; None when it is the person's own."""
    visitor = _visitor() if current_actor() is not None and _bearer() is None else None
    found = visitor.overlay if visitor else None
    return found if found and found.viewed else None


def turn_away() -> ResponseReturnValue | None:
    """The answer for whoever may not see the panel; None for staff.

    Raises:
        ForbiddenError: somebody is signed in who is no staff.

    Source: D-8.
    """
    actor = current_actor()
    if actor is None:
        return ask_to_sign_in()
    require(actor, Permission.PANEL_READ)
    return None


def ask_to_sign_in() -> ResponseReturnValue:
    """Send whoever is signed out to the login page, and back afterwards (D-8)."""
    if web.wants_json():
        return _refuse_script(SIGN_IN_FIRST)
    target = url_for("account.login", next=_way_back())
    if web.is_htmx():
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = target
        return answer
    return redirect(target, 302)


def begin(token: str) -> None:
    """Sign the browser in with a new session; what its cookie held before is dropped."""
    _forget()
    visitor = _load(token, timedelta.max)
    if visitor is not None:
        login_user(visitor)


def end() -> None:
    """Sign the browser out."""
    logout_user()
    _forget()


def safe_next(given: str | None) -> str | None:
    """The path to go on to, if it is one of ours: never another site.

    Source: contract, section Pages; peers E 64.
    """
    if not given or len(given) > _LONGEST_PATH or _UNSAFE_IN_PATH.search(given):
        return None
    try:
        parts = urlsplit(given)
    except ValueError:
        return None
    elsewhere = parts.scheme or parts.netloc or not given.startswith("/") or given[:2] == "//"
    return None if elsewhere else given


def _visitor() -> Visitor | None:
    found = current_user._get_current_object()  # noqa: SLF001 - the only way to the object itself
    return found if isinstance(found, Visitor) else None


def _confine(actor: Actor) -> None:
    """Show a member, and who looks at the site as one, no rows but the member's (D-27).

    Not who views and sends something: that can only end it, which is done in their own name.
    """
    is_stopping = actor.behind is not None and request.method not in SAFE
    if actor.level is Level.NONE and not is_stopping and request.endpoint not in DOORS:
        own_rows.confine(actor.id)


def _forget() -> None:
    session.clear()
    for name in ("csrf_token", "actor"):
        g.pop(name, None)


def _close() -> ResponseReturnValue | None:
    """Ask at the door, so that a route which forgets to ask is closed all the same."""
    if request.routing_exception is not None and request.routing_exception.code == 400:  # noqa: PLR2004
        raise request.routing_exception  # not one of our hosts
    if _bearer() is not None and (refusal := _check_token()) is not None:
        return refusal
    staff = under(request.path, STAFF_PATHS)
    if _bearer() is None and (staff or _asks_for_a_person()):
        _check_overlay()
    if staff:
        return turn_away()
    if under(request.path, OWN_PATHS) and current_actor() is None:
        return ask_to_sign_in()
    return None


def _asks_for_a_person() -> bool:
    """Whether it matters who asks, so that their session is read anyway."""
    return request.method not in SAFE or under(request.path, OWN_PATHS)


def _check_overlay() -> None:
    """Settle what a session viewed the site as, if that is over; else let it look and no more.

    Raises:
        ForbiddenError: something was sent while viewing.
    """
    visitor = _visitor()
    if visitor is None or visitor.overlay is None:
        return
    overlay.settle(visitor.overlay)
    if request.method not in SAFE:
        overlay.shut(visitor.overlay)


def _check_token() -> ResponseReturnValue | None:
    """The answer to a token that is none; a true one is counted and must be good for the verb."""
    holder = _holder()
    if holder is None:
        return _refuse_script(NOT_VALID)
    throttle.count_request(holder.token_id)
    if holder.scope != "write" and request.method not in SAFE:
        raise ForbiddenError(READ_ONLY)
    return None


def _check_csrf() -> None:
    """Ask for the CSRF token, unless the request is signed in by what no browser sends itself."""
    if _bearer() is None:
        current_app.extensions["csrf"].protect(apply_exemptions=True)


def _refuse_script(message: str) -> ResponseReturnValue:
    """Say 401, and where tokens are taken that one would do."""
    headers = {"WWW-Authenticate": "Bearer"} if under(request.path, JSON_PATHS) else {}
    return web.refuse(401, message, headers=headers)


def _bearer() -> str | None:
    """The token that a script sent; None when the cookie counts."""
    if not under(request.path, JSON_PATHS):
        return None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _way_back() -> str | None:
    """The page that the person was on."""
    if web.is_htmx():
        seen = request.headers.get("HX-Current-URL", "")
    elif request.method in {"GET", "HEAD"}:
        return safe_next(request.script_root + request.full_path.rstrip("?"))
    else:
        seen = request.referrer or ""
    try:
        parts = urlsplit(seen)
    except ValueError:
        return None
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return safe_next(path) if parts.netloc == request.host else None


# ---- the person behind the token: on the path of every request -------------------------------


def _holder() -> Holder | None:
    if "holder" not in g:
        g.holder = None
        g.holder = _load_holder(_bearer() or "")
    found: Holder | None = g.holder
    return found


def _load(token: str, idle: timedelta) -> Visitor | None:
    row = _one(_BY_SESSION, token)
    if row is None:
        return None
    now = utc_now()
    if row.expires_at <= now or now - row.last_seen_at > idle:
        return None
    if now - row.last_seen_at >= TOUCH_EVERY:
        _touch(_SEEN, row.session_id, now)
    actor = _actor(row)
    seen_as = overlay.read(row, actor, now, _find_viewed)
    if seen_as is not None:
        overlay.bind_forms(seen_as, token)
    return Visitor(token, row.session_id, actor, seen_as)


def _find_viewed(user_id: UUID, behind: Actor) -> Actor | None:
    """The person to view the site as; None when they are gone or staff by now."""
    who: Select[Any] = _BY_ID
    row = db.session().connection().execute(who, {"pk": user_id}).one_or_none()
    if row is None or row.staff_role is not None or row.role != User.ROLES[0]:
        return None
    return replace(_actor(row), behind=behind)


def _load_holder(token: str) -> Holder | None:
    row = _one(_BY_TOKEN, token)
    if row is None or row.revoked_at is not None:
        return None
    now = utc_now()
    if row.expires_at is not None and row.expires_at <= now:
        return None
    if row.last_used_at is None or now - row.last_used_at >= TOUCH_EVERY:
        _touch(_USED, row.token_id, now)
    return Holder(_actor(row), row.scopes, row.token_id)


def _one(statement: Select[Any], token: str) -> Row[Any] | None:
    query = {"token_hash": digest(token)}
    return db.session().connection().execute(statement, query).one_or_none()


def _actor(row: Row[Any]) -> Actor:
    level = level_of(row.role, row.staff_role, row.staff_status)
    return Actor(row.id, row.email, row.display_name, level, web.origin())


def _touch(statement: Update, pk: int, now: datetime) -> None:
    """Note that the session or token is in use; when the database is busy, another time."""
    values = {"pk": pk, "now": now, "since": now - TOUCH_EVERY}
    if db.session().info.get(WRITE):
        return
    try:
        db.session.rollback()  # one connection at a time
        with (
            db.engine.connect().execution_options(**{WRITE: True}) as connection,
            patience(connection, TOUCH_PATIENCE_MS),
        ):
            connection.execute(statement, values)
            connection.commit()
    except SQLAlchemyError as error:
        current_app.logger.debug("the time of use was not written: %s", error)
