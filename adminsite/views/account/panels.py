"""What the parts of one's own page show: each a dict for its template, and its form."""

from datetime import datetime
from typing import Any, NamedTuple

from wtforms import Form, PasswordField, SelectField, StringField

from adminsite import auth, queries
from adminsite.db import db, utc_now
from adminsite.kit.columns import Moment, moment, number, signed
from adminsite.models import ApiToken, CreditTransaction, Subscription, User
from adminsite.operations import ledger
from adminsite.passwords import MIN_LENGTH
from adminsite.permissions import Actor, Level
from adminsite.views.account.blueprint import me
from adminsite.views.browsers import browser_name

LINKS_SHOWN = 20
LINKS_AT_ONCE = 8  # the others unfold
ENTRIES_SHOWN = 10
NEW_PASSWORD = f"At least {MIN_LENGTH} characters; several words are easiest to remember."


class PasswordForm(Form):
    """Changing one's own password."""

    current_password = PasswordField(
        "Current password", render_kw={"autocomplete": "current-password", "required": True}
    )
    new_password = PasswordField(
        "New password",
        description=NEW_PASSWORD,
        render_kw={"autocomplete": "new-password", "required": True},
    )


class TokenForm(Form):
    """Making an API token."""

    name = StringField(
        "Name",
        id="token-name",
        description="What will use it.",
        render_kw={"autocomplete": "off", "required": True},
    )
    scope = SelectField(
        "Scope",
        id="token-scope",
        choices=[("read", "Read only"), ("write", "Read and write")],
        description="No more than it needs.",
        validate_choice=False,
    )
    days = StringField(
        "Valid for days",
        id="token-days",
        description="Empty: until it is revoked.",
        render_kw={"autocomplete": "off", "inputmode": "numeric"},
    )


class Entry(NamedTuple):
    """One ledger entry as its person sees it."""

    what: str
    about: str | None
    at: Moment | None
    amount: str
    positive: bool


def every() -> dict[str, Any]:
    """What the whole page shows: nobody else's (D-27)."""
    user, actor = me(), auth.current_person()
    return {
        **profile(user, actor),
        **billing(user),
        **sessions(user),
        **tokens(user),
        "password_form": PasswordForm(),
        "email": user.email,
    }


def profile(user: User, actor: Actor) -> dict[str, Any]:
    """Who the person is here, and the links they own."""
    session, since = db.session(), moment(user.created_at)
    links = queries.people.own_links(session, user.id, LINKS_SHOWN)
    staff = actor.level is not Level.NONE
    return {
        "profile": [
            ("Name", user.display_name),
            ("E-mail", user.email),
            ("Access", f"Staff, level {actor.level.label}" if staff else "Member"),
            ("Here since", since.text if since else ""),
        ],
        "links": links[:LINKS_AT_ONCE],
        "more_links": links[LINKS_AT_ONCE:],
        "n_links": queries.people.count_own_links(session, user.id),
    }


def billing(user: User) -> dict[str, Any]:
    """The person's credits with the newest entries, and their subscription."""
    session = db.session()
    entries = queries.people.recent_transactions(session, user.id, ENTRIES_SHOWN)
    subscription = queries.people.newest_subscription(session, user.id)
    return {
        "balance": number(user.credits_balance),
        "entries": [_entry(entry) for entry in entries],
        "subscription": _subscription(subscription) if subscription else None,
    }


def sessions(user: User) -> dict[str, Any]:
    """Where the person is signed in."""
    here = auth.current_session_id()
    rows = queries.people.own_sessions(db.session(), user.id, utc_now())
    return {
        "sessions": [
            {
                "id": row.id,
                "user_agent": browser_name(row.user_agent),
                "ip": row.ip,
                "last_seen": f"{row.last_seen_at:%Y-%m-%d %H:%M} UTC",
                "current": row.id == here,
            }
            for row in rows
        ]
    }


def tokens(user: User, form: Form | None = None, secret: str | None = None) -> dict[str, Any]:
    """The person's API tokens, and the form for another.

    Args:
        secret: a token that was made just now; shown this once.
    """
    rows = queries.people.own_tokens(db.session(), user.id, utc_now())
    return {
        "tokens": [_token(row) for row in rows],
        "token_form": form or TokenForm(),
        "secret": secret,
    }


def _entry(entry: CreditTransaction) -> Entry:
    what = entry.type.replace("_", " ").capitalize()
    about = ledger.reason_of(entry.description)  # not which admin wrote it
    return Entry(what, about, moment(entry.created_at), signed(entry.amount), entry.amount > 0)


def _subscription(row: Subscription) -> dict[str, Any]:
    return {
        "status": row.status.replace("_", " ").capitalize(),
        "active": row.status == "active",
        "tier": (row.tier or "Unknown").capitalize(),
        "ends": moment(row.current_period_end),
        "is_last": row.cancel_at_period_end,
    }


def _token(row: ApiToken) -> dict[str, Any]:
    times: tuple[tuple[str, datetime | None, str], ...] = (
        ("created", row.created_at, ""),
        ("last used", row.last_used_at, "never used"),
        ("ends", row.expires_at, "never ends"),
    )
    told = [f"{word} {at.text}" if (at := moment(when)) else none for word, when, none in times]
    return {"id": row.id, "name": row.name, "prefix": row.prefix, "scope": row.scopes, "told": told}
