"""The overview: its figures lead to lists that add up to them, for every level."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from adminsite.config import Settings
from adminsite.db import transaction, utc_now
from adminsite.models import User
from adminsite.operations import admins, ledger, links, users
from adminsite.views.overview import page
from adminsite.views.overview.kept import Kept
from tests.client import SiteClient
from tests.factories import KeywordFactory, LinkFactory, SubscriptionFactory
from tests.lists import HEADING_COUNT, statements, text_of
from tests.people import acting
from tests.rows import link, person, staff

ClientAs = Callable[..., SiteClient]
CARD = re.compile(r'<article class="stat" id="stat-([a-z-]+)".*?</article>', re.DOTALL)
CHART = re.compile(r'<section class="panel chart.*?id="chart-([a-z]+)".*?</section>', re.DOTALL)
LINK = re.compile(r'<a [^>]*href="([^"]+)"[^>]*>([^<]*)</a>')
HIT = re.compile(r'<rect class="plot-hit".*?<title>(.*?)</title>')
ROW = re.compile(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>")
NUMBER = re.compile(r"\d[\d,]*\d|\d")
PRICES = (("hobby", 1900), ("pro", 4900))
MOST_STATEMENTS = 8


@pytest.fixture
def priced(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application with prices."""
    settings = Settings.load({"TESTING": True, "PRICES": dict(PRICES), "OVERVIEW_CACHE_S": 0})
    monkeypatch.setitem(app.config, "SETTINGS", settings)


@pytest.fixture
def kept_for_a_minute(app: Flask) -> Iterator[list[float]]:
    """The application that keeps its figures for a minute; the clock's one hand is given."""
    hand = [1000.0]
    app.extensions[page.KEPT] = Kept(60, lambda: hand[0])
    yield hand
    del app.extensions[page.KEPT]


@pytest.fixture
def business(session: Session, admin: User, priced: None) -> User:
    """Members with links, subscriptions and credits; gives one of them."""
    alice, bob = person("Alice"), person("Bob")
    for tier, status in (("pro", "active"), ("hobby", "active"), ("pro", "canceled")):
        SubscriptionFactory.create(
            user=alice,
            tier=tier,
            status=status,
            created_at=utc_now() - timedelta(days=50),
            canceled_at=utc_now() - timedelta(days=3) if status == "canceled" else None,
        )
    with transaction():
        by = acting(admin)
        ledger.enter(alice, 1200, "purchase", by=by)
        ledger.enter(bob, 300, "bonus", by=by)
        used = ledger.enter(alice, -250, "usage", by=by)
        ledger.enter(bob, -40, "expiration", by=by)
    with transaction():
        ledger.reverse(used, "twice", by=acting(admin), cap=None)
    LinkFactory.create(owner=alice)
    KeywordFactory.create()
    return alice


def cards(text: str) -> dict[str, list[tuple[str, str]]]:
    """The links of each card: address and number."""
    return {
        found[1]: [(unescape(url), value) for url, value in LINK.findall(found[0])]
        for found in CARD.finditer(text)
    }


def charts(text: str) -> dict[str, str]:
    """The markup of each chart."""
    return {found[1]: found[0] for found in CHART.finditer(text)}


def figures(text: str) -> dict[str, str]:
    """The big number of each card."""
    return {name: found[0][1] for name, found in cards(text).items()}


class TestFigures:
    def test_are_those_of_the_rows(self, client_as: ClientAs, business: User) -> None:
        found = figures(client_as("admin").get("/admin").text)

        assert found == {
            "total-users": "3",
            "active-subscriptions": "2",
            "credits-issued": "1,750",
            "credits-used": "250",
            "revenue-this-month": "$68",
            "links": "1",
            "keywords": "1",
        }

    @pytest.mark.parametrize("name", ["total-users", "active-subscriptions", "links", "keywords"])
    @pytest.mark.parametrize("which", [0, 1])
    def test_lead_to_lists_with_as_many_rows(
        self, client_as: ClientAs, business: User, name: str, which: int
    ) -> None:
        tab = client_as("admin")
        url, number = cards(tab.get("/admin?period=90d").text)[name][which]

        count = re.search(HEADING_COUNT, tab.get(url).text)

        assert count is not None
        assert count[1] == number.lstrip("+")

    @pytest.mark.parametrize("name", ["credits-issued", "credits-used"])
    @pytest.mark.parametrize("which", [0, 1])
    def test_lead_to_entries_that_add_up_to_them(
        self, client_as: ClientAs, business: User, name: str, which: int
    ) -> None:
        tab = client_as("admin")
        url, number = cards(tab.get("/admin").text)[name][which]

        added_up = tab.get(url.replace("/admin/credits?", "/admin/credits/totals?"), htmx=True)

        assert number.lstrip("+") in NUMBER.findall(text_of(added_up.text))

    def test_of_the_period_leave_out_what_is_older(
        self, client_as: ClientAs, business: User
    ) -> None:
        person(created_at=utc_now() - timedelta(days=20))
        tab = client_as("admin")

        week, month = (
            cards(tab.get(f"/admin?period={key}").text)["total-users"][1][1]
            for key in ("7d", "30d")
        )

        assert (week, month) == ("+3", "+4")

    def test_entries_of_the_deleted_stay(
        self, client_as: ClientAs, business: User, admin: User
    ) -> None:
        with transaction():
            users.delete(business, by=acting(admin), link_action="delete")

        found = figures(client_as("admin").get("/admin").text)

        assert (found["total-users"], found["credits-issued"]) == ("2", "1,750")

    def test_revenue_without_a_price_says_so(self, client_as: ClientAs, priced: None) -> None:
        SubscriptionFactory.create(tier="business")

        text = text_of(client_as("admin").get("/admin").text)

        assert "Revenue This Month – No price is set for business." in text
        assert "Set ADMINSITE_PRICES to see revenue." in text

    def test_compare_with_the_period_before(self, client_as: ClientAs, admin: User) -> None:
        for days in (10, 40, 50):
            LinkFactory.create(owner=admin, created_at=utc_now() - timedelta(days=days))

        found = client_as("admin").get("/admin").text

        card = next(c[0] for c in CARD.finditer(found) if c[1] == "links")
        assert "50% less than in the 30 days before" in text_of(card)


class TestCharts:
    @pytest.mark.parametrize("period", ["7d", "30d", "90d", "12m"])
    def test_tables_hold_what_the_pictures_say(
        self, client_as: ClientAs, business: User, period: str
    ) -> None:
        found = charts(client_as("admin").get(f"/admin?period={period}").text)

        assert list(found) == ["revenue", "credits", "growth"]
        for chart in found.values():
            said = [NUMBER.findall(hit) for hit in HIT.findall(chart)]
            listed = [
                NUMBER.findall(f"{name} {text_of(cells)}") for name, cells in ROW.findall(chart)
            ]
            assert said == listed != []

    def test_add_up_to_the_figures_of_the_period(self, client_as: ClientAs, business: User) -> None:
        text = client_as("admin").get("/admin?period=30d").text
        rows = ROW.findall(charts(text)["credits"])

        issued, used = (sum(_cell(cells, at) for _, cells in rows) for at in (0, 1))

        assert [value for _, value in cards(text)["credits-issued"]][1] == f"+{issued:,}"
        assert [value for _, value in cards(text)["credits-used"]][1] == f"+{used:,}"

    def test_growth_ends_with_everybody(self, client_as: ClientAs, business: User) -> None:
        rows = ROW.findall(charts(client_as("admin").get("/admin").text)["growth"])

        assert _cell(rows[-1][1], 1) == 3
        assert sum(_cell(cells, 0) for _, cells in rows) == 3

    def test_have_names_and_descriptions(self, client_as: ClientAs, business: User) -> None:
        for name, chart in charts(client_as("admin").get("/admin").text).items():
            picture = re.search(r'<svg class="plot"[^>]*>', chart)
            assert picture is not None
            assert 'role="img"' in picture[0]
            assert (
                f'aria-labelledby="plot-{name}-name" aria-describedby="plot-{name}-desc"'
                in picture[0]
            )
            assert re.search(rf'<desc id="plot-{name}-desc">[A-Z].+\.</desc>', chart)

    def test_say_when_there_is_nothing(self, client_as: ClientAs, admin: User) -> None:
        text = text_of(client_as("admin").get("/admin?period=7d").text)

        assert "No credits moved from" in text
        assert "No subscription ran from" in text


class TestPeriod:
    @pytest.mark.parametrize(
        "value", ["", "x", "30d&period=7d", "%00", "-1", "1e9", "<script>", "7d" * 3000, "%ff"]
    )
    def test_nonsense_shows_thirty_days(self, client_as: ClientAs, value: str) -> None:
        tab = client_as("admin")

        answer = tab.get(f"/admin?period={value}")

        assert answer.status_code == 200
        assert re.search(r'id="period-30d"[^>]*aria-current="true"', answer.text)
        assert "<script>" not in answer.text.split("<main")[1]

    def test_a_part_of_the_page_answers_htmx(self, client_as: ClientAs) -> None:
        answer = client_as("admin").get("/admin?period=7d", htmx=True)

        assert answer.text.lstrip().startswith('<div class="overview" id="overview">')
        assert re.search(r'id="period-7d"[^>]*aria-current="true"', answer.text)


class TestCost:
    @pytest.mark.parametrize("level", ["support", "owner"])
    @pytest.mark.parametrize("period", ["30d", "12m"])
    def test_is_at_most_eight_statements(
        self,
        client_as: ClientAs,
        business: User,
        kept_for_a_minute: list[float],
        level: str,
        period: str,
    ) -> None:
        tab = client_as(level)
        with statements() as all_of_it:
            tab.get(f"/admin?period={period}")
        with statements() as signing_in:
            tab.get(f"/admin?period={period}")

        assert len(all_of_it) - len(signing_in) <= MOST_STATEMENTS


class TestActivity:
    def test_says_who_did_what_to_which_record(
        self, client_as: ClientAs, session: Session, admin: User
    ) -> None:
        row = link(owner=admin)
        with transaction():
            links.update(row, {"title": "New"}, by=acting(admin))

        answer = client_as("admin").get("/admin")

        assert f"{admin.email} changed the link: {row}" in text_of(answer.text)
        assert f'href="/admin/links/details/?id={row.id}"' in answer.text

    def test_of_what_is_gone_has_no_link(
        self, client_as: ClientAs, session: Session, admin: User
    ) -> None:
        row = link(owner=admin)
        key = row.id
        with transaction():
            links.delete(row, by=acting(admin))

        answer = client_as("admin").get("/admin")

        assert "deleted the link" in answer.text
        assert f"details/?id={key}" not in answer.text

    def test_of_staff_is_linked_for_owners_only(self, client_as: ClientAs, owner: User) -> None:
        record = staff("support")
        with transaction():
            admins.change_role(record, "admin", by=acting(owner))
        url = f"/admin/admins/details/?id={record.id}"

        shown = {who: url in client_as(who).get("/admin").text for who in ("admin", "owner")}

        assert shown == {"admin": False, "owner": True}

    def test_support_sees_the_links_changed_last(self, client_as: ClientAs, admin: User) -> None:
        row = link(owner=admin)
        with transaction():
            links.update(row, {"title": "New"}, by=acting(admin))

        answer = client_as("support").get("/admin")

        assert "Links changed last" in answer.text
        assert str(row) in answer.text
        assert admin.email not in answer.text


class TestActions:
    def test_name_the_three_pages_with_what_they_are_for(self, client_as: ClientAs) -> None:
        text = text_of(client_as("support").get("/admin").text)

        for name in ("Manage Users", "Manage Subscriptions", "Credit Operations"):
            assert name in text

    @pytest.mark.parametrize(("level", "shown"), [("support", 0), ("admin", 2)])
    def test_offer_what_the_person_may(self, client_as: ClientAs, level: str, shown: int) -> None:
        main = client_as(level).get("/admin").text.split("<main")[1]

        assert len(re.findall(r'href="/admin/(?:links/new/|import)"', main)) == shown

    def test_lead_to_pages_that_answer(self, client_as: ClientAs) -> None:
        tab = client_as("admin")

        for *_, url, _icon in page.ACTIONS:
            assert tab.get(url).status_code == 200, url


class TestKept:
    def test_figures_stay_until_they_are_too_old(
        self, client_as: ClientAs, kept_for_a_minute: list[float]
    ) -> None:
        tab = client_as("admin")
        before = tab.get("/admin")
        person()
        kept_for_a_minute[0] += 59

        during = tab.get("/admin")
        kept_for_a_minute[0] += 1
        after = tab.get("/admin")

        assert [figures(a.text)["total-users"] for a in (before, during, after)] == ["1", "1", "2"]

    def test_nothing_is_read_when_all_is_kept(
        self, client_as: ClientAs, kept_for_a_minute: list[float]
    ) -> None:
        tab = client_as("admin")
        tab.get("/admin")

        with statements() as sent:
            tab.get("/admin")

        assert [sql for sql in sent if "credit_days" in sql or "audit_events" in sql] == []

    def test_refresh_counts_anew_and_leaves_a_plain_address(
        self, client_as: ClientAs, kept_for_a_minute: list[float]
    ) -> None:
        tab = client_as("admin")
        tab.get("/admin?period=7d")
        person()
        kept_for_a_minute[0] += 1

        answer = tab.get("/admin?period=7d&fresh=1")

        assert (answer.status_code, answer.headers["Location"]) == (303, "/admin?period=7d")
        assert figures(tab.get("/admin?period=7d").text)["total-users"] == "2"

    def test_refresh_by_htmx_answers_the_new_figures(
        self, client_as: ClientAs, kept_for_a_minute: list[float]
    ) -> None:
        tab = client_as("admin")
        tab.get("/admin")
        person()
        kept_for_a_minute[0] += 1

        answer = tab.get("/admin?fresh=1", htmx=True)

        assert figures(answer.text)["total-users"] == "2"

    def test_what_one_level_saw_another_does_not(
        self, client_as: ClientAs, kept_for_a_minute: list[float], admin: User
    ) -> None:
        with transaction():
            links.update(link(owner=admin), {"title": "New"}, by=acting(admin))
        client_as("owner").get("/admin")

        answer = client_as("support").get("/admin")

        assert "Recent Activity" not in answer.text
        assert admin.email not in answer.text

    def test_says_when_it_was_counted(
        self, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moment = datetime(2026, 3, 4, 14, 2, 11, tzinfo=UTC)
        monkeypatch.setattr(page, "utc_now", lambda: moment)

        assert "as of 14:02:11 UTC" in text_of(client_as("admin").get("/admin").text)


def _cell(cells: str, at: int) -> int:
    return int(re.findall(r"<td>(.*?)</td>", cells)[at].replace(",", ""))
