"""Events of the audit in words, as the list and the page of one show them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from adminsite.db import utc_now
from adminsite.kit.columns import Moment
from adminsite.models import AuditEvent
from adminsite.views.timelines import SAID, Change, called, changes_of, said

FIELDS_SHOWN = 2
VALUE_SHOWN = 40
LONG = 20_000  # characters of what an event changed that no list reads


class Told(NamedTuple):
    """An action: in words, and as scripts know it."""

    said: str
    action: str


class Summary(NamedTuple):
    """The first fields that an event changed, and how many more there are.

    Attributes:
        long: whether it is too long to be read for a list.
    """

    changes: tuple[Change, ...]
    more: int
    long: bool = False


def stamped(at: datetime) -> Moment:
    """A time: to the minute in this year, else the day; exact on demand, in UTC."""
    at = at.astimezone(UTC)
    exact = f"{at:%Y-%m-%d %H:%M:%S.%f} UTC"
    rest = f"{at:%H:%M}" if at.year == utc_now().year else str(at.year)
    return Moment(f"{at:%b} {at.day}, {rest}", at.isoformat(), exact)


def told(action: str) -> Told:
    """An action fit for a cell."""
    return Told(said(action), action)


def label(action: str) -> str:
    """An action as a filter names it: "Link created"."""
    return called(action.replace(".", "_"))


def grouped(stored: Iterable[str]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Every action there is a sentence for, and those on record, by what they are about."""
    actions = sorted({*SAID, *stored})
    return tuple(
        (called(noun), tuple((action, label(action)) for action in group))
        for noun, group in groupby(actions, lambda action: action.partition(".")[0])
    )


def summary(changes: Mapping[str, Any] | None) -> Summary:
    """What an event changed, in a few words; None stands for too much to read."""
    if changes is None:
        return Summary((), 0, long=True)
    found = tuple(changes_of(changes, VALUE_SHOWN))
    return Summary(found[:FIELDS_SHOWN], max(len(found) - FIELDS_SHOWN, 0))


def sentence(event: AuditEvent) -> str:
    """Who did what."""
    return f"{event.actor_email or 'Somebody'} {said(event.action)}"
