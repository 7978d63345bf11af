"""The demo's money: enough of everything to look at, and it adds up."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite import audit, queries
from adminsite.models import CreditTransaction, PendingAdjustment, Subscription, User


@pytest.fixture
def demo(demo_data: None, session: Session) -> Session:
    return session


class TestMoney:
    def test_members_subscribed_in_every_way(self, demo: Session) -> None:
        subscriptions = demo.scalars(select(Subscription).order_by(Subscription.created_at)).all()
        people = demo.scalars(select(User).where(User.subscription_status.is_not(None))).all()
        newest = {row.user_id: (row.tier, row.status) for row in subscriptions}

        assert {row.tier for row in subscriptions} == set(User.TIERS)
        assert {row.status for row in subscriptions} == set(User.STATUSES)
        assert newest == {p.id: (p.subscription_tier, p.subscription_status) for p in people}
        assert len(newest) < len(subscriptions)

    def test_ledger_holds_a_bit_of_everything_and_adds_up(self, demo: Session) -> None:
        indebted = select(func.count(User.id)).where(User.credits_balance < 0)
        requests = select(PendingAdjustment.status).order_by(PendingAdjustment.id)

        assert set(demo.scalars(select(CreditTransaction.type))) == set(CreditTransaction.TYPES)
        assert demo.scalar(indebted) == 1
        assert demo.scalars(requests).all() == ["approved", "pending"]
        assert queries.ledger.differences(demo) == []
        assert audit.first_broken() is None

    def test_ledger_is_in_the_order_of_time(self, demo: Session) -> None:
        entries = demo.scalars(select(CreditTransaction).order_by(CreditTransaction.id)).all()
        balances: dict[str, int] = {}
        for entry in entries:
            balances[entry.user_email] = balances.get(entry.user_email, 0) + entry.amount
            assert balances[entry.user_email] == entry.balance_after

        times = [entry.created_at for entry in entries]
        assert times == sorted(times)
        assert (times[-1] - times[0]).days > 500
