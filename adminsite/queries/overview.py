"""The overview: how much there is, and what happened last."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.models import Keyword, Link, Tag


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
