"""Links: a short name that leads to a URL, its tags, and the people who own it.

Source: R-001-11 to R-001-25, D-16, D-23.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, insert, inspect, select
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.interfaces import ORMOption

from adminsite.audit import AUDITED_DML, created, record, removed
from adminsite.db import db, utc_now
from adminsite.errors import InvalidError, MissingError, RuleError
from adminsite.models import Link, LinkOwner, LinkTag, Tag, User
from adminsite.operations import rules, tags
from adminsite.operations.versions import Saved, finish, lock, reconcile, write
from adminsite.permissions import Actor, Permission, require

FIELDS = ("url", "title", "description", "tags")
COLUMNS = ("slug", "url", "title", "description")
RULES: dict[str, rules.Rule] = {
    "slug": rules.slug,
    "url": rules.url,
    "title": rules.title,
    "description": rules.description,
    "tags": rules.tags,
    "owners": rules.owners,
}
# What `delete` tells the audit about; load it along when deleting many.
RELATIONS: tuple[ORMOption, ...] = (
    selectinload(Link.owners).joinedload(LinkOwner.user),
    selectinload(Link.tags),
)
# The primary owner first, then by how long they own it.
STANDING = (LinkOwner.is_primary.desc(), LinkOwner.created_at, LinkOwner.user_id)


class PrimaryOwnerError(RuleError):
    """A link always has exactly one primary owner."""


def checked(values: Mapping[str, object], *, by: Actor) -> dict[str, Any]:
    """The values of a new link as they will be stored; whoever makes it owns it by default.

    Raises:
        InvalidError: a field breaks its rule.

    Source: D-23.
    """
    own = {"owners": [by.id]} if by.id else {}
    return rules.complete({**own, **values}, RULES)


def create(values: Mapping[str, object], *, by: Actor) -> Link:
    """Add a link; whoever makes it owns it unless owners are named.

    Raises:
        ForbiddenError: the person may not change links.
        InvalidError: a field breaks its rule, the slug is taken, an owner does not exist.

    Source: D-23.
    """
    return create_many([values], by=by)[0]


def create_many(batch: Sequence[Mapping[str, object]], *, by: Actor) -> list[Link]:
    """Add links with as few statements as one needs.

    Raises:
        ForbiddenError: the person may not change links.
        InvalidError: a field of one breaks its rule, a slug is taken, an owner does not exist.
    """
    require(by, Permission.LINKS_WRITE)
    clean = [checked(values, by=by) for values in batch]
    _refuse_taken([values["slug"] for values in clean])
    people = _emails(owner for values in clean for owner in values["owners"])
    known = tags.obtain((name for values in clean for name in values["tags"]), by=by)
    links = [Link(**{name: values[name] for name in COLUMNS}) for values in clean]
    db.session.add_all(links)
    for link, values in zip(links, clean, strict=True):
        named = {
            "tags": sorted(known[rules.fold(name)].name for name in values["tags"]),
            "owners": [people[owner] for owner in values["owners"]],
        }
        changes = created(link, COLUMNS) | {k: [None, v] for k, v in named.items() if v}
        record("link.created", link, changes, by=by)
    db.session.flush()
    _attach(links, clean, known)
    return links


def update(
    link: Link, values: Mapping[str, object], *, by: Actor, seen: int | None = None
) -> Saved[Link]:
    """Change what is named of a link; its slug is fixed.

    Raises:
        ForbiddenError: the person may not change links.
        InvalidError: a field breaks its rule, the slug would change, an owner does not exist.
        ConflictError: somebody else changed the same field meanwhile.
        MissingError: the link was deleted meanwhile.

    Source: R-001-11, R-001-13, R-001-52, R-001-53.
    """
    require(by, Permission.LINKS_WRITE)
    lock(link)
    clean = rules.check(values, RULES | {"slug": rules.fixed("slug", link.slug)})
    owners = clean.pop("owners", None)
    apply, merged = reconcile(link, clean, seen, FIELDS)
    if "tags" in apply:
        apply["tags"] = _sorted(tags.obtain(apply["tags"], by=by).values())
    changes = (_set_owners(link, owners) if owners else {}) | write(link, apply)
    if changes:
        finish(link, "link.updated", changes, by=by)
    return Saved(link, tuple(changes), merged)


def delete(link: Link, *, by: Actor) -> None:
    """Remove a link with its ownerships and tags.

    Raises:
        ForbiddenError: the person may not change links.
        MissingError: it was deleted meanwhile.

    Source: R-001-18, R-001-24.
    """
    require(by, Permission.LINKS_WRITE)
    lock(link)
    related = {name: [old, None] for name, old in _relations(link).items() if old}
    record("link.deleted", link, removed(link, COLUMNS) | related, by=by)
    db.session.delete(link)
    db.session.flush()


def add_owner(link: Link, user: User, *, by: Actor) -> Link:
    """Make a person co-owner of a link.

    Raises:
        ForbiddenError: the person may not change links.
        InvalidError: the user owns it already, or it has as many owners as it may.
        MissingError: the link was deleted meanwhile.

    Source: R-001-7, D-16.
    """
    require(by, Permission.LINKS_WRITE)
    lock(link)
    if _share(link, user) is not None:
        raise InvalidError({"user": f"{user.display_name} owns `{link.slug}` already."})
    return _change_owners(link, [*_owner_ids(link), user.id], by)


def remove_owner(link: Link, user: User, *, by: Actor) -> Link:
    """Take a co-owner off a link.

    Raises:
        ForbiddenError: the person may not change links.
        PrimaryOwnerError: the user is the primary owner.
        MissingError: the user does not own it, or the link was deleted meanwhile.

    Source: R-001-43, D-16.
    """
    require(by, Permission.LINKS_WRITE)
    lock(link)
    share = _share(link, user)
    if share is None:
        raise MissingError(f"{user.display_name} does not own `{link.slug}`.")
    if share.is_primary:
        raise PrimaryOwnerError(
            f"{user.display_name} is the primary owner of `{link.slug}`. "
            "Make somebody else primary first."
        )
    return _change_owners(link, [one for one in _owner_ids(link) if one != user.id], by)


def transfer(link: Link, user: User, *, by: Actor) -> Link:
    """Make a person the primary owner; the one before stays as co-owner.

    Raises:
        ForbiddenError: the person may not change links.
        InvalidError: the user is the primary owner already, or there are too many others.
        MissingError: the link was deleted meanwhile.

    Source: D-16.
    """
    require(by, Permission.LINKS_WRITE)
    lock(link)
    share = _share(link, user)
    if share is not None and share.is_primary:
        raise InvalidError({"user": f"{user.display_name} is the primary owner already."})
    others = [one for one in _owner_ids(link) if one != user.id]
    return _change_owners(link, [user.id, *others], by)


def _attach(
    links: Sequence[Link], batch: Sequence[Mapping[str, Any]], known: Mapping[str, Tag]
) -> None:
    """Write the owners and tags of new links; each link's own event tells of them.

    Rows, not objects: an import has five of them to a link.
    """
    owners = [
        {"link_id": link.id, "user_id": owner, "is_primary": place == 0, "created_at": moment}
        for link, values in zip(links, batch, strict=True)
        for place, (owner, moment) in enumerate(_standing(values["owners"]))
    ]
    carried = [
        {"link_id": link.id, "tag_id": known[rules.fold(name)].id}
        for link, values in zip(links, batch, strict=True)
        for name in values["tags"]
    ]
    told = {AUDITED_DML: True}
    for model, rows in ((LinkOwner, owners), (LinkTag, carried)):
        if rows:
            table = cast("Table", model.__table__)
            db.session.execute(insert(table), rows, execution_options=told)


def _standing(owners: list[UUID]) -> Iterator[tuple[UUID, datetime]]:
    """The owners, each a moment later than the one before: their order is kept (D-16)."""
    now = utc_now()
    for place, owner in enumerate(owners):
        yield owner, now + timedelta(microseconds=place)


def _sorted(rows: Iterable[Tag]) -> list[Tag]:
    return sorted(rows, key=lambda tag: tag.name)


def _change_owners(link: Link, owners: list[UUID], by: Actor) -> Link:
    if len(owners) > rules.OWNERS_PER_LINK:
        raise InvalidError({"user": f"A link has at most {rules.OWNERS_PER_LINK} owners."})
    finish(link, "link.updated", _set_owners(link, owners), by=by)
    db.session.expire(link, ["owners"])  # they come back in the order of standing
    return link


def _set_owners(link: Link, owners: list[UUID]) -> dict[str, list[Any]]:
    """Give the link these owners, the first as the primary one; what that changed.

    Raises:
        InvalidError: one of them does not exist.
    """
    stored = _owner_ids(link)
    if stored[:1] == owners[:1] and set(stored) == set(owners):
        return {}
    people = _emails([*stored, *owners])
    _step_down(link, owners[0])
    shares = {share.user_id: share for share in link.owners if share.user_id in owners}
    for owner, moment in _standing(owners):
        if owner not in shares:
            shares[owner] = LinkOwner(user_id=owner, created_at=moment)
    shares[owners[0]].is_primary = True
    link.owners = [shares[owner] for owner in owners]
    return {"owners": [[people[one] for one in ids] for ids in (stored, owners)]}


def _step_down(link: Link, successor: UUID) -> None:
    """End the primary ownership of anybody else.

    Written at once: the database allows no moment with two primary owners.
    """
    for share in link.owners:
        if share.is_primary and share.user_id != successor:
            share.is_primary = False
            db.session.flush()


def _owner_ids(link: Link) -> list[UUID]:
    return [share.user_id for share in link.owners]


def _share(link: Link, user: User) -> LinkOwner | None:
    return next((share for share in link.owners if share.user_id == user.id), None)


def _relations(link: Link) -> dict[str, list[str]]:
    """The names of the tags and the addresses of the owners, as loaded or by one query each."""
    missing = inspect(link).unloaded
    names, emails = (
        select(Tag.name).join(LinkTag).where(LinkTag.link_id == link.id).order_by(Tag.name),
        select(User.email).join(LinkOwner).where(LinkOwner.link_id == link.id).order_by(*STANDING),
    )
    return {
        "tags": list(db.session.scalars(names))
        if "tags" in missing
        else [tag.name for tag in link.tags],
        "owners": list(db.session.scalars(emails))
        if "owners" in missing
        else [share.user.email for share in link.owners],
    }


def _emails(owners: Iterable[UUID]) -> dict[UUID, str]:
    wanted = set(owners)
    rows = db.session.execute(select(User.id, User.email).where(User.id.in_(wanted)))
    people = {row.id: row.email for row in rows}
    if wanted - people.keys():
        raise InvalidError({"owners": "An owner does not exist, or no longer. Choose another."})
    return people


def _refuse_taken(slugs: list[str]) -> None:
    taken = set(db.session.scalars(select(Link.slug).where(Link.slug.in_(slugs))))
    for slug in slugs:
        if slug in taken:
            sentence = f"A link called `{slug}` exists. Choose another slug, or edit that one."
            raise InvalidError({"slug": sentence})
        taken.add(slug)
