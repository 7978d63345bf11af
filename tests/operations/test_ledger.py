"""The ledger: what an adjustment, an entry and a reversal do, and what they refuse."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from adminsite.db import db, transaction
from adminsite.errors import InvalidError, LevelError, MissingError, RuleError
from adminsite.models import CreditTransaction, IdempotencyKey, PendingAdjustment, User
from adminsite.operations import ledger, users
from adminsite.permissions import SYSTEM, Actor, Level
from tests.beside import Beside
from tests.factories import CreditTransactionFactory
from tests.lists import statements
from tests.operations.money import (
    REASON,
    adjusted,
    approved,
    assert_it_adds_up,
    balance,
    declined,
    given,
    requested,
    reversed_by,
    written,
)
from tests.operations.stored import actions, count, events, refused
from tests.people import acting
from tests.rows import person

MOST = 2**31 - 1
NO_AMOUNTS: tuple[object, ...] = (
    *(0, "0", "-0", True, False, 1.5, 10.0, "10.0", "1e3", "1,000", "five", "", " ", None),
    *([5], {}, b"5", "١", "5\x00", 2**31, -(2**31), "2147483648", 10**30),
)


@pytest.fixture
def alice(app: Flask) -> Iterator[User]:
    """Somebody without credits; in the end the ledger adds up."""
    yield person(email="alice@example.com")
    assert_it_adds_up()


def deleted(user: User, by: User) -> None:
    """Delete the person."""
    with transaction():
        users.delete(user, by=acting(by), link_action="delete")


def entered(user: User, amount: Any, kind: str = "purchase", **values: Any) -> CreditTransaction:
    """An entry that the service itself makes."""
    with transaction():
        return ledger.enter(user, amount, kind, by=SYSTEM, **values)


class TestAdjust:
    def test_adds_to_the_balance(self, alice: User, admin: User) -> None:
        given(alice, admin, 50)
        given(alice, admin, 25)

        assert alice.credits_balance == balance(alice) == 75
        assert written() == [("alice@example.com", 50, 50), ("alice@example.com", 25, 75)]

    def test_takes_away_into_debt(self, alice: User, admin: User) -> None:
        given(alice, admin, -30)

        assert balance(alice) == -30

    def test_sets_a_balance_by_the_difference(self, alice: User, admin: User) -> None:
        given(alice, admin, 50)

        made = adjusted(alice, admin, set_to="-20").entry

        assert made is not None
        assert (made.amount, made.balance_after, balance(alice)) == (-70, -20, -20)

    def test_sets_to_zero(self, alice: User, admin: User) -> None:
        given(alice, admin, 50)

        adjusted(alice, admin, set_to=0)

        assert balance(alice) == 0

    def test_sets_by_the_balance_after_others_are_done(
        self, app: Flask, alice: User, admin: User
    ) -> None:
        by = acting(admin)
        asked = {"set_to": 10, "reason": REASON}

        with transaction():
            ledger.adjust(alice, {"amount": 70, "reason": REASON}, by=by, cap=None)
            key = alice.id
            other = Beside(
                app,
                lambda: ledger.adjust(db.session.get_one(User, key), asked, by=by, cap=None),
            )

        assert other.end() == "done"
        assert [after for _, _, after in written()] == [70, 10]

    def test_says_who_and_why_in_the_entry(self, alice: User, admin: User) -> None:
        entry = given(alice, admin, 50)

        assert entry.type == "admin_adjustment"
        assert entry.description == f"[Admin: {admin.id}] {REASON}"
        assert (entry.actor_id, entry.actor_email) == (admin.id, admin.email)

    def test_has_a_reference_that_names_admin_and_time(self, alice: User, admin: User) -> None:
        entry = given(alice, admin, 50)

        at = datetime.strptime(
            entry.reference_id or "", f"admin_{admin.id}_%Y%m%dT%H%M%S.%fZ"
        ).replace(tzinfo=UTC)
        assert abs(at - entry.created_at) < timedelta(seconds=5)

    def test_by_the_system_names_the_system(self, alice: User) -> None:
        asked = {"amount": 5, "reason": REASON}

        with transaction():
            entry = ledger.adjust(alice, asked, by=SYSTEM, cap=None).entry

        assert entry is not None
        assert entry.description == f"[Admin: system] {REASON}"
        assert str(entry.reference_id).startswith("admin_system_")

    def test_moves_version_and_time_of_change(self, alice: User, admin: User) -> None:
        before = (alice.version, alice.updated_at)

        given(alice, admin, 50)

        assert alice.version == before[0] + 1
        assert alice.updated_at > before[1]

    def test_leaves_the_person_as_stored(self, alice: User, admin: User) -> None:
        given(alice, admin, 50)
        held = (alice.credits_balance, alice.version, alice.updated_at)

        db.session.refresh(alice)

        assert held == (alice.credits_balance, alice.version, alice.updated_at)

    def test_is_told_by_one_event(self, alice: User, admin: User) -> None:
        given(alice, admin, 50)

        entry = given(alice, admin, -20)

        event = events()[-1]
        assert (event.action, event.subject_id) == ("credits.adjusted", str(alice.id))
        assert event.changes == {"credits_balance": [50, 30], "transaction": [None, entry.id]}
        assert (event.reason, event.subject_version) == (REASON, alice.version)

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [("+5", 5), ("-5", -5), ("\N{MINUS SIGN}5", -5), (" 7 ", 7), (MOST, MOST)],
    )
    def test_takes_an_amount_as_people_type_it(
        self, alice: User, admin: User, typed: object, meant: int
    ) -> None:
        adjusted(alice, admin, typed)

        assert balance(alice) == meant

    @pytest.mark.parametrize("amount", NO_AMOUNTS, ids=repr)
    def test_of_no_amount_is_refused(self, alice: User, admin: User, amount: object) -> None:
        with refused(InvalidError) as refusal:
            ledger.adjust(
                alice, {"amount": amount, "reason": REASON}, by=acting(admin), cap=None, key="k"
            )

        assert list(refusal.value.fields) == ["amount"]

    @pytest.mark.parametrize("set_to", [True, 1.0, "10.0", "x", 2**31, -(2**31)], ids=repr)
    def test_to_no_balance_is_refused(self, alice: User, admin: User, set_to: object) -> None:
        with refused(InvalidError) as refusal:
            ledger.adjust(alice, {"set_to": set_to, "reason": REASON}, by=acting(admin), cap=None)

        assert list(refusal.value.fields) == ["set_to"]

    def test_to_the_same_balance_is_refused(self, alice: User, admin: User) -> None:
        given(alice, admin, 1500)

        with refused(InvalidError, "The balance is 1,500 already"):
            ledger.adjust(alice, {"set_to": 1500, "reason": REASON}, by=acting(admin), cap=None)

    @pytest.mark.parametrize("blank", [None, "", " \t"])
    def test_takes_a_field_left_blank_for_none(
        self, alice: User, admin: User, blank: str | None
    ) -> None:
        asked = {"amount": "5", "set_to": blank, "reason": REASON}

        made = ledger.adjust(alice, asked, by=acting(admin), cap=None)

        assert made.entry is not None
        assert made.entry.amount == 5

    def test_by_and_to_at_once_is_refused(self, alice: User, admin: User) -> None:
        asked = {"amount": 5, "set_to": 5, "reason": REASON}

        with refused(InvalidError, "not both") as refusal:
            ledger.adjust(alice, asked, by=acting(admin), cap=None)

        assert set(refusal.value.fields) == {"amount", "set_to"}

    def test_with_an_unknown_field_is_refused(self, alice: User, admin: User) -> None:
        asked = {"amount": 5, "reason": REASON, "type": "bonus"}

        with refused(InvalidError, "no field called `type`"):
            ledger.adjust(alice, asked, by=acting(admin), cap=None)

    def test_trims_the_reason_before_it_is_measured(self, alice: User, admin: User) -> None:
        made = adjusted(alice, admin, 5, reason=f"  {'é' * 500}\n").entry

        assert made is not None
        assert made.description == f"[Admin: {admin.id}] {'é' * 500}"

    @pytest.mark.parametrize(
        "reason", [None, "", "  \n", "\u200b", "x" * 501, "a\x00b", "\ud800", 5, ["x"]], ids=repr
    )
    def test_without_a_reason_is_refused(self, alice: User, admin: User, reason: object) -> None:
        with refused(InvalidError) as refusal:
            ledger.adjust(alice, {"amount": 5, "reason": reason}, by=acting(admin), cap=None)

        assert list(refusal.value.fields) == ["reason"]

    @pytest.mark.parametrize("sign", [1, -1])
    def test_beyond_what_a_balance_holds_is_refused(
        self, alice: User, admin: User, sign: int
    ) -> None:
        given(alice, admin, sign * MOST)

        with refused(ledger.BalanceError, "The balance would be -?2,147,483,648"):
            ledger.adjust(alice, {"amount": sign, "reason": REASON}, by=acting(admin), cap=None)

    def test_to_a_balance_too_far_away_is_refused(self, alice: User, admin: User) -> None:
        given(alice, admin, -MOST)

        with refused(ledger.BalanceError, "would change by 4,294,967,294"):
            ledger.adjust(alice, {"set_to": MOST, "reason": REASON}, by=acting(admin), cap=None)

    @pytest.mark.parametrize("level", [Level.NONE, Level.SUPPORT])
    def test_by_too_low_a_level_is_refused(self, alice: User, support: User, level: Level) -> None:
        by = Actor(support.id, support.email, "", level)

        with refused(LevelError):
            ledger.adjust(alice, {"amount": 5, "reason": REASON}, by=by, cap=None, key="k")

    def test_while_viewing_as_somebody_is_refused(self, alice: User, owner: User) -> None:
        by = Actor(alice.id, alice.email, "", Level.OWNER, behind=acting(owner))

        with refused(LevelError, "Stop viewing first"):
            ledger.adjust(alice, {"amount": 5, "reason": REASON}, by=by, cap=None)

    def test_of_somebody_deleted_is_refused(self, alice: User, admin: User) -> None:
        deleted(alice, admin)

        with refused(MissingError):
            ledger.adjust(alice, {"amount": 5, "reason": REASON}, by=acting(admin), cap=None)


class TestForesee:
    def test_shows_the_balance_then(self, alice: User, admin: User) -> None:
        given(alice, admin, 50)

        seen = ledger.foresee(alice, {"set_to": "20"}, by=acting(admin), cap=30)

        assert (seen.before, seen.amount, seen.after, seen.waits) == (50, -30, 20, False)

    def test_says_what_would_wait(self, alice: User, admin: User) -> None:
        assert ledger.foresee(alice, {"amount": 31}, by=acting(admin), cap=30).waits

    @pytest.mark.parametrize(
        "asked", [{}, {"amount": 0}, {"set_to": 0}, {"amount": 1, "set_to": 1}]
    )
    def test_of_nothing_is_refused(
        self, alice: User, admin: User, asked: dict[str, object]
    ) -> None:
        with refused(InvalidError):
            ledger.foresee(alice, asked, by=acting(admin), cap=None)

    def test_beyond_what_a_balance_holds_is_refused(self, alice: User, admin: User) -> None:
        given(alice, admin, MOST)

        with refused(ledger.BalanceError):
            ledger.foresee(alice, {"amount": 1}, by=acting(admin), cap=None)

    def test_by_too_low_a_level_is_refused(self, alice: User, support: User) -> None:
        with refused(LevelError):
            ledger.foresee(alice, {"amount": 1}, by=acting(support), cap=None)

    def test_of_a_reversal_shows_the_opposite(self, alice: User, admin: User) -> None:
        entry = given(alice, admin, 50)
        given(alice, admin, 5)

        seen = ledger.foresee_reversal(entry, by=acting(admin), cap=49)

        assert (seen.before, seen.after, seen.waits) == (55, 5, True)

    def test_of_a_reversal_already_made_is_refused(self, alice: User, admin: User) -> None:
        entry = given(alice, admin, 50)
        reversed_by(entry, admin)

        with refused(ledger.ReversedError):
            ledger.foresee_reversal(entry, by=acting(admin), cap=None)

    def test_of_a_deleted_persons_entry_is_refused(self, alice: User, admin: User) -> None:
        entry = given(alice, admin, 50)
        deleted(alice, admin)

        with refused(RuleError, "The account was deleted"):
            ledger.foresee_reversal(entry, by=acting(admin), cap=None)


class TestCap:
    def test_lets_the_whole_of_it_through(self, alice: User, admin: User) -> None:
        made = adjusted(alice, admin, -100, cap=100)

        assert made.entry is not None
        assert made.pending is None

    @pytest.mark.parametrize("amount", [101, -101])
    def test_lets_more_wait_and_changes_no_balance(
        self, alice: User, admin: User, amount: int
    ) -> None:
        made = adjusted(alice, admin, amount, cap=100)

        assert made.entry is None
        assert made.pending is not None
        assert (made.pending.status, made.pending.amount) == ("pending", amount)
        assert (written(), balance(alice)) == ([], 0)

    def test_counts_the_difference_when_a_balance_is_set(self, alice: User, admin: User) -> None:
        given(alice, admin, 1000)

        assert adjusted(alice, admin, set_to=1100, cap=100).entry is not None
        assert adjusted(alice, admin, set_to=0, cap=100).pending is not None

    def test_of_nothing_lets_everything_wait(self, alice: User, admin: User) -> None:
        assert adjusted(alice, admin, 1, cap=0).pending is not None

    def test_is_told_by_an_event(self, alice: User, admin: User) -> None:
        requested(alice, admin, 500)

        event = events()[-1]
        assert (event.action, event.subject_id) == ("credits.requested", str(alice.id))
        assert (event.changes, event.reason) == ({"amount": [None, 500]}, REASON)

    def test_does_not_let_wait_what_no_balance_can_hold(self, alice: User, admin: User) -> None:
        given(alice, admin, MOST)

        with refused(ledger.BalanceError):
            ledger.adjust(alice, {"amount": 500, "reason": REASON}, by=acting(admin), cap=100)


class TestKey:
    def test_gives_the_first_result_again(self, alice: User, admin: User) -> None:
        first = adjusted(alice, admin, 7, key="k")

        second = adjusted(alice, admin, " +7", key="k", reason=f" {REASON} ")

        assert (second.entry, second.again) == (first.entry, True)
        assert (count(CreditTransaction), len(events())) == (1, 1)

    def test_gives_the_first_result_though_the_balance_is_reached(
        self, alice: User, admin: User
    ) -> None:
        adjusted(alice, admin, set_to=7, key="k")

        assert adjusted(alice, admin, set_to=7, key="k").again

    def test_gives_the_same_request_again(self, alice: User, admin: User, owner: User) -> None:
        first = requested(alice, admin, 500, key="k")
        approved(first, owner)

        second = adjusted(alice, admin, 500, cap=100, key="k")

        assert (second.entry, second.pending, second.again) == (None, first, True)
        assert balance(alice) == 500

    def test_gives_the_same_reversal_again(self, alice: User, admin: User) -> None:
        entry = given(alice, admin, 50)
        first = reversed_by(entry, admin, key="k")

        second = reversed_by(entry, admin, key="k")

        assert (second.entry, second.again, balance(alice)) == (first.entry, True, 0)

    @pytest.mark.parametrize(
        "asked",
        [
            {"amount": 8, "reason": REASON},
            {"set_to": 7, "reason": REASON},
            {"amount": 7, "reason": "another"},
        ],
    )
    def test_with_other_values_is_refused(
        self, alice: User, admin: User, asked: dict[str, object]
    ) -> None:
        adjusted(alice, admin, 7, key="k")

        with refused(ledger.KeyReusedError, "use a new key") as refusal:
            ledger.adjust(alice, asked, by=acting(admin), cap=None, key="k")

        assert (refusal.value.status, refusal.value.code) == (409, "CONFLICT")

    def test_for_somebody_else_is_refused(self, alice: User, admin: User) -> None:
        adjusted(alice, admin, 7, key="k")
        bob, asked = person(), {"amount": 7, "reason": REASON}

        with refused(ledger.KeyReusedError):
            ledger.adjust(bob, asked, by=acting(admin), cap=None, key="k")

    def test_of_an_adjustment_is_refused_for_a_reversal(self, alice: User, admin: User) -> None:
        entry = adjusted(alice, admin, 7, key="k").entry
        assert entry is not None

        with refused(ledger.KeyReusedError):
            ledger.reverse(entry, REASON, by=acting(admin), cap=None, key="k")

    def test_is_the_callers_own(self, alice: User, admin: User, owner: User) -> None:
        adjusted(alice, admin, 7, key="k")

        assert not adjusted(alice, owner, 9, key="k").again
        assert balance(alice) == 16

    def test_is_not_used_up_by_a_refusal(self, alice: User, admin: User) -> None:
        given(alice, admin, MOST)
        with pytest.raises(ledger.BalanceError):
            adjusted(alice, admin, 5, key="k")

        assert not adjusted(alice, admin, -5, key="k").again
        assert count(IdempotencyKey) == 1

    @pytest.mark.parametrize("key", ["k" * 255, "a key: with-signs/!", "~"])
    def test_may_be_any_printable_word(self, alice: User, admin: User, key: str) -> None:
        adjusted(alice, admin, 7, key=key)

        assert adjusted(alice, admin, 7, key=key).again

    @pytest.mark.parametrize("key", ["", "k" * 256, "a\x00b", "é", "a\nb", "\ud800"], ids=repr)
    def test_of_another_form_is_refused(self, alice: User, admin: User, key: str) -> None:
        asked = {"amount": 5, "reason": REASON}

        with refused(InvalidError, "idempotency key") as refusal:
            ledger.adjust(alice, asked, by=acting(admin), cap=None, key=key)

        assert list(refusal.value.fields) == ["idempotency_key"]

    def test_is_not_needed(self, alice: User, admin: User) -> None:
        given(alice, admin, 7)
        given(alice, admin, 7)

        assert (balance(alice), count(IdempotencyKey)) == (14, 0)


class TestEnter:
    @pytest.mark.parametrize("kind", ledger.TYPES_ENTERED)
    def test_moves_the_balance_under_every_type(self, alice: User, kind: str) -> None:
        given_first = entered(alice, 50, "bonus")

        entry = entered(alice, -20, kind, reference="inv_1", about="What it was")

        assert (entry.type, entry.balance_after, balance(alice)) == (kind, 30, 30)
        assert (entry.reference_id, entry.description) == ("inv_1", "What it was")
        assert entry.id > given_first.id

    def test_is_told_by_an_event(self, alice: User) -> None:
        entry = entered(alice, 50, about="Starter pack")

        (event,) = events()
        assert (event.action, event.reason) == ("credits.adjusted", "Starter pack")
        assert event.changes == {"credits_balance": [0, 50], "transaction": [None, entry.id]}

    def test_needs_no_words(self, alice: User) -> None:
        entry = entered(alice, 50)

        assert (entry.reference_id, entry.description, events()[0].reason) == (None, None, None)

    def test_may_tell_of_the_past(self, alice: User) -> None:
        at = datetime(2025, 3, 1, 23, 59, 59, tzinfo=UTC)

        entry = entered(alice, 50, at=at)

        assert entry.created_at == at

    def test_of_more_use_than_there_is_is_refused(self, alice: User) -> None:
        entered(alice, 1050)

        with refused(ledger.BalanceError, "alice@example.com has 1,050 credits"):
            ledger.enter(alice, -1051, "usage", by=SYSTEM)

    def test_may_use_all_there_is(self, alice: User) -> None:
        entered(alice, 50)
        entered(alice, -50, "usage")

        assert balance(alice) == 0

    def test_of_a_use_that_gives_is_refused(self, alice: User) -> None:
        with refused(InvalidError, "A use takes credits away"):
            ledger.enter(alice, 5, "usage", by=SYSTEM)

    @pytest.mark.parametrize("kind", ["refund", "expiration", "clawback"])
    def test_of_anything_else_may_lead_into_debt(self, alice: User, kind: str) -> None:
        entered(alice, -50, kind)

        assert balance(alice) == -50

    @pytest.mark.parametrize("kind", ["admin_adjustment", "reversal", "gift", ""])
    def test_under_another_type_is_refused(self, alice: User, kind: str) -> None:
        with refused(InvalidError, "An entry is one of purchase, ") as refusal:
            ledger.enter(alice, 5, kind, by=SYSTEM)

        assert list(refusal.value.fields) == ["type"]

    def test_of_no_amount_is_refused(self, alice: User) -> None:
        with refused(InvalidError):
            ledger.enter(alice, 0, "bonus", by=SYSTEM)

    def test_beyond_what_a_balance_holds_is_refused(self, alice: User) -> None:
        entered(alice, MOST)

        with refused(ledger.BalanceError):
            ledger.enter(alice, 1, "bonus", by=SYSTEM)

    def test_by_too_low_a_level_is_refused(self, alice: User, support: User) -> None:
        with refused(LevelError):
            ledger.enter(alice, 1, "bonus", by=acting(support))

    def test_for_somebody_deleted_is_refused(self, alice: User, admin: User) -> None:
        deleted(alice, admin)

        with refused(MissingError):
            ledger.enter(alice, 1, "bonus", by=SYSTEM)


class TestReverse:
    def test_enters_the_opposite(self, alice: User, admin: User, owner: User) -> None:
        entry = given(alice, admin, 50)
        given(alice, admin, 5)

        back = reversed_by(entry, owner).entry

        assert back is not None
        assert (back.amount, back.balance_after, back.type) == (-50, 5, "reversal")
        assert (back.reverses_id, back.actor_id) == (entry.id, owner.id)
        assert back.description == f"[Admin: {owner.id}] {REASON}"

    def test_is_told_by_an_event(self, alice: User, admin: User) -> None:
        entry = given(alice, admin, 50)

        back = reversed_by(entry, admin).entry

        assert back is not None
        event = events()[-1]
        assert (event.action, event.reason) == ("credits.reversed", REASON)
        assert event.changes == {
            "credits_balance": [50, 0],
            "transaction": [None, back.id],
            "reverses": [None, entry.id],
        }

    def test_may_lead_into_debt(self, alice: User, admin: User) -> None:
        entry = entered(alice, 50)
        entered(alice, -40, "usage")

        reversed_by(entry, admin)

        assert balance(alice) == -40

    def test_twice_is_refused(self, alice: User, admin: User) -> None:
        entry = given(alice, admin, 50)
        reversed_by(entry, admin)

        with refused(ledger.ReversedError, "reversed already"):
            ledger.reverse(entry, REASON, by=acting(admin), cap=None)

    def test_at_the_same_moment_happens_once(self, app: Flask, alice: User, admin: User) -> None:
        entry = given(alice, admin, 50)

        def reverse() -> None:
            row = db.session.get_one(CreditTransaction, key)
            ledger.reverse(row, REASON, by=by, cap=None)

        with transaction():
            key, by = entry.id, acting(admin)
            ledger.reverse(entry, REASON, by=by, cap=None)
            other = Beside(app, reverse)

        assert isinstance(other.end(), ledger.ReversedError)
        assert balance(alice) == 0

    def test_of_a_reversal_is_refused(self, alice: User, admin: User) -> None:
        back = reversed_by(given(alice, admin, 50), admin).entry
        assert back is not None

        with refused(RuleError, "A reversal is not reversed"):
            ledger.reverse(back, REASON, by=acting(admin), cap=None)

    def test_of_a_deleted_persons_entry_is_refused(self, alice: User, admin: User) -> None:
        entry = given(alice, admin, 50)
        deleted(alice, admin)

        with refused(RuleError, "The account was deleted"):
            ledger.reverse(entry, REASON, by=acting(admin), cap=None)

    def test_beside_the_deletion_of_the_person_is_refused(
        self, app: Flask, alice: User, admin: User
    ) -> None:
        entry = given(alice, admin, 50)

        def reverse() -> None:
            row = db.session.get_one(CreditTransaction, key)
            ledger.reverse(row, REASON, by=by, cap=None)

        with transaction():
            key, by = entry.id, acting(admin)
            users.delete(alice, by=by, link_action="delete")
            other = Beside(app, reverse)

        answer = other.end()
        assert isinstance(answer, RuleError)
        assert answer.message.startswith("The account was deleted")

    @pytest.mark.parametrize("reason", [None, "", "x" * 501])
    def test_without_a_reason_is_refused(self, alice: User, admin: User, reason: object) -> None:
        entry = given(alice, admin, 50)

        with refused(InvalidError) as refusal:
            ledger.reverse(entry, reason, by=acting(admin), cap=None)

        assert list(refusal.value.fields) == ["reason"]

    def test_with_a_key_of_another_form_is_refused(self, alice: User, admin: User) -> None:
        entry = given(alice, admin, 50)

        with refused(InvalidError, "idempotency key"):
            ledger.reverse(entry, REASON, by=acting(admin), cap=None, key="é")

    def test_by_too_low_a_level_is_refused(self, alice: User, admin: User, support: User) -> None:
        entry = given(alice, admin, 50)

        with refused(LevelError):
            ledger.reverse(entry, REASON, by=acting(support), cap=None)

    def test_beyond_what_a_balance_holds_is_refused(self, alice: User, admin: User) -> None:
        entry = given(alice, admin, -2)
        given(alice, admin, MOST)
        given(alice, admin, 2)

        with refused(ledger.BalanceError):
            ledger.reverse(entry, REASON, by=acting(admin), cap=None)

    def test_beyond_the_cap_waits(self, alice: User, admin: User) -> None:
        entry = given(alice, admin, 500)

        asked = reversed_by(entry, admin, cap=499).pending

        assert asked is not None
        assert (asked.amount, asked.reverses_id, balance(alice)) == (-500, entry.id, 500)
        assert events()[-1].changes == {"amount": [None, -500], "reverses": [None, entry.id]}

    def test_while_one_waits_is_refused(self, alice: User, admin: User, owner: User) -> None:
        entry = given(alice, admin, 500)
        reversed_by(entry, admin, cap=499)

        with refused(ledger.ReversedError, "waits for a second person"):
            ledger.reverse(entry, REASON, by=acting(owner), cap=None)

    def test_after_one_was_declined_is_done(self, alice: User, admin: User, owner: User) -> None:
        entry = given(alice, admin, 500)
        asked = reversed_by(entry, admin, cap=499).pending
        assert asked is not None
        declined(asked, owner)

        assert reversed_by(entry, owner).entry is not None
        assert balance(alice) == 0


class TestReversalObjections:
    def test_are_found_for_many_with_two_statements(self, alice: User, admin: User) -> None:
        done, waits, free, gone = (given(alice, admin, amount) for amount in (1, 500, 3, 4))
        back = reversed_by(done, admin).entry
        assert back is not None
        reversed_by(waits, admin, cap=100)
        shown = [
            SimpleNamespace(id=one.id, type=one.type, user_id=None if one is gone else alice.id)
            for one in (done, waits, free, gone, back)
        ]

        with statements() as sent:
            found = ledger.reversal_objections(shown)

        assert len(sent) == 2
        assert {key: why.message.split(" ")[1] for key, why in found.items()} == {
            shown[0].id: "entry",
            shown[1].id: "reversal",
            shown[3].id: "account",
            shown[4].id: "reversal",
        }


class TestReason:
    def test_is_told_without_who_wrote_it(self, alice: User, admin: User) -> None:
        assert ledger.reason_of(given(alice, admin, 5).description) == REASON

    @pytest.mark.parametrize(
        ("description", "said"),
        [("[Admin: system] x", "x"), ("Starter pack", "Starter pack"), ("", ""), (None, None)],
    )
    def test_is_all_that_is_said_otherwise(self, description: str | None, said: str | None) -> None:
        assert ledger.reason_of(description) == said


class TestEntry:
    def test_stays_when_its_person_goes(self, alice: User, admin: User) -> None:
        for number in range(1, 301):
            CreditTransactionFactory(user=alice, amount=1, balance_after=number)

        deleted(alice, admin)

        left = select(CreditTransaction.user_id, CreditTransaction.user_email)
        assert set(db.session.connection().execute(left)) == {(None, "alice@example.com")}
        assert count(CreditTransaction) == 300

    def test_outlives_requests_of_its_person(self, alice: User, admin: User) -> None:
        given(alice, admin, 50)
        requested(alice, admin)

        deleted(alice, admin)

        assert (count(CreditTransaction), count(PendingAdjustment)) == (1, 0)
        assert actions() == ["credits.adjusted", "credits.requested", "user.deleted"]
