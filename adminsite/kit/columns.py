"""Columns of a list: what kind of thing each holds, and how it is made fit for a cell."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from adminsite.db import folded

SHORT_URL = 56


class Person(NamedTuple):
    """An owner as a cell shows it."""

    name: str
    email: str
    initials: str
    primary: bool
    url: str


class Chip(NamedTuple):
    """A word that leads to a filtered list."""

    name: str
    url: str


class ShortText(NamedTuple):
    """A long text cut in the middle, with the whole beside it."""

    text: Any
    full: str
    href: str | None


class Moment(NamedTuple):
    """A time: short for reading, exact on demand."""

    text: str
    iso: str
    title: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list, worked out once at the start.

    Attributes:
        options: the words a "select" or "switch" knows, each with its label.
        asks: what is asked before a "select" or "switch" saves; `{label}` is the record's name.
        shape: makes its values fit for the cell, where the kind does not do that.
    """

    name: str
    label: str
    kind: str
    sortable: bool
    editable: bool
    searched: bool
    options: tuple[tuple[str, str], ...] = ()
    asks: str = ""
    shape: Callable[[Any], Any] | None = None

    @property
    def numeric(self) -> bool:
        """Whether its values line up on the right."""
        return self.kind == "number"

    @property
    def fit(self) -> Callable[[Any], Any] | None:
        """What makes a value fit for its cell; None where it is so already."""
        return self.shape or SHAPES.get(self.kind)


@lru_cache(maxsize=4096)
def initials(name: str) -> str:
    """Two letters to know a person by."""
    words = re.findall(r"\w+", name)
    letters = words[0][0] + words[-1][0] if len(words) > 1 else name.strip()[:2]
    return letters.upper()


@lru_cache(maxsize=4096)
def moment(value: datetime | None) -> Moment | None:
    """A time for a cell, like "Jan 5, 2025", in UTC."""
    if value is None:
        return None
    value = value.astimezone(UTC)
    return Moment(
        f"{value:%b} {value.day}, {value.year}",
        value.isoformat(timespec="seconds"),
        f"{value:%Y-%m-%d %H:%M:%S} UTC",
    )


class Amount(NamedTuple):
    """A change of a number: with its sign, and whether it adds."""

    text: str
    gain: bool


def signed(amount: int) -> str:
    """A number with its sign, as people write it."""
    return f"{amount:+,}".replace("-", "−")


def number(amount: int) -> str:
    """A number with its sign where it is below zero, as people write it."""
    return signed(amount).removeprefix("+")


def change_of(amount: int) -> Amount:
    """An amount fit for a cell."""
    return Amount(signed(amount), amount > 0)


def short(text: str | None, *, link: bool) -> ShortText | None:
    """A long text cut in the middle; a link only where the scheme is http or https."""
    if text is None:
        return None
    safe = text if link and text.startswith(("http://", "https://")) else None
    bare = text.removeprefix("https://") if link else text
    if len(bare) > SHORT_URL:
        head = SHORT_URL * 2 // 3
        bare = f"{bare[:head]}…{bare[-(SHORT_URL - head - 1) :]}"
    return ShortText(bare, text, safe)


def template_parts(text: str | None) -> ShortText | None:
    """A URL template with its place for the slug marked."""
    cut = short(text, link=False)
    if cut is None:
        return None
    parts = [escape(part) for part in str(cut.text).split("{slug}")]
    return cut._replace(text=Markup('<b class="slot">{slug}</b>').join(parts))


SHAPES: Mapping[str, Callable[[Any], Any]] = {
    "date": moment,
    "url": lambda value: short(value, link=True),
    "template": template_parts,
    "amount": change_of,
}
UNWRAPPED = frozenset({"url", "template"})  # cells that hold controls of their own
AT_ONCE = frozenset({"select", "switch"})  # cells that are controls: a change saves


def marked(text: str, term: str) -> Markup | str:
    """The text with every occurrence of the lower-cased term in a `<mark>`."""
    low = folded(text)
    if term not in low or len(low) != len(text):
        return text
    parts: list[Markup | str] = []
    at = 0
    while (hit := low.find(term, at)) >= 0:
        end = hit + len(term)
        parts += [escape(text[at:hit]), Markup("<mark>%s</mark>") % text[hit:end]]
        at = end
    parts.append(escape(text[at:]))
    return Markup("").join(parts)


def highlighted(value: Any, term: str) -> Any:
    """A cell's value with the searched term marked in what it shows."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return marked(value, term)
    if isinstance(value, ShortText) and not isinstance(value.text, Markup):
        return value._replace(text=marked(value.text, term))
    if isinstance(value, list | tuple) and value and isinstance(value[0], Person):
        return [person._replace(name=marked(person.name, term)) for person in value]
    return value
