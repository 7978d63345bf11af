"""Keywords: one word that expands a URL template.

Source: R-001-28 to R-001-36, D-19, D-23.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from adminsite.audit import created, record, removed
from adminsite.db import db
from adminsite.errors import InvalidError
from adminsite.models import Keyword
from adminsite.operations import rules
from adminsite.operations.rules import expand
from adminsite.operations.versions import Saved, finish, lock, reconcile, write
from adminsite.permissions import Actor, Permission, require

__all__ = ["FIELDS", "RULES", "checked", "create", "create_many", "delete", "expand", "update"]

FIELDS = ("url_template", "description")
RULES: dict[str, rules.Rule] = {
    "keyword": rules.keyword,
    "url_template": rules.url_template,
    "description": rules.description,
}


def checked(values: Mapping[str, object], *, by: Actor) -> dict[str, Any]:  # noqa: ARG001 - as in the others
    """The values of a new keyword as they will be stored.

    Raises:
        InvalidError: a field breaks its rule.

    Source: D-23.
    """
    return rules.complete(values, RULES)


def create(values: Mapping[str, object], *, by: Actor) -> Keyword:
    """Add a keyword.

    Raises:
        ForbiddenError: the person may not change keywords.
        InvalidError: a field breaks its rule, or the keyword is taken.

    Source: R-001-28, R-001-33, R-001-34.
    """
    return create_many([values], by=by)[0]


def create_many(batch: Sequence[Mapping[str, object]], *, by: Actor) -> list[Keyword]:
    """Add keywords with as few statements as one needs.

    Raises:
        ForbiddenError: the person may not change keywords.
        InvalidError: a field of one breaks its rule, or a keyword is taken.
    """
    require(by, Permission.KEYWORDS_WRITE)
    clean = [checked(values, by=by) for values in batch]
    _refuse_taken([values["keyword"] for values in clean])
    rows = [Keyword(**values) for values in clean]
    db.session.add_all(rows)
    for row in rows:
        record("keyword.created", row, created(row, RULES), by=by)
    db.session.flush()
    return rows


def update(
    keyword: Keyword, values: Mapping[str, object], *, by: Actor, seen: int | None = None
) -> Saved[Keyword]:
    """Change the template or the description; the keyword itself is fixed.

    Raises:
        ForbiddenError: the person may not change keywords.
        InvalidError: a field breaks its rule, or the keyword would change.
        ConflictError: somebody else changed the same field meanwhile.
        MissingError: it was deleted meanwhile.

    Source: D-19, D-23.
    """
    require(by, Permission.KEYWORDS_WRITE)
    lock(keyword)
    clean = rules.check(values, RULES | {"keyword": rules.fixed("keyword", keyword.keyword)})
    apply, merged = reconcile(keyword, clean, seen, FIELDS)
    if apply:
        finish(keyword, "keyword.updated", write(keyword, apply), by=by)
    return Saved(keyword, tuple(apply), merged)


def delete(keyword: Keyword, *, by: Actor) -> None:
    """Remove a keyword.

    Raises:
        ForbiddenError: the person may not change keywords.
        MissingError: it was deleted meanwhile.

    Source: R-001-36.
    """
    require(by, Permission.KEYWORDS_WRITE)
    lock(keyword)
    record("keyword.deleted", keyword, removed(keyword, RULES), by=by)
    db.session.delete(keyword)
    db.session.flush()


def _refuse_taken(words: list[str]) -> None:
    taken = set(db.session.scalars(select(Keyword.keyword).where(Keyword.keyword.in_(words))))
    for word in words:
        if word in taken:
            sentence = f"A keyword called `{word}` exists. Choose another, or edit that one."
            raise InvalidError({"keyword": sentence})
        taken.add(word)
