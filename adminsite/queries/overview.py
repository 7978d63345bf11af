"""The overview: how much there is, and what happened last.

Sums of credits come from `credit_days`, which the database keeps with every entry, so that a
million entries are a few thousand rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from adminsite.models import CreditDay, Keyword, Link, Subscription, Tag, User

USAGE = "usage"
ACTIVE = "active"


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
    """

    total_users: int
    active_subscriptions: int
    credits_issued: int
    credits_used: int
    revenue_this_month: int | None


def stats(session: Session, prices: Mapping[str, int]) -> Stats:
    """The totals of now: two statements.

    Entries count as they were made: a reversal is an entry of its own and leaves the one it
    undoes, and the entries of somebody who was deleted stay (D-18).

    Args:
        prices: cents a month by tier.

    Source: R-002-38 to R-002-42, D-12, D-25; contract, `GET /stats`.
    """
    users = select(func.count()).select_from(User).scalar_subquery()
    issued = select(func.sum(CreditDay.added)).scalar_subquery()
    used = select(_used_in_days()).where(CreditDay.type == USAGE).scalar_subquery()
    people, added, taken = session.execute(select(users, issued, used)).one()
    tiers = dict(session.execute(_active_by_tier()).all())
    return Stats(
        total_users=people,
        active_subscriptions=sum(tiers.values()),
        credits_issued=int(added or 0),
        credits_used=abs(int(taken or 0)),
        revenue_this_month=monthly(tiers, prices),
    )


def monthly(subscriptions: Mapping[str | None, int], prices: Mapping[str, int]) -> int | None:
    """What so many subscriptions of each tier bring in a month; None when a price is unknown.

    Source: R-002-42, D-25.
    """
    known = [(count, prices.get(tier or "")) for tier, count in subscriptions.items() if count]
    if any(price is None for _, price in known):
        return None
    return sum(count * (price or 0) for count, price in known)


def totals(session: Session) -> dict[str, int]:
    """How many links, keywords and tags there are: one statement."""
    counts = [
        select(func.count()).select_from(model).scalar_subquery() for model in (Link, Keyword, Tag)
    ]
    links, keywords, tags = session.execute(select(*counts)).one()
    return {"links": links, "keywords": keywords, "tags": tags}


def recently_changed(session: Session, limit: int) -> Sequence[Any]:
    """The links changed last."""
    statement = select(Link.id, Link.slug, Link.title, Link.url, Link.updated_at)
    return session.execute(statement.order_by(Link.updated_at.desc()).limit(limit)).all()


def _used_in_days() -> ColumnElement[Any]:
    return func.sum(CreditDay.added - CreditDay.taken)


def _active_by_tier() -> Any:
    """How many active subscriptions each tier has; the index of status and tier answers it."""
    wanted = select(Subscription.tier, func.count()).where(Subscription.status == ACTIVE)
    return wanted.group_by(Subscription.tier)
