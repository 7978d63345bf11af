"""Processes that delete a person and are killed while they do it.

A nurse, who has made the application and is connected to nothing, forks a new one for each
deletion: to start each from nothing would take longer than all it lives for.
"""

import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import UUID

from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import configure_mappers
from sqlalchemy.pool import QueuePool

from adminsite.db import db, transaction
from adminsite.models import User
from adminsite.operations import users
from app import create_app
from tests.client import SECRET_KEY
from tests.people import acting
from tests.people_at_once.worker import SPAWN, WAIT_S


class Fate(NamedTuple):
    """Who deletes whom, and how; and before which statement it stops, counted from 1."""

    by: UUID
    user: UUID
    link_action: str
    stop_at: int | None = None


class Nurse:
    """Brings up one victim after another; ends with the block, and the last of them with her."""

    def __init__(self, url: str) -> None:
        self.victim: int | None = None
        self.wire, theirs = SPAWN.Pipe()
        self.process = SPAWN.Process(target=_nurse, args=(url, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _where: TracebackType | None
    ) -> None:
        if self.victim is not None:
            with suppress(ProcessLookupError):
                os.kill(self.victim, signal.SIGKILL)
        self.wire.close()
        self.process.join(WAIT_S)
        self.process.kill()
        self.process.join()
        self.process.close()

    def begin(self, fate: Fate) -> None:
        """Bring up a victim, who begins the deletion now."""
        self.wire.send(fate)
        self.victim = self.hear()
        self.wire.send("go")
        assert self.hear() == "begun"

    def hear(self) -> Any:
        """What the victim says next: "stopped", or how many statements it took."""
        assert self.wire.poll(WAIT_S), "the victim says nothing"
        return self.wire.recv()

    def kill(self) -> None:
        """Kill the victim, and come back when it is gone; what it said last is lost."""
        assert self.victim is not None
        os.kill(self.victim, signal.SIGKILL)
        while self.hear() != "gone":
            pass
        self.victim = None


def _nurse(url: str, wire: Connection) -> None:
    app = create_app({"TESTING": True, "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
    configure_mappers()
    with suppress(EOFError):
        while True:
            fate: Fate = wire.recv()
            assert_nothing_is_shared(app)
            victim = os.fork()
            if not victim:
                _live(app, wire, fate)
            os.waitpid(victim, 0)
            wire.send("gone")


def assert_nothing_is_shared(app: Flask) -> None:
    """Neither a connection nor a lock that another thread holds is there for who is forked now."""
    with app.app_context():
        pool = db.engine.pool
        assert isinstance(pool, QueuePool)
        assert (pool.checkedin(), pool.checkedout()) == (0, 0)
    assert threading.active_count() == 1


def _live(app: Flask, wire: Connection, fate: Fate) -> None:
    try:
        with app.app_context():
            wire.send(os.getpid())
            actor, user = (acting(db.session.get_one(User, fate.by)), fate.user)
            counted = _Counted(wire, fate.stop_at)
            wire.recv()
            wire.send("begun")
            with transaction():
                leaver = db.session.get_one(User, user)
                users.delete(leaver, by=actor, link_action=fate.link_action)
            wire.send(counted.statements)
            time.sleep(WAIT_S)
    finally:
        os._exit(1)  # never become another nurse


class _Counted:
    """How many statements were sent; stops before one of them, the commit being the last."""

    def __init__(self, wire: Connection, stop_at: int | None) -> None:
        self.wire, self.stop_at, self.statements = wire, stop_at, 0
        event.listen(db.engine, "before_cursor_execute", self.count)
        event.listen(db.engine, "commit", self.count)

    def count(self, *_args: object) -> None:
        self.statements += 1
        if self.statements == self.stop_at:
            self.wire.send("stopped")
            time.sleep(WAIT_S)
