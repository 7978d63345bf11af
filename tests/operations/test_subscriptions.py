"""Subscriptions: what may become of them, and that the person's row says the same."""

import pytest
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.models import User
from adminsite.operations import subscriptions
from tests.factories import SubscriptionFactory
from tests.people import acting


class TestChangeStatus:
    def test_moves_the_subscription_and_the_persons_row(
        self, session: Session, member: User, admin: User
    ) -> None:
        subscription = SubscriptionFactory.create(user=member, status="active")

        with transaction():
            subscriptions.change_status(subscription, "canceled", "asked for it", by=acting(admin))

        assert (subscription.status, member.subscription_status) == ("canceled", "canceled")
        assert subscription.canceled_at is not None

    def test_is_refused_where_no_move_leads(
        self, session: Session, member: User, admin: User
    ) -> None:
        subscription = SubscriptionFactory.create(user=member, status="active")

        with pytest.raises(subscriptions.MoveError), transaction():
            subscriptions.change_status(subscription, "incomplete", "why", by=acting(admin))

        assert subscription.status == "active"


class TestUpdateOf:
    def test_is_followed_by_the_newest_subscription(
        self, session: Session, member: User, admin: User
    ) -> None:
        subscription = SubscriptionFactory.create(user=member, tier="pro")

        with transaction():
            subscriptions.update_of(member, {"tier": "business"}, by=acting(admin))

        assert (member.subscription_tier, subscription.tier) == ("business", "business")
