"""Everything the figures and charts are made of, read at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from adminsite.queries import overview
from adminsite.queries.overview import Counts, CreditsOfDay, Days, Stats
from adminsite.views.overview import revenue
from adminsite.views.overview.periods import Bucket, Period


class Growth(NamedTuple):
    """How many joined in a bucket, and how many there were at its end."""

    bucket: Bucket
    joined: int
    total: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The overview's numbers of one moment.

    Attributes:
        growth, credits: by bucket of the period.
        revenue: by day, beginning with the day before the period.
        without_price: the plans that revenue cannot be told for.
    """

    period: Period
    at: datetime
    stats: Stats
    counts: Counts
    growth: tuple[Growth, ...]
    credits: tuple[CreditsOfDay, ...]
    revenue: tuple[revenue.Day, ...]
    without_price: tuple[str, ...]


def numbers(session: Session, period: Period, prices: Mapping[str, int], at: datetime) -> Numbers:
    """Read everything: six statements."""
    stats = overview.stats(session, prices)
    counts = overview.counts(session, period.days, period.before)
    joined = overview.joined(session, period.days, by_month=period.by_month)
    credits_ = overview.credits_by_day(session, period.days)
    moves = overview.subscription_moves(session, period.days.first)
    days = revenue.by_day(stats.tiers, moves, period.days, prices)
    return Numbers(
        period=period,
        at=at,
        stats=stats,
        counts=counts,
        growth=_growth(period, joined, stats.total_users),
        credits=_credits(period, credits_),
        revenue=tuple(days),
        without_price=tuple(revenue.without_price(stats.tiers, moves, prices)),
    )


def _growth(period: Period, joined: Mapping[date, int], total: int) -> tuple[Growth, ...]:
    """Counted back from today's total."""
    found = []
    for bucket in reversed(period.buckets):
        new = joined.get(bucket.days.first, 0)
        found.append(Growth(bucket, new, total))
        total -= new
    return tuple(found[::-1])


def _credits(period: Period, found: list[CreditsOfDay]) -> tuple[CreditsOfDay, ...]:
    by_day = {one.day: one for one in found}
    return tuple(_summed(by_day, bucket.days) for bucket in period.buckets)


def _summed(by_day: Mapping[date, CreditsOfDay], days: Days) -> CreditsOfDay:
    """The credits of several days, under the first."""
    dates = (days.first + timedelta(days=n) for n in range((days.last - days.first).days + 1))
    each = [one for day in dates if (one := by_day.get(day))]
    return CreditsOfDay(days.first, sum(one.issued for one in each), sum(one.used for one in each))
