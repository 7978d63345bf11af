"""The two databases that every test runs on: migrated once, put back after each test."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

ENGINES = ("sqlite", "postgresql")
OWNER = "adminsite"  # the application's role on PostgreSQL: no superuser, as in production
MEMBER = "adminsite_member"  # the role of a member's request, which the superuser has to make
LOCK_TIMEOUT_MS = 5000
START = "start"  # the state that every test starts from
MOST_DEAD = 5000  # deleted rows in all tables; each is read past until they are gone


class Database(ABC):
    """One database of the tests."""

    url: str

    def freeze(self) -> None:
        """Take what is in it now as the state that every test starts from."""
        self.keep(START)

    def reset(self) -> None:
        """Put that state back."""
        self.put(START)

    @abstractmethod
    def keep(self, state: str) -> None:
        """Remember what is in it now under this name."""

    @abstractmethod
    def has(self, state: str) -> bool:
        """Whether a state was kept under this name."""

    @abstractmethod
    def put(self, state: str) -> None:
        """Put the state of this name back."""


class SqliteDatabase(Database):
    """A file; a copy of it is written back through SQLite itself, under open connections."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "test.db"
        self.url = f"sqlite:///{self.path}"

    def keep(self, state: str) -> None:
        self._copy(self.path, self._kept(state))

    def has(self, state: str) -> bool:
        return self._kept(state).exists()

    def put(self, state: str) -> None:
        self._copy(self._kept(state), self.path)

    def _kept(self, state: str) -> Path:
        return self.path.with_name(f"{state}.db")

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        with closing(sqlite3.connect(source)) as origin, closing(sqlite3.connect(target)) as copy:
            copy.execute("PRAGMA synchronous = OFF")
            origin.backup(copy)


class PostgresDatabase(Database):
    """A database of its own on the test server; rows are deleted past all triggers.

    Once many were deleted, the tables are truncated: until a vacuum comes by, everybody reads past
    what was deleted.
    """

    def __init__(self, superuser_url: str, name: str) -> None:
        server = make_url(superuser_url)
        self.url = server.set(username=OWNER, database=name).render_as_string()
        self._as_superuser = server.set(drivername="postgresql", database=name).render_as_string()
        with psycopg.connect(server.set(drivername="postgresql").render_as_string()) as connection:
            connection.autocommit = True
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [OWNER]).rowcount:
                connection.execute(f"CREATE ROLE {OWNER} LOGIN")
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [MEMBER]).rowcount:
                connection.execute(f"CREATE ROLE {MEMBER} NOLOGIN")
            connection.execute(f"GRANT {MEMBER} TO {OWNER}")
            connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
        self._connection = psycopg.connect(self._as_superuser, autocommit=True)
        self._tables: list[str] = []
        self._fill: dict[str, str] = {}  # of each state
        self._dead = 0

    def freeze(self) -> None:
        run = self._connection.execute
        tables = run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        self._tables = [name for (name,) in tables if name != "alembic_version"]
        run("SET session_replication_role = replica")  # no trigger, no foreign key
        run(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
        super().freeze()

    def keep(self, state: str) -> None:
        run, kept = self._connection.execute, f"kept_{state}"
        run(f"CREATE SCHEMA {kept}")
        for name in self._tables:
            run(f"CREATE TABLE {kept}.{name} AS TABLE {name}")
        filled = [
            name for name in self._tables if run(f"SELECT FROM {kept}.{name} LIMIT 1").rowcount
        ]
        self._fill[state] = "; ".join(f"INSERT INTO {name} TABLE {kept}.{name}" for name in filled)

    def has(self, state: str) -> bool:
        return state in self._fill

    def put(self, state: str) -> None:
        done = self._connection.execute("; ".join(f"DELETE FROM {name}" for name in self._tables))
        self._dead += done.rowcount
        while done.nextset():
            self._dead += done.rowcount
        if self._dead > MOST_DEAD:
            self._connection.execute(f"TRUNCATE {', '.join(self._tables)}")
            self._dead = 0
        self._connection.execute(self._fill[state])

    def close(self) -> None:
        """Let go of the server."""
        self._connection.close()


@contextmanager
def postgres_database(superuser_url: str, name: str) -> Iterator[PostgresDatabase]:
    """Make an empty database on the server; give it, and close it at the end."""
    database = PostgresDatabase(superuser_url, name)
    try:
        yield database
    finally:
        database.close()
