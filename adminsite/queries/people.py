"""People: what is shown of one person, and beside each person of a list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from adminsite.models import (
    Admin,
    ApiToken,
    AuditEvent,
    CreditTransaction,
    Link,
    LinkOwner,
    Subscription,
    User,
    UserSession,
)
from adminsite.queries import subscriptions


def own_links(session: Session, user_id: UUID, limit: int) -> Sequence[Any]:
    """The newest links that a person owns alone or with others (D-27: nobody else's)."""
    statement = (
        select(Link.slug, Link.url, Link.title, LinkOwner.is_primary.label("primary"))
        .join(LinkOwner, LinkOwner.link_id == Link.id)
        .where(LinkOwner.user_id == user_id)
        .order_by(Link.created_at.desc(), Link.id.desc())
    )
    return session.execute(statement.limit(limit)).all()


def count_own_links(session: Session, user_id: UUID) -> int:
    """How many links a person owns."""
    statement = select(func.count()).where(LinkOwner.user_id == user_id)
    return session.scalar(statement) or 0


def own_sessions(session: Session, user_id: UUID, now: datetime) -> Sequence[UserSession]:
    """Where a person is signed in, the latest use first."""
    statement = (
        select(UserSession)
        .where(UserSession.user_id == user_id, UserSession.expires_at > now)
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
    )
    return session.scalars(statement).all()


def own_tokens(session: Session, user_id: UUID, now: datetime) -> Sequence[ApiToken]:
    """A person's API tokens that still work, the newest first."""
    statement = (
        select(ApiToken)
        .where(
            ApiToken.user_id == user_id,
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
        )
        .order_by(ApiToken.id.desc())
    )
    return session.scalars(statement).all()


def links_owned(session: Session, user_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many links each of these people owns, alone or with others."""
    statement = (
        select(LinkOwner.user_id, func.count())
        .where(LinkOwner.user_id.in_(user_ids))
        .group_by(LinkOwner.user_id)
    )
    counts = {row[0]: row[1] for row in session.connection().execute(statement)}
    return {user_id: counts.get(user_id, 0) for user_id in user_ids}


def staff_among(session: Session, user_ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """The level and status of those of these people who have a staff record."""
    table = Admin.__table__
    statement = select(table.c.user_id, table.c.role, table.c.status).where(
        table.c.user_id.in_(user_ids)
    )
    return {row[0]: (row[1], row[2]) for row in session.connection().execute(statement)}


def newest_subscription(session: Session, user_id: UUID) -> Subscription | None:
    """The subscription that counts: the newest (D-25)."""
    return next(iter(subscriptions.of_person(session, user_id, 1)), None)


def recent_transactions(session: Session, user_id: UUID, limit: int) -> Sequence[CreditTransaction]:
    """A person's newest ledger entries."""
    statement = select(CreditTransaction).where(CreditTransaction.user_id == user_id)
    return session.scalars(statement.order_by(CreditTransaction.id.desc()).limit(limit)).all()


def timeline(
    session: Session, user_id: UUID, staff_id: int | None, limit: int
) -> Sequence[AuditEvent]:
    """The newest events about a person and their staff record."""

    def about(kind: str, key: object) -> Sequence[AuditEvent]:
        of_it = (AuditEvent.subject_type == kind, AuditEvent.subject_id == str(key))
        statement = select(AuditEvent).where(*of_it).order_by(AuditEvent.id.desc())
        return session.scalars(statement.limit(limit)).all()

    found = [*about("user", user_id), *(about("admin", staff_id) if staff_id else ())]
    return sorted(found, key=lambda event: event.id, reverse=True)[:limit]


def staff_like(term: str, role: str | None, status: str | None) -> list[ColumnElement[bool]]:
    """The staff whose address or name holds the term, as a condition for the two below.

    Args:
        term: folded, as `db.folded` does (D-24); empty for everybody.
        role: the level, if it matters.
        status: likewise.
    """
    return _like(term, {Admin.role: role, Admin.status: status})


def staff(
    session: Session, which: Sequence[ColumnElement[bool]], limit: int, offset: int
) -> Sequence[Admin]:
    """Staff records with their people, the newest first."""
    statement = (
        select(Admin)
        .join(Admin.user)
        .options(contains_eager(Admin.user))
        .where(*which)
        .order_by(Admin.created_at.desc(), Admin.id.desc())
    )
    return session.scalars(statement.limit(limit).offset(offset)).all()


def count_staff(session: Session, which: Sequence[ColumnElement[bool]]) -> int:
    """How many there are."""
    return (
        session.scalar(select(func.count()).select_from(Admin).join(Admin.user).where(*which)) or 0
    )


def people_like(term: str, role: str | None, status: str | None) -> list[ColumnElement[bool]]:
    """The people whose address or name holds the term, as a condition for the two below.

    Args:
        term: folded, as `db.folded` does (D-24); empty for everybody.
        role: theirs, if it matters.
        status: of the subscription, likewise.
    """
    return _like(term, {User.role: role, User.subscription_status: status})


def people(
    session: Session, which: Sequence[ColumnElement[bool]], limit: int, offset: int
) -> Sequence[User]:
    """People, the newest first."""
    statement = select(User).where(*which).order_by(User.created_at.desc(), User.id.desc())
    return session.scalars(statement.limit(limit).offset(offset)).all()


def count_people(session: Session, which: Sequence[ColumnElement[bool]]) -> int:
    """How many there are."""
    return session.scalar(select(func.count()).select_from(User).where(*which)) or 0


def _like(term: str, words: Mapping[Any, str | None]) -> list[ColumnElement[bool]]:
    which = [column == word for column, word in words.items() if word]
    return [*which, User.search_text.contains(term, autoescape=True)] if term else which
