"""The page of one user: its cards and states, and what can be done from it (R-002-50 to 54)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adminsite.db import utc_now
from adminsite.models import User
from tests.client import SiteClient
from tests.factories import (
    CreditTransactionFactory,
    SubscriptionFactory,
)
from tests.lists import Listed, statements, text_of
from tests.rows import link, person, staff
from tests.views.reading import JSON, NOBODY, said

ClientAs = Callable[[str | User], SiteClient]
URL = "/admin/users"


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("support")


@pytest.fixture
def boss(client_as: ClientAs) -> SiteClient:
    return client_as("owner")


def card(tab: SiteClient, user: User, name: str) -> str:
    """The markup of one card."""
    text = tab.get(f"{URL}/{user.id}").text
    return text.split(f'<section class="panel" aria-labelledby="{name}-title">')[1].split(
        "</section>"
    )[0]


def read_card(tab: SiteClient, user: User, name: str) -> str:
    return text_of(card(tab, user, name))


class TestPage:
    @pytest.mark.parametrize("path", ["/admin/users/{}", "/admin/users/{}/"])
    def test_answers_with_and_without_a_slash(self, tab: SiteClient, path: str) -> None:
        mia = person("Mia")

        answer = tab.get(path.format(mia.id))

        assert answer.status_code == 200
        assert "<h1>Mia</h1>" in answer.text
        assert "<title>Mia · Users · adminsite</title>" in answer.text

    def test_leads_back_to_all_users(self, tab: SiteClient) -> None:
        page = tab.get(f"{URL}/{person().id}").text

        assert '<p class="back"><a class="text-link" href="/admin/users">' in page
        assert "All users</a>" in page

    @pytest.mark.parametrize("path", [NOBODY, NOBODY.upper()])
    def test_of_nobody_says_so(self, tab: SiteClient, path: str) -> None:
        answer = tab.get(f"{URL}/{path}")

        assert answer.status_code == 404
        assert "User not found" in said(answer)

    @pytest.mark.parametrize(
        "path", ["1", "abc", NOBODY[:-1], f"{NOBODY}0", "%00", "../users", "{}", "1' or '1'='1"]
    )
    @pytest.mark.parametrize("how", [{}, {"htmx": True}, {"headers": JSON}])
    def test_of_what_is_no_id_is_not_there(
        self, tab: SiteClient, path: str, how: dict[str, Any]
    ) -> None:
        answer = tab.get(f"{URL}/{path}", **how)

        assert answer.status_code == 404
        assert (answer.is_json, "<html" in answer.text) == ("headers" in how, not how)

    def test_is_the_row_for_htmx_and_the_record_for_a_script(self, tab: SiteClient) -> None:
        mia = person("Mia")

        row = Listed(tab.get(f"{URL}/{mia.id}", htmx=True))
        script = tab.get(f"{URL}/{mia.id}", headers=JSON)

        assert row.keys == [str(mia.id)]
        assert script.json is not None
        assert script.json["data"]["display_name"] == "Mia"

    def test_costs_the_same_however_much_there_is(self, boss: SiteClient) -> None:
        mia = person()
        url = f"{URL}/{mia.id}"
        boss.get(url)
        with statements() as few:
            boss.get(url)
        for _ in range(30):
            link(owner=mia)
            CreditTransactionFactory(user=mia)

        with statements() as many:
            page = boss.get(url)

        assert len(many) == len(few)
        assert page.text.count("link-") < 40

    def test_shows_names_as_they_are(self, boss: SiteClient) -> None:
        mia = person('"><b>{{7*7}}</b>', email="'<i>@example.com")

        page = boss.get(f"{URL}/{mia.id}").text

        assert "<b>{{7*7}}" not in page
        assert "<i>@example.com" not in page
        assert "&lt;b&gt;{{7*7}}&lt;/b&gt;" in page


class TestProfile:
    def test_tells_who_it_is(self, tab: SiteClient) -> None:
        mia = person(created_at=datetime(2025, 1, 5, tzinfo=UTC), stripe_customer_id="cus_123")

        told = read_card(tab, mia, "profile")

        assert f"User id {mia.id} Stripe customer cus_123 Joined Jan 5, 2025" in told

    def test_says_when_there_is_no_customer(self, tab: SiteClient) -> None:
        assert "Stripe customer Not connected" in read_card(tab, person(), "profile")

    def test_tells_the_level_of_staff(self, tab: SiteClient) -> None:
        zoe = staff("support", status="suspended").user

        assert "Staff support suspended" in read_card(tab, zoe, "profile")


class TestCredits:
    def test_shows_the_balance_and_the_newest_entries(self, tab: SiteClient) -> None:
        mia = person(credits_balance=1200)
        at = datetime(2025, 3, 1, tzinfo=UTC)
        CreditTransactionFactory(user=mia, amount=1500, created_at=at, description="Pack")
        CreditTransactionFactory(user=mia, amount=-300, type="admin_adjustment", created_at=at)

        told, markup = read_card(tab, mia, "credits"), card(tab, mia, "credits")

        assert told.startswith("Credits 1,200 ")
        assert "Admin adjustment Mar 1, 2025 −300 Purchase Pack Mar 1, 2025 +1,500" in told
        assert 'class="number gain">+1,500' in markup
        assert 'class="number loss">−300' in markup

    def test_marks_a_debt(self, tab: SiteClient) -> None:
        mia = person(credits_balance=-5)

        assert 'class="number debt">−5' in card(tab, mia, "credits")
        assert "in debt" in read_card(tab, mia, "credits")

    def test_says_when_there_are_none(self, tab: SiteClient) -> None:
        told = read_card(tab, person(), "credits")

        assert told.startswith("Credits 0 ")
        assert "No transactions" in told

    def test_shows_nobody_elses(self, tab: SiteClient) -> None:
        CreditTransactionFactory(user=person(), amount=77)

        assert "77" not in read_card(tab, person(), "credits")


class TestSubscription:
    def test_shows_the_newest(self, tab: SiteClient) -> None:
        mia = person()
        now = utc_now()
        before = now - timedelta(days=30)
        SubscriptionFactory(user=mia, tier="starter", status="canceled", created_at=before)
        SubscriptionFactory(
            id="sub_new",
            user=mia,
            tier="pro",
            created_at=now,
            current_period_end=datetime(2026, 2, 3, tzinfo=UTC),
        )

        told = read_card(tab, mia, "subscription")

        assert told == (
            "Subscription See all Status active Plan Pro Period ends Feb 3, 2026 Id sub_new"
        )
        assert "badge-success" in card(tab, mia, "subscription")

    @pytest.mark.parametrize("status", ["trialing", "past_due", "canceled", "unpaid"])
    def test_is_yellow_unless_it_is_active(self, tab: SiteClient, status: str) -> None:
        mia = person()
        SubscriptionFactory(user=mia, status=status, tier=None)

        markup = card(tab, mia, "subscription")

        assert "badge-warning" in markup
        assert f"{status.replace('_', ' ')}" in text_of(markup)
        assert "Plan Unknown" in text_of(markup)

    def test_tells_of_an_older_one_that_goes_on(self, tab: SiteClient) -> None:
        mia = person()
        for key, status, days in (("sub_on", "active", 1), ("sub_over", "canceled", 2)):
            SubscriptionFactory(
                id=key,
                user=mia,
                tier="pro",
                status=status,
                created_at=utc_now() - timedelta(days=days),
            )
        SubscriptionFactory(user=mia, status="canceled")

        told = read_card(tab, mia, "subscription")

        assert "An older one goes on, too: sub_on (Pro, active)." in told
        assert "sub_over" not in told

    def test_says_when_there_is_none(self, tab: SiteClient) -> None:
        assert "No active subscription" in read_card(tab, person(), "subscription")


class TestLinks:
    def test_shows_own_and_shared_links(self, tab: SiteClient) -> None:
        mia = person()
        link(slug="own", owner=mia)
        link(slug="shared", co_owners=[mia])
        link(slug="foreign")

        told = read_card(tab, mia, "links")

        assert "own Title of own primary" in told
        assert "shared Title of shared co-owner" in told
        assert "foreign" not in told
        assert f'href="/admin/links?owner={mia.id}"' in card(tab, mia, "links")

    def test_says_when_there_are_none(self, tab: SiteClient) -> None:
        assert "Links 0 Owns no links" in read_card(tab, person(), "links")


class TestDetails:
    """Flask-Admin's own page of a record."""

    def test_read_as_the_list_does(self, tab: SiteClient) -> None:
        mia = person("Mia", created_at=datetime(2025, 1, 5, tzinfo=UTC))
        link(owner=mia)

        page = tab.get(f"{URL}/details/?id={mia.id}")

        facts = page.text.split("<dl")[1].split("</dl>")[0]
        assert "Role user Credits 0 Subscription Free Links 1 Joined Jan 5, 2025" in text_of(facts)
        assert f'href="/admin/links?owner={mia.id}">1</a>' in facts

    def test_say_which_plan_there_is(self, tab: SiteClient) -> None:
        mia = person(subscription_tier="pro")

        page = tab.get(f"{URL}/details/?id={mia.id}")

        assert "Subscription pro" in text_of(page.text)
