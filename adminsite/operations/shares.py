"""Shares: what becomes of the links of people who leave, set by set, in a handful of statements.

Every link keeps exactly one primary owner; the database allows no moment with two.

Source: D-16, R-001-41 to R-001-49.
"""

from collections.abc import Collection
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, and_, delete, exists, false, select, true, tuple_, update

from adminsite.audit import AUDITED_DML
from adminsite.db import db, utc_now
from adminsite.models import Link, LinkOwner
from adminsite.queries import deletion

_shares, _links = cast("Table", LinkOwner.__table__), cast("Table", Link.__table__)
_others = _shares.alias("others")


def lock_links(people: Collection[UUID]) -> frozenset[int] | None:
    """Lock every link these people have a share in, in the order of keys; their keys.

    None on SQLite, which has locked the whole database already.
    """
    session = db.session()
    if session.get_bind().dialect.name == "sqlite":
        return None
    wanted = select(_links.c.id).where(_links.c.id.in_(deletion.holds(people)))
    locked = wanted.order_by(_links.c.id).with_for_update(key_share=True)
    return frozenset(session.connection().scalars(locked))


def delete_unowned(people: Collection[UUID]) -> None:
    """Delete the links that nobody but these people owns, with their shares and tags."""
    stays = exists().where(_others.c.link_id == _links.c.id, _others.c.user_id.not_in(people))
    _run(delete(_links).where(_links.c.id.in_(deletion.holds(people)), ~stays))


def leave_to_co_owners(people: Collection[UUID]) -> None:
    """Make the longest-standing co-owner who stays the primary one of each link."""
    earlier = exists().where(
        _others.c.link_id == _shares.c.link_id,
        _others.c.user_id.not_in(people),
        tuple_(_others.c.created_at, _others.c.user_id)
        < tuple_(_shares.c.created_at, _shares.c.user_id),
    )
    _step_down(people)
    _promote(people, and_(_shares.c.user_id.not_in(people), ~earlier))


def reassign(people: Collection[UUID], to: UUID, *, shared: bool) -> None:
    """Give their primary shares to somebody else, who may be co-owner of some already.

    Args:
        shared: whether anybody who stays owns one of the links, as that somebody might.
    """
    if shared:
        has_one = exists().where(_others.c.link_id == _shares.c.link_id, _others.c.user_id == to)
        _step_down(people, has_one)
        _promote(people, _shares.c.user_id == to)
    theirs = and_(_shares.c.user_id.in_(people), _shares.c.is_primary)
    _run(update(_shares).where(theirs).values(user_id=to, created_at=utc_now()))


def _step_down(people: Collection[UUID], *where: Any) -> None:
    theirs = and_(_shares.c.user_id.in_(people), _shares.c.is_primary, *where)
    _run(update(_shares).where(theirs).values(is_primary=false()))


def _promote(people: Collection[UUID], who: Any) -> None:
    """Make them primary where, of the links of these people, nobody is."""
    primary = exists().where(_others.c.link_id == _shares.c.link_id, _others.c.is_primary)
    orphaned = and_(_shares.c.link_id.in_(deletion.holds(people)), ~primary)
    _run(update(_shares).where(orphaned, who).values(is_primary=true()))


def _run(statement: Any) -> None:
    told = {AUDITED_DML: True, "synchronize_session": False}  # by the event of each person
    db.session.execute(statement, execution_options=told)
