"""The figures: what there is now, what the period added, and how that compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from adminsite.permissions import Permission
from adminsite.queries.overview import Days
from adminsite.views.overview.geometry import spark
from adminsite.views.overview.numbers import Change, change, money, whole
from adminsite.views.overview.periods import Period, written
from adminsite.views.overview.read import Numbers

LISTS = {  # where what is counted is listed, and who may see it
    "users": ("/admin/users", Permission.USERS_READ),
    "subscriptions": ("/admin/subscriptions", Permission.SUBSCRIPTIONS_READ),
    "credits": ("/admin/credits", Permission.CREDITS_READ),
    "links": ("/admin/links", Permission.LINKS_READ),
    "keywords": ("/admin/keywords", Permission.KEYWORDS_READ),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that leads to the list that adds up to it."""

    value: str
    url: str
    label: str


@dataclass(frozen=True, slots=True)
class Card:
    """One figure with its past.

    Attributes:
        figure: what there is now.
        permission: who may see it.
        added: what the period added; None where no list adds up to that.
        change: that, compared with the period before.
        spark: a path, empty without one.
        note: a sentence instead of all that.
        good: whether more is better; False where it is neither.
    """

    key: str
    icon: str
    figure: Figure
    permission: Permission
    added: Figure | None = None
    change: Change | None = None
    spark: str = ""
    note: str = ""
    good: bool = True


def of(numbers: Numbers) -> list[Card]:
    """All cards, in order."""
    return [
        _users(numbers),
        _subscriptions(numbers),
        _issued(numbers),
        _used(numbers),
        _revenue(numbers),
        _links(numbers),
        _keywords(numbers),
    ]


def listing(name: str, days: Days | None = None, **filters: str) -> str:
    """The address of a list, of what was made on these days."""
    if days is not None:
        filters |= {"created_at_from": str(days.first), "created_at_to": str(days.last)}
    return LISTS[name][0] + (f"?{urlencode(filters)}" if filters else "")


def _users(numbers: Numbers) -> Card:
    made = numbers.counts.users
    return _card(
        "users",
        "users",
        Figure(whole(numbers.stats.total_users), listing("users"), "Total Users"),
        added=_added(made.now, listing("users", numbers.period.days), "joined"),
        compared=_change(*made, numbers.period),
        trend=[one.total for one in numbers.growth],
    )


def _subscriptions(numbers: Numbers) -> Card:
    made, period = numbers.counts.subscriptions, numbers.period
    url = listing("subscriptions", status="active")
    return _card(
        "subscriptions",
        "credit-card",
        Figure(whole(numbers.stats.active_subscriptions), url, "Active Subscriptions"),
        added=_added(made.now, listing("subscriptions", period.days), "began"),
        compared=_change(*made, period),
        trend=[day.running for day in numbers.revenue[1:]],
    )


def _revenue(numbers: Numbers) -> Card:
    known, (eve, *days) = numbers.stats.revenue_this_month, numbers.revenue
    url = listing("subscriptions", status="active")
    figure = Figure("–" if known is None else money(known), url, "Revenue This Month")
    if known is None:
        note = f"No price is set for {', '.join(numbers.without_price)}."
        return _card("subscriptions", "banknote", figure, note=note)
    compared = change(known, eve.a_month or 0, f"than on {written(eve.day)}")
    trend = () if numbers.without_price else [day.a_month or 0 for day in days]
    note = "at today's prices"
    return _card("subscriptions", "banknote", figure, compared=compared, trend=trend, note=note)


def _issued(numbers: Numbers) -> Card:
    period, each = numbers.period, [day.issued for day in numbers.credits]
    now, all_of_it = sum(each), listing("credits", sign="positive")
    return _card(
        "credits",
        "coins",
        Figure(whole(numbers.stats.credits_issued), all_of_it, "Credits Issued"),
        added=_added(now, listing("credits", period.days, sign="positive"), "issued"),
        compared=_change(now, numbers.counts.issued_before, period),
        trend=each,
        good=False,
    )


def _used(numbers: Numbers) -> Card:
    period, each = numbers.period, [day.used for day in numbers.credits]
    now, all_of_it = sum(each), listing("credits", type="usage")
    return _card(
        "credits",
        "activity",
        Figure(whole(numbers.stats.credits_used), all_of_it, "Credits Used"),
        added=_added(now, listing("credits", period.days, type="usage"), "used"),
        compared=_change(now, numbers.counts.used_before, period),
        trend=each,
        good=False,
    )


def _links(numbers: Numbers) -> Card:
    made, period = numbers.counts.links, numbers.period
    return _card(
        "links",
        "link",
        Figure(whole(numbers.counts.all_links), listing("links"), "Links"),
        added=_added(made.now, listing("links", period.days), "made"),
        compared=_change(*made, period),
    )


def _keywords(numbers: Numbers) -> Card:
    made, period = numbers.counts.keywords, numbers.period
    return _card(
        "keywords",
        "hash",
        Figure(whole(numbers.counts.all_keywords), listing("keywords"), "Keywords"),
        added=_added(made.now, listing("keywords", period.days), "made"),
        compared=_change(*made, period),
    )


def _card(  # noqa: PLR0913 - a card has that many parts
    name: str,
    icon: str,
    figure: Figure,
    *,
    added: Figure | None = None,
    compared: Change | None = None,
    trend: Sequence[int] = (),
    note: str = "",
    good: bool = True,
) -> Card:
    key = figure.label.lower().replace(" ", "-")
    return Card(key, icon, figure, LISTS[name][1], added, compared, spark(trend), note, good)


def _added(count: int, url: str, verb: str) -> Figure:
    return Figure(f"{count:+,}" if count else "0", url, verb)


def _change(now: int, before: int, period: Period) -> Change | None:
    return change(now, before, f"than in {period.before_phrase}")
