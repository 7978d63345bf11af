"""`/api/admin/stats`: R-002-38 to R-002-42."""

from typing import Any

import pytest
from flask import Flask

from adminsite.config import Settings
from adminsite.models import User
from tests.api.scripts import ScriptAs
from tests.factories import CreditTransactionFactory, SubscriptionFactory


@pytest.fixture
def prices(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set ADMINSITE_PRICES."""

    def set_to(text: str) -> None:
        settings = Settings.load({"TESTING": True, "PRICES": text}, {})
        monkeypatch.setitem(app.config, "SETTINGS", settings)

    return set_to


class TestStats:
    def test_are_the_five_of_the_contract(self, api_as: ScriptAs) -> None:
        assert api_as("support").data("GET", "/stats") == {
            "totalUsers": 1,
            "activeSubscriptions": 0,
            "totalCreditsIssued": 0,
            "totalCreditsUsed": 0,
            "revenueThisMonth": 0,
        }

    def test_count_everybody(self, api_as: ScriptAs, owner: User, member: User) -> None:
        assert api_as("support").data("GET", "/stats")["totalUsers"] == 3

    def test_count_active_subscriptions_only(self, api_as: ScriptAs) -> None:
        for status in User.STATUSES:
            SubscriptionFactory.create(status=status)

        assert api_as("support").data("GET", "/stats")["activeSubscriptions"] == 1

    def test_add_up_credits(self, api_as: ScriptAs, member: User) -> None:
        for amount, kind in ((100, "purchase"), (7, "bonus"), (-30, "usage"), (-5, "clawback")):
            CreditTransactionFactory.create(user=member, amount=amount, type=kind)

        stats = api_as("support").data("GET", "/stats")

        assert (stats["totalCreditsIssued"], stats["totalCreditsUsed"]) == (107, 30)

    def test_add_up_prices(self, api_as: ScriptAs, prices: Any) -> None:
        prices("pro=2900,hobby=900")
        for tier in ("pro", "pro", "hobby"):
            SubscriptionFactory.create(tier=tier)

        assert api_as("support").data("GET", "/stats")["revenueThisMonth"] == 6700

    def test_know_no_revenue_without_a_price(self, api_as: ScriptAs, prices: Any) -> None:
        prices("hobby=900")
        SubscriptionFactory.create(tier="pro")

        assert api_as("support").data("GET", "/stats")["revenueThisMonth"] is None
