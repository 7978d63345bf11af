"""Subscriptions in tests of screens: saved ones, and what they read like."""

import re
from datetime import timedelta
from typing import Any, cast

from adminsite.db import utc_now
from adminsite.models import Subscription, User
from tests.factories import SubscriptionFactory, save
from tests.lists import Listed

URL = "/admin/subscriptions"
ROW = re.compile(r'<tr id="subscription-([^"]*)"')


def subscribed(
    user: User, tier: str | None = "pro", status: str = "active", **values: Any
) -> Subscription:
    """A saved subscription that the person's row repeats."""
    row = cast("Subscription", SubscriptionFactory(user=user, tier=tier, status=status, **values))
    user.subscription_tier, user.subscription_status = tier, status
    save(user)
    return row


def older(user: User, **values: Any) -> Subscription:
    """A saved subscription of a year ago."""
    long_ago = utc_now() - timedelta(days=365)
    return cast("Subscription", SubscriptionFactory(user=user, created_at=long_ago, **values))


def keys(page: Listed) -> list[str]:
    """The subscriptions of a list, in its order."""
    return ROW.findall(page.text)
