"""What happened last, as lines: who did what to which record, and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from adminsite.kit.columns import Moment, moment
from adminsite.permissions import Actor, Permission, may
from adminsite.queries import overview
from adminsite.queries.overview import Happened
from adminsite.views.timelines import SAID

SHOWN = 8
PAGES = {  # where a record of the audit is shown, and who may see it
    "user": ("/admin/users/{key}", Permission.USERS_READ),
    "link": ("/admin/links/details/?id={key}", Permission.LINKS_READ),
    "keyword": ("/admin/keywords/details/?id={key}", Permission.KEYWORDS_READ),
    "tag": ("/admin/tags/details/?id={key}", Permission.TAGS_READ),
    "admin": ("/admin/admins/details/?id={key}", Permission.STAFF_READ),
}
WORDS = SAID | {  # beside what happens to people
    f"{noun}.{verb}": f"{verb.replace('updated', 'changed')} the {noun}"
    for noun in ("link", "keyword", "tag")
    for verb in ("created", "updated", "deleted")
}


@dataclass(frozen=True, slots=True)
class Line:
    """One event.

    Attributes:
        url: the page of the subject; None when it is gone, or not for this person.
        time: of day when that was today, else the day.
    """

    who: str
    said: str
    subject: str
    url: str | None
    time: str
    at: Moment | None


@dataclass(frozen=True, slots=True)
class ChangedLink:
    """A link that was changed."""

    slug: str
    about: str
    url: str
    time: str
    at: Moment | None


def events(session: Session, person: Actor, now: datetime) -> tuple[Line, ...]:
    """What staff did last: two statements, or one when nothing is there to be linked."""
    found = overview.latest_events(session, SHOWN)
    there = overview.still_there(session, _subjects(found))
    return tuple(_line(event, person, there, now) for event in found)


def links(session: Session, now: datetime) -> tuple[ChangedLink, ...]:
    """The links changed last: one statement."""
    return tuple(
        ChangedLink(
            link.slug,
            link.title or link.url,
            PAGES["link"][0].format(key=link.id),
            _time(link.updated_at, now),
            moment(link.updated_at),
        )
        for link in overview.recently_changed(session, SHOWN)
    )


def _subjects(found: Iterable[Happened]) -> list[tuple[str | None, str | None]]:
    return [(event.subject_type, event.subject_id) for event in found]


def _line(event: Happened, person: Actor, there: set[tuple[str, str]], now: datetime) -> Line:
    kind, key = event.subject_type or "", event.subject_id or ""
    url, permission = PAGES.get(kind, ("", Permission.AUDIT_READ))
    shown = url and (kind, key) in there and may(person, permission)
    return Line(
        who=event.actor or "somebody",
        said=WORDS.get(event.action, event.action.replace(".", " ").replace("_", " ")),
        subject=event.subject_label or "",
        url=url.format(key=key) if shown else None,
        time=_time(event.at, now),
        at=moment(event.at),
    )


def _time(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%b} {at.day}"
