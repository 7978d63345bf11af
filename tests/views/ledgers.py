"""What tests of the credits screen share: people with balances, entries, limits."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.models import CreditTransaction, PendingAdjustment, User
from adminsite.operations import ledger
from adminsite.permissions import SYSTEM
from tests.client import SiteClient
from tests.people import acting

URL = "/admin/credits"
ClientAs = Callable[[str | User], SiteClient]


def entry(user: User, amount: int, kind: str = "bonus", about: str = "") -> CreditTransaction:
    """An entry that moved the balance."""
    with transaction():
        return ledger.enter(user, amount, kind, by=SYSTEM, about=about)


def adjusted(user: User, amount: int, *, by: User, reason: str = "Because") -> CreditTransaction:
    """An adjustment that was made."""
    with transaction():
        made = ledger.adjust(user, {"amount": amount, "reason": reason}, by=acting(by), cap=None)
    assert made.entry is not None
    return made.entry


def asked(user: User, amount: int, *, by: User, reason: str = "Big") -> PendingAdjustment:
    """An adjustment that waits for a second person."""
    with transaction():
        made = ledger.adjust(user, {"amount": amount, "reason": reason}, by=acting(by), cap=0)
    assert made.pending is not None
    return made.pending


def limit(app: Flask, monkeypatch: pytest.MonkeyPatch, **most: int) -> None:
    """How much each level adjusts alone."""
    settings = replace(app.config["SETTINGS"], adjust_limit=tuple(most.items()))
    monkeypatch.setitem(app.config, "SETTINGS", settings)


def count(session: Session, table: Any = CreditTransaction) -> int:
    """How many rows there are."""
    session.rollback()
    return session.scalar(select(func.count()).select_from(table)) or 0


def newest(session: Session) -> CreditTransaction:
    """The entry that was made last."""
    session.rollback()
    return session.scalars(
        select(CreditTransaction).order_by(CreditTransaction.id.desc()).limit(1)
    ).one()


def balance(session: Session, user: User) -> int:
    """What somebody has, as stored."""
    session.rollback()
    return session.scalars(select(User.credits_balance).where(User.id == user.id)).one()
