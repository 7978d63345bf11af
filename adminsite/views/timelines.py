"""Timelines: audit events in the words people use."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adminsite.kit.columns import Moment, moment, number
from adminsite.models import AuditEvent
from adminsite.views.subjects import event_url

SAID = {
    "user.created": "added this person",
    "user.updated": "changed the profile",
    "user.role_changed": "changed the role",
    "user.deleted": "deleted this person",
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
    "access.denied": "was refused access",
    "password.changed": "changed the password",
    "password.reset_issued": "issued a link to set the password",
    "token.created": "made an API token",
    "token.revoked": "revoked an API token",
    "credits.adjusted": "adjusted the credits",
    "credits.reversed": "reversed a credit entry",
    "credits.requested": "asked to adjust the credits",
    "credits.declined": "declined an adjustment of the credits",
    "subscription.updated": "changed the subscription",
    "data.imported": "imported a file",
    "data.exported": "exported data",
} | {
    f"{noun}.{verb}": f"{verb.replace('updated', 'changed')} the {noun}"
    for noun in ("link", "keyword", "tag")
    for verb in ("created", "updated", "deleted")
}
CALLED = {
    "email": "E-mail",
    "display_name": "Name",
    "full_name": "Name",
    "role": "Role",
    "credits_balance": "Balance",
    "requested_by": "Asked by",
    "reverses": "Reverses entry",
    "url": "URL",
    "url_template": "URL template",
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
class Recorded:
    """One field of an event, as it was recorded; None where there was no value."""

    name: str
    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: who did what, when, and what that changed; `url` is its own page."""

    who: str
    said: str
    at: Moment | None
    changes: tuple[Change, ...]
    reason: str | None
    url: str


def said(action: str) -> str:
    """An action in words, to stand behind a name."""
    return SAID.get(action) or action.replace(".", " ").replace("_", " ")


def entries(events: Iterable[AuditEvent]) -> list[Entry]:
    """The events as lines of a timeline, in the order given."""
    return [
        Entry(
            who=event.actor_email or "somebody",
            said=said(event.action),
            at=moment(event.at),
            changes=tuple(changes_of(event.changes)),
            reason=event.reason,
            url=event_url(event.id),
        )
        for event in events
    ]


def changes_of(changes: Mapping[str, Any], shown: int = SHOWN) -> Iterator[Change]:
    """What an event changed, to be read at a glance: long values are cut."""
    for name, before, after in _pairs(changes):
        was = _text(before if before != after else None, shown)  # a name, not a change
        is_now = _text(after, shown)
        if name not in UNTOLD and (was or is_now):
            yield Change(called(name), was, is_now)


def recorded(changes: Mapping[str, Any]) -> Iterator[Recorded]:
    """All that an event says of what it changed, whole."""
    for name, before, after in _pairs(changes):
        yield Recorded(name, called(name), _whole(before), _whole(after))


def called(field: str) -> str:
    """What people call a field."""
    return CALLED.get(field) or field.replace("_", " ").capitalize()


def _pairs(changes: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Each field with what was there before and after; a value alone is what was there after."""
    for name, pair in changes.items():
        is_pair = isinstance(pair, list) and len(pair) == 2  # noqa: PLR2004
        yield (name, *pair) if is_pair else (name, None, pair)


def _text(value: Any, shown: int) -> str:
    if value is None or value in ("", [], {}):
        return ""
    if type(value) is int:
        return number(value)
    text = ", ".join(map(_word, value)) if isinstance(value, list) else _word(value)
    return text if len(text) <= shown else f"{text[: shown - 1]}…"


def _whole(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _word(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
