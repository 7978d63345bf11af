"""Batches: all lines or none, under one key, with as few statements as one line needs."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from adminsite.db import db, transaction
from adminsite.errors import InvalidError, LevelError
from adminsite.models import CreditTransaction, IdempotencyKey, User
from adminsite.operations import ledger
from adminsite.operations.ledger import Row
from tests.beside import Beside
from tests.lists import statements
from tests.operations.money import REASON, adjusted, assert_it_adds_up, balance, given, written
from tests.operations.stored import count, events, refused
from tests.people import acting
from tests.rows import person

MOST = 2**31 - 1
ALICE, BOB = "alice@example.com", "bob@example.com"


@pytest.fixture
def alice(app: Flask) -> Iterator[User]:
    """Somebody without credits; in the end the ledger adds up."""
    yield person(email="Alice@Example.com")
    assert_it_adds_up()


@pytest.fixture
def bob(alice: User) -> User:
    """Another one."""
    return person(email=BOB)


def line(email: str = ALICE, amount: object = "5", reason: object = REASON) -> Row:
    """A line of a batch."""
    return Row(email, amount, reason)


def applied(rows: list[Row], by: User, *, cap: int | None = None, key: str = "k") -> ledger.Batch:
    """What became of a batch, in a transaction of its own."""
    with transaction():
        return ledger.adjust_batch(rows, by=acting(by), cap=cap, key=key)


class TestBatch:
    def test_adjusts_everybody(self, alice: User, bob: User, admin: User) -> None:
        done = applied([line(amount="5"), line(BOB, "-3"), line(amount=2)], admin)

        assert (done.entries, done.people, done.again) == (3, 2, False)
        assert written() == [(alice.email, 5, 5), (BOB, -3, -3), (alice.email, 2, 7)]
        assert (balance(alice), balance(bob)) == (7, -3)

    def test_says_who_and_why_in_each_entry(self, alice: User, bob: User, admin: User) -> None:
        done = applied([line(reason=" one "), line(BOB, reason="two")], admin)

        entries = db.session.scalars(select(CreditTransaction).order_by(CreditTransaction.id)).all()
        assert [entry.description for entry in entries] == [
            f"[Admin: {admin.id}] one",
            f"[Admin: {admin.id}] two",
        ]
        assert {(entry.reference_id, entry.type, entry.actor_email) for entry in entries} == {
            (done.reference, "admin_adjustment", admin.email)
        }

    def test_moves_versions_and_times_of_change(self, alice: User, bob: User, admin: User) -> None:
        before = [(one.version, one.updated_at) for one in (alice, bob)]

        applied([line(), line(), line(BOB)], admin)

        for one, (version, changed) in zip((alice, bob), before, strict=True):
            held = (one.version, one.updated_at, one.credits_balance)
            db.session.refresh(one)
            assert held == (one.version, one.updated_at, one.credits_balance)
            assert (one.version, one.updated_at > changed) == (version + 1, True)

    def test_is_told_by_an_event_for_each_line(self, alice: User, bob: User, admin: User) -> None:
        given(alice, admin, 10)

        done = applied([line(amount=5), line(amount=-1, reason="less")], admin)

        told = [(event.action, event.reason, event.changes) for event in events()[1:]]
        batch = {"batch": [None, done.reference]}
        assert told == [
            ("credits.adjusted", REASON, {"credits_balance": [10, 15], **batch}),
            ("credits.adjusted", "less", {"credits_balance": [15, 14], **batch}),
        ]

    def test_finds_addresses_whatever_their_case_and_space(self, alice: User, admin: User) -> None:
        applied([line("  ALICE@example.COM ")], admin)

        assert balance(alice) == 5

    def test_waits_for_whoever_changes_one_of_its_people(
        self, app: Flask, alice: User, bob: User, admin: User
    ) -> None:
        by = acting(admin)

        with transaction():
            ledger.adjust(alice, {"amount": 50, "reason": REASON}, by=by, cap=None)
            other = Beside(
                app, lambda: ledger.adjust_batch([line(BOB), line()], by=by, cap=None, key="k")
            )

        assert other.end() == "done"
        assert (balance(alice), balance(bob)) == (55, 5)

    def test_sends_as_many_statements_for_hundreds_of_lines_as_for_one(
        self, alice: User, bob: User, admin: User
    ) -> None:
        with statements() as for_one:
            applied([line()], admin, key="one")

        with statements() as for_many:
            applied([line(), line(BOB)] * 150, admin, key="many")

        assert len(for_many) == len(for_one)

    def test_takes_five_thousand_lines(self, alice: User, bob: User, admin: User) -> None:
        done = applied([line(), line(BOB, "-1")] * 2500, admin)

        assert (done.entries, balance(alice), balance(bob)) == (5000, 12500, -2500)

    def test_moves_a_balance_further_than_one_line_can(self, alice: User, admin: User) -> None:
        given(alice, admin, -MOST)

        applied([line(amount=MOST), line(amount=5)], admin)

        assert balance(alice) == 5

    def test_by_too_low_a_level_is_refused(self, alice: User, support: User) -> None:
        with refused(LevelError):
            ledger.adjust_batch([line()], by=acting(support), cap=None, key="k")

    def test_without_a_line_is_refused(self, alice: User, admin: User) -> None:
        with refused(InvalidError, "There is no line") as refusal:
            ledger.adjust_batch([], by=acting(admin), cap=None, key="k")

        assert list(refusal.value.fields) == ["lines"]

    def test_of_too_many_lines_is_refused(self, alice: User, admin: User) -> None:
        with refused(InvalidError, "5,001 lines; 5,000 is the limit"):
            ledger.adjust_batch([line()] * 5001, by=acting(admin), cap=None, key="k")

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            (line("nobody@example.com"), "Nobody has the address nobody@example.com."),
            (line(""), "Give an address."),
            (line("  "), "Give an address."),
            (line("a\x00@example.com"), "control character"),
            (line("\ud800@example.com"), "control character"),
            (line("x" * 300), "300 characters; 254 is the limit"),
            (line(amount="1.5"), "The amount is a whole number"),
            (line(amount=""), "The amount is a whole number"),
            (line(amount=None), "The amount is a whole number"),
            (line(amount=True), "The amount is a whole number|must be text"),
            (line(amount=0), "cannot be 0"),
            (line(amount=2**31), "The amount lies between"),
            (line(amount=MOST), "The balance would be 2,147,483,657"),
            (line(reason=" "), "Give a reason"),
            (line(reason="x" * 501), "501 characters"),
        ],
        ids=repr,
    )
    def test_with_a_line_that_cannot_be_applied_is_refused(
        self, alice: User, bob: User, admin: User, wrong: Row, why: str
    ) -> None:
        rows = [line(BOB), line(amount=10), wrong, line(amount="x")]

        with refused(InvalidError, f"^Line 3: .*({why})") as refusal:
            ledger.adjust_batch(rows, by=acting(admin), cap=None, key="k")

        assert list(refusal.value.fields) == ["line 3"]


class TestCap:
    def test_lets_the_whole_of_it_through(self, alice: User, bob: User, admin: User) -> None:
        applied([line(amount=60), line(BOB, 100), line(amount=40)], admin, cap=100)

        assert (balance(alice), balance(bob)) == (100, 100)

    @pytest.mark.parametrize(
        ("amounts", "at"),
        [((101,), 1), ((-101,), 1), ((60, 41), 2), ((-60, -41), 2), ((90, -10, 90), 3)],
    )
    def test_counts_for_the_sum_of_a_persons_lines(
        self, alice: User, bob: User, admin: User, amounts: tuple[int, ...], at: int
    ) -> None:
        rows = [line(amount=amount) for amount in amounts]

        with refused(InvalidError, f"^Line {at}: More than 100 credits need a second person"):
            ledger.adjust_batch(rows, by=acting(admin), cap=100, key="k")

    def test_is_not_slipped_past_by_taking_back(self, alice: User, admin: User) -> None:
        with refused(InvalidError, "^Line 1: More than 100"):
            ledger.adjust_batch(
                [line(amount=500), line(amount=-450)], by=acting(admin), cap=100, key="k"
            )


class TestKey:
    def test_gives_the_first_result_again(self, alice: User, bob: User, admin: User) -> None:
        rows = [line(), line(BOB), line(" ALICE@example.com")]
        first = applied(rows, admin)

        again = applied(rows, admin)

        assert (again.reference, again.entries, again.people) == (first.reference, 3, 2)
        assert (again.again, count(CreditTransaction)) == (True, 3)

    def test_with_other_lines_is_refused(self, alice: User, bob: User, admin: User) -> None:
        applied([line(), line(BOB)], admin)

        with refused(ledger.KeyReusedError):
            ledger.adjust_batch([line(BOB), line()], by=acting(admin), cap=None, key="k")

    def test_of_an_adjustment_is_refused(self, alice: User, admin: User) -> None:
        adjusted(alice, admin, 5, key="k")

        with refused(ledger.KeyReusedError):
            ledger.adjust_batch([line()], by=acting(admin), cap=None, key="k")

    def test_is_the_callers_own(self, alice: User, admin: User, owner: User) -> None:
        first = applied([line()], admin)

        second = applied([line()], owner)

        assert (second.again, second.reference == first.reference) == (False, False)

    def test_is_not_used_up_by_a_refusal(self, alice: User, admin: User) -> None:
        with pytest.raises(InvalidError):
            applied([line(), line(amount=0)], admin)

        assert not applied([line()], admin).again
        assert count(IdempotencyKey) == 1

    @pytest.mark.parametrize("key", ["", "é", "k" * 256])
    def test_of_another_form_is_refused(self, alice: User, admin: User, key: str) -> None:
        with refused(InvalidError, "idempotency key"):
            ledger.adjust_batch([line()], by=acting(admin), cap=None, key=key)


class TestDryRun:
    def test_shows_what_each_line_would_do(self, alice: User, bob: User, admin: User) -> None:
        given(alice, admin, 10)

        found = ledger.check_batch(
            [line(amount="5"), line(BOB, "-3"), line(amount="2")], by=acting(admin), cap=None
        )

        told = [(one.email, one.before, one.after, one.problem) for one in found]
        assert told == [(alice.email, 10, 15, ""), (BOB, 0, -3, ""), (alice.email, 15, 17, "")]

    def test_names_every_problem(self, alice: User, bob: User, admin: User) -> None:
        rows = [line("nobody@example.com"), line(amount=101), line(BOB, 5), line(reason="")]

        found = ledger.check_batch(rows, by=acting(admin), cap=100)

        assert [one.problem.split(" ")[0] for one in found] == ["Nobody", "More", "", "Give"]
        assert [one.user for one in found] == [None, alice, bob, alice]

    def test_leaves_refused_lines_out_of_later_ones(self, alice: User, admin: User) -> None:
        found = ledger.check_batch(
            [line(amount=500), line(amount=40), line(amount=60)], by=acting(admin), cap=100
        )

        assert [(one.before, one.problem == "") for one in found[1:]] == [(0, True), (40, True)]

    def test_changes_nothing(self, alice: User, admin: User) -> None:
        ledger.check_batch([line()], by=acting(admin), cap=None)

        assert (count(CreditTransaction), balance(alice)) == (0, 0)

    def test_by_too_low_a_level_is_refused(self, alice: User, support: User) -> None:
        with pytest.raises(LevelError):
            ledger.check_batch([line()], by=acting(support), cap=None)

    @pytest.mark.parametrize("size", [0, 5001])
    def test_of_no_size_is_refused(self, alice: User, admin: User, size: int) -> None:
        with pytest.raises(InvalidError):
            ledger.check_batch([line()] * size, by=acting(admin), cap=None)
