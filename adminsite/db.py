"""The database session, the declarative base, and the one way to open a write transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ColumnElement, DateTime, Dialect, MetaData, TypeDecorator, event, func
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, Session

SQLITE_BUSY_TIMEOUT_S = 20  # below the 30 s after which servers give a request up
WRITE = "adminsite_write"


class Base(DeclarativeBase):
    """Every table of the application, with constraints that have predictable names."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; a naive one is refused rather than guessed at."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; on SQLite as the text that sorts."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a time without a zone cannot be stored"
            raise ValueError(message)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the stored time back as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def folded(text: str) -> str:
    """The text as searching compares it: lower-cased, with one small sigma (D-24).

    `str.lower` writes the sigma at the end of a word differently, so that ΟΔΟΣ would not be
    found in ΟΔΟΣΑ.
    """
    return text.lower().replace("ς", "σ")


def _folded(text: str | None) -> str | None:
    return None if text is None else folded(text)


def folded_column(session: Session, column: Any) -> ColumnElement[str]:
    """A text column as `folded` has it, for columns that are not kept ready for searching.

    SQLite's own `lower` knows ASCII alone; PostgreSQL's knows what the database's locale does.
    """
    if session.get_bind().dialect.name == "sqlite":
        return func.folded(column)
    return func.replace(func.lower(column), "ς", "σ")


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work: committed when the block ends, rolled back when it raises.

    What was read before is read again under the transaction, so that a rule never
    decides on a stale row. On SQLite the write lock is taken at once (BEGIN IMMEDIATE):
    two writers wait for one another instead of failing half-way.

    Raises:
        RuntimeError: a transaction is open already, or unsaved changes lie about.
    """
    session = db.session()
    if session.info.get(WRITE) or session.new or session.dirty or session.deleted:
        message = "a transaction is open already, or changes were made outside of one"
        raise RuntimeError(message)
    session.info[WRITE] = True
    try:
        _begin(session)
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop(WRITE, None)


def _begin(session: Session) -> None:
    """Turn what was begun for reading into a transaction for writing, on the same connection."""
    session.expire_all()
    if not session.in_transaction():
        session.connection(execution_options={WRITE: True})
        return
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def patience(connection: Connection, limit_ms: int) -> Iterator[None]:
    """Wait for another writer no longer than this, within the block, on this connection."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {limit_ms}")
        yield
        return
    raw.execute(f"PRAGMA busy_timeout = {limit_ms}")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_S * 1000}")


@event.listens_for(Engine, "connect")
def _on_connect(connection: Any, _record: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None  # we say BEGIN ourselves, below
    connection.create_function("folded", 1, _folded, deterministic=True)
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        "recursive_triggers = ON",  # INSERT OR REPLACE must not slip past the audit's triggers
        f"busy_timeout = {SQLITE_BUSY_TIMEOUT_S * 1000}",
        "cache_size = -16384",  # 16 MiB: for what is written; reads come from the map below
        "mmap_size = 268435456",
    ):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _on_begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        writing = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
