"""A process of its own that has the application and acts when it is told to.

What it can do stands in `acts`: each function reads what its person has on the screen and gives
back the deed, which is done in one transaction, when the other process does its own.
"""

import traceback
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from types import TracebackType
from typing import Any, NamedTuple, Self

from sqlalchemy.exc import IntegrityError

from adminsite.db import db, transaction
from adminsite.errors import RuleError
from adminsite.resources import LINKS
from app import create_app
from tests.client import SECRET_KEY
from tests.people_at_once import acts

WAIT_S = 60
SPAWN = get_context("spawn")  # nothing of the tests' own connections


class Order(NamedTuple):
    """What to do: a function of `acts`, and what it is told."""

    act: str
    told: dict[str, Any]


class Answer(NamedTuple):
    """What became of it: "done", the name of the refusal, or "crash"; and the sentence."""

    kind: str
    status: int
    said: str


class Pair:
    """Two such processes, which end with the block."""

    def __init__(self, url: str) -> None:
        self.start = SPAWN.Barrier(2)
        self.wires: list[Connection] = []
        self.processes: list[BaseProcess] = []
        for _ in range(2):
            ours, theirs = SPAWN.Pipe()
            process = SPAWN.Process(target=_serve, args=(url, theirs, self.start), daemon=True)
            process.start()
            theirs.close()
            self.wires.append(ours)
            self.processes.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _where: TracebackType | None
    ) -> None:
        for wire in self.wires:
            wire.close()  # they stop reading
        for process in self.processes:
            process.join(WAIT_S)
            process.kill()
            process.join()
            process.close()

    def at_once(self, *orders: Order) -> list[Answer]:
        """Let each do one of these at the same moment; what became of them, in order."""
        for wire, order in zip(self.wires, orders, strict=True):
            wire.send(order)
        answers = [self._answer(wire) for wire in self.wires]
        crashes = [answer.said for answer in answers if answer.kind == "crash"]
        assert not crashes, "\n".join(crashes)
        return answers

    @staticmethod
    def _answer(wire: Connection) -> Answer:
        assert wire.poll(WAIT_S), "one of them waits for ever"
        answer: Answer = wire.recv()
        return answer


def _serve(url: str, wire: Connection, start: Barrier) -> None:
    app = create_app({"TESTING": True, "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
    try:
        while True:
            order: Order = wire.recv()
            with app.app_context():
                wire.send(_obey(order, start))
    except (EOFError, BrokenPipeError):
        pass  # the test has ended
    finally:
        with app.app_context():
            db.engine.dispose()


def _obey(order: Order, start: Barrier) -> Answer:
    try:
        deed = getattr(acts, order.act)(**order.told)
        start.wait(WAIT_S)
        with transaction():
            deed()
    except RuleError as refusal:
        return Answer(type(refusal).__name__, refusal.status, refusal.message)
    except IntegrityError as error:
        explained = LINKS.explain(error)  # as every edge does
        if explained is None:
            return Answer("crash", 500, traceback.format_exc())
        return Answer(type(explained).__name__, explained.status, explained.message)
    except Exception:  # noqa: BLE001 - told by the test
        start.abort()
        return Answer("crash", 500, traceback.format_exc())
    return Answer("done", 200, "")
