"""Owners who turn on each other at the same moment: one of them stays in charge."""

from collections import Counter
from typing import TypeAlias

from flask import Flask
from sqlalchemy import delete, insert, update

from adminsite import audit
from adminsite.db import db
from adminsite.models import Admin, User
from adminsite.operations.owners import active_owners
from tests.operations.stored import actions, staff
from tests.people_at_once.worker import Answer, Order, Pair

Act: TypeAlias = tuple[str, dict[str, object]]
ROUNDS = 200
MIXED_ROUNDS = 40


class Two:
    """Two owners, and what each is told to do to the other."""

    def __init__(self) -> None:
        self.records = [staff("owner"), staff("owner")]
        self.keys = [(record.id, record.user_id) for record in self.records]

    def turn_on_each_other(self, pair: Pair, *acts: Act) -> list[Answer]:
        (one, olga), (two, otto) = self.keys
        (first, with_first), (second, with_second) = acts
        return pair.at_once(
            Order(first, {"by": olga, "admin": two, **with_first}),
            Order(second, {"by": otto, "admin": one, **with_second}),
        )

    def put_back(self) -> None:
        """Make both active owners again, past the audit."""
        connection = db.session.connection()
        rows = [
            {"id": key, "user_id": user, "role": "owner", "status": "active"}
            for key, user in self.keys
        ]
        connection.execute(delete(Admin.__table__))  # type: ignore[arg-type]
        connection.execute(insert(Admin.__table__), rows)  # type: ignore[arg-type]
        connection.execute(update(User.__table__).values(role="admin"))  # type: ignore[arg-type]
        db.session.commit()
        db.session.expire_all()


def in_charge() -> int:
    """How many active owners there are now."""
    db.session.rollback()
    return len(active_owners())


class TestDemoteEachOther:
    def test_leaves_one_owner_two_hundred_times(self, app: Flask, pair: Pair) -> None:
        two = Two()
        demote: Act = ("change_staff", {"values": {"role": "admin"}})
        outcomes: Counter[tuple[str, int]] = Counter()

        for _ in range(ROUNDS):
            answers = two.turn_on_each_other(pair, demote, demote)
            assert in_charge() == 1
            outcomes.update(answer[:2] for answer in answers)
            two.put_back()

        assert outcomes == {("done", 200): ROUNDS, ("ForbiddenError", 403): ROUNDS}
        assert audit.first_broken() is None
        assert actions() == ["admin.role_changed"] * ROUNDS


class TestTurnOnEachOther:
    def test_in_any_way_leaves_one_owner(self, app: Flask, pair: Pair) -> None:
        two = Two()
        ways: list[Act] = [
            ("change_staff", {"values": {"role": "support"}}),
            ("change_staff", {"values": {"status": "suspended"}}),
            ("remove_staff", {}),
        ]

        for number in range(MIXED_ROUNDS):
            one, other = ways[number % 3], ways[number // 3 % 3]
            answers = two.turn_on_each_other(pair, one, other)
            assert in_charge() == 1
            assert sorted(answer.kind for answer in answers) == ["ForbiddenError", "done"]
            two.put_back()
