"""The overview: how much there is, how it came to be, and what happened last.

Sums of credits come from `credit_days`, which the database keeps with every entry, so that a
million entries are a few thousand rows. Days are those of UTC, first and last included.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    ScalarSelect,
    String,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from adminsite.models import Admin, AuditEvent, CreditDay, Keyword, Link, Subscription, Tag, User
from adminsite.queries.audit import LINE

USAGE = "usage"
ACTIVE, ENDED = "active", "canceled"
COMING_AND_GOING, DENIED = "session.%", "access.denied"
LOOKED_THROUGH = 50_000  # events that are read at most to find those that are shown
MAX_KEY = 2**31  # of what is numbered

Tiers = Mapping[str | None, int]


class Days(NamedTuple):
    """A period of whole UTC days."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Stats:
    """The totals of now.

    Attributes:
        total_users: everybody with an account, staff included (R-002-38).
        active_subscriptions: subscriptions whose status is `active`; each row counts, also of a
            person with several (R-002-39, D-25).
        credits_issued: the sum of all positive entries, whatever their type (R-002-40, D-12).
        credits_used: the sum of the entries of type `usage`, without its sign (R-002-41, D-12).
        revenue_this_month: what the active subscriptions bring in a month, in cents, at the
            prices of the configuration; None when one of them has no price (R-002-42, D-25).
        tiers: how many active subscriptions each plan has.
    """

    total_users: int
    active_subscriptions: int
    credits_issued: int
    credits_used: int
    revenue_this_month: int | None
    tiers: Tiers


class Made(NamedTuple):
    """How many were made in a period, and in the one before."""

    now: int
    before: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What a period added, and what there is of what `Stats` does not count.

    Attributes:
        all_links, all_keywords: how many there are now.
        issued_before: credits, as in `Stats`, of the period before.
    """

    all_links: int
    all_keywords: int
    users: Made
    links: Made
    keywords: Made
    subscriptions: Made
    issued_before: int
    used_before: int


class CreditsOfDay(NamedTuple):
    """The credits of one day, as in `Stats`."""

    day: date
    issued: int
    used: int


class Move(NamedTuple):
    """So many subscriptions of a plan that began (above zero) or ended on a day.

    Only those count that are active or have ended: of the others nobody knows whether they
    ever brought anything.
    """

    day: date
    tier: str | None
    by: int


class Happened(NamedTuple):
    """One event of the audit, without what it changed: that may be long."""

    id: int
    at: datetime
    actor: str | None
    action: str
    subject_type: str | None
    subject_id: str | None
    subject_label: str | None


def stats(session: Session, prices: Mapping[str, int]) -> Stats:
    """The totals of now: two statements.

    Entries count as they were made: a reversal is an entry of its own and leaves the one it
    undoes, and the entries of somebody who was deleted stay (D-18).

    Args:
        prices: cents a month by tier.

    Source: R-002-38 to R-002-42, D-12, D-25; contract, `GET /stats`.
    """
    issued = select(func.sum(CreditDay.added)).scalar_subquery()
    used = select(_used()).where(CreditDay.type == USAGE).scalar_subquery()
    users, added, taken = session.execute(select(_count(User), issued, used)).one()
    active = select(Subscription.tier, func.count()).where(Subscription.status == ACTIVE)
    tiers = dict(session.execute(active.group_by(Subscription.tier)).all())
    return Stats(
        total_users=users,
        active_subscriptions=sum(tiers.values()),
        credits_issued=int(added or 0),
        credits_used=abs(int(taken or 0)),
        revenue_this_month=monthly(tiers, prices),
        tiers=tiers,
    )


def monthly(subscriptions: Tiers, prices: Mapping[str, int]) -> int | None:
    """What so many subscriptions of each tier bring in a month; None when a price is unknown.

    Source: R-002-42, D-25.
    """
    known = [(count, prices.get(tier or "")) for tier, count in subscriptions.items() if count]
    if any(price is None for _, price in known):
        return None
    return sum(count * (price or 0) for count, price in known)


def counts(session: Session, now: Days, before: Days) -> Counts:
    """What was made in a period and in the one before it: one statement."""
    wanted = [_count(Link), _count(Keyword)]
    for model in (User, Link, Keyword, Subscription):
        wanted += (_count(model, now), _count(model, before))
    issued = select(func.sum(CreditDay.added)).where(CreditDay.day.between(*before))
    used = select(_used()).where(CreditDay.day.between(*before), CreditDay.type == USAGE)
    found = session.execute(select(*wanted, issued.scalar_subquery(), used.scalar_subquery())).one()
    users, links, keywords, subscriptions = (Made(*found[at : at + 2]) for at in range(2, 10, 2))
    added, taken = (int(value or 0) for value in found[-2:])
    return Counts(*found[:2], users, links, keywords, subscriptions, added, abs(taken))


def joined(session: Session, days: Days, *, by_month: bool) -> dict[date, int]:
    """How many of today's users joined on each day, or in the month that begins that day.

    One statement; days and months without any are left out.
    """
    day = _day(session, User.created_at, by_month=by_month).label("day")
    statement = select(day, func.count()).where(*_within(User.created_at, days)).group_by("day")
    return {_date(found): count for found, count in session.execute(statement)}


def credits_by_day(session: Session, days: Days) -> list[CreditsOfDay]:
    """The credits of each day that had any: one statement."""
    used = func.sum(case((CreditDay.type == USAGE, CreditDay.added - CreditDay.taken), else_=0))
    statement = select(CreditDay.day, func.sum(CreditDay.added), used)
    found = session.execute(statement.where(CreditDay.day.between(*days)).group_by(CreditDay.day))
    return [CreditsOfDay(day, int(added), abs(int(taken))) for day, added, taken in found]


def subscription_moves(session: Session, since: date) -> list[Move]:
    """When subscriptions began and ended, since the start of a day: one statement.

    Read from two indexes alone: a condition on the status would lead to the wrong one.
    """
    start, created, canceled = _start(since), Subscription.created_at, Subscription.canceled_at
    over = and_(Subscription.status == ENDED, canceled.is_not(None))  # else nobody knows since when
    ran = case((or_(Subscription.status == ACTIVE, over), 1), else_=0)
    began = (
        select(_day(session, created).label("day"), Subscription.tier, func.sum(ran))
        .where(created >= start)
        .group_by("day", Subscription.tier)
    )
    last = case((canceled < created, created), else_=canceled)
    ended = (
        select(
            _day(session, last).label("day"),
            Subscription.tier,
            func.sum(case((Subscription.status == ENDED, -1), else_=0)),
        )
        .where(canceled >= start)
        .group_by("day", Subscription.tier)
    )
    found = session.execute(union_all(began, ended)).all()
    return [Move(_date(day), tier, int(by)) for day, tier, by in found if by]


def latest_events(session: Session, limit: int) -> list[Happened]:
    """What staff did last, but for coming and going, and what was refused: one statement."""
    last = select(func.max(AuditEvent.id)).scalar_subquery()  # ids leave no gaps
    statement = select(AuditEvent.id, *LINE).where(
        AuditEvent.id > last - LOOKED_THROUGH,
        AuditEvent.action.not_like(COMING_AND_GOING),
        AuditEvent.action != DENIED,
    )
    found = session.execute(statement.order_by(AuditEvent.id.desc()).limit(limit))
    return [Happened(*row) for row in found]


def still_there(
    session: Session, subjects: Iterable[tuple[str | None, str | None]]
) -> set[tuple[str, str]]:
    """Those of these records (type and key, as the audit has them) that exist: one statement."""
    models = {model.__tablename__.removesuffix("s"): model for model in (User, Admin, *LISTED)}
    keys: dict[str, set[Any]] = {}
    for kind, text in subjects:
        key = _key(kind, text) if kind in models and text else None
        if kind is not None and key is not None:
            keys.setdefault(kind, set()).add(key)
    if not keys:
        return set()
    each = [
        select(literal_column(f"'{kind}'", String), cast(models[kind].id, String)).where(
            models[kind].id.in_(wanted)
        )
        for kind, wanted in keys.items()
    ]
    found = session.execute(union_all(*each))
    return {(kind, str(UUID(key)) if kind == "user" else key) for kind, key in found}


def _key(kind: str | None, text: str) -> UUID | int | None:
    """A subject's key as its table has it; None when it can be none."""
    if kind == "user":
        try:
            return UUID(text)
        except ValueError:
            return None
    return int(text) if text.isascii() and text.isdigit() and int(text) < MAX_KEY else None


def recently_changed(session: Session, limit: int) -> Sequence[Any]:
    """The links changed last."""
    statement = select(Link.id, Link.slug, Link.title, Link.url, Link.updated_at)
    return session.execute(statement.order_by(Link.updated_at.desc()).limit(limit)).all()


LISTED: tuple[Any, ...] = (Link, Keyword, Tag)


def _count(model: Any, days: Days | None = None) -> ScalarSelect[int]:
    counted = select(func.count()).select_from(model)
    return counted.where(*(_within(model.created_at, days) if days else ())).scalar_subquery()


def _used() -> ColumnElement[Any]:
    return func.sum(CreditDay.added - CreditDay.taken)


def _within(column: Any, days: Days) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return column >= _start(days.first), column < _start(days.last + timedelta(days=1))


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _day(session: Session, column: Any, *, by_month: bool = False) -> ColumnElement[Any]:
    """The UTC day of a time, or the month: a text on SQLite, which stores times as text."""
    if session.get_bind().dialect.name == "sqlite":
        return func.substr(column, 1, 7 if by_month else 10, type_=String)
    local = func.timezone("UTC", column)
    return cast(func.date_trunc("month", local) if by_month else local, Date)


def _date(found: date | str) -> date:
    if isinstance(found, date):
        return found
    return date.fromisoformat(found if len(found) > len("2025-01") else f"{found}-01")
