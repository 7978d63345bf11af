"""Named filters: declared on a view, written in the URL under their own name."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, and_, true

from adminsite.errors import RuleError

UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # what no searched field holds


class FilterError(RuleError):
    """A filter in the URL makes no sense; the list is not shown as if it were absent."""


@dataclass(frozen=True, slots=True)
class Active:
    """One filter in use: its condition, and how the chip says it."""

    condition: ColumnElement[bool]
    text: str


@dataclass(frozen=True, slots=True)
class Filter:
    """What all filters have: a name in the URL, a label, an icon."""

    kind: ClassVar[str] = ""
    name: str
    label: str
    icon: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names this filter reads from the URL."""
        return (self.name,)

    def read(self, args: Mapping[str, str]) -> Active | None:
        """The filter as used in these parameters; None when it is not.

        Raises:
            FilterError: the value is not one this filter knows.
        """
        raise NotImplementedError

    def word(self, args: Mapping[str, str], known: Collection[str]) -> str:
        """The word that was asked for; empty for none.

        Raises:
            FilterError: it is not one of these.
        """
        value = args.get(self.name, "")
        if value and value not in known:
            message = f"The filter {self.label} knows {', '.join(known)}; not “{value[:40]}”."
            raise FilterError(message)
        return value


@dataclass(frozen=True, slots=True)
class ChoiceFilter(Filter):
    """One of a few words, compared with a column.

    Attributes:
        none: the word that stands for "no value", if one does.
    """

    kind: ClassVar[str] = "choice"
    column: Any
    options: tuple[tuple[str, str], ...]
    none: str | None = None

    def read(self, args: Mapping[str, str]) -> Active | None:
        """See `Filter.read`."""
        labels = dict(self.options)
        value = self.word(args, labels)
        if not value:
            return None
        wanted = None if value == self.none else value
        return Active(self.column == wanted, labels[value])


@dataclass(frozen=True, slots=True)
class CaseFilter(Filter):
    """One of a few words, each with a condition of its own."""

    kind: ClassVar[str] = "choice"
    cases: Mapping[str, tuple[str, ColumnElement[bool]]]

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """The words with their labels."""
        return tuple((word, label) for word, (label, _condition) in self.cases.items())

    def read(self, args: Mapping[str, str]) -> Active | None:
        """See `Filter.read`."""
        value = self.word(args, self.cases)
        if not value:
            return None
        label, condition = self.cases[value]
        return Active(condition, label)


@dataclass(frozen=True, slots=True)
class LookupFilter(Filter):
    """Rows that belong to another record, found by searching on the server.

    Attributes:
        lookup: the name of the view's `form_lookups` entry that finds records.
        condition: from the record's key to the condition on this list.
        describe: from the URL's text to the record's key and name; None when there is none.
        alias: the list's column of these records, whose name works in the URL as well.
    """

    kind: ClassVar[str] = "lookup"
    lookup: str
    condition: Callable[[Any], ColumnElement[bool]]
    describe: Callable[[str], tuple[Any, str] | None]
    alias: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """Its own name and the column's."""
        return (self.name, self.alias)

    def read(self, args: Mapping[str, str]) -> Active | None:
        """See `Filter.read`."""
        value = args.get(self.name) or args.get(self.alias, "")
        if not value:
            return None
        found = None if UNSTORABLE.search(value) else self.describe(value)
        if found is None:
            message = f"The filter {self.label} does not know “{value[:40]}”."
            raise FilterError(message)
        key, text = found
        return Active(self.condition(key), text)


@dataclass(frozen=True, slots=True)
class TextFilter(Filter):
    """A text that is known exactly, such as a key.

    Attributes:
        condition: from the text to the condition on this list.
        longest: how many characters such a text can have.
    """

    kind: ClassVar[str] = "text"
    condition: Callable[[str], ColumnElement[bool]]
    longest: int

    def read(self, args: Mapping[str, str]) -> Active | None:
        """See `Filter.read`."""
        value = args.get(self.name, "").strip()
        if not value:
            return None
        if len(value) > self.longest or UNSTORABLE.search(value):
            message = f"The filter {self.label} does not know “{value[:40]}”."
            raise FilterError(message)
        return Active(self.condition(value), value)


@dataclass(frozen=True, slots=True)
class DayFilter(Filter):
    """A period of whole UTC days on a time column: `name_from` and `name_to`, both included."""

    kind: ClassVar[str] = "date"
    column: Any

    @property
    def parameters(self) -> tuple[str, ...]:
        """`name` alone means that one day."""
        return (self.name, f"{self.name}_from", f"{self.name}_to")

    def read(self, args: Mapping[str, str]) -> Active | None:
        """See `Filter.read`."""
        first, last = self.period(args)
        if first is None and last is None:
            return None
        conditions = []
        if first is not None:
            conditions.append(self.column >= first)
        if last is not None and last.date() < date.max:
            conditions.append(self.column < last + timedelta(days=1))
        return Active(and_(true(), *conditions), _period(first, last))

    def period(self, args: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
        """The first and the last day asked for, each as its midnight; None for no end.

        Raises:
            FilterError: one of them is no day.
        """
        day = args.get(self.name, "")
        first = self._day(args.get(f"{self.name}_from") or day)
        return first, self._day(args.get(f"{self.name}_to") or day)

    def _day(self, text: str) -> datetime | None:
        if not text:
            return None
        try:
            return datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
        except (ValueError, OverflowError):
            message = f"The filter {self.label} needs a day like 2025-01-31; not “{text[:40]}”."
            raise FilterError(message) from None


def _period(first: datetime | None, last: datetime | None) -> str:
    if first is None:
        return f"to {last:%Y-%m-%d}"
    if last is None:
        return f"from {first:%Y-%m-%d}"
    return f"{first:%Y-%m-%d}" if first == last else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
