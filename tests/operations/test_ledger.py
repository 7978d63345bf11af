"""The ledger: what an adjustment, a reversal, a request and a batch do, and refuse."""

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from adminsite import queries
from adminsite.db import transaction
from adminsite.models import CreditDay, CreditTransaction, User
from adminsite.operations import ledger, users
from tests.factories import UserFactory
from tests.people import acting


@pytest.fixture
def alice(session: Session) -> User:
    return UserFactory.create(email="alice@example.com")


def newest(session: Session) -> CreditTransaction:
    return session.scalars(select(CreditTransaction).order_by(CreditTransaction.id.desc())).first()


class TestAdjust:
    def test_moves_the_balance_and_writes_the_entry(self, alice: User, admin: User) -> None:
        by = acting(admin)

        with transaction():
            made = ledger.adjust(
                alice, {"amount": 50, "reason": " for the outage "}, by=by, cap=None
            )

        entry = made.entry
        assert entry is not None
        assert (alice.credits_balance, entry.amount, entry.balance_after) == (50, 50, 50)
        assert entry.description == f"[Admin: {admin.id}] for the outage"
        assert entry.reference_id is not None
        assert entry.reference_id.startswith(f"admin_{admin.id}_")

    def test_with_the_same_key_gives_the_first_result(
        self, session: Session, alice: User, admin: User
    ) -> None:
        asked = {"set_to": 7, "reason": "again"}
        with transaction():
            first = ledger.adjust(alice, asked, by=acting(admin), cap=None, key="k")

        with transaction():
            second = ledger.adjust(alice, asked, by=acting(admin), cap=None, key="k")

        assert (second.again, second.entry) == (True, first.entry)
        assert session.scalar(select(func.count()).select_from(CreditTransaction)) == 1

    def test_beyond_the_cap_waits_and_is_approved_by_another(
        self, session: Session, alice: User, admin: User, owner: User
    ) -> None:
        with transaction():
            asked = ledger.adjust(
                alice, {"amount": 500, "reason": "big"}, by=acting(admin), cap=100, key="k"
            ).pending
        assert asked is not None
        with pytest.raises(ledger.OwnRequestError), transaction():
            ledger.approve(asked, "fine", by=acting(admin))

        with transaction():
            entry = ledger.approve(asked, "fine", by=acting(owner))

        assert (entry.amount, entry.actor_email, entry.approved_by) == (
            500,
            admin.email,
            owner.email,
        )
        assert (asked.status, asked.transaction_id, alice.credits_balance) == (
            "approved",
            entry.id,
            500,
        )

    def test_reversal_once(self, session: Session, alice: User, admin: User) -> None:
        by = acting(admin)
        with transaction():
            entry = ledger.adjust(alice, {"amount": 50, "reason": "x"}, by=by, cap=None).entry
        assert entry is not None
        with transaction():
            back = ledger.reverse(entry, "mistake", by=by, cap=None).entry
        assert back is not None
        assert (back.amount, back.type, back.reverses_id) == (-50, "reversal", entry.id)
        with pytest.raises(ledger.ReversedError), transaction():
            ledger.reverse(entry, "mistake", by=by, cap=None)
        assert queries.ledger.differences(session) == []

    def test_batch(self, session: Session, alice: User, admin: User) -> None:
        bob = UserFactory.create(email="bob@example.com")
        rows = [
            ledger.Row("alice@example.com", "5", "a"),
            ledger.Row("BOB@example.com", "-3", "b"),
            ledger.Row("alice@example.com", "2", "c"),
        ]
        with transaction():
            done = ledger.adjust_batch(rows, by=acting(admin), cap=None, key="k")
        with transaction():
            again = ledger.adjust_batch(rows, by=acting(admin), cap=None, key="k")
        assert (done.entries, done.people, again.again, again.entries) == (3, 2, True, 3)
        session.refresh(alice)
        session.refresh(bob)
        assert (alice.credits_balance, bob.credits_balance) == (7, -3)
        assert queries.ledger.differences(session) == []
        days = session.execute(
            select(CreditDay.type, CreditDay.added, CreditDay.taken, CreditDay.entries)
        ).all()
        assert days == [("admin_adjustment", 7, 3, 3)]

    def test_deleted_user_keeps_entries(self, session: Session, alice: User, admin: User) -> None:
        with transaction():
            ledger.adjust(alice, {"amount": 50, "reason": "x"}, by=acting(admin), cap=None)
        with transaction():
            users.delete(alice, by=acting(admin), link_action="delete")
        session.expire_all()
        entry = newest(session)
        assert (entry.user_id, entry.user_email) == (None, "alice@example.com")

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE credit_transactions SET amount = 1",
            "UPDATE credit_transactions SET user_id = NULL",
            "DELETE FROM credit_transactions",
        ],
    )
    def test_is_append_only(self, session: Session, alice: User, admin: User, sql: str) -> None:
        with transaction():
            ledger.adjust(alice, {"amount": 50, "reason": "x"}, by=acting(admin), cap=None)
        with pytest.raises(DBAPIError, match="append-only"):
            session.connection().execute(text(sql))
        session.rollback()
