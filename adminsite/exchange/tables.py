"""What import and export need to know of a resource: its columns, and its rows in them.

Source: data/README.md, section Files.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from adminsite import queries
from adminsite.db import db
from adminsite.models import Keyword, Link, User
from adminsite.operations import rules, users
from adminsite.permissions import Actor
from adminsite.resources import KEYWORDS, LINKS, USERS, Resource

Values = dict[str, Any]
Related = Callable[[Session, Sequence[int]], dict[int, list[str]]]
MayUpdate = Callable[[Any, Collection[str], Actor], None]
MayCreate = Callable[[Values, Actor], None]
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of the database in the columns of the file, and its key."""

    pk: Any
    values: Values


def _anything(*_asked: object) -> None:
    """No rule but those of the fields."""


@dataclass(frozen=True, slots=True)
class Table:
    """A resource as a file; its first column is what a row is called by.

    Attributes:
        resource: its operations and columns.
        called: the database column that holds that name in lower case, each once.
        lists: columns of several words, and how they are read.
        people: those of them that name people by their addresses, the first being special.
        may_create: raises what adding a row of these values would be refused for.
        may_update: raises what changing these columns of a stored row would be refused for.
    """

    resource: Resource
    called: Any
    lists: Mapping[str, Related] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    may_create: MayCreate = _anything
    may_update: MayUpdate = _anything

    @property
    def columns(self) -> tuple[str, ...]:
        """The header of the file."""
        return self.resource.fields

    def name_of(self, values: Values) -> str:
        """What the row is called, as it is compared."""
        return str(values[self.columns[0]]).lower()

    def stored(self, names: Collection[str]) -> dict[str, Stored]:
        """The rows of these names."""
        return {self.name_of(row.values): row for row in self._read(self.called.in_(names))}

    def chunks(self, where: Sequence[ColumnElement[bool]] = ()) -> Iterator[list[Stored]]:
        """All rows in the order of their keys, some at a time, each once."""
        after: tuple[ColumnElement[bool], ...] = ()
        while rows := self._read(*where, *after, limit=CHUNK):
            yield rows
            after = (self.resource.model.id > rows[-1].pk,)

    def _read(self, *where: ColumnElement[bool], limit: int | None = None) -> list[Stored]:
        model, session = self.resource.model, db.session()
        single = [getattr(model, name) for name in self.columns if name not in self.lists]
        query = select(model.id, *single).where(*where).order_by(model.id).limit(limit)
        found = session.execute(query).mappings().all()
        ids = [row["id"] for row in found]
        several = {name: read(session, ids) for name, read in self.lists.items()} if ids else {}
        return [
            Stored(
                row["id"],
                {
                    name: several[name].get(row["id"], []) if name in several else row[name]
                    for name in self.columns
                },
            )
            for row in found
        ]


def as_cells(values: Values) -> list[str]:
    """The values as text, several words with semicolons between them."""
    return [
        rules.SEPARATOR.join(value) if isinstance(value, list) else value or ""
        for value in values.values()
    ]


def _tags(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    found = queries.links.tags_of(session, ids)
    return {link: [tag.name for tag in tags] for link, tags in found.items()}


def _owners(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    found = queries.links.owners_of(session, ids)
    return {link: [owner.email for owner in owners] for link, owners in found.items()}


def _may_update_user(pk: Any, changed: Collection[str], by: Actor) -> None:
    user = db.session.get(User, pk)
    if user is not None and "role" in changed:
        users.check_role_change(user, by=by)


TABLES = {
    "users": Table(
        USERS, User.email_key, may_create=users.check_new_role, may_update=_may_update_user
    ),
    "links": Table(LINKS, Link.slug, {"tags": _tags, "owners": _owners}, people=("owners",)),
    "keywords": Table(KEYWORDS, Keyword.keyword),
}
KINDS = tuple(TABLES)
