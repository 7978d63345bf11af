"""Timelines: audit events in the words people use."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from adminsite.kit.columns import Moment, moment, signed
from adminsite.models import AuditEvent

SAID = {
    "user.created": "added this person",
    "user.updated": "changed the profile",
    "user.role_changed": "changed the role",
    "admin.created": "gave staff access",
    "admin.updated": "changed the staff record",
    "admin.role_changed": "changed the level",
    "admin.status_changed": "changed the status",
    "admin.deleted": "took staff access away",
    "session.signed_in": "signed in",
    "session.signed_out": "signed out",
    "session.sign_in_failed": "tried to sign in and failed",
    "session.revoked": "ended sessions",
    "impersonation.started": "began to view the site as this person",
    "impersonation.stopped": "stopped viewing the site as this person",
    "access.denied": "was refused something",
    "password.changed": "changed the password",
    "password.reset_issued": "issued a link to set the password",
    "token.created": "made an API token",
    "token.revoked": "revoked an API token",
    "credits.adjusted": "adjusted the credits",
    "credits.reversed": "reversed a credit entry",
    "credits.requested": "asked to adjust the credits",
    "credits.declined": "declined an adjustment of the credits",
    "subscription.updated": "changed the subscription",
}
CALLED = {
    "email": "E-mail",
    "display_name": "Name",
    "full_name": "Name",
    "role": "Role",
    "credits_balance": "Balance",
    "requested_by": "Asked by",
    "reverses": "Reverses entry",
}
UNTOLD = frozenset({"last_login_at", "until", "transaction", "batch"})
SHOWN = 80


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an event; an empty side was nothing."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: who did what, when, and what that changed."""

    who: str
    said: str
    at: Moment | None
    changes: tuple[Change, ...]
    reason: str | None


def entries(events: Iterable[AuditEvent]) -> list[Entry]:
    """The events as lines of a timeline, in the order given."""
    return [
        Entry(
            who=event.actor_email or "somebody",
            said=SAID.get(event.action, event.action.replace(".", " ").replace("_", " ")),
            at=moment(event.at),
            changes=tuple(_changes(event.changes)),
            reason=event.reason,
        )
        for event in events
    ]


def _changes(changes: dict[str, Any]) -> Iterable[Change]:
    for field, pair in changes.items():
        if field not in UNTOLD and isinstance(pair, list) and len(pair) == 2:  # noqa: PLR2004
            yield Change(
                CALLED.get(field, field.replace("_", " ").capitalize()),
                _text(pair[0] if pair[0] != pair[1] else None),  # a name, not a change
                _text(pair[1]),
            )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if type(value) is int:
        return signed(value).removeprefix("+")
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
