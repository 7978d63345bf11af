"""Processes of their own that have the application and change credits when they are told to.

A server that has imported the application and nothing else forks each of them: to start one from
nothing would take longer than most of them live for.
"""

import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, NamedTuple, Self

from sqlalchemy import event

from adminsite.db import db
from app import create_app
from tests.client import SECRET_KEY
from tests.ledger_at_once import acts

WAIT_S = 120
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["app", acts.__name__])


class Answer(NamedTuple):
    """What became of the steps, and how many statements that took, commits included."""

    done: Counter[str]
    statements: int


class Worker:
    """One such process; ends with the block."""

    def __init__(self, url: str) -> None:
        self.wire, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=_serve, args=(url, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _where: TracebackType | None
    ) -> None:
        self.kill()

    def prepare(self, steps: Sequence[acts.Step], stop_at: int | None = None) -> None:
        """Tell it what to do, and before which statement to stop, counted from 1."""
        self.wire.send((steps, stop_at))
        assert self.hear() == "ready"

    def go(self) -> None:
        """Let it begin."""
        self.wire.send("go")

    def hear(self) -> Any:
        """What it says next: "stopped", or its answer."""
        assert self.wire.poll(WAIT_S), "the process says nothing"
        said = self.wire.recv()
        assert not (isinstance(said, str) and said.startswith("Traceback")), said
        return said

    def kill(self) -> None:
        """Kill it, and come back when it is gone."""
        self.process.kill()
        self.process.join(WAIT_S)
        self.wire.close()


class Crew:
    """Several of them; they end with the block."""

    def __init__(self, url: str, size: int) -> None:
        self.workers = [Worker(url) for _ in range(size)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for worker in self.workers:
            worker.kill()

    def at_once(self, *orders: Sequence[acts.Step]) -> Counter[str]:
        """Let each of as many do one of these at the same moment; what became of all steps."""
        busy = self.workers[: len(orders)]
        for worker, steps in zip(busy, orders, strict=True):
            worker.prepare(steps)
        for worker in busy:
            worker.go()
        return sum((worker.hear().done for worker in busy), Counter())


def _serve(url: str, wire: Connection) -> None:
    app = create_app({"TESTING": True, "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
    with suppress(EOFError, BrokenPipeError):  # the test has ended
        while True:
            steps, stop_at = wire.recv()
            with app.app_context(), _Counted(wire, stop_at) as counted:
                wire.send("ready")
                wire.recv()
                wire.send(_done(steps, counted))


def _done(steps: Sequence[acts.Step], counted: "_Counted") -> Answer | str:
    try:
        return Answer(Counter(acts.outcome(step) for step in steps), counted.statements)
    except Exception:  # noqa: BLE001 - told by the test
        return traceback.format_exc()


class _Counted:
    """How many statements were sent; stops before one of them, a commit being one."""

    def __init__(self, wire: Connection, stop_at: int | None) -> None:
        self.wire, self.stop_at, self.statements = wire, stop_at, 0

    def __enter__(self) -> Self:
        for name in ("before_cursor_execute", "commit"):
            event.listen(db.engine, name, self.count)
        return self

    def __exit__(self, *_error: object) -> None:
        for name in ("before_cursor_execute", "commit"):
            event.remove(db.engine, name, self.count)

    def count(self, *_args: object) -> None:
        self.statements += 1
        if self.statements == self.stop_at:
            self.wire.send("stopped")
            time.sleep(WAIT_S)
