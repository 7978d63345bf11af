"""What the database itself refuses of the ledger, whoever asks it, and what it adds up."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from adminsite.db import db, transaction
from adminsite.models import CreditTransaction, User
from adminsite.operations import ledger, users
from adminsite.permissions import SYSTEM
from tests.operations.money import (
    adjusted,
    assert_it_adds_up,
    balance,
    days_counted,
    days_kept,
    given,
    reversed_by,
)
from tests.operations.stored import count, everything
from tests.people import acting
from tests.rows import person

OTHER = "SELECT id FROM users WHERE email = 'bob@example.com'"
NEW = "(user_email, amount, balance_after, type, created_at"
VALUES = "('x', 1, 1, 'bonus', CURRENT_TIMESTAMP"
KEY = "SELECT idempotency_key FROM credit_transactions WHERE idempotency_key IS NOT NULL"
ID = "SELECT min(id) FROM credit_transactions"
REVERSED = "SELECT max(reverses_id) FROM credit_transactions"

# On both databases.
CHANGES = {
    "amount": "UPDATE credit_transactions SET amount = 1",
    "nothing": "UPDATE credit_transactions SET amount = amount",
    "reference": "UPDATE credit_transactions SET reference_id = NULL",
    "time": "UPDATE credit_transactions SET created_at = CURRENT_TIMESTAMP",
    "no-user": "UPDATE credit_transactions SET user_id = NULL",
    "other-user": f"UPDATE credit_transactions SET user_id = ({OTHER})",
    "user-and-amount": "UPDATE credit_transactions SET user_id = NULL, amount = 1",
    "upsert": f"INSERT INTO credit_transactions {NEW}, id) SELECT 'x', 1, 1, 'bonus',"
    f" CURRENT_TIMESTAMP, ({ID}) WHERE true ON CONFLICT (id) DO UPDATE SET amount = 7",
    "delete": "DELETE FROM credit_transactions",
    "delete-one": f"DELETE FROM credit_transactions WHERE id = ({ID})",
}
POSTGRESQL = {
    "truncate": "TRUNCATE credit_transactions",
    "truncate-users": "TRUNCATE users CASCADE",
    "merge": "MERGE INTO credit_transactions t USING users u ON t.user_id = u.id"
    " WHEN MATCHED THEN DELETE",
    "from": "UPDATE credit_transactions t SET amount = 1 FROM users u WHERE t.user_id = u.id",
}
SQLITE = {
    "replace-all": "INSERT OR REPLACE INTO credit_transactions SELECT * FROM credit_transactions",
    "replace-id": f"REPLACE INTO credit_transactions {NEW}, id) VALUES {VALUES}, ({ID}))",
    "replace-key": f"REPLACE INTO credit_transactions {NEW}, idempotency_key)"
    f" VALUES {VALUES}, ({KEY}))",
    "replace-reversal": f"REPLACE INTO credit_transactions {NEW}, reverses_id)"
    f" VALUES {VALUES}, ({REVERSED}))",
    "update-or-replace": "UPDATE OR REPLACE credit_transactions SET id = 1",
    "update-or-ignore": "UPDATE OR IGNORE credit_transactions SET amount = 1",
    "upsert-key": f"INSERT INTO credit_transactions {NEW}, idempotency_key)"
    f" VALUES {VALUES}, ({KEY})) ON CONFLICT (idempotency_key) DO UPDATE SET amount = 7",
}


def cases(known: dict[str, str]) -> pytest.MarkDecorator:
    """One test for each statement."""
    return pytest.mark.parametrize("statement", known.values(), ids=known)


@pytest.fixture
def alice(app: Flask, admin: User) -> User:
    """Somebody with an entry under a key, another one, and its reversal; Bob has one too."""
    made, bob = person(email="alice@example.com"), person(email="bob@example.com")
    adjusted(made, admin, 50, key="k")
    reversed_by(given(made, admin, 7), admin)
    given(bob, admin, 3)
    return made


@pytest.fixture(params=[True, False], ids=["recursive", "plain"])
def bare(request: pytest.FixtureRequest, alice: User) -> Iterator[sqlite3.Connection]:
    """A connection that is none of ours, with recursive triggers or without."""
    path = make_url(str(db.engine.url)).database
    assert path is not None
    db.session.rollback()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA recursive_triggers = {int(request.param)}")
        yield connection


class TestEntries:
    @cases(CHANGES)
    def test_are_never_changed(self, session: Session, alice: User, statement: str) -> None:
        before = everything()

        with pytest.raises(DBAPIError, match="append-only"):
            session.connection().execute(text(statement))

        session.rollback()
        assert everything() == before

    @pytest.mark.engine("postgresql")
    @cases(POSTGRESQL)
    def test_are_not_changed_in_the_ways_of_postgresql(
        self, session: Session, alice: User, statement: str
    ) -> None:
        with pytest.raises(DBAPIError, match="append-only"):
            session.connection().execute(text(statement))

        session.rollback()

    @pytest.mark.engine("sqlite")
    @cases(CHANGES | SQLITE)
    def test_are_not_changed_through_a_bare_connection(
        self, bare: sqlite3.Connection, statement: str
    ) -> None:
        before = everything()
        db.session.rollback()

        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            bare.execute(statement)

        assert everything() == before

    def test_lose_their_user_with_the_user_alone(
        self, session: Session, alice: User, admin: User
    ) -> None:
        with transaction():
            users.delete(alice, by=acting(admin), link_action="delete")

        left = select(CreditTransaction.user_id, CreditTransaction.user_email)
        rows = session.connection().execute(left.order_by(CreditTransaction.id)).all()
        assert [row[1] for row in rows if row[0] is None] == ["alice@example.com"] * 3
        assert [row[1] for row in rows if row[0] is not None] == ["bob@example.com"]

    @pytest.mark.parametrize(
        "statement",
        [
            f"UPDATE credit_transactions SET user_id = ({OTHER}) WHERE user_id IS NULL",
            *CHANGES.values(),
        ],
    )
    def test_are_not_changed_after_their_user_went(
        self, session: Session, alice: User, admin: User, statement: str
    ) -> None:
        with transaction():
            users.delete(alice, by=acting(admin), link_action="delete")

        with pytest.raises(DBAPIError, match="append-only"):
            session.connection().execute(text(statement))

        session.rollback()

    def test_of_many_lose_their_user_at_once(
        self, session: Session, alice: User, admin: User
    ) -> None:
        rows = [ledger.Row("alice@example.com", 1, "one of many")] * 3000
        with transaction():
            ledger.adjust_batch(rows, by=acting(admin), cap=None, key="many")

        with transaction():
            users.delete(alice, by=acting(admin), link_action="delete")

        assert count(CreditTransaction, CreditTransaction.user_id.is_(None)) == 3003
        assert_it_adds_up()


class TestDays:
    def test_hold_what_the_entries_add_up_to(self, alice: User, admin: User) -> None:
        late = datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)
        for at in (late, late + timedelta(microseconds=1)):
            for kind, amount in (("purchase", 900), ("usage", -40), ("bonus", 2**31 - 2000)):
                with transaction():
                    ledger.enter(person(), 50, "bonus", by=SYSTEM, at=at)
                    ledger.enter(new := person(), 900, "purchase", by=SYSTEM, at=at)
                    ledger.enter(new, amount, kind, by=SYSTEM, at=at)

        assert len(days_kept()) == 8
        assert days_kept() == days_counted()

    def test_of_a_batch_add_up_too(self, alice: User, admin: User) -> None:
        rows = [ledger.Row("alice@example.com", amount, "x") for amount in (5, -7, 9)] * 400

        with transaction():
            ledger.adjust_batch(rows, by=acting(admin), cap=None, key="batch")

        assert days_kept() == days_counted()

    def test_stay_when_a_user_goes(self, alice: User, admin: User) -> None:
        before = days_kept()

        with transaction():
            users.delete(alice, by=acting(admin), link_action="delete")

        assert days_kept() == days_counted() == before

    def test_forget_what_was_rolled_back(self, alice: User, admin: User) -> None:
        before = days_kept()

        with suppress(ledger.BalanceError), transaction():
            ledger.enter(alice, 5, "bonus", by=SYSTEM)
            ledger.enter(alice, -500, "usage", by=SYSTEM)

        assert (days_kept(), balance(alice)) == (before, 50)

    @pytest.mark.engine("sqlite")
    @pytest.mark.parametrize("how", ["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"])
    def test_count_what_others_write_in_any_way(self, bare: sqlite3.Connection, how: str) -> None:
        for amount in (5, -2, 8):
            bare.execute(
                f"{how} INTO credit_transactions {NEW})"
                f" VALUES ('x', {amount}, 1, 'admin_adjustment', CURRENT_TIMESTAMP)"
            )

        assert days_kept() == days_counted()
