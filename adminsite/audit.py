"""The audit: every change records who did what, in the transaction that makes it.

Operations call `record`; the events are written together just before the commit, chained by
hash, and a commit that would write an audited row without an event is refused (D-20).
"""

import hashlib
import json
import pickle
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Delete,
    Insert,
    Table,
    TextClause,
    Update,
    bindparam,
    event,
    insert,
    inspect,
    select,
    true,
    update,
)
from sqlalchemy.orm import ORMExecuteState, Session

from adminsite.db import Base, db, utc_now
from adminsite.models import AuditEvent, AuditHead
from adminsite.permissions import Actor, require_oneself

GENESIS = "0" * 64
BATCH = 1000
SECRET = frozenset({"password_hash", "token_hash", "search_text", "email_key"})
UNTRACKED = frozenset({"created_at", "updated_at", "version"})
# Written by the machinery itself; everything else needs an event.
EXEMPT_TABLES = frozenset({"audit_events", "audit_heads", "sessions"})
# Rows that are told of by the event of another record: table -> (its table, the key there).
TOLD_WITH = {
    "link_owners": ("links", "link_id"),
    "api_tokens": ("users", "user_id"),
    "password_resets": ("users", "user_id"),
    "subscriptions": ("users", "user_id"),
    "credit_transactions": ("users", "user_id"),
    "pending_adjustments": ("users", "user_id"),
}
AUDITED_DML = "audited"  # execution option: this bulk statement's rows are named by events
QUEUE, WRITTEN, BULK = "audit_queue", "audit_written", "audit_bulk"
SUBJECT = ("subject_type", "subject_id", "subject_label", "subject_version")
# Hashed where given: older events lack them.
LATE = frozenset({"viewing_as_id", "viewing_as_email"})
# All that happens in a session that views the site as somebody.
WHILE_VIEWING = frozenset({"impersonation.stopped", "access.denied", "session.signed_out"})
NOBODY: dict[str, Any] = dict.fromkeys(SUBJECT)

Changes = Mapping[str, Any]


@dataclass(slots=True)
class _Queued:
    """An event that waits for the commit; its subject is let go once it is named."""

    at: datetime
    action: str
    changes: str
    by: Actor
    reason: str | None
    subject: Base | None
    named: dict[str, Any] | None = None
    key: tuple[Any, ...] = ()

    def name_subject(self) -> None:
        """Keep the subject's id and name of now instead of the subject itself."""
        if self.named is None and self.subject is not None:
            self.key = _key(self.subject)
            self.named = {
                "subject_type": self.subject.__tablename__.removesuffix("s"),
                "subject_id": ",".join(str(part) for part in self.key[1:]),
                "subject_label": str(self.subject)[:300],
                "subject_version": getattr(self.subject, "version", None),
            }
            self.subject = None


class _Queue:
    """The events that wait for the commit, in order.

    An import queues tens of thousands; all but the last batch wait compressed, a sixth as large.
    """

    def __init__(self) -> None:
        self.open: list[_Queued] = []
        self.packed: list[bytes] = []
        self.named: set[tuple[Any, ...]] = set()

    def settle(self) -> None:
        """Name the subjects, which have been written now."""
        for entry in self.open:
            entry.name_subject()
            self.named.add(entry.key)
        while len(self.open) > BATCH:
            self.packed.append(zlib.compress(pickle.dumps(self.open[:BATCH]), level=1))
            del self.open[:BATCH]

    def batches(self) -> Iterator[list[_Queued]]:
        """All events, a batch at a time."""
        for packed in self.packed:
            yield pickle.loads(zlib.decompress(packed))  # noqa: S301 - packed above, never stored
        yield self.open


class UnauditedWriteError(RuntimeError):
    """A row was changed and no event names it; the commit is refused."""


def record(
    action: str,
    subject: Base | None,
    changes: Changes,
    *,
    by: Actor,
    reason: str | None = None,
) -> None:
    """Queue one event; it is written when, and only when, the transaction commits.

    Args:
        action: `noun.past_verb`.
        subject: the record; its name at this moment is kept. None for events without one.
        changes: {field: [before, after]}; secrets must not be in it.
        reason: what the actor gave as the reason, if asked.

    Raises:
        ForbiddenError: the actor views the site as somebody else. Every change needs an event,
            so here no operation can forget to ask.
    """
    if action not in WHILE_VIEWING:
        require_oneself(by)
    entry = _Queued(utc_now(), action, _json(changes), by, reason, subject)
    if subject is None:
        entry.named = NOBODY
    db.session().info.setdefault(QUEUE, _Queue()).open.append(entry)


def snapshot(row: Base, fields: Iterable[str]) -> dict[str, Any]:
    """The values of these fields as an event keeps them."""
    return {name: plain(getattr(row, name)) for name in fields if name not in SECRET}


def created(row: Base, fields: Iterable[str]) -> dict[str, list[Any]]:
    """Changes that bring a record into being: [None, value] of each field that has one."""
    return {k: [None, v] for k, v in snapshot(row, fields).items() if v not in (None, [])}


def removed(row: Base, fields: Iterable[str]) -> dict[str, list[Any]]:
    """Changes that end a record: [value, None] of each field that had one."""
    return {k: [v, None] for k, v in snapshot(row, fields).items() if v not in (None, [])}


def plain(value: object) -> Any:
    """The value as JSON can hold it: times as ISO 8601, records by name."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    return str(value)


def digest(prev_hash: str, event_values: Mapping[str, Any]) -> str:
    """The hash of an event, over everything it says and the hash before it."""
    body = {
        k: v
        for k, v in event_values.items()
        if k not in {"id", "hash", "prev_hash"} and not (k in LATE and v is None)
    }
    text = json.dumps(
        body, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=plain
    )
    return hashlib.sha256(f"{prev_hash}\n{text}".encode()).hexdigest()


def _json(changes: Changes) -> str:
    told = {k: v for k, v in changes.items() if k not in SECRET}
    return json.dumps(told, ensure_ascii=False, default=plain)


# ---- writing, just before the commit -------------------------------------------------------

_events: Table = AuditEvent.__table__  # type: ignore[assignment]
_head: Table = AuditHead.__table__  # type: ignore[assignment]
_LOCK_HEAD = select(_head.c.event_id, _head.c.hash).where(_head.c.id == 1).with_for_update()
_INSERT = insert(_events)
_MOVE_HEAD = (
    update(_head)
    .where(_head.c.id == 1)
    .values(event_id=bindparam("last_id"), hash=bindparam("last_hash"))
)


def _key(row: Base) -> tuple[Any, ...]:
    mapper = inspect(row).mapper
    return (row.__tablename__, *mapper.primary_key_from_instance(row))


@event.listens_for(Session, "after_flush")
def _note_rows(session: Session, _context: object) -> None:
    written = session.info.setdefault(WRITTEN, set())
    changed = [row for row in session.dirty if session.is_modified(row, include_collections=False)]
    for row in (*session.new, *session.deleted, *changed):
        table = row.__tablename__
        if table in TOLD_WITH:
            whose, column = TOLD_WITH[table]
            written.add((whose, getattr(row, column)))
        elif table not in EXEMPT_TABLES:
            written.add(_key(row))
    if QUEUE in session.info:
        session.info[QUEUE].settle()


# What a statement only says: comments, texts, quoted names.
_UNREAD = re.compile(r"""--[^\n]*|/\*.*?\*/|'[^']*'|"[^"]*\"""", re.DOTALL)
_WRITES = re.compile(
    r"\b(?:insert|truncate|delete\s+from|(?:replace|merge)\s+into)\b"
    r"|(?<!\bfor\s)(?<!\bkey\s)\bupdate\b",  # not the lock FOR (NO KEY) UPDATE
    re.IGNORECASE,
)


@event.listens_for(Session, "do_orm_execute")
def _note_statements(state: ORMExecuteState) -> None:
    statement = state.statement
    if state.execution_options.get(AUDITED_DML):
        return
    if isinstance(statement, Insert | Update | Delete):
        table = getattr(statement.table, "name", "?")
        if table not in EXEMPT_TABLES:
            state.session.info.setdefault(BULK, set()).add(table)
    elif isinstance(statement, TextClause) and _WRITES.search(_UNREAD.sub(" ", statement.text)):
        state.session.info.setdefault(BULK, set()).add("SQL text")


@event.listens_for(Session, "before_commit")
def _write_events(session: Session) -> None:
    if session.in_nested_transaction():  # a savepoint: the commit is yet to come
        return
    session.flush()
    queue: _Queue = session.info.pop(QUEUE, None) or _Queue()
    queue.settle()
    missing = session.info.pop(WRITTEN, set()) - queue.named
    tables = {key[0] for key in missing} | session.info.pop(BULK, set())
    if tables:
        message = f"written without an audit event: {', '.join(sorted(tables))}"
        raise UnauditedWriteError(message)
    if queue.named:
        _chain(session, queue.batches())


def _chain(session: Session, batches: Iterable[list[_Queued]]) -> None:
    """Insert the events in order; the lock on the chain's end is held until the commit."""
    connection = session.connection()
    last_id, last_hash = connection.execute(_LOCK_HEAD).one()
    for batch in batches:
        rows = []
        for entry in batch:
            values = _values(entry)
            values["prev_hash"] = last_hash
            values["hash"] = last_hash = digest(last_hash, values)
            values["id"] = last_id = last_id + 1
            rows.append(values)
        connection.execute(_INSERT, rows)
    connection.execute(_MOVE_HEAD, {"last_id": last_id, "last_hash": last_hash})


def _values(entry: _Queued) -> dict[str, Any]:
    by = entry.by.behind or entry.by
    viewed = entry.by if entry.by.behind else None
    return {
        "at": entry.at,
        "actor_id": by.id,
        "actor_email": by.email,
        "actor_level": by.level.label,
        "viewing_as_id": viewed.id if viewed else None,
        "viewing_as_email": viewed.email if viewed else None,
        "action": entry.action,
        **(entry.named or NOBODY),
        "changes": json.loads(entry.changes),
        "reason": entry.reason,
        "request_id": by.origin.request_id,
        "ip": by.origin.ip,
        "user_agent": by.origin.user_agent,
    }


@event.listens_for(Session, "after_rollback")
@event.listens_for(Session, "after_commit")
def _forget(session: Session) -> None:
    if session.in_nested_transaction():
        return
    for key in (QUEUE, WRITTEN, BULK):
        session.info.pop(key, None)


# ---- checking ------------------------------------------------------------------------------


def holds(row: AuditEvent) -> bool:
    """Whether the event's hash is that of what it says, with the hash before it.

    `first_broken` asks the same of every event, and whether each follows from the last.
    """
    return _says({column.name: getattr(row, column.name) for column in _events.c})


def _says(told: Mapping[str, Any]) -> bool:
    return bool(told["hash"] == digest(told["prev_hash"], told))


def first_broken() -> int | None:
    """The id of the first event that does not follow from the one before it; None if all do.

    For an event that was dropped it is the one after it, for a cut-off end the one that
    should come next.

    Source: contract, section Commands (audit verify).
    """
    # One statement, so that events written meanwhile are seen with their end or not at all.
    query = select(_head.c.event_id, _head.c.hash, _events).select_from(
        _head.outerjoin(_events, true())
    )
    ordered = query.order_by(_events.c.id).execution_options(yield_per=BATCH)
    last_id, last_hash, end = 0, GENESIS, (0, "")
    with db.session.execute(ordered) as rows:
        for end_id, end_hash, *values in rows:
            end = (end_id, end_hash)
            told = dict(zip(_events.c.keys(), values, strict=True))
            if told["id"] is None:
                break
            if told["prev_hash"] != last_hash or not _says(told):
                return int(told["id"])
            last_id, last_hash = told["id"], told["hash"]
    return None if end == (last_id, last_hash) else min(last_id + 1, max(end[0], 1))
