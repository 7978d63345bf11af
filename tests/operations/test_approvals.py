"""Requests that wait for a second person: who decides, what then happens, what is refused."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from adminsite.db import db, transaction
from adminsite.errors import InvalidError, LevelError, MissingError
from adminsite.models import CreditTransaction, PendingAdjustment, User
from adminsite.operations import admins, ledger, users
from adminsite.permissions import SYSTEM
from tests.beside import Beside
from tests.factories import save
from tests.operations.money import (
    REASON,
    approved,
    assert_it_adds_up,
    balance,
    declined,
    given,
    requested,
    reversed_by,
    written,
)
from tests.operations.stored import count, events, refused
from tests.people import acting
from tests.rows import person

MOST = 2**31 - 1


@pytest.fixture
def alice(app: Flask) -> Iterator[User]:
    """Somebody without credits; in the end the ledger adds up."""
    yield person(email="alice@example.com")
    assert_it_adds_up()


@pytest.fixture
def asked(alice: User, admin: User) -> PendingAdjustment:
    """What the admin asked for: 500 credits for Alice."""
    return requested(alice, admin, 500)


def reversal_asked(alice: User, admin: User) -> tuple[CreditTransaction, PendingAdjustment]:
    """An entry and the request to reverse it."""
    entry = given(alice, admin, 500)
    asked = reversed_by(entry, admin, cap=100).pending
    assert asked is not None
    return entry, asked


def deleted(user: User, by: User) -> None:
    """Delete the person."""
    with transaction():
        users.delete(user, by=acting(by), link_action="delete")


class TestApprove:
    def test_moves_the_balance_of_that_moment(
        self, asked: PendingAdjustment, alice: User, admin: User, owner: User
    ) -> None:
        given(alice, admin, -30)

        approved(asked, owner)

        assert written() == [(alice.email, -30, -30), (alice.email, 500, 470)]
        assert balance(alice) == 470

    def test_enters_it_for_who_asked(
        self, asked: PendingAdjustment, admin: User, owner: User
    ) -> None:
        entry = approved(asked, owner)

        assert (entry.actor_id, entry.actor_email) == (admin.id, admin.email)
        assert (entry.approved_by, entry.type) == (owner.email, "admin_adjustment")
        assert entry.description == f"[Admin: {admin.id}] {REASON}"

    def test_refers_to_who_asked_and_when(
        self, asked: PendingAdjustment, admin: User, owner: User
    ) -> None:
        entry = approved(asked, owner)

        at = f"{asked.created_at:%Y%m%dT%H%M%S.%fZ}"
        assert entry.reference_id == f"admin_{admin.id}_{at}"

    def test_closes_the_request(self, asked: PendingAdjustment, owner: User) -> None:
        entry = approved(asked, owner, "  Agreed.  ")

        db.session.refresh(asked)
        assert (asked.status, asked.note, asked.transaction_id) == ("approved", "Agreed.", entry.id)
        assert (asked.decided_by, asked.decided_email) == (owner.id, owner.email)
        assert asked.decided_at is not None

    def test_is_told_by_an_event(self, asked: PendingAdjustment, admin: User, owner: User) -> None:
        entry = approved(asked, owner, "Agreed.")

        event = events()[-1]
        assert (event.action, event.actor_id, event.reason) == (
            "credits.adjusted",
            owner.id,
            REASON,
        )
        assert event.changes == {
            "credits_balance": [0, 500],
            "transaction": [None, entry.id],
            "requested_by": [None, admin.email],
            "note": [None, "Agreed."],
        }

    def test_reverses_an_entry(self, alice: User, admin: User, owner: User) -> None:
        entry, asked = reversal_asked(alice, admin)

        back = approved(asked, owner)

        assert (back.amount, back.type, back.reverses_id) == (-500, "reversal", entry.id)
        assert (events()[-1].action, balance(alice)) == ("credits.reversed", 0)

    def test_of_ones_own_is_refused(self, asked: PendingAdjustment, admin: User) -> None:
        with refused(ledger.OwnRequestError, "somebody else has to decide"):
            ledger.approve(asked, "Fine.", by=acting(admin))

    def test_from_a_new_account_with_ones_old_address_is_refused(
        self, asked: PendingAdjustment, admin: User, owner: User
    ) -> None:
        address, record = admin.email, admin.staff
        assert record is not None
        with transaction():
            admins.delete(record, by=acting(owner))
            users.delete(admin, by=acting(owner), link_action="delete")
        again = person(email=address.upper(), role="admin")

        with refused(ledger.OwnRequestError):
            ledger.approve(asked, "Fine.", by=acting(again))

    def test_by_the_system_of_its_own_is_refused(self, alice: User) -> None:
        with transaction():
            asked = ledger.adjust(alice, {"amount": 9, "reason": REASON}, by=SYSTEM, cap=0).pending
        assert asked is not None

        with refused(ledger.OwnRequestError):
            ledger.approve(asked, "Fine.", by=SYSTEM)

    @pytest.mark.parametrize("decide", [ledger.approve, ledger.decline])
    def test_by_whose_credits_they_would_be_is_refused(
        self, decide: Callable[..., object], admin: User, owner: User
    ) -> None:
        asked = requested(owner, admin, 500)

        with refused(ledger.OwnRequestError, "your own credits"):
            decide(asked, "Fine.", by=acting(owner))

    def test_by_too_low_a_level_is_refused(self, asked: PendingAdjustment, support: User) -> None:
        with refused(LevelError):
            ledger.approve(asked, "Fine.", by=acting(support))

    @pytest.mark.parametrize("note", [None, "", "  ", "x" * 501, "a\x00b", 5], ids=repr)
    def test_without_a_note_is_refused(
        self, asked: PendingAdjustment, owner: User, note: object
    ) -> None:
        with refused(InvalidError) as refusal:
            ledger.approve(asked, note, by=acting(owner))

        assert list(refusal.value.fields) == ["note"]

    def test_twice_is_refused(self, asked: PendingAdjustment, owner: User) -> None:
        approved(asked, owner)

        with refused(ledger.DecidedError, f"{owner.email} approved this already"):
            ledger.approve(asked, "Fine.", by=acting(owner))

    def test_after_it_was_declined_is_refused(self, asked: PendingAdjustment, owner: User) -> None:
        declined(asked, owner)

        with refused(ledger.DecidedError, f"{owner.email} declined this already"):
            ledger.approve(asked, "Fine.", by=acting(owner))

    def test_at_the_same_moment_happens_once(
        self, app: Flask, asked: PendingAdjustment, alice: User, owner: User
    ) -> None:
        other_owner = acting(person(role="admin"))

        def approve() -> None:
            ledger.approve(db.session.get_one(PendingAdjustment, key), "Fine.", by=other_owner)

        with transaction():
            key = asked.id
            ledger.approve(asked, "Fine.", by=acting(owner))
            other = Beside(app, approve)

        assert isinstance(other.end(), ledger.DecidedError)
        assert balance(alice) == 500

    def test_when_the_person_was_deleted_is_refused(
        self, asked: PendingAdjustment, alice: User, admin: User, owner: User
    ) -> None:
        deleted(alice, admin)

        with refused(MissingError, "The account of this request was deleted"):
            ledger.approve(asked, "Fine.", by=acting(owner))

    def test_beside_the_deletion_of_the_person_is_refused(
        self, app: Flask, asked: PendingAdjustment, alice: User, admin: User, owner: User
    ) -> None:
        def approve() -> None:
            ledger.approve(db.session.get_one(PendingAdjustment, key), "Fine.", by=second)

        with transaction():
            key, second = asked.id, acting(owner)
            users.delete(alice, by=acting(admin), link_action="delete")
            other = Beside(app, approve)

        answer = other.end()
        assert not isinstance(answer, ledger.DecidedError)
        assert (answer != "done", written()) == (True, [])

    def test_beyond_what_a_balance_holds_by_now_is_refused(
        self, asked: PendingAdjustment, alice: User, admin: User, owner: User
    ) -> None:
        given(alice, admin, MOST)

        with refused(ledger.BalanceError):
            ledger.approve(asked, "Fine.", by=acting(owner))

    def test_of_what_was_reversed_otherwise_is_refused(
        self, alice: User, admin: User, owner: User
    ) -> None:
        entry, asked = reversal_asked(alice, admin)
        sql_reversal = CreditTransaction(
            user_id=alice.id,
            user_email=alice.email,
            amount=-500,
            balance_after=0,
            type="reversal",
            reverses_id=entry.id,
        )
        alice.credits_balance = 0
        save(sql_reversal, alice)

        with refused(ledger.ReversedError, "reversed already"):
            ledger.approve(asked, "Fine.", by=acting(owner))

    @pytest.mark.parametrize("change", [{"role": "support"}, {"status": "suspended"}])
    def test_is_done_though_who_asked_has_fallen(
        self,
        asked: PendingAdjustment,
        alice: User,
        admin: User,
        owner: User,
        change: dict[str, str],
    ) -> None:
        assert admin.staff is not None
        with transaction():
            admins.update(admin.staff, change, by=acting(owner))

        entry = approved(asked, owner)

        assert (entry.actor_id, balance(alice)) == (admin.id, 500)

    def test_by_who_was_demoted_is_refused(self, alice: User, admin: User, owner: User) -> None:
        asked = requested(alice, owner)
        assert admin.staff is not None
        with transaction():
            admins.update(admin.staff, {"role": "support"}, by=acting(owner))

        with refused(LevelError):
            ledger.approve(asked, "Fine.", by=acting(admin))


class TestDecline:
    def test_changes_the_request_alone(
        self, asked: PendingAdjustment, alice: User, owner: User
    ) -> None:
        declined(asked, owner, " Too much. ")

        db.session.refresh(asked)
        assert (asked.status, asked.note, asked.transaction_id) == ("declined", "Too much.", None)
        assert asked.decided_email == owner.email
        assert (count(CreditTransaction), balance(alice)) == (0, 0)

    def test_is_told_by_an_event(
        self, asked: PendingAdjustment, alice: User, admin: User, owner: User
    ) -> None:
        declined(asked, owner, "Too much.")

        event = events()[-1]
        assert (event.action, event.subject_id) == ("credits.declined", str(alice.id))
        assert (event.actor_id, event.reason) == (owner.id, REASON)
        assert event.changes == {
            "amount": [500, None],
            "requested_by": [admin.email, None],
            "note": [None, "Too much."],
        }

    def test_of_ones_own_is_refused(self, asked: PendingAdjustment, admin: User) -> None:
        with refused(ledger.OwnRequestError):
            ledger.decline(asked, "No.", by=acting(admin))

    def test_by_too_low_a_level_is_refused(self, asked: PendingAdjustment, support: User) -> None:
        with refused(LevelError):
            ledger.decline(asked, "No.", by=acting(support))

    def test_without_a_note_is_refused(self, asked: PendingAdjustment, owner: User) -> None:
        with refused(InvalidError):
            ledger.decline(asked, "", by=acting(owner))

    def test_after_it_was_approved_is_refused(self, asked: PendingAdjustment, owner: User) -> None:
        approved(asked, owner)

        with refused(ledger.DecidedError):
            ledger.decline(asked, "No.", by=acting(owner))

    def test_when_the_person_was_deleted_is_refused(
        self, asked: PendingAdjustment, alice: User, admin: User, owner: User
    ) -> None:
        deleted(alice, admin)

        with refused(MissingError):
            ledger.decline(asked, "No.", by=acting(owner))
