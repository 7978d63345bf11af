"""What deleting people would do: read by the dialog that asks, and again by the operation."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import String, case, cast, select
from sqlalchemy.orm import Session, aliased

from adminsite.models import Admin, Link, LinkOwner, Subscription, User

LIVE = ("active", "trialing", "past_due", "unpaid")

_shares, _links, _people = LinkOwner.__table__, Link.__table__, User.__table__


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody who would be deleted.

    Attributes:
        balance: whole credits.
        subscription: the tier and status of the newest one that runs; None when none does.
        is_staff: whether they have a staff record, or the role that makes staff (D-1).
    """

    id: UUID
    email: str
    name: str
    balance: int
    subscription: tuple[str | None, str] | None
    is_staff: bool


class Share(NamedTuple):
    """What one of them has in one link; there may be tens of thousands.

    Attributes:
        stays: the address of the longest-standing owner who stays, the primary one first;
            None when nobody does.
    """

    user_id: UUID
    link_id: int
    slug: str
    is_primary: bool
    stays: str | None


@dataclass(frozen=True)
class DeletionPlan:
    """The people, and every share they have, by what becomes of it (D-16)."""

    people: tuple[Leaver, ...]
    shares: tuple[Share, ...]

    @cached_property
    def digest(self) -> str:
        """What a dialog sends back to say which facts it showed."""
        told = [
            [[str(one.id), one.balance, one.subscription] for one in self.people],
            [[str(one.user_id), one.link_id, one.is_primary, one.stays] for one in self.shares],
        ]
        text = json.dumps(told, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @cached_property
    def sole(self) -> list[Share]:
        """Primary shares in links that nobody who stays owns."""
        return [share for share in self.shares if share.is_primary and share.stays is None]

    @cached_property
    def shared(self) -> list[Share]:
        """Primary shares in links that somebody who stays owns as well."""
        return [share for share in self.shares if share.is_primary and share.stays is not None]

    @cached_property
    def co_owned(self) -> list[Share]:
        """Shares as a co-owner."""
        return [share for share in self.shares if not share.is_primary]


def plan(session: Session, user_ids: Collection[UUID]) -> DeletionPlan:
    """What deleting these people would do now: three statements, however many links.

    Those who do not exist are left out.
    """
    return DeletionPlan(leavers(session, user_ids), shares(session, user_ids))


def leavers(session: Session, user_ids: Collection[UUID]) -> tuple[Leaver, ...]:
    """The people, in the order of their keys."""
    newest = aliased(Subscription)
    latest = (
        select(newest.id)
        .where(newest.user_id == User.id, newest.status.in_(LIVE))
        .correlate(User)  # two levels up: by itself only the next one is looked at
        .order_by(newest.created_at.desc(), newest.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    running = select(Subscription.id).where(Subscription.id == latest)
    statement = (
        select(
            User.id,
            User.email,
            User.display_name,
            User.role,
            User.credits_balance,
            select(Admin.id).where(Admin.user_id == User.id).scalar_subquery().label("staff_id"),
            running.with_only_columns(Subscription.tier).scalar_subquery().label("tier"),
            running.with_only_columns(Subscription.status).scalar_subquery().label("status"),
        )
        .where(User.id.in_(user_ids))
        .order_by(User.id)
    )
    return tuple(
        Leaver(
            id=row.id,
            email=row.email,
            name=row.display_name,
            balance=row.credits_balance,
            subscription=(row.tier, row.status) if row.status else None,
            is_staff=row.staff_id is not None or row.role != User.ROLES[0],
        )
        for row in session.execute(statement)
    )


def shares(session: Session, user_ids: Collection[UUID]) -> tuple[Share, ...]:
    """Every share these people have in links, in the order of the links.

    One statement reads all owners of those links in their standing: to look for who stays link
    by link would cost more than everything else a deletion does.
    """
    owner = _people.alias("owner")
    address = select(owner.c.email).where(owner.c.id == _shares.c.user_id).scalar_subquery()
    statement = (
        select(
            _shares.c.link_id,
            # as text: making a UUID of each row would cost more than reading it
            cast(_shares.c.user_id, String),
            _shares.c.is_primary,
            _links.c.slug,
            case((_shares.c.user_id.not_in(user_ids), address)),
        )
        .join_from(_shares, _links, _links.c.id == _shares.c.link_id)
        .where(_shares.c.link_id.in_(holds(user_ids)))
        .order_by(
            _shares.c.link_id,
            _shares.c.is_primary.desc(),
            _shares.c.created_at,
            _shares.c.user_id,
        )
    )
    stored = {form: key for key in user_ids for form in (key.hex, str(key))}
    rows = session.connection().execute(statement).all()
    stays: dict[int, str] = {}
    for link_id, _who, _primary, _slug, email in rows:
        if email is not None:
            stays.setdefault(link_id, email)
    return tuple(
        Share(stored[who], link_id, slug, primary, stays.get(link_id))
        for link_id, who, primary, slug, email in rows
        if email is None
    )


def holds(user_ids: Collection[UUID]) -> Any:
    """The keys of the links these people have a share in."""
    held = _shares.alias("held")
    return select(held.c.link_id).where(held.c.user_id.in_(user_ids))
