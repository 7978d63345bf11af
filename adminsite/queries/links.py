"""Links and tags: what lists show of other tables, and what pickers offer."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, select
from sqlalchemy.orm import Session

from adminsite.models import Link, LinkOwner, LinkTag, Tag, User

FEW_OWNERS = 50

# Statements of every list page: built once, over tables, so that no entity is made.
_owners, _people = LinkOwner.__table__, User.__table__
_OWNERS = (
    select(
        _owners.c.link_id,
        _people.c.id,
        _people.c.display_name,
        _people.c.email,
        _owners.c.is_primary,
    )
    .join_from(_owners, _people, _people.c.id == _owners.c.user_id)
    .where(_owners.c.link_id.in_(bindparam("ids", expanding=True)))
    .order_by(_owners.c.is_primary.desc(), _owners.c.created_at, _people.c.email_key)
)
_tagged, _tags = LinkTag.__table__, Tag.__table__
_TAGS = (
    select(_tagged.c.link_id, _tags.c.id, _tags.c.name)
    .join_from(_tagged, _tags, _tags.c.id == _tagged.c.tag_id)
    .where(_tagged.c.link_id.in_(bindparam("ids", expanding=True)))
    .order_by(_tags.c.name)
)


def owners_of(session: Session, link_ids: Sequence[int]) -> dict[int, list[Any]]:
    """The owners of these links, the primary one first, then by how long they are there.

    Each: link_id, id, display_name, email, is_primary.
    """
    return _grouped(session, _OWNERS, link_ids)


def tags_of(session: Session, link_ids: Sequence[int]) -> dict[int, list[Any]]:
    """The tags of these links, by name; each: link_id, id, name."""
    return _grouped(session, _TAGS, link_ids)


def _grouped(session: Session, statement: Any, ids: Sequence[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in session.connection().execute(statement, {"ids": ids}):
        found.setdefault(row[0], []).append(row)
    return found


def link_counts(session: Session, tag_ids: Sequence[int]) -> dict[int, int]:
    """How many links carry each of these tags."""
    statement = (
        select(LinkTag.tag_id, func.count())
        .where(LinkTag.tag_id.in_(tag_ids))
        .group_by(LinkTag.tag_id)
    )
    counts = {row[0]: row[1] for row in session.connection().execute(statement)}
    return {tag_id: counts.get(tag_id, 0) for tag_id in tag_ids}


def owner_named(session: Session, term: str) -> ColumnElement[bool] | None:
    """Links of which an owner's display name holds the lower-cased term; None when nobody's does.

    A few matching people are looked up once; many are better met link by link (EXISTS), since
    the list then soon has enough of them.
    """
    named = name_holds(session, term)
    people = list(session.scalars(select(User.id).where(named).limit(FEW_OWNERS + 1)))
    if not people:
        return None
    if len(people) <= FEW_OWNERS:
        return Link.id.in_(select(LinkOwner.link_id).where(LinkOwner.user_id.in_(people)))
    owned = and_(LinkOwner.link_id == Link.id, LinkOwner.user_id == User.id, named)
    return exists().where(owned).correlate(Link)


def name_holds(session: Session, term: str) -> ColumnElement[bool]:
    """People whose display name holds the lower-cased term: the part after the e-mail (D-24)."""
    name = func.substr(User.search_text, func.length(User.email_key) + 2)
    sqlite = session.get_bind().dialect.name == "sqlite"
    return (func.instr(name, term) if sqlite else func.strpos(name, term)) > 0


def owned_by(user_id: UUID) -> ColumnElement[bool]:
    """Links that this person owns, alone or with others."""
    return exists().where(LinkOwner.link_id == Link.id, LinkOwner.user_id == user_id)


def tagged(tag_id: int) -> ColumnElement[bool]:
    """Links that carry this tag."""
    return exists().where(LinkTag.link_id == Link.id, LinkTag.tag_id == tag_id)


def people_like(session: Session, term: str, limit: int) -> Sequence[Any]:
    """People whose e-mail or name holds the lower-cased term, by name."""
    statement = select(User.id, User.display_name, User.email).order_by(User.display_name, User.id)
    if term:
        sqlite = session.get_bind().dialect.name == "sqlite"
        position = func.instr if sqlite else func.strpos
        statement = statement.where(position(User.search_text, term) > 0)
    return session.execute(statement.limit(limit)).all()


def tags_like(session: Session, term: str, limit: int) -> Sequence[Any]:
    """Tags whose name holds the lower-cased term, by name."""
    statement = select(Tag.id, Tag.name).order_by(Tag.name, Tag.id)
    if term:
        sqlite = session.get_bind().dialect.name == "sqlite"
        position = func.instr if sqlite else func.strpos
        statement = statement.where(position(Tag.search_text, term) > 0)
    return session.execute(statement.limit(limit)).all()
