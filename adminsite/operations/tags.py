"""Tags: words that group links; two names that fold together are one tag.

Source: D-23, docs/rules.md.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from adminsite.audit import record
from adminsite.db import db
from adminsite.errors import InvalidError
from adminsite.models import LinkTag, Tag
from adminsite.operations import rules
from adminsite.operations.versions import Saved, finish, lock, reconcile, write
from adminsite.permissions import Actor, Permission, require

FIELDS = ("name",)
RULES: dict[str, rules.Rule] = {"name": rules.tag}


def create(values: Mapping[str, object], *, by: Actor) -> Tag:
    """Add a tag that no link carries yet.

    Raises:
        ForbiddenError: the person may not change tags.
        InvalidError: the name breaks its rule, or is that of another tag.

    Source: D-23.
    """
    require(by, Permission.TAGS_WRITE)
    name: str = rules.complete(values, RULES)["name"]
    _refuse_taken(name)
    tag = _add(name, by)
    db.session.flush()
    return tag


def update(
    tag: Tag, values: Mapping[str, object], *, by: Actor, seen: int | None = None
) -> Saved[Tag]:
    """Rename a tag on all its links; it never becomes one with another tag.

    Raises:
        ForbiddenError: the person may not change tags.
        InvalidError: the name breaks its rule, or is that of another tag.
        ConflictError: somebody else renamed it meanwhile.
        MissingError: it was deleted meanwhile.

    Source: D-23.
    """
    require(by, Permission.TAGS_WRITE)
    lock(tag)
    apply, merged = reconcile(tag, rules.check(values, RULES), seen, FIELDS)
    if apply:
        slug = rules.fold(apply["name"])
        if slug != tag.slug:
            _refuse_taken(apply["name"])
        tag.slug = slug
        finish(tag, "tag.updated", write(tag, apply), by=by)
    return Saved(tag, tuple(apply), merged)


def delete(tag: Tag, *, by: Actor) -> None:
    """Remove a tag and take it off its links; the links stay.

    Raises:
        ForbiddenError: the person may not change tags.
        MissingError: it was deleted meanwhile.
    """
    require(by, Permission.TAGS_WRITE)
    lock(tag)
    changes = {"name": [tag.name, None], "links": [count_links(tag), None]}
    record("tag.deleted", tag, changes, by=by)
    db.session.delete(tag)
    db.session.flush()


def count_links(tag: Tag) -> int:
    """How many links carry the tag."""
    count = select(func.count()).select_from(LinkTag).where(LinkTag.tag_id == tag.id)
    return db.session.scalar(count) or 0


def obtain(names: Iterable[str], *, by: Actor) -> dict[str, Tag]:
    """The tags of these clean names by folded name; those that are new are made.

    Raises:
        ForbiddenError: a tag would have to be made and the person may not.

    Source: D-23.
    """
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(rules.fold(name), name)
    found = _stored(wanted.keys())
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        require(by, Permission.TAGS_WRITE)
        found |= _make([wanted[slug] for slug in missing], by)
    return found


def _make(names: list[str], by: Actor) -> dict[str, Tag]:
    """Make the tags; when another transaction was first with one, take that one's."""
    try:
        with db.session.begin_nested():
            made = [Tag(name=name, slug=rules.fold(name)) for name in names]
            db.session.add_all(made)
    except IntegrityError:
        return obtain(names, by=by)
    for tag in made:
        record("tag.created", tag, {"name": [None, tag.name]}, by=by)
    return {tag.slug: tag for tag in made}


def _add(name: str, by: Actor) -> Tag:
    tag = Tag(name=name, slug=rules.fold(name))
    db.session.add(tag)
    record("tag.created", tag, {"name": [None, name]}, by=by)
    return tag


def _stored(slugs: Collection[str]) -> dict[str, Tag]:
    rows = db.session.scalars(select(Tag).where(Tag.slug.in_(slugs))) if slugs else ()
    return {tag.slug: tag for tag in rows}


def _refuse_taken(name: str) -> None:
    other = db.session.scalar(select(Tag).where(Tag.slug == rules.fold(name)))
    if other is not None:
        count = count_links(other)
        links = "1 link" if count == 1 else f"{count:,} links"
        raise InvalidError(
            {
                "name": f"A tag called `{other.name}` exists ({links}). Choose another name, "
                "or put that tag on the links instead."
            }
        )
