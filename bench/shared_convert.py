"""Turns a database of the shared benchmark, in place, into one of the application's schema.

The links get numbers in the order they were made, the search index of the shared floor
(`links_fts`) is built anew for them, and the owner who signs in is added. Credit entries and
subscriptions stay behind: no task asks for them.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg

from bench.database import fill, libpq, migrate, sqlite_path
from bench.dataset import (
    BATCH_ROWS,
    EPOCH,
    Batch,
    LinkTexts,
    Row,
    keyword_row,
    link_row,
    tag_row,
    user_row,
)
from bench.floor import Floor
from bench.sites import create_owner

SHARED_SEARCH = "links_fts"
ASIDE = "before_conversion"

Read = Callable[[str], Iterator[Row]]


def main() -> None:
    """Convert the database that BENCH_DB names."""
    url = os.environ["BENCH_DB"].replace("postgresql://", "postgresql+psycopg://", 1)
    if url.startswith("sqlite"):
        _convert_sqlite(Path(sqlite_path(url)))
    else:
        _convert_postgres(url)


def _convert_sqlite(path: Path) -> None:
    made = path.with_suffix(".converted")
    url = f"sqlite:///{made}"
    old = sqlite3.connect(path)
    try:
        _write(url, old.execute, "")
    finally:
        old.close()
    for leftover in (f"{path}-wal", f"{path}-shm"):
        Path(leftover).unlink(missing_ok=True)
    made.replace(path)


def _convert_postgres(url: str) -> None:
    with psycopg.connect(libpq(url), autocommit=True) as old:
        old.execute(f"CREATE SCHEMA {ASIDE}".encode())
        tables = old.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables.fetchall():
            old.execute(f"ALTER TABLE {table} SET SCHEMA {ASIDE}".encode())

        def read(sql: str) -> Iterator[Row]:
            with old.transaction(), old.cursor(name="convert") as cursor:
                cursor.itersize = BATCH_ROWS
                yield from cursor.execute(sql.encode())

        _write(url, read, f"{ASIDE}.")
        old.execute(f"DROP SCHEMA {ASIDE} CASCADE".encode())


def _write(url: str, read: Read, schema: str) -> None:
    migrate(url)
    fill(url, _batches(read, schema))
    floor = Floor(url)
    try:
        floor.build_search(SHARED_SEARCH)
    finally:
        floor.close()
    create_owner(url)


def _batches(read: Read, schema: str) -> Iterator[Batch]:
    def rows(columns: str, table: str) -> Iterator[Row]:
        return read(f"SELECT {columns} FROM {schema}{table}")

    people = rows("id, email, display_name, created_at", "users")
    yield "users", (user_row(UUID(i), email, name, _moment(at)) for i, email, name, at in people)
    yield "tags", (tag_row(number, name) for number, name in rows("id, name", "tags"))
    numbers: dict[str, int] = {}
    yield "links", _links(rows, numbers)
    owners = rows("link_id, user_id, is_primary", "link_owners")
    yield (
        "link_owners",
        ((numbers[link], UUID(user), bool(primary), EPOCH) for link, user, primary in owners),
    )
    tagged = rows("link_id, tag_id", "link_tags")
    yield "link_tags", ((numbers[link], tag) for link, tag in tagged)
    words = rows("id, keyword, url_template, description, created_at", "keywords")
    yield (
        "keywords",
        (
            keyword_row(number, word, template.replace("{query}", "{slug}"), about, _moment(at))
            for number, word, template, about, at in words
        ),
    )


def _links(rows: Callable[[str, str], Iterator[Row]], numbers: dict[str, int]) -> Iterator[Row]:
    columns = "id, slug, url, title, description, created_at"
    for number, row in enumerate(rows(columns, "links ORDER BY created_at, id"), start=1):
        numbers[row[0]] = number
        yield link_row(number, LinkTexts(*row[1:5]), _moment(row[5]))


def _moment(value: str | datetime) -> datetime:
    """A naive time of the shared database, which means UTC, as an aware one."""
    naive = datetime.fromisoformat(value) if isinstance(value, str) else value
    return naive.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
