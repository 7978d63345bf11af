"""The audit, read: what was done to which record, and what belongs to an event."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, literal, null, select
from sqlalchemy.orm import Session, load_only

from adminsite.db import Base
from adminsite.models import AuditEvent

SUBJECT_TYPES = tuple(sorted(t.removesuffix("s") for t in Base.metadata.tables))
LINE = (  # what a line about an event is drawn from; what it changed may be long
    AuditEvent.at,
    AuditEvent.actor_email,
    AuditEvent.action,
    AuditEvent.subject_type,
    AuditEvent.subject_id,
    AuditEvent.subject_label,
)


class Subject(NamedTuple):
    """The record an event is about, by the name it had."""

    kind: str | None
    key: str | None
    label: str | None


class Around(NamedTuple):
    """The events before and after one, of the same record."""

    before: int | None
    after: int | None


def actions(session: Session) -> list[str]:
    """Every action on record, in order: one look into the index for each, however many events."""
    first = select(func.min(AuditEvent.action).label("action")).cte("stored", recursive=True)
    after = select(func.min(AuditEvent.action)).where(AuditEvent.action > first.c.action)
    more = select(after.scalar_subquery()).where(first.c.action.is_not(None))
    stored = first.union_all(more)
    found = session.scalars(select(stored.c.action).where(stored.c.action.is_not(None)))
    return list(found)


def about(kind: str | None, key: str) -> ColumnElement[bool]:
    """The events about the record with this key; without its kind, about all with that key."""
    kinds = [kind] if kind else SUBJECT_TYPES
    return and_(AuditEvent.subject_type.in_(kinds), AuditEvent.subject_id == key)


def done_by(actor: UUID | str) -> ColumnElement[bool]:
    """What somebody did; who is no person is known by the name alone."""
    if isinstance(actor, UUID):
        return AuditEvent.actor_id == actor
    return and_(AuditEvent.actor_id.is_(None), AuditEvent.actor_email == actor)


def actor_email(session: Session, actor_id: UUID) -> str | None:
    """The address somebody last acted under, also when they are gone; None for nobody."""
    # not "equal": a planner that knows the first column to be one walks through time instead
    theirs = select(AuditEvent.actor_email).where(AuditEvent.actor_id.between(actor_id, actor_id))
    by_index = (AuditEvent.actor_id.desc(), AuditEvent.at.desc(), AuditEvent.id.desc())
    return session.scalar(theirs.order_by(*by_index).limit(1))


def subjects(session: Session, ids: Collection[int]) -> dict[int, Subject]:
    """What these events are about: one statement."""
    columns = (AuditEvent.subject_type, AuditEvent.subject_id, AuditEvent.subject_label)
    found = session.execute(select(AuditEvent.id, *columns).where(AuditEvent.id.in_(ids)))
    return {key: Subject(*told) for key, *told in found}


def changes(session: Session, ids: Collection[int], longest: int) -> dict[int, Any]:
    """What these events changed; None where that takes more characters than `longest`."""
    length = func.length(cast(AuditEvent.changes, Text))
    short = case((length <= longest, AuditEvent.changes), else_=null())
    found = session.execute(select(AuditEvent.id, short).where(AuditEvent.id.in_(ids)))
    return {row[0]: row[1] for row in found}


def of_request(session: Session, event: AuditEvent, limit: int) -> Sequence[AuditEvent]:
    """Other events of the same request, in order; no more than `limit`."""
    if event.request_id is None:
        return []
    statement = (
        select(AuditEvent)
        .where(AuditEvent.request_id == event.request_id, AuditEvent.id != event.id)
        .order_by(AuditEvent.at, AuditEvent.id)
        .options(load_only(*LINE))
    )
    return session.scalars(statement.limit(limit)).all()


def around(session: Session, event: AuditEvent) -> Around:
    """The events before and after this one that are about the same record: one statement."""
    if event.subject_type is None or event.subject_id is None:
        return Around(None, None)
    same = and_(
        AuditEvent.subject_type == event.subject_type, AuditEvent.subject_id == event.subject_id
    )
    key = literal(event.id, AuditEvent.id.type)
    before = select(func.max(AuditEvent.id)).where(same, AuditEvent.id < key).scalar_subquery()
    after = select(func.min(AuditEvent.id)).where(same, AuditEvent.id > key).scalar_subquery()
    return Around(*session.execute(select(before, after)).one())


def reaches(session: Session, count: int) -> bool:
    """Whether there are more events than so many; their ids leave no gaps."""
    return (session.scalar(select(func.max(AuditEvent.id))) or 0) > count
