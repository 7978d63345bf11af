"""The charts: what each shows, says and lists."""

from collections.abc import Sequence
from dataclasses import dataclass

from adminsite.permissions import Permission
from adminsite.views.overview.cards import Figure, listing
from adminsite.views.overview.geometry import Axes, Plot, bars, lines
from adminsite.views.overview.numbers import many, money, short, short_money, whole
from adminsite.views.overview.periods import Bucket
from adminsite.views.overview.read import Numbers
from adminsite.views.overview.revenue import Day

WHOLE_DOLLARS = 100


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart with its words and its table.

    Attributes:
        figures: what it adds up to, each with its list, where there is one.
        about: how it is counted.
        desc: what somebody sees who cannot see it.
        plot: None when there is nothing to draw.
        empty: a sentence for that.
        end: the number at the end of the line.
        head, rows: the same in a table.
    """

    key: str
    title: str
    permission: Permission
    figures: tuple[Figure, ...]
    about: str
    desc: str
    plot: Plot | None
    empty: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    end: str = ""


def of(numbers: Numbers) -> list[Chart]:
    """All charts, in order."""
    return [_revenue(numbers), _credits(numbers), _growth(numbers)]


def _growth(numbers: Numbers) -> Chart:
    period, growth = numbers.period, numbers.growth
    buckets = [one.bucket for one in growth]
    totals = [one.total for one in growth]
    new = numbers.counts.users.now
    says = [
        f"{one.bucket.name}: {whole(one.joined)} joined, {whole(one.total)} in all"
        for one in growth
    ]
    axes = Axes(_shorts(buckets), says, short)
    plot = lines(totals, axes, from_zero=min(totals) == 0) if new else None
    return Chart(
        key="growth",
        title="Users",
        permission=Permission.USERS_READ,
        figures=(Figure(whole(new), listing("users", period.days), "joined"),),
        about="Everybody who has an account today, by the day they joined.",
        desc=f"A line from {whole(totals[0])} to {whole(totals[-1])} users, {period.text}.",
        plot=plot,
        empty=f"Nobody joined from {period.text}.",
        head=(_column(numbers), "Joined", "Users in all"),
        rows=tuple((one.bucket.name, whole(one.joined), whole(one.total)) for one in growth),
        end=whole(totals[-1]),
    )


def _credits(numbers: Numbers) -> Chart:
    period, buckets = numbers.period, numbers.period.buckets
    issued, used = ([getattr(one, what) for one in numbers.credits] for what in ("issued", "used"))
    each = list(zip(buckets, issued, used, strict=True))
    says = [f"{b.name}: {whole(i)} issued, {whole(u)} used" for b, i, u in each]
    moved = any(issued) or any(used)
    axes = Axes(_shorts(buckets), says, short)
    return Chart(
        key="credits",
        title="Credits",
        permission=Permission.CREDITS_READ,
        figures=(
            Figure(whole(sum(issued)), listing("credits", period.days, sign="positive"), "issued"),
            Figure(whole(sum(used)), listing("credits", period.days, type="usage"), "used"),
        ),
        about="Issued is every entry above zero, used every entry of type usage.",
        desc=f"Bars up for what was issued, bars down for what was used, {period.text}."
        f"{_most(buckets, issued, 'was issued')}{_most(buckets, used, 'was used')}",
        plot=bars(issued, used, axes) if moved else None,
        empty=f"No credits moved from {period.text}.",
        head=(_column(numbers), "Issued", "Used"),
        rows=tuple((b.name, whole(i), whole(u)) for b, i, u in each),
    )


def _revenue(numbers: Numbers) -> Chart:
    period, buckets = numbers.period, numbers.period.buckets
    each = _earned(buckets, numbers.revenue[1:])
    values = [cents for cents, _ in each]
    total = sum(values)
    says = [
        f"{bucket.name}: {money(cents)}, {many(ran, 'subscription')} at the end"
        for bucket, (cents, ran) in zip(buckets, each, strict=True)
    ]
    unknown = ", ".join(numbers.without_price)
    plot = None
    if total and not unknown:
        axes = Axes(_shorts(buckets), says, short_money)
        if period.by_month:  # this month is not over: a line would fall
            plot = bars(values, (), axes, unit=WHOLE_DOLLARS)
        else:
            plot = lines(values, axes, from_zero=True, unit=WHOLE_DOLLARS)
    return Chart(
        key="revenue",
        title="Revenue",
        permission=Permission.SUBSCRIPTIONS_READ,
        figures=() if unknown else (Figure(money(total), "", period.phrase),),
        about="What subscriptions were worth on each day they ran, at today's plan and price. "
        "What was really charged is with the payment provider.",
        desc=f"From {money(values[0])} to {money(values[-1])}, {period.text}.",
        plot=plot,
        empty=f"No price is set for {unknown}. Set ADMINSITE_PRICES to see revenue."
        if unknown
        else f"No subscription ran from {period.text}.",
        head=(_column(numbers), "Revenue", "Subscriptions at the end"),
        rows=tuple(
            (bucket.name, "–" if unknown else money(cents), whole(ran))
            for bucket, (cents, ran) in zip(buckets, each, strict=True)
        ),
        end="" if period.by_month else money(values[-1]),
    )


def _earned(buckets: Sequence[Bucket], days: Sequence[Day]) -> list[tuple[int, int]]:
    """Of each bucket: what came in, in cents, and how many subscriptions ran at the end."""
    found, at = [], 0
    for bucket in buckets:
        upto = at + (bucket.days.last - bucket.days.first).days + 1
        mine = days[at:upto]
        found.append((sum(day.earned for day in mine), mine[-1].running))
        at = upto
    return found


def _most(buckets: tuple[Bucket, ...], values: list[int], what: str) -> str:
    if not any(values):
        return f" Nothing {what}."
    most = max(range(len(values)), key=values.__getitem__)
    return f" Most {what} on {buckets[most].name}: {whole(values[most])}."


def _shorts(buckets: list[Bucket] | tuple[Bucket, ...]) -> list[str]:
    return [bucket.short for bucket in buckets]


def _column(numbers: Numbers) -> str:
    return "Month" if numbers.period.by_month else "Day"
