"""What the database holds, and rules that refuse without a trace in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeAlias, TypeVar, cast
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select

from adminsite import audit
from adminsite.db import Base, db, transaction, utc_now
from adminsite.errors import RuleError
from adminsite.models import Admin, ApiToken, AuditEvent, Link, LinkOwner, User, UserSession
from adminsite.operations.links import STANDING
from tests.factories import AdminFactory, UserFactory, save

Refusal = TypeVar("Refusal", bound=RuleError)
Everything: TypeAlias = dict[str, list[tuple[Any, ...]]]


def everything() -> Everything:
    """Every row of every table."""
    connection = db.session.connection()
    return {
        table.name: [
            tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
        ]
        for table in Base.metadata.sorted_tables
    }


@contextmanager
def refused(
    kind: type[Refusal], said: str | None = None
) -> Iterator[pytest.ExceptionInfo[Refusal]]:
    """A write transaction that a rule refuses, and that leaves every row as it was."""
    before = everything()
    with pytest.raises(kind, match=said) as refusal, transaction():
        yield refusal
    assert issubclass(refusal.type, kind)
    assert everything() == before


def count(model: type[Base], *where: Any) -> int:
    """How many rows meet the conditions."""
    return db.session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def events() -> Sequence[AuditEvent]:
    """All events, the first one first."""
    return db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()


def actions() -> list[str]:
    """What the events say was done, in order."""
    return [event.action for event in events()]


def owners(slug: str) -> list[str]:
    """The addresses of a link's owners: the one primary owner, then the others by standing."""
    rows = db.session.execute(
        select(User.email, LinkOwner.is_primary)
        .select_from(LinkOwner)
        .join(User, User.id == LinkOwner.user_id)
        .join(Link, Link.id == LinkOwner.link_id)
        .where(Link.slug == slug)
        .order_by(*STANDING)
    ).all()
    assert [row.is_primary for row in rows] == [place == 0 for place in range(len(rows))]
    return [row.email for row in rows]


def staff(level: str = "admin", status: str = "active", **person: Any) -> Admin:
    """A saved staff record of somebody new: `staff("owner", email="boss@example.com")`."""
    role = "admin" if status == "active" else "user"
    user = UserFactory(role=role, **person)
    return cast("Admin", AdminFactory(user=user, role=level, status=status))


def own_many(owner: User, co_owner: User, how_many: int) -> None:
    """Save that many links of the owner; the other one co-owns every second."""
    slugs = [
        {"slug": f"many-{number}", "url": "https://example.com/"} for number in range(how_many)
    ]
    keys = db.session.scalars(insert(Link).returning(Link.id), slugs).all()
    shares = [
        {"link_id": key, "user_id": one.id, "is_primary": one is owner, "created_at": utc_now()}
        for one, held in ((owner, keys), (co_owner, keys[::2]))
        for key in held
    ]
    db.session.execute(insert(LinkOwner), shares)
    db.session.info.pop(audit.BULK, None)  # nothing tells of them
    if db.engine.dialect.name == "postgresql":
        # It may have last looked when a test had emptied the tables, and would plan for that.
        db.session.connection().exec_driver_sql("ANALYZE links, link_owners")
    db.session.commit()


def let_in(user: User, *, sessions: int = 0, tokens: int = 0) -> None:
    """Save that many sessions and API tokens of the person."""
    later = utc_now() + timedelta(hours=1)
    save(
        *(
            UserSession(user_id=user.id, token_hash=uuid4().hex, expires_at=later)
            for _ in range(sessions)
        ),
        *(
            ApiToken(user_id=user.id, name="Backup", token_hash=uuid4().hex, prefix="adm_abcdef")
            for _ in range(tokens)
        ),
    )


def access(user: User) -> tuple[int, int]:
    """How many sessions the person has open, and how many tokens that work."""
    return (
        count(UserSession, UserSession.user_id == user.id),
        count(ApiToken, ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None)),
    )
