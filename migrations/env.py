"""Runs the migrations on the application's database, each step in its own transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection, DateTime, TypeDecorator

db = current_app.extensions["migrate"].db


def number_revisions(
    _context: MigrationContext, _revision: object, directives: list[MigrationScript]
) -> None:
    """Name a new migration with the next number."""
    head = ScriptDirectory.from_config(context.config).get_current_head()
    directives[0].rev_id = f"{int(head or 0) + 1:04d}"


def render_item(kind: str, item: object, _autogen_context: AutogenContext) -> str | Literal[False]:
    """Write the application's own types as plain ones: a migration imports no model."""
    if kind == "type" and isinstance(item, TypeDecorator) and isinstance(item.impl, DateTime):
        return "sa.DateTime(timezone=True)"
    return False


@contextmanager
def foreign_keys_at_rest(connection: Connection) -> Iterator[None]:
    """Let SQLite rebuild a table without its DROP emptying the tables that refer to it.

    Raises:
        RuntimeError: afterwards a row refers to one that is not there.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA foreign_keys = OFF")  # says nothing inside a transaction
    try:
        yield
        if broken := raw.execute("PRAGMA foreign_key_check").fetchall():
            raise RuntimeError(f"rows refer to missing ones: {broken[:10]}")
    finally:
        raw.execute("PRAGMA foreign_keys = ON")


def run_migrations() -> None:
    """Bring the database up or down to the revision asked for."""
    with db.engine.connect() as connection, foreign_keys_at_rest(connection):
        context.configure(
            connection=connection,
            target_metadata=db.metadatas[None],
            render_as_batch=True,
            render_item=render_item,
            compare_type=True,
            compare_server_default=True,
            process_revision_directives=number_revisions,
            transactional_ddl=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


def print_migrations() -> None:
    """Write the SQL instead of running it (`flask db upgrade --sql`)."""
    context.configure(
        url=db.engine.url.render_as_string(hide_password=False),
        target_metadata=db.metadatas[None],
        literal_binds=True,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    print_migrations()
else:
    run_migrations()
