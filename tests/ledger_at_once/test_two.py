"""Two processes at one person, one request or one entry: what one does, the other sees."""

from collections import Counter
from itertools import count as count_from

import pytest

from adminsite.db import db
from adminsite.models import CreditTransaction, User
from adminsite.permissions import Actor
from tests.ledger_at_once import acts
from tests.ledger_at_once.acts import Step, step
from tests.ledger_at_once.worker import Crew
from tests.operations.money import (
    adjusted,
    assert_it_adds_up,
    balance,
    given,
    requested,
    reversed_by,
    written,
)
from tests.operations.stored import count
from tests.people import acting
from tests.rows import person

ROUNDS = 12
NUMBERS = count_from()


def somebody() -> User:
    """Somebody new, without credits."""
    db.session.rollback()
    return person(email=f"person-{next(NUMBERS)}@example.com")


@pytest.fixture
def one(admin: User) -> Actor:
    """The one who acts."""
    return acting(admin)


@pytest.fixture
def two(owner: User) -> Actor:
    """The other one."""
    return acting(owner)


def both(crew: Crew, number: int, *steps: Step) -> Counter[str]:
    """What became of the two, begun at the same moment, now the one first, now the other."""
    first, second = steps if number % 2 else reversed(steps)
    found = crew.at_once([first], [second])
    db.session.rollback()
    db.session.expire_all()
    return found


class TestAdjust:
    def test_beside_the_deletion_of_the_person_is_done_or_refused(
        self, crew: Crew, one: Actor, two: Actor
    ) -> None:
        entries = 0
        for number in range(ROUNDS):
            key = somebody().id
            found = both(
                crew,
                number,
                step(acts.adjust, by=one, user=key, amount=5),
                step(acts.delete_user, by=two, user=key),
            )

            assert found in ({"done": 1, "deleted": 1}, {"MissingError": 1, "deleted": 1})
            entries += found["done"]
            assert count(CreditTransaction) == entries
            assert count(CreditTransaction, CreditTransaction.user_id.is_not(None)) == 0
        assert_it_adds_up()

    @pytest.mark.parametrize(
        ("act", "told"),
        [(acts.change_role, {"role": "admin"}), (acts.change_plan, {"tier": "pro"})],
        ids=["role", "plan"],
    )
    def test_beside_another_change_of_the_person_loses_neither(
        self,
        crew: Crew,
        one: Actor,
        two: Actor,
        act: acts.Act,
        told: dict[str, str],
    ) -> None:
        for number in range(ROUNDS):
            user = somebody()
            version = user.version
            adjust = step(acts.adjust, by=one, user=user.id, amount=5)
            found = both(crew, number, adjust, step(act, by=two, user=user.id, **told))

            assert found == {"done": 1, "changed": 1}
            assert (user.credits_balance, user.version) == (5, version + 2)
            assert {user.role, user.subscription_tier} & set(told.values())
        assert_it_adds_up()

    def test_beside_setting_the_balance_is_before_or_after_it(
        self, crew: Crew, one: Actor, two: Actor
    ) -> None:
        for number in range(ROUNDS):
            user = somebody()
            found = both(
                crew,
                number,
                step(acts.adjust, by=one, user=user.id, amount=5),
                step(acts.set_to, by=two, user=user.id, balance=100),
            )

            assert found == {"done": 2}
            moves = {after: amount for email, amount, after in written() if email == user.email}
            assert moves in ({5: 5, 100: 95}, {100: 100, 105: 5})
        assert_it_adds_up()

    def test_and_using_never_spend_the_same_credit_twice(self, crew: Crew, admin: User) -> None:
        for number in range(ROUNDS):
            user = somebody()
            given(user, admin, 10)
            use = step(acts.use, user=user.id, amount=7)
            found = both(crew, number, use, use)

            assert found == {"done": 1, "BalanceError": 1}
            assert balance(user) == 3
        assert_it_adds_up()


class TestRequest:
    def test_approved_by_two_is_entered_once(self, crew: Crew, two: Actor, admin: User) -> None:
        third = acting(person(role="admin"))
        for number in range(ROUNDS):
            user = somebody()
            key = requested(user, admin).id
            approvals = (step(acts.approve, by=by, pending=key) for by in (two, third))
            found = both(crew, number, *approvals)

            assert found == {"done": 1, "DecidedError": 1}
            assert balance(user) == 500
        assert_it_adds_up()

    def test_approved_beside_being_declined_is_one_of_them(
        self, crew: Crew, two: Actor, admin: User
    ) -> None:
        third = acting(person(role="admin"))
        for number in range(ROUNDS):
            user = somebody()
            key = requested(user, admin).id
            found = both(
                crew,
                number,
                step(acts.approve, by=two, pending=key),
                step(acts.decline, by=third, pending=key),
            )

            assert found in ({"done": 1, "DecidedError": 1}, {"declined": 1, "DecidedError": 1})
            assert balance(user) == 500 * found["done"]
        assert_it_adds_up()

    def test_approved_beside_the_deletion_of_the_person_is_done_or_refused(
        self, crew: Crew, two: Actor, admin: User
    ) -> None:
        for number in range(ROUNDS):
            user = somebody()
            key = requested(user, admin).id
            found = both(
                crew,
                number,
                step(acts.approve, by=two, pending=key),
                step(acts.delete_user, by=two, user=user.id),
            )

            assert found in ({"done": 1, "deleted": 1}, {"MissingError": 1, "deleted": 1})
        assert_it_adds_up()


class TestReversal:
    def test_by_two_is_done_once(self, crew: Crew, one: Actor, two: Actor, admin: User) -> None:
        for number in range(ROUNDS):
            user = somebody()
            key = given(user, admin, 50).id
            reversals = (step(acts.reverse, by=by, entry=key) for by in (one, two))
            found = both(crew, number, *reversals)

            assert found == {"done": 1, "ReversedError": 1}
            assert balance(user) == 0
        assert_it_adds_up()

    def test_beside_the_request_for_it_is_one_of_them(
        self, crew: Crew, one: Actor, two: Actor, admin: User
    ) -> None:
        for number in range(ROUNDS):
            user = somebody()
            key = given(user, admin, 50).id
            found = both(
                crew,
                number,
                step(acts.reverse, by=one, entry=key),
                step(acts.reverse, by=two, entry=key, cap=1),
            )

            assert found in ({"done": 1, "ReversedError": 1}, {"pending": 1, "ReversedError": 1})
        assert_it_adds_up()

    def test_asked_for_by_two_waits_once(
        self, crew: Crew, one: Actor, two: Actor, admin: User
    ) -> None:
        for number in range(ROUNDS):
            key = given(somebody(), admin, 50).id
            asked = (step(acts.reverse, by=by, entry=key, cap=1) for by in (one, two))
            found = both(crew, number, *asked)

            assert found == {"pending": 1, "ReversedError": 1}
        assert_it_adds_up()

    def test_approved_beside_the_deletion_of_the_person_is_done_or_refused(
        self, crew: Crew, two: Actor, admin: User
    ) -> None:
        for number in range(ROUNDS):
            user = somebody()
            asked = reversed_by(given(user, admin, 50), admin, cap=1).pending
            assert asked is not None
            found = both(
                crew,
                number,
                step(acts.approve, by=two, pending=asked.id),
                step(acts.delete_user, by=two, user=user.id),
            )

            assert found in ({"done": 1, "deleted": 1}, {"MissingError": 1, "deleted": 1})
        assert_it_adds_up()


class TestBatch:
    def test_beside_the_deletion_of_somebody_in_it_is_all_or_nothing(
        self, crew: Crew, one: Actor, two: Actor
    ) -> None:
        entries = 0
        for number in range(ROUNDS):
            users = [somebody(), somebody(), somebody()]
            lines = [(user.email, 5) for user in users]
            found = both(
                crew,
                number,
                step(acts.batch, by=one, lines=lines, key=f"b-{number}"),
                step(acts.delete_user, by=two, user=users[1].id),
            )

            assert found in ({"done": 1, "deleted": 1}, {"InvalidError": 1, "deleted": 1})
            entries += 3 * found["done"]
            assert len(written()) == entries
        assert_it_adds_up()


class TestKey:
    def test_for_two_things_at_once_is_used_by_one(self, crew: Crew, one: Actor) -> None:
        for number in range(ROUNDS):
            users = [somebody(), somebody()]
            steps = (
                step(acts.adjust, by=one, user=user.id, amount=5, key=f"k-{number}")
                for user in users
            )
            found = both(crew, number, *steps)

            assert found == {"done": 1, "KeyReusedError": 1}
            assert sum(balance(user) or 0 for user in users) == 5
        assert_it_adds_up()

    def test_of_somebody_who_is_refused_is_free_for_who_waits(
        self, crew: Crew, one: Actor, admin: User
    ) -> None:
        for number in range(ROUNDS):
            full, user = somebody(), somebody()
            adjusted(full, admin, 2**31 - 1)
            found = both(
                crew,
                number,
                step(acts.adjust, by=one, user=full.id, amount=5, key=f"k-{number}"),
                step(acts.adjust, by=one, user=user.id, amount=5, key=f"k-{number}"),
            )

            assert found in ({"done": 1, "BalanceError": 1}, {"done": 1, "KeyReusedError": 1})
            assert balance(user) == 5
        assert_it_adds_up()
