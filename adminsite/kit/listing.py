"""Lists: what was asked for, the rows of one page by key, and a count that stops early.

A page costs the same at the start and at the end of a million rows: it begins after the last
row of the page before (keyset), never by counting rows off, and the count stops at
`COUNT_LIMIT`. The statements of a page do not grow with its length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import current_app
from sqlalchemy import ColumnElement, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from adminsite.db import folded, folded_column
from adminsite.kit import cursor as cursors
from adminsite.kit.cursor import Cursor, Direction
from adminsite.kit.filters import UNSTORABLE, Active

if TYPE_CHECKING:
    from adminsite.kit.view import ResourceView

COUNT_LIMIT = 1000
PAGE_SIZES = (20, 50, 100, 200)
PAGE_SIZE = 50
MAX_TERM = 200


@dataclass(frozen=True, slots=True)
class Query:
    """What a list's URL asks for; nonsense has been replaced by the default."""

    search: str
    sort: str
    desc: bool
    page_size: int
    filters: Mapping[str, Active]
    params: Mapping[str, str]
    cursor: Cursor | None

    @property
    def term(self) -> str:
        """The searched text as it is compared: lower-cased (D-24)."""
        return folded(self.search)

    @property
    def narrowed(self) -> bool:
        """Whether a search or filter leaves rows out."""
        return bool(self.search or self.filters)

    def params_with(self, **changes: str | None) -> dict[str, str]:
        """The URL's parameters with some changed, or left out when None."""
        merged = {**self.params, **changes}
        return {name: value for name, value in merged.items() if value}

    def url(self, base: str, **changes: str | None) -> str:
        """The list's address with some parameters changed, or left out when None."""
        params = self.params_with(**changes)
        return f"{base}?{urlencode(params)}" if params else base


@dataclass(frozen=True, slots=True)
class Newest:
    """What a view's `search_column` says of a table that only grows, and keeps no search text.

    Attributes:
        columns: those that are searched.
        among: how many rows are looked through: the newest of those that the filters leave.
    """

    columns: tuple[Any, ...]
    among: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of records and where it stands."""

    records: Sequence[Any]
    count: int
    exact: bool
    first: int
    next_cursor: str | None = None
    prev_cursor: str | None = None

    @property
    def last(self) -> int:
        """The position of the page's last record, counted from 1; 0 when empty."""
        return self.first + len(self.records) - 1 if self.records else 0

    @property
    def count_text(self) -> str:
        """The count for reading: "412", or "1000+" where counting stopped."""
        return f"{self.count:,}" if self.exact else f"{COUNT_LIMIT}+"


def read(view: "ResourceView", args: Mapping[str, str]) -> Query:
    """Understand a list's parameters (contract, Pages).

    Raises:
        FilterError: a filter's value is not one the filter knows.
    """
    search = clean_term(args.get("search", "")) if view.searchable else ""
    sort, desc = view.default_sort
    if args.get("sort") in view.sortable:
        sort, desc = args["sort"], args.get("desc") == "1"
    elif args.get("desc") in {"0", "1"}:
        desc = args["desc"] == "1"
    filters = {}
    params = {"search": search}
    for flt in view.offered_filters:
        active = flt.read(args)
        if active is not None:
            filters[flt.name] = active
            params |= {name: args[name] for name in flt.parameters if args.get(name)}
    size = page_size(args.get("page_size", ""))
    if (sort, desc) != view.default_sort:
        params |= {"sort": sort, "desc": "1" if desc else "0"}
    if size != PAGE_SIZE:
        params["page_size"] = str(size)
    params = {name: value for name, value in params.items() if value}
    place = None
    if args.get("cursor"):
        place = cursors.read(args["cursor"], secret(), _scope(view.key, sort, params))
    return Query(search, sort, desc, size, filters, params, place)


def page_size(text: str) -> int:
    """A page size on offer; anything else is the default."""
    return int(text) if text in map(str, PAGE_SIZES) else PAGE_SIZE


def clean_term(text: str) -> str:
    """A searched text without what no field can hold, cut to a sane length."""
    return UNSTORABLE.sub("", text).strip()[:MAX_TERM]


def secret() -> str:
    """The key that cursors are signed with."""
    return str(current_app.secret_key)


def conditions(view: "ResourceView", session: Session, query: Query) -> list[ColumnElement[bool]]:
    """Everything that narrows the list: the person's rows, the search, the filters."""
    found = list(view.scope())
    found += [active.condition for active in query.filters.values()]
    if query.search and isinstance(view.search_column, Newest):
        found += _among_newest(view, session, query, found)
    elif query.search:
        found.append(matches(view, session, query.term))
    return found


def matches(view: "ResourceView", session: Session, term: str) -> ColumnElement[bool]:
    """The records that hold the term in a searched column, theirs or a related one."""
    parts = [contains(session, view.searched_text, term)] if view.searches_itself else []
    for also in view.search_also.values():
        condition = also(session, term)
        if condition is not None:
            parts.append(condition)
    return or_(*parts)


def _among_newest(
    view: "ResourceView", session: Session, query: Query, filters: list[ColumnElement[bool]]
) -> list[ColumnElement[bool]]:
    """The rows that hold the term, of the newest that the filters leave: one statement.

    How far back that is, is asked first: then a page of a common word is met soon, and one of a
    word that nothing holds ends there.
    """
    newest: Newest = view.search_column
    time = view.sortable[view.default_sort[0]]
    rows = select(time).select_from(view.list_from).where(*filters)
    ordered = rows.order_by(time.desc(), view.pk_column.desc())
    oldest = session.connection().scalar(ordered.offset(newest.among - 1).limit(1))
    text: ColumnElement[str] = literal("")
    for column in newest.columns:
        text = text + "\n" + func.coalesce(column, "")
    as_compared = contains(session, folded_column(session, text), query.term)
    found = or_(as_compared, contains(session, text, query.search))
    return [found] if oldest is None else [time >= oldest, found]


def contains(session: Session, column: Any, term: str) -> ColumnElement[bool]:
    """Whether a lower-cased column holds a lower-cased text, wildcards meaning nothing."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    position = func.instr(column, term) if sqlite else func.strpos(column, term)
    return position > 0


def fetch(view: "ResourceView", session: Session, query: Query) -> Page:
    """The page a query asks for: one or two statements, whatever its length or depth."""
    wanted = conditions(view, session, query)
    direction: Direction = query.cursor.direction if query.cursor else "next"
    if query.narrowed and query.cursor is None:
        return _found(view, session, query, wanted)
    statement = view.select_columns(*view.drawn_names, view.sort_key(query.sort))
    statement = statement.where(*wanted, *after(view, query))
    statement = statement.order_by(*order(view, query, direction)).limit(query.page_size + 1)
    records = list(session.connection().execute(statement))
    if query.cursor and not records:  # the rows of that page are gone
        return fetch(view, session, replace(query, cursor=None))
    more = len(records) > query.page_size
    del records[query.page_size :]
    start = query.cursor.position if query.cursor else 0
    if direction == "prev":
        records.reverse()
        start = start if more else 0
    if not more and direction == "next":
        return _page(view, query, records, start=start, more=False, count=(start + len(records)))
    count = bounded_count(view, session, wanted)
    more = more or direction == "prev"
    return _page(view, query, records, start=start, more=more, count=count)


def bounded_count(
    view: "ResourceView", session: Session, wanted: Sequence[ColumnElement[bool]]
) -> int:
    """How many records there are, looking at no more than the limit plus one."""
    inner = view.select_keys().where(*wanted).limit(COUNT_LIMIT + 1)
    counted = select(func.count()).select_from(inner.subquery())
    return session.connection().scalar(counted) or 0


def exact_count(view: "ResourceView", session: Session, query: Query) -> int:
    """How many records there are, however many."""
    wanted = conditions(view, session, query)
    counted = select(func.count(view.pk_column)).select_from(view.list_from).where(*wanted)
    return session.connection().scalar(counted) or 0


def _found(
    view: "ResourceView",
    session: Session,
    query: Query,
    wanted: Sequence[ColumnElement[bool]],
) -> Page:
    """The first page of a narrowed list and its count, reading the table once where it can.

    The keys that match are taken as they come, at most one more than counted. Are they all,
    only they are sorted; are there more, the page is met soon when walking in sort order.
    """
    connection = session.connection()
    keys = view.select_keys().where(*wanted).limit(COUNT_LIMIT + 1)
    if isinstance(view.search_column, Newest):  # in order, a huge table is met by its indexes
        keys = keys.order_by(*order(view, query, "next"))
    ids = list(connection.scalars(keys))
    if not ids:
        return Page([], 0, exact=True, first=0)
    narrowed = [view.pk_column.in_(ids)] if len(ids) <= COUNT_LIMIT else wanted
    statement = view.select_columns(*view.drawn_names, view.sort_key(query.sort))
    statement = statement.where(*narrowed)
    ordered = statement.order_by(*order(view, query, "next")).limit(query.page_size + 1)
    records = list(connection.execute(ordered))
    more = len(records) > query.page_size
    return _page(view, query, records[: query.page_size], start=0, more=more, count=len(ids))


def _page(  # noqa: PLR0913 - the parts of a Page
    view: "ResourceView",
    query: Query,
    records: Sequence[Any],
    *,
    start: int,
    more: bool,
    count: int,
) -> Page:
    scope = _scope(view.key, query.sort, query.params)

    def place(direction: Direction, record: Any, position: int) -> str:
        value = getattr(record, view.sort_key(query.sort))
        return cursors.sign(Cursor(direction, value, record.id, position), secret(), scope)

    following = previous = None
    if records and more:
        following = place("next", records[-1], start + len(records))
    if records and start > 0:
        previous = place("prev", records[0], max(start - query.page_size, 0))
    return Page(
        records=records,
        count=count,
        exact=count <= COUNT_LIMIT,
        first=start + 1 if records else 0,
        next_cursor=following,
        prev_cursor=previous,
    )


def _scope(key: str, sort: str, params: Mapping[str, str]) -> str:
    """What a cursor is good for: this list, this order, these filters."""
    return f"{key}:{sort}:{urlencode(sorted(params.items()))}"


def order(view: "ResourceView", query: Query, direction: Direction) -> list[Any]:
    """What the list is sorted by, always down to a single row."""
    columns = [view.sortable[query.sort]]
    if not view.sorts_alone(query.sort):
        columns.append(view.pk_column)
    backwards = query.desc == (direction == "next")
    return [column.desc() if backwards else column.asc() for column in columns]


def after(view: "ResourceView", query: Query) -> list[ColumnElement[bool]]:
    """The condition that a page starts after its cursor's row."""
    place = query.cursor
    if place is None:
        return []
    column, key = view.sortable[query.sort], view.pk_column
    smaller = query.desc == (place.direction == "next")
    if view.sorts_alone(query.sort):
        return [column < place.value if smaller else column > place.value]
    here = tuple_(column, key)
    there = tuple_(literal(place.value, column.type), literal(view.coerce_pk(place.key), key.type))
    return [here < there if smaller else here > there]


def related(
    view: "ResourceView", session: Session, records: Sequence[Any]
) -> dict[str, Mapping[Any, Any]]:
    """What the list shows of other tables: one statement for each relation."""
    keys = [record.id for record in records]
    if not keys:
        return {name: {} for name in view.list_loaders}
    return {name: load(session, keys) for name, load in view.list_loaders.items()}


def one(view: "ResourceView", session: Session, pk: Any) -> Any | None:
    """One record as the list selects it; None when it is not there for this person."""
    statement = view.select_columns(*view.drawn_names)
    wanted = statement.where(view.pk_column == pk, *view.scope())
    return session.connection().execute(wanted).one_or_none()
