"""A database of the application's own schema, filled in bulk."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg

from bench.dataset import COLUMNS, Batch, Row

ROOT = Path(__file__).resolve().parent.parent
PRICES = "starter=900,hobby=1900,pro=4900,business=14900"
SECRET_KEY = "only-for-a-benchmark-on-the-loopback-4f1d"
MIGRATION_LIMIT_S = 120
NUMBERED = ("tags", "links", "keywords", "credit_transactions")


def environment(url: str) -> dict[str, str]:
    """What the application is started with: nothing of the caller's, everything switched on."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADMINSITE_")}
    return kept | {
        "ADMINSITE_DATABASE_URL": url,
        "ADMINSITE_SECRET_KEY": SECRET_KEY,
        "ADMINSITE_SESSION_COOKIE_SECURE": "0",  # the loopback has no TLS
        "ADMINSITE_TRUSTED_HOSTS": "127.0.0.1,localhost",
        "ADMINSITE_OVERVIEW_CACHE_S": "0",  # else only the first request would count
        "ADMINSITE_PRICES": PRICES,
        "PYTHONPATH": str(ROOT),
    }


def flask(url: str, *command: str, answer: str = "") -> str:
    """Run one of the application's own commands on this database; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", *command],
        cwd=ROOT,
        env=environment(url),
        input=answer,
        capture_output=True,
        text=True,
        timeout=MIGRATION_LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"flask {' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout


def migrate(url: str) -> None:
    """Make the application's tables."""
    flask(url, "db", "upgrade")


def fill(url: str, batches: Iterable[Batch]) -> None:
    """Write every batch into a migrated database, then let it gather its statistics."""
    if url.startswith("sqlite"):
        _fill_sqlite(sqlite_path(url), batches)
    else:
        _fill_postgres(libpq(url), batches)


def sqlite_path(url: str) -> str:
    """The file of a `sqlite:///` URL."""
    return url.removeprefix("sqlite:///")


def libpq(url: str) -> str:
    """The same address without SQLAlchemy's driver name."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def tune(connection: sqlite3.Connection) -> None:
    """The settings the application gives its own connections: neither side has better ones."""
    for setting in (
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        "cache_size = -65536",
        "mmap_size = 268435456",
    ):
        connection.execute(f"PRAGMA {setting}")


def _fill_sqlite(path: str, batches: Iterable[Batch]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -500000")
        connection.execute("BEGIN")
        with _ledger_added_up_at_once(connection):
            for table, rows in batches:
                marks = ", ".join("?" * len(COLUMNS[table]))
                into = f"INSERT INTO {table} ({', '.join(COLUMNS[table])}) VALUES ({marks})"
                connection.executemany(into, map(_for_sqlite, rows))
        connection.execute("COMMIT")
        if broken := connection.execute("PRAGMA foreign_key_check").fetchmany(3):
            raise RuntimeError(f"rows without their parent: {broken}")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


@contextmanager
def _ledger_added_up_at_once(connection: sqlite3.Connection) -> Iterator[None]:
    """Write entries without the ledger's triggers and indexes, which come back at the end.

    SQLite runs its triggers for each of a million rows. The days are what they would have made
    of them, in the words of the migration.
    """
    found = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'credit_transactions' "
        "AND type IN ('index', 'trigger') AND sql IS NOT NULL"
    ).fetchall()
    for kind, name, _ in found:
        connection.execute(f"DROP {kind} {name}")
    yield
    connection.execute("DELETE FROM credit_days")
    connection.execute(
        "INSERT INTO credit_days SELECT substr(created_at, 1, 10), type, "
        "sum(CASE WHEN amount > 0 THEN amount ELSE 0 END), "
        "sum(CASE WHEN amount < 0 THEN -amount ELSE 0 END), count(*) "
        "FROM credit_transactions GROUP BY 1, 2"
    )
    for *_, sql in found:
        connection.execute(sql)


def _for_sqlite(row: Row) -> Row:
    return tuple(PLAIN[type(v)](v) if type(v) in PLAIN else v for v in row)


def _hex(value: object) -> str:
    assert isinstance(value, UUID)
    return value.hex


def _sortable(value: object) -> str:
    assert isinstance(value, datetime)
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


PLAIN: Mapping[type, Callable[[object], str]] = {UUID: _hex, datetime: _sortable}


def _fill_postgres(url: str, batches: Iterable[Batch]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.transaction():
            for table, rows in batches:
                columns = ", ".join(COLUMNS[table])
                into = f"COPY {table} ({columns}) FROM STDIN".encode()
                with connection.cursor().copy(into) as copy:
                    for row in rows:
                        copy.write_row(row)
            for table in NUMBERED:
                sequence = f"pg_get_serial_sequence('{table}', 'id')"
                highest = f"SELECT setval({sequence}, max(id)) FROM {table} HAVING count(*) > 0"
                connection.execute(highest.encode())
        connection.execute("VACUUM ANALYZE")
