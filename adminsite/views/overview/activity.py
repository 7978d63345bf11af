"""What happened last, as lines: who did what to which record, and when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from adminsite.kit.columns import Moment, moment
from adminsite.permissions import Actor
from adminsite.queries import overview
from adminsite.queries.overview import Happened
from adminsite.views.subjects import PAGES, Subject, event_url, pages
from adminsite.views.timelines import said

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One event.

    Attributes:
        event_url: its own page.
        url: the page of the subject; None when it is gone, or not for this person.
        time: of day when that was today, else the day.
    """

    who: str
    said: str
    event_url: str
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
    there = pages(session, _subjects(found), person)
    return tuple(_line(event, there, now) for event in found)


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


def _subjects(found: Iterable[Happened]) -> list[Subject]:
    return [(event.subject_type, event.subject_id) for event in found]


def _line(event: Happened, there: Mapping[Subject, str], now: datetime) -> Line:
    return Line(
        who=event.actor or "somebody",
        said=said(event.action),
        event_url=event_url(event.id),
        subject=event.subject_label or "",
        url=there.get((event.subject_type, event.subject_id)),
        time=_time(event.at, now),
        at=moment(event.at),
    )


def _time(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%b} {at.day}"
