"""Own rows: on PostgreSQL the database itself keeps a member's request to that person's rows.

The queries ask for nobody else's; this is for the one that forgets to. It is no barrier to SQL
that somebody smuggles in, which could take the role off again.

Source: D-27, R-002-4 to R-002-6, R-002-66; the policies stand in migration 0016.
"""

import logging
from typing import Any
from uuid import UUID

import psycopg
from flask import has_request_context
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, SessionTransaction

from adminsite.db import db

ROLE = "adminsite_member"
CONFINED = "adminsite_confined_to"
OFF = (
    "row-level security is off: the queries alone keep members from each other's rows; "
    "the README says how to switch it on"
)
# A role of this database that we may take on: another one of the cluster may have made it.
_READY = f"""
    FROM pg_roles WHERE rolname = '{ROLE}'
    AND pg_has_role(oid, CASE WHEN current_setting('server_version_num')::int < 160000
                         THEN 'MEMBER' ELSE 'SET' END)
    AND has_table_privilege(oid, to_regclass('users'), 'SELECT')"""
# Both end with the transaction, so no connection carries them back into the pool.
_TAKE_ON = text(
    "SELECT set_config('role', rolname::text, true),"
    f" set_config('adminsite.member', :member, true) {_READY}"
)
_IS_OFF = f"""
    SELECT relrowsecurity AND NOT EXISTS (SELECT {_READY})
    FROM pg_class WHERE oid = to_regclass('users')"""  # noqa: S608 - nothing but the above


def confine(person: UUID | None) -> None:
    """Let the database session of this request see and change one person's rows, and no others.

    It holds from now on, in every transaction, until the request ends. Without the role, and on
    SQLite, nothing happens.
    """
    session = db.session()
    session.info[CONFINED] = told = str(person or "")
    if session.in_transaction():
        _take_on(session.connection(), told)


@event.listens_for(Session, "after_begin")
def _keep_confined(
    session: Session, transaction: SessionTransaction, connection: Connection
) -> None:
    person = session.info.get(CONFINED)
    if person is not None and not transaction.nested:
        _take_on(connection, person)


def _take_on(connection: Connection, person: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(_TAKE_ON, {"member": person})


@event.listens_for(Engine, "first_connect")
def _say_that_it_is_off(connection: Any, _record: object) -> None:
    """Tell the log once, at the first request; commands have no members."""
    if not isinstance(connection, psycopg.Connection) or not has_request_context():
        return
    found = connection.execute(_IS_OFF).fetchone()
    connection.rollback()
    if found is not None and found[0]:
        logging.getLogger(__name__).warning(OFF)
