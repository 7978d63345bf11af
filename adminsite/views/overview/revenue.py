"""Revenue day by day, from the subscriptions that ran then."""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from adminsite.queries.overview import Days, Move, Tiers, monthly

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """One day of revenue.

    Attributes:
        running: how many subscriptions ran.
        a_month: what they bring in a month, in cents; None when a price is unknown.
        earned: this day's share of it.
    """

    day: date
    running: int
    a_month: int | None
    earned: int


def by_day(now: Tiers, moves: Iterable[Move], days: Days, prices: Mapping[str, int]) -> list[Day]:
    """The revenue of each day at today's prices, and of the day before the first.

    A subscription runs from the day it was made until the day before it ended. Counted back from
    the active ones of today, so that the last day shows what the figures of now do.

    Args:
        now: how many are active now, by tier.
        moves: what began and ended since the first day.
        prices: cents a month by tier.
    """
    moved: dict[date, Counter[str | None]] = {}
    for move in moves:
        moved.setdefault(min(move.day, days.last), Counter())[move.tier] += move.by
    running = Counter(now)
    found = []
    day = days.last
    while day >= days.first - ONE_DAY:
        found.append(_day(day, running, prices))
        running.subtract(moved.get(day, Counter()))
        day -= ONE_DAY
    return found[::-1]


def without_price(now: Tiers, moves: Iterable[Move], prices: Mapping[str, int]) -> list[str]:
    """The plans that somebody has or had, and that have no price."""
    had = {tier for tier, count in now.items() if count} | {move.tier for move in moves}
    return sorted(tier or "Free" for tier in had if (tier or "") not in prices)


def _day(day: date, running: Tiers, prices: Mapping[str, int]) -> Day:
    a_month = monthly(running, prices)
    length = monthrange(day.year, day.month)[1]
    earned = ((a_month or 0) + length // 2) // length
    return Day(day, sum(running.values()), a_month, earned)
