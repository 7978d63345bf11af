"""The periods the overview looks at, each with the one before it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from adminsite.queries.overview import Days

DEFAULT = "30d"
ONE_DAY = timedelta(days=1)
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Bucket:
    """One column of a chart: a day, or a month up to today.

    Attributes:
        short: for the axis.
        name: for tables and sentences.
    """

    days: Days
    short: str
    name: str


@dataclass(frozen=True, slots=True)
class Period:
    """The days that are looked at.

    Attributes:
        key: its name in the address.
        label: for the control that chooses it.
        phrase: goes on after a number: "joined in 30 days".
        before: the period that it is compared with.
        before_phrase: what that one is called.
        by_month: whether the buckets are months.
    """

    key: str
    label: str
    phrase: str
    days: Days
    before: Days
    before_phrase: str
    buckets: tuple[Bucket, ...]
    by_month: bool = False

    @property
    def text(self) -> str:
        """From when to when."""
        first, last = self.days
        same = first.year == last.year
        return f"{_short(first) if same else written(first)} to {written(last)}"


def chosen(key: str, today: date) -> Period:
    """The period of that name; nonsense means the default one (D-10)."""
    return PERIODS.get(key, PERIODS[DEFAULT])(today)


def written(day: date) -> str:
    """A day as people write it: "Jan 5, 2025"."""
    return f"{_short(day)}, {day.year}"


def _of_days(count: int) -> Callable[[date], Period]:
    def period(today: date) -> Period:
        first = today - (count - 1) * ONE_DAY
        each = (first + number * ONE_DAY for number in range(count))
        return Period(
            key=f"{count}d",
            label=f"{count} days",
            phrase=f"in {count} days",
            days=Days(first, today),
            before=Days(first - count * ONE_DAY, first - ONE_DAY),
            before_phrase=f"the {count} days before",
            buckets=tuple(Bucket(Days(day, day), _short(day), written(day)) for day in each),
        )

    return period


def _of_months(today: date) -> Period:
    firsts = [_month(today, back) for back in range(MONTHS - 1, -1, -1)]
    lasts = [following - ONE_DAY for following in firsts[1:]] + [today]
    same_day_before = min(today.day, (_month(today, MONTHS - 1) - ONE_DAY).day)
    return Period(
        key="12m",
        label="12 months",
        phrase="in 12 months",
        days=Days(firsts[0], today),
        before=Days(
            _month(today, 2 * MONTHS - 1), _month(today, MONTHS).replace(day=same_day_before)
        ),
        before_phrase="the same days a year before",
        buckets=tuple(
            Bucket(Days(first, last), f"{first:%b}", _month_name(first, last))
            for first, last in zip(firsts, lasts, strict=True)
        ),
        by_month=True,
    )


def _month(today: date, back: int) -> date:
    """The first day of the month that many months ago."""
    months = today.year * 12 + today.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _month_name(first: date, last: date) -> str:
    whole = (last + ONE_DAY).day == 1
    return f"{first:%B} {first.year}{'' if whole else ' so far'}"


def _short(day: date) -> str:
    return f"{day:%b} {day.day}"


PERIODS: dict[str, Callable[[date], Period]] = {
    **{f"{count}d": _of_days(count) for count in (7, 30, 90)},
    "12m": _of_months,
}
