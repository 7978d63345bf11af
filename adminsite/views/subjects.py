"""Records that events are about: the page of each, and the events about one."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from adminsite import audit, auth
from adminsite.permissions import Actor, Permission, may
from adminsite.queries import overview

URL = "/admin/audit"
PAGES = {  # where a record of the audit is shown, and who may see it
    "user": ("/admin/users/{key}", Permission.USERS_READ),
    "link": ("/admin/links/details/?id={key}", Permission.LINKS_READ),
    "keyword": ("/admin/keywords/details/?id={key}", Permission.KEYWORDS_READ),
    "tag": ("/admin/tags/details/?id={key}", Permission.TAGS_READ),
    "admin": ("/admin/admins/details/?id={key}", Permission.STAFF_READ),
}
# What is told of by its person's events: by one action alone, where there is only one.
ACTIONS = {"subscriptions": "subscription.updated"}
Subject = tuple[str | None, str | None]  # its type and key, as an event has them


def pages(session: Session, named: Iterable[Subject], person: Actor) -> dict[Subject, str]:
    """The pages of those records that exist and the person may see; at most one statement."""
    shown = [(kind, key) for kind, key in named if kind in PAGES and may(person, PAGES[kind][1])]
    there = overview.still_there(session, shown)
    return {(kind, key): PAGES[kind][0].format(key=key) for kind, key in there}


def event_url(event_id: int) -> str:
    """The page of an event."""
    return f"{URL}/{event_id}"


def events_url(**filters: str | None) -> str:
    """The list of the events that these filters leave."""
    return f"{URL}?{urlencode({name: value for name, value in filters.items() if value})}"


def events_of(record: Any) -> str | None:
    """Where all events about a record are listed; None for those who may not read the audit."""
    person = auth.current_actor()
    if person is None or not may(person, Permission.AUDIT_READ):
        return None
    table, key = record.__tablename__, record.id
    if table in audit.TOLD_WITH:
        whose, column = audit.TOLD_WITH[table]
        owner = getattr(record, column)
        if owner is None:  # they were deleted, and the event said whose it was
            return None
        return events_url(
            subject_type=whose.removesuffix("s"), subject_id=str(owner), action=ACTIONS.get(table)
        )
    return events_url(subject_type=table.removesuffix("s"), subject_id=str(key))


def context() -> dict[str, Any]:
    """What every template may ask."""
    return {"events_of": events_of}
