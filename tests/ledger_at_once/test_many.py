"""Eight processes that change the credits of the same few people lose nothing, double nothing."""

from collections import Counter
from random import Random
from typing import Any

from sqlalchemy import func, select

from adminsite.db import db
from adminsite.models import CreditTransaction, IdempotencyKey, User
from tests.ledger_at_once import acts
from tests.ledger_at_once.acts import Step, step
from tests.ledger_at_once.conftest import SIZE
from tests.ledger_at_once.worker import Crew
from tests.operations.money import balance, given, requested
from tests.operations.stored import count
from tests.people import acting

EACH = 500
SHARED = 20
MIXED = 60


def amount(rng: Random) -> int:
    """Some credits, to add or to take away."""
    return rng.choice((-1, 1)) * rng.randint(1, 100)


def sums(orders: list[list[Step]]) -> Counter[Any]:
    """What the adjustments add up to for each person."""
    found: Counter[Any] = Counter()
    for one in (one for steps in orders for one in steps):
        found[one.told["user"]] += one.told["amount"]
    return found


def stored_sums() -> dict[Any, int]:
    """The same, of the stored entries."""
    wanted = select(CreditTransaction.user_id, func.sum(CreditTransaction.amount))
    rows = db.session.execute(wanted.group_by(CreditTransaction.user_id))
    return {row[0]: row[1] for row in rows}


class TestAdjust:
    def test_five_hundred_times_in_eight_processes_loses_and_doubles_none(
        self, crew: Crew, people: list[User], admin: User
    ) -> None:
        by, keys = acting(admin), [user.id for user in people]
        orders = [
            [
                step(acts.adjust, by=by, user=rng.choice(keys), amount=amount(rng))
                for _ in range(EACH)
            ]
            for rng in map(Random, range(SIZE))
        ]
        expected = sums(orders)

        done = crew.at_once(*orders)

        assert done == {"done": SIZE * EACH}
        assert count(CreditTransaction) == SIZE * EACH
        assert stored_sums() == expected

    def test_with_one_key_in_eight_processes_is_done_once(
        self, crew: Crew, people: list[User], admin: User
    ) -> None:
        by, keys = acting(admin), [user.id for user in people]
        steps = [
            step(acts.adjust, by=by, user=keys[number % 4], amount=number + 1, key=f"k-{number}")
            for number in range(SHARED)
        ]

        done = crew.at_once(*[steps] * SIZE)

        assert done == {"done": SHARED, "again": SHARED * (SIZE - 1)}
        assert count(CreditTransaction) == count(IdempotencyKey) == SHARED
        assert stored_sums() == sums([steps])

    def test_with_the_keys_of_two_callers_is_done_for_each(
        self, crew: Crew, people: list[User], admin: User, owner: User
    ) -> None:
        (key, *_), callers = (user.id for user in people), (acting(admin), acting(owner))
        orders = [
            [
                step(acts.adjust, by=by, user=key, amount=7, key=f"k-{number}")
                for number in range(SHARED)
            ]
            for by in callers * (SIZE // 2)
        ]

        done = crew.at_once(*orders)

        assert done == {"done": 2 * SHARED, "again": SHARED * (SIZE - 2)}


class TestEverything:
    def test_at_once_adds_up(
        self, crew: Crew, people: list[User], admin: User, owner: User
    ) -> None:
        callers = (acting(admin), acting(owner))
        keys, emails = [user.id for user in people], [user.email for user in people]
        entry, pending = given(people[0], admin, 1).id, requested(people[0], admin).id

        def some(rng: Random, number: int) -> Step:
            by, user = rng.choice(callers), rng.choice(keys)
            lines = [(email, amount(rng)) for email in rng.choices(emails, k=6)]
            return rng.choice(
                (
                    step(acts.adjust, by=by, user=user, amount=amount(rng)),
                    step(acts.adjust, by=by, user=user, amount=5, key=f"k-{number}"),
                    step(acts.adjust, by=by, user=user, amount=500, cap=100),
                    step(acts.set_to, by=by, user=user, balance=amount(rng)),
                    step(acts.use, user=user, amount=rng.randint(1, 50)),
                    step(acts.batch, by=by, lines=lines, key=f"b-{rng.random()}"),
                    step(acts.reverse, by=by, entry=entry + rng.randrange(number * 4)),
                    step(acts.approve, by=by, pending=pending + rng.randrange(number)),
                    step(acts.decline, by=by, pending=pending + rng.randrange(number)),
                )
            )

        done = crew.at_once(
            *[[some(rng, number) for number in range(1, MIXED)] for rng in map(Random, range(SIZE))]
        )

        assert done["done"] + done["again"] > SIZE * MIXED / 3
        assert {"declined", "pending", "ReversedError"} <= done.keys()

    def test_beside_batches_with_the_same_keys_adds_up(
        self, crew: Crew, people: list[User], admin: User
    ) -> None:
        by, keys = acting(admin), [user.id for user in people]
        lines = [(user.email, sign * 3) for user in people for sign in (1, -1, 1)]
        batches = [step(acts.batch, by=by, lines=lines, key=f"b-{n}") for n in range(SHARED)]
        backwards = [
            step(acts.batch, by=by, lines=lines[::-1], key=f"c-{n}") for n in range(SHARED)
        ]
        ones = [step(acts.adjust, by=by, user=keys[n % 4], amount=-3) for n in range(SHARED)]

        done = crew.at_once(batches, batches, backwards, backwards, *[ones] * 4)

        assert done == {"done": 6 * SHARED, "again": 2 * SHARED}
        assert [balance(user) for user in people] == [2 * SHARED * 3 - SHARED * 3] * 4
