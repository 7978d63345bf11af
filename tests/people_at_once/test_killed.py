"""A process killed while it deletes somebody with ten thousand links: all of it, or nothing."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as count_from

import pytest
from flask import Flask
from sqlalchemy import delete, text
from sqlalchemy.engine import make_url

from adminsite import audit
from adminsite.db import db
from adminsite.models import AuditEvent, Link, LinkOwner, User
from tests.database import Database
from tests.operations.stored import count, own_many, staff
from tests.people_at_once.victim import Fate, Nurse
from tests.rows import person

LINKS = 10_000
KILLS = 20
WAIT_S = 30
NAME = "victim"


@pytest.fixture(scope="module")
def nurse(application: Flask, database: Database) -> Iterator[Nurse]:
    """Brings up processes whose connections PostgreSQL knows by name."""
    url = make_url(database.url)
    if url.get_backend_name() == "postgresql":
        url = url.update_query_dict({"application_name": NAME})
    with Nurse(url.render_as_string()) as made:
        yield made


@dataclass
class State:
    """What a deletion changes, together or not at all."""

    people: int
    shares: int
    links: int
    told: int


class Scene:
    """Ann is primary owner of ten thousand links, of every other one with Bob; Zoe deletes her."""

    def __init__(self) -> None:
        self.zoe, self.bob = staff("admin").user, person("Bob")
        self.build()

    def build(self) -> None:
        db.session.connection().execute(delete(Link.__table__))  # type: ignore[arg-type]
        self.ann = person("Ann")
        own_many(self.ann, self.bob, LINKS)
        self.key = self.ann.id

    def fate(self, link_action: str, stop_at: int | None = None) -> Fate:
        return Fate(self.zoe.id, self.key, link_action, stop_at)

    def state(self) -> State:
        """What is stored once nobody works on it any more."""
        db.session.rollback()
        wait_until_nobody_is_connected()
        assert count(LinkOwner, LinkOwner.is_primary) == count(Link)  # at most one is a constraint
        return State(
            people=count(User, User.id == self.key),
            shares=count(LinkOwner, LinkOwner.user_id == self.key),
            links=count(Link),
            told=count(AuditEvent, AuditEvent.subject_id == str(self.key)),
        )


BEFORE = State(people=1, shares=LINKS, links=LINKS, told=0)
AFTER = {
    "reassign": State(people=0, shares=0, links=LINKS, told=1),
    "delete": State(people=0, shares=0, links=LINKS // 2, told=1),
}


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


def measured(nurse: Nurse, fate: Fate) -> float:
    """How many seconds a deletion takes that nobody disturbs."""
    nurse.begin(fate)
    began = time.monotonic()
    nurse.hear()
    took = time.monotonic() - began
    nurse.kill()
    return took


def test_at_any_moment_leaves_before_or_after(app: Flask, nurse: Nurse) -> None:
    scene, seen = Scene(), []
    for link_action in ("reassign", "delete"):
        took = measured(nurse, scene.fate(link_action))
        assert scene.state() == AFTER[link_action]
        scene.build()
        for number in range(KILLS // 2):
            moment = (number + random.random()) / (KILLS // 2) * took

            nurse.begin(scene.fate(link_action))
            time.sleep(moment)
            nurse.kill()

            found = scene.state()
            assert found in (BEFORE, AFTER[link_action]), f"after {moment:.4f} of {took:.4f} s"
            seen.append(found)
            if found != BEFORE:
                scene.build()

    assert len(seen) == KILLS
    assert BEFORE in seen
    assert audit.first_broken() is None


@pytest.mark.parametrize("link_action", ["reassign", "delete"])
def test_between_any_two_statements_leaves_before(
    app: Flask, nurse: Nurse, link_action: str
) -> None:
    scene = Scene()

    for place in count_from(1):
        nurse.begin(scene.fate(link_action, stop_at=place))
        said = nurse.hear()
        nurse.kill()
        if said != "stopped":  # there was nothing left to stop before: it is done
            break
        assert scene.state() == BEFORE, f"before statement {place}"

    assert (scene.state(), said) == (AFTER[link_action], place - 1)
