"""The command that reconciles the ledger: what it prints and how it ends."""

import time
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Table, insert, text
from sqlalchemy.orm import Session

from adminsite import queries
from adminsite.db import transaction
from adminsite.models import User
from adminsite.operations import users
from tests.operations.money import given
from tests.people import acting
from tests.rows import person

Cli = Callable[..., Result]
PEOPLE, EACH = 1000, 100
ENTER = """
WITH RECURSIVE places(place) AS (
    SELECT 1 UNION ALL SELECT place + 1 FROM places WHERE place < :each
)
INSERT INTO credit_transactions
    (user_id, user_email, amount, balance_after, type, created_at)
SELECT id, email, 1, place, 'purchase', CURRENT_TIMESTAMP
FROM users CROSS JOIN places WHERE email LIKE 'many-%'
"""
LONGEST_S = 5


@pytest.fixture
def alice(app: Flask, admin: User) -> User:
    """Somebody with 1,500 credits by the ledger."""
    made = person(email="alice@example.com")
    given(made, admin, 2000)
    given(made, admin, -500)
    return made


def move(session: Session, email: str, balance: int) -> None:
    """Write a balance past everything, as nothing here does."""
    values = {"email": email, "balance": balance}
    session.connection().execute(
        text("UPDATE users SET credits_balance = :balance WHERE email = :email"), values
    )
    session.commit()


class TestReconcile:
    def test_ends_with_0_when_every_balance_is_right(self, cli: Cli, alice: User) -> None:
        result = cli("credits", "reconcile")

        assert result.exit_code == 0
        assert result.stdout == "Every balance equals the sum of its entries.\n"

    def test_ends_with_0_without_people(self, cli: Cli) -> None:
        assert cli("credits", "reconcile").exit_code == 0

    def test_lists_everybody_who_differs_and_ends_with_1(
        self, cli: Cli, session: Session, alice: User
    ) -> None:
        person(email="zoe@example.com")
        person(email="Bob@example.com")
        move(session, "zoe@example.com", -1)
        move(session, "alice@example.com", 1501)

        result = cli("credits", "reconcile")

        assert result.exit_code == 1
        assert result.stdout.splitlines() == [
            "alice@example.com: the balance is 1,501, the entries add up to 1,500.",
            "zoe@example.com: the balance is -1, the entries add up to 0.",
        ]

    def test_asks_nothing_of_entries_whose_person_is_gone(
        self, cli: Cli, alice: User, admin: User
    ) -> None:
        with transaction():
            users.delete(alice, by=acting(admin), link_action="delete")

        assert cli("credits", "reconcile").exit_code == 0

    def test_changes_nothing(self, cli: Cli, session: Session, alice: User) -> None:
        move(session, "alice@example.com", 7)

        cli("credits", "reconcile")

        (found,) = queries.ledger.differences(session)
        assert (found.user_id, found.balance, found.entries) == (alice.id, 7, 1500)

    def test_finds_one_credit_among_a_hundred_thousand_entries_soon(
        self, cli: Cli, session: Session, admin: User
    ) -> None:
        enter_many(session)
        move(session, "many-500@example.com", EACH - 1)
        began = time.monotonic()

        result = cli("credits", "reconcile")

        assert (result.exit_code, time.monotonic() - began < LONGEST_S) == (1, True)
        assert result.stdout == (
            "many-500@example.com: the balance is 99, the entries add up to 100.\n"
        )


def enter_many(session: Session) -> None:
    """A thousand people with a hundred entries each, past the operations."""
    table: Table = User.__table__  # type: ignore[assignment]
    emails = [f"many-{number}@example.com" for number in range(PEOPLE)]
    values = {"display_name": "Many", "credits_balance": EACH, "search_text": ""}
    session.connection().execute(
        insert(table), [{"email": email, "email_key": email, **values} for email in emails]
    )
    session.connection().execute(text(ENTER), {"each": EACH})
    session.commit()
