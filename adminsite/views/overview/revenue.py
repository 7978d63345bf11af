"""Revenue day by day, from the subscriptions that ran then."""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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


def by_day(now: Tiers, moves: Sequence[Move], days: Days, prices: Mapping[str, int]) -> list[Day]:
    """The revenue of each day at today's prices, and of the day before the first.

    A subscription runs from the day it was made until the day before it ended. Counted back from
    the active ones of today, so that the last day shows what the figures of now do.

    Args:
        now: how many are active now, by tier.
        moves: what began and ended since the first day.
        prices: cents a month by tier.
    """
    known = not without_price(now, moves, prices)
    running, a_month = sum(now.values()), monthly(now, prices) or 0
    moved, worth = Counter[date](), Counter[date]()
    for day, tier, by in moves:
        moved[min(day, days.last)] += by
        worth[min(day, days.last)] += by * prices.get(tier or "", 0)
    found = []
    day = days.last
    while day >= days.first - ONE_DAY:
        found.append(_day(day, running, a_month if known else None))
        running -= moved[day]
        a_month -= worth[day]
        day -= ONE_DAY
    return found[::-1]


def without_price(now: Tiers, moves: Iterable[Move], prices: Mapping[str, int]) -> list[str]:
    """The plans that somebody has or had, and that have no price."""
    had = {tier for tier, count in now.items() if count} | {move.tier for move in moves}
    return sorted(tier or "Free" for tier in had if (tier or "") not in prices)


def _day(day: date, running: int, a_month: int | None) -> Day:
    length = monthrange(day.year, day.month)[1]
    return Day(day, running, a_month, ((a_month or 0) + length // 2) // length)
