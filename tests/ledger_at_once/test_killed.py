"""A process killed while it changes credits leaves all of it or nothing; sent again it is done."""

import random
import time
from collections.abc import Callable
from itertools import count as count_from
from typing import Any, NamedTuple

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text
from sqlalchemy.engine import make_url

from adminsite.db import db
from adminsite.models import CreditTransaction, IdempotencyKey, PendingAdjustment, User
from tests.database import Database
from tests.ledger_at_once import acts
from tests.ledger_at_once.acts import Step, step
from tests.ledger_at_once.worker import Worker
from tests.operations.money import assert_it_adds_up, given, requested
from tests.operations.stored import count
from tests.people import acting
from tests.rows import person

NAME = "victim"
WAIT_S = 30
KILLS = 10
MANY = 250  # people in a batch that takes a while
NUMBERS = count_from()


class Case(NamedTuple):
    """A step, and the word for it when it is sent again after it was done."""

    step: Step
    again: str


class Scene:
    """An admin and an owner, and ever new people for them to act on."""

    def __init__(self, admin: User, owner: User) -> None:
        self.admin, self.by, self.other = admin, acting(admin), acting(owner)

    def somebody(self) -> User:
        db.session.rollback()
        return person(email=f"killed-{next(NUMBERS)}@example.com")

    def adjust(self) -> Case:
        told = {"user": self.somebody().id, "amount": 5, "key": f"k-{next(NUMBERS)}"}
        return Case(step(acts.adjust, by=self.by, **told), "again")

    def ask(self) -> Case:
        case = self.adjust()
        case.step.told["cap"] = 1
        return case

    def reverse(self) -> Case:
        entry = given(self.somebody(), self.admin, 50).id
        key = f"k-{next(NUMBERS)}"
        return Case(step(acts.reverse, by=self.by, entry=entry, key=key), "again")

    def approve(self) -> Case:
        pending = requested(self.somebody(), self.admin).id
        return Case(step(acts.approve, by=self.other, pending=pending), "DecidedError")

    def decline(self) -> Case:
        pending = requested(self.somebody(), self.admin).id
        return Case(step(acts.decline, by=self.other, pending=pending), "DecidedError")

    def batch(self, size: int = 3) -> Case:
        lines = [(self.somebody().email, sign * 5) for _ in range(size) for sign in (1, -2)]
        key = f"k-{next(NUMBERS)}"
        return Case(step(acts.batch, by=self.by, lines=lines, key=key), "again")


class State(NamedTuple):
    """What a step changes, together or not at all."""

    entries: int
    keys: int
    waiting: int


def state() -> State:
    """What is stored once nobody works on it any more."""
    db.session.rollback()
    wait_until_nobody_is_connected()
    return State(
        count(CreditTransaction),
        count(IdempotencyKey),
        count(PendingAdjustment, PendingAdjustment.status == "pending"),
    )


def wait_until_nobody_is_connected() -> None:
    """PostgreSQL finishes the statement of a client that is gone, and then looks for it."""
    if db.engine.dialect.name != "postgresql":
        return
    query = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name")
    deadline = time.monotonic() + WAIT_S
    while db.session.scalar(query, {"name": NAME}):
        assert time.monotonic() < deadline, "a connection of the killed process stays"
        db.session.rollback()
        time.sleep(0.01)


@pytest.fixture
def scene(app: Flask, admin: User, owner: User) -> Scene:
    """Who acts, and on whom."""
    return Scene(admin, owner)


@pytest.fixture
def victim(database: Database) -> Callable[[], Worker]:
    """Brings up processes whose connections PostgreSQL knows by name."""
    url = make_url(database.url)
    if url.get_backend_name() == "postgresql":
        url = url.update_query_dict({"application_name": NAME})
    return lambda: Worker(url.render_as_string())


def killed(worker: Worker, one: Step, *, stop_at: int) -> Any:
    """What it said before it was killed: "stopped", or its answer."""
    with worker:
        worker.prepare([one], stop_at=stop_at)
        worker.go()
        return worker.hear()


@pytest.mark.parametrize("name", ["adjust", "ask", "reverse", "approve", "decline", "batch"])
def test_before_any_statement_changes_nothing(
    scene: Scene, victim: Callable[[], Worker], cli: Callable[..., Result], name: str
) -> None:
    for place in count_from(1):
        case = getattr(scene, name)()
        before = state()

        said = killed(victim(), case.step, stop_at=place)

        after = state()
        if said != "stopped":  # there was nothing left to stop before: it is done
            break
        assert after == before, f"before statement {place}"
        first, again = acts.outcome(case.step), acts.outcome(case.step)
        assert (first, again) == (first_word(name), case.again)

    assert said.done == {first_word(name): 1}
    assert said.statements == place - 1 > 5
    assert acts.outcome(case.step) == case.again
    assert state() == after != before
    assert_it_adds_up()
    assert cli("credits", "reconcile").exit_code == 0


def first_word(name: str) -> str:
    """What becomes of it when nobody disturbs it."""
    return {"ask": "pending", "decline": "declined"}.get(name, "done")


def test_at_any_moment_changes_all_or_nothing(
    scene: Scene, victim: Callable[[], Worker], cli: Callable[..., Result]
) -> None:
    cases, seen = [scene.batch(MANY) for _ in range(3)], []
    took = undisturbed(victim(), cases.pop().step)
    before = state()
    case = cases.pop()
    for number in range(KILLS):
        moment = (number + random.random()) / KILLS * took

        with victim() as worker:
            worker.prepare([case.step])
            worker.go()
            time.sleep(moment)

        after = state()
        done = State(before.entries + 2 * MANY, before.keys + 1, 0)
        assert after in (before, done), f"after {moment:.4f} of {took:.4f} s"
        seen.append(after == before)
        if after == done:
            assert acts.outcome(case.step) == "again"
            before, case = after, scene.batch(MANY)

    assert any(seen)
    assert_it_adds_up()
    assert cli("credits", "reconcile").exit_code == 0


def undisturbed(worker: Worker, one: Step) -> float:
    """How many seconds it takes when nobody kills it."""
    with worker:
        worker.prepare([one])
        began = time.monotonic()
        worker.go()
        worker.hear()
        return time.monotonic() - began
