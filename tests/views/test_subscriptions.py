"""The subscriptions screen: what its list shows, finds, sorts and gives away."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.db import utc_now
from adminsite.models import AuditEvent, Subscription, User
from tests.client import SiteClient
from tests.factories import SubscriptionFactory, save
from tests.lists import ask, statements, walk
from tests.rows import person
from tests.views.reading import JSON, said
from tests.views.subscribing import URL, keys, older, subscribed

ClientAs = Callable[[str], SiteClient]
PRICES = (("starter", 900), ("pro", 4950))


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("support")


@pytest.fixture
def mia(app: Flask) -> User:
    return person("Mia Lund", email="mia@example.com")


@pytest.fixture
def _prices(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], prices=PRICES))


def many(people: int, each: int) -> list[Subscription]:
    """Many subscriptions of several people, that began one after the other."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    owners = [person(f"Person {n}") for n in range(people)]
    rows = [
        SubscriptionFactory.build(user=owner, created_at=start + timedelta(hours=n * 7 % 50))
        for n in range(each)
        for owner in owners
    ]
    save(*rows)
    return rows


class TestList:
    @pytest.mark.parametrize("path", [URL, f"{URL}/"])
    def test_says_that_no_payment_provider_is_called(self, tab: SiteClient, path: str) -> None:
        answer = tab.get(path)

        assert answer.status_code == 200
        told = "This is the company's own record. Changing it calls no payment provider."
        assert told in unescape(answer.text)

    @pytest.mark.usefixtures("_prices")
    def test_shows_whose_it_is_and_how_it_stands(self, tab: SiteClient, mia: User) -> None:
        row = subscribed(
            mia,
            "pro",
            created_at=datetime(2025, 1, 5, tzinfo=UTC),
            current_period_end=datetime(2026, 2, 3, tzinfo=UTC),
        )

        page = ask(tab, URL)

        read = [
            page.cell(row.id, label)
            for label in ("Person", "Plan", "Status", "Period ends", "Since")
        ]
        assert read == [
            "Mia Lund mia@example.com",
            "pro $49.50 a month",
            "active",
            "Feb 3, 2026",
            "Jan 5, 2025",
        ]
        assert f'href="/admin/users/{mia.id}"' in page.row(row.id)

    @pytest.mark.usefixtures("_prices")
    @pytest.mark.parametrize(("tier", "read"), [("business", "business"), (None, "unknown")])
    def test_shows_no_price_that_nobody_set(
        self, tab: SiteClient, mia: User, tier: str | None, read: str
    ) -> None:
        row = subscribed(mia, tier)

        assert ask(tab, URL).cell(row.id, "Plan") == read

    @pytest.mark.parametrize(
        ("status", "tone"),
        [("active", "success"), ("past_due", "warning"), ("unpaid", "warning"), ("canceled", "")],
    )
    def test_colours_what_asks_for_attention(
        self, tab: SiteClient, mia: User, status: str, tone: str
    ) -> None:
        row = subscribed(mia, status=status)

        badge = f'<span class="badge{" badge-" if tone else ""}{tone}">{status.replace("_", " ")}<'
        assert badge in ask(tab, URL).row(row.id)

    def test_says_what_ends_with_its_period(self, tab: SiteClient, mia: User) -> None:
        ends = datetime(2026, 2, 3, tzinfo=UTC)
        row = subscribed(mia, cancel_at_period_end=True, current_period_end=ends)
        other = person()
        ended = subscribed(
            other, status="canceled", cancel_at_period_end=True, current_period_end=ends
        )

        page = ask(tab, URL)

        assert page.cell(row.id, "Period ends") == "Feb 3, 2026 ends then"
        assert page.cell(ended.id, "Period ends") == "Feb 3, 2026"

    def test_marks_what_a_newer_one_replaced(self, tab: SiteClient, mia: User) -> None:
        old, new = older(mia, status="canceled"), subscribed(mia)

        page = ask(tab, URL)

        assert page.cell(old.id, "Status") == "canceled replaced by a newer one"
        assert page.cell(new.id, "Status") == "active"

    def test_is_empty_with_a_word_on_what_would_be_here(self, tab: SiteClient) -> None:
        assert "No subscriptions yet" in said(tab.get(URL))

    def test_shows_names_and_ids_as_they_are_written(self, tab: SiteClient) -> None:
        mallory = person("<b>Mallory</b>")
        row = subscribed(mallory, id="""sub_<i>"'&""")

        page = tab.get(URL).text

        assert "<b>Mallory" not in page
        assert "<i>" not in page.partition('id="rows"')[2].partition("</tbody>")[0]
        assert 'data-path="/admin/subscriptions/sub_%3Ci%3E%22%27%26"' in page
        assert row.id == """sub_<i>"'&"""

    def test_costs_the_same_at_every_length(self, tab: SiteClient) -> None:
        many(30, 7)

        def cost(size: int) -> int:
            with statements() as sent:
                ask(tab, URL, page_size=size)
            return len(sent)

        assert cost(20) == cost(200) <= 8


class TestControls:
    def test_are_offered_to_admins(self, client_as: ClientAs, mia: User) -> None:
        row = subscribed(mia, id="sub_1")

        markup = ask(client_as("admin"), URL).row(row.id)

        assert 'hx-get="/admin/subscriptions/sub_1/plan"' in markup
        assert 'aria-label="Change the status of mia@example.com"' in markup

    def test_are_not_offered_to_support(self, tab: SiteClient, mia: User) -> None:
        row = subscribed(mia)

        page = ask(tab, URL)

        assert "data-action" not in page.row(row.id)
        assert "col-actions" not in page.text

    def test_leave_an_ended_one_on_its_plan_and_say_why(
        self, client_as: ClientAs, mia: User
    ) -> None:
        row = subscribed(mia, status="canceled", id="sub_1")

        markup = ask(client_as("admin"), URL).row(row.id)

        assert 'aria-disabled="true" data-action="plan" data-tip="This subscription has ended.' in (
            markup
        )
        assert "sub_1/plan" not in markup
        assert "sub_1/status" in markup

    def test_leave_a_replaced_one_alone(self, client_as: ClientAs, mia: User) -> None:
        old = older(mia, id="sub_old", status="canceled")
        subscribed(mia)

        markup = ask(client_as("admin"), URL).row(old.id)

        assert 'data-action="open"' in markup
        assert "plan" not in markup.replace("a plan", "").partition("actions")[2]
        assert 'data-action="status"' not in markup

    def test_end_a_replaced_one_that_goes_on(self, client_as: ClientAs, mia: User) -> None:
        old = older(mia, id="sub_old", status="past_due")
        subscribed(mia)

        markup = ask(client_as("admin"), URL).row(old.id)

        assert 'data-action="status"' in markup
        assert 'data-action="plan"' not in markup
        assert "by a newer one</span>, goes on" in markup


class TestOrder:
    def test_is_the_newest_first(self, tab: SiteClient, mia: User) -> None:
        old, new = older(mia), subscribed(mia)

        assert keys(ask(tab, URL)) == [new.id, old.id]

    @pytest.mark.parametrize("sort", ["email", "created_at"])
    @pytest.mark.parametrize("desc", ["0", "1"])
    def test_shows_every_one_once_page_by_page(self, tab: SiteClient, sort: str, desc: str) -> None:
        rows = many(3, 17)
        emails = {row.id: row.user.email if sort == "email" else row.created_at for row in rows}

        pages = list(walk(tab, f"{URL}?sort={sort}&desc={desc}&page_size=20"))

        shown = [key for page in pages for key in keys(page)]
        ordered = sorted(emails, key=lambda key: (emails[key], key), reverse=desc == "1")
        assert shown == ordered

    def test_goes_back_as_well(self, tab: SiteClient) -> None:
        many(2, 15)
        first = ask(tab, f"{URL}?sort=email&page_size=20")
        assert first.next is not None
        second = ask(tab, first.next)

        assert second.prev is not None
        assert keys(ask(tab, second.prev)) == keys(first)


class TestSearch:
    @pytest.mark.parametrize("term", ["MIA@", "lund", "sub_xk", "XK9"])
    def test_finds_by_address_name_and_id(self, tab: SiteClient, mia: User, term: str) -> None:
        subscribed(mia, id="sub_Xk9")
        subscribed(person("Bob", email="bob@example.com"), id="sub_b")

        assert keys(ask(tab, URL, search=term)) == ["sub_Xk9"]

    @pytest.mark.parametrize("term", ["%", "_k", "'; DROP TABLE users; --"])
    def test_takes_what_is_typed_literally(self, tab: SiteClient, mia: User, term: str) -> None:
        subscribed(mia, id="subs")

        assert keys(ask(tab, URL, search=term)) == []

    def test_marks_what_it_found(self, tab: SiteClient, mia: User) -> None:
        row = subscribed(mia)

        assert "<mark>mia@</mark>example.com" in ask(tab, URL, search="MIA@").row(row.id)

    def test_finds_none_with_a_way_back(self, tab: SiteClient, mia: User) -> None:
        subscribed(mia)

        assert "Nothing matches" in said(tab.get(URL, query_string={"search": "zzz"}))


class TestFilters:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"status": "active"}, {"new"}),
            ({"status": "past_due"}, {"late"}),
            ({"tier": "pro"}, {"new", "late"}),
            ({"tier": "unknown"}, {"old"}),
            ({"counts": "yes"}, {"new", "late"}),
            ({"counts": "no"}, {"old"}),
            ({"current_period_end_from": "2026-02-03"}, {"new"}),
            ({"current_period_end_to": "2026-02-02"}, {"late"}),
            ({"created_at_to": "2025-12-31"}, {"old"}),
            ({"user": "mia@example.com"}, {"new", "old"}),
            ({"email": "MIA@example.com", "counts": "yes"}, {"new"}),
        ],
    )
    def test_leave_what_matches(
        self, tab: SiteClient, mia: User, asked: dict[str, str], found: set[str]
    ) -> None:
        SubscriptionFactory(
            user=mia,
            id="old",
            tier=None,
            status="canceled",
            created_at=datetime(2025, 3, 1, tzinfo=UTC),
        )
        subscribed(mia, id="new", current_period_end=datetime(2026, 2, 3, 23, tzinfo=UTC))
        subscribed(
            person(),
            status="past_due",
            id="late",
            current_period_end=datetime(2026, 2, 2, 23, tzinfo=UTC),
        )

        page = ask(tab, URL, **asked)

        assert set(keys(page)) == found
        assert page.count == str(len(found))

    def test_lead_here_from_a_person(self, tab: SiteClient, mia: User) -> None:
        row = subscribed(mia)
        subscribed(person())

        assert keys(ask(tab, URL, user=str(mia.id))) == [row.id]

    @pytest.mark.parametrize(
        "asked",
        [
            {"status": "gone"},
            {"tier": "gold"},
            {"counts": "maybe"},
            {"current_period_end_from": "soon"},
            {"user": "nobody@example.com"},
        ],
    )
    def test_refuse_nonsense(self, tab: SiteClient, asked: dict[str, str]) -> None:
        assert tab.get(URL, query_string=asked).status_code == 400


class TestExport:
    def read(self, tab: SiteClient, **asked: str) -> list[dict[str, str]]:
        answer = tab.get(f"{URL}/export/csv/", query_string=asked)
        assert answer.status_code == 200
        return list(csv.DictReader(io.StringIO(answer.text)))

    def test_gives_what_is_stored(self, client_as: ClientAs, mia: User) -> None:
        ends = datetime(2026, 2, 3, tzinfo=UTC)
        subscribed(mia, id="sub_1", price_id="price_1", current_period_end=ends)

        [line] = self.read(client_as("admin"))

        assert list(line) == [
            "id", "email", "tier", "status", "price_id", "current_period_start",
            "current_period_end", "cancel_at_period_end", "canceled_at", "created_at",
        ]  # fmt: skip
        assert (line["id"], line["email"], line["tier"]) == ("sub_1", "mia@example.com", "pro")
        assert (line["current_period_end"], line["canceled_at"]) == (ends.isoformat(), "")

    def test_is_of_what_the_list_shows_and_recorded(
        self, client_as: ClientAs, session: Session, mia: User
    ) -> None:
        subscribed(mia, id="sub_1")
        subscribed(person(), status="canceled", id="sub_2")

        lines = self.read(client_as("admin"), status="canceled")

        assert [line["id"] for line in lines] == ["sub_2"]
        event = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "data.exported")
        ).one()
        assert event.changes["resource"] == "subscriptions"

    def test_runs_nothing_in_a_spreadsheet(self, client_as: ClientAs, mia: User) -> None:
        subscribed(mia, id="=1+1")

        assert [line["id"] for line in self.read(client_as("admin"))] == ["'=1+1"]

    def test_is_refused_to_support(self, tab: SiteClient) -> None:
        assert tab.get(f"{URL}/export/csv/").status_code == 403


class TestAccess:
    @pytest.mark.parametrize("path", ["", "/sub_1", "/sub_1/plan", "/sub_1/status", "/details/"])
    def test_is_closed_to_members(self, client_as: ClientAs, path: str) -> None:
        assert client_as("member").get(f"{URL}{path}").status_code == 403

    def test_sends_the_signed_out_to_sign_in(self, client: SiteClient) -> None:
        answer = client.get(URL)

        assert answer.status_code == 302
        assert "/login" in answer.location

    def test_stands_in_the_menu_before_credits(self, tab: SiteClient) -> None:
        menu = tab.get(URL).text.partition('<nav class="sidebar"')[2].partition("</nav>")[0]

        assert 0 < menu.find('href="/admin/subscriptions"') < menu.find('href="/admin/credits"')


class TestOne:
    def test_is_a_row_to_htmx(self, tab: SiteClient, mia: User) -> None:
        row = subscribed(mia, id="sub_1")

        answer = tab.get(f"{URL}/{row.id}", htmx=True)

        assert answer.text.startswith('<tr id="subscription-sub_1"')

    def test_is_a_record_to_scripts(self, tab: SiteClient, mia: User) -> None:
        row = subscribed(mia, id="sub_1")

        told = tab.get(f"{URL}/{row.id}", headers=JSON).json

        assert told is not None
        known = {name: told["data"][name] for name in ("id", "user_id", "email", "tier", "status")}
        assert known == {
            "id": "sub_1",
            "user_id": str(mia.id),
            "email": "mia@example.com",
            "tier": "pro",
            "status": "active",
        }

    @pytest.mark.parametrize("address", ["/sub_1", "/details/?id=sub_1"])
    def test_is_a_page_to_people(self, tab: SiteClient, mia: User, address: str) -> None:
        subscribed(mia, id="sub_1", price_id="price_pro")
        older(mia, id="sub_0", status="canceled", canceled_at=utc_now())

        page = tab.get(f"{URL}{address}")

        told = said(page)
        assert "<title>Subscription of Mia Lund · " in page.text
        assert "Subscription of Mia Lund" in told
        assert "Plan now Pro" in told
        assert "sub_1 this one" in told
        assert "sub_0" in told
        assert "Change plan" not in told

    def test_offers_its_changes_to_admins(self, client_as: ClientAs, mia: User) -> None:
        subscribed(mia, id="sub_1")

        page = client_as("admin").get(f"{URL}/sub_1").text

        assert "/admin/subscriptions/sub_1/plan?return_to=/admin/subscriptions/sub_1" in page

    def test_that_was_replaced_offers_none_and_says_why(
        self, client_as: ClientAs, mia: User
    ) -> None:
        older(mia, id="sub_0", status="canceled")
        subscribed(mia, id="sub_1")

        told = said(client_as("admin").get(f"{URL}/sub_0"))

        assert "A newer subscription of this person counts: sub_1. Change that one." in told
        assert "Change plan" not in told

    def test_that_was_replaced_and_goes_on_can_be_ended(
        self, client_as: ClientAs, mia: User
    ) -> None:
        older(mia, id="sub_0", status="active")
        subscribed(mia, id="sub_1")

        page = client_as("admin").get(f"{URL}/sub_0")

        assert "this one can only be ended." in said(page)
        assert "/admin/subscriptions/sub_0/status?" in page.text
        assert "/admin/subscriptions/sub_0/plan?" not in page.text

    def test_with_an_odd_id_is_found_at_its_address(self, tab: SiteClient, mia: User) -> None:
        subscribed(mia, id="sub é?#&+%")

        answer = tab.get(f"{URL}/sub%20%C3%A9%3F%23%26%2B%25", headers=JSON)

        assert answer.json is not None
        assert answer.json["data"]["id"] == "sub é?#&+%"

    @pytest.mark.parametrize(
        "key", ["nobody", "%00", "a%0Ab", "x" * 256, "%ED%A0%80", "%F0%9F%A6%8A", "..", "-1"]
    )
    @pytest.mark.parametrize("how", [{}, {"htmx": True}, {"headers": JSON}])
    def test_that_does_not_exist_is_not_found(
        self, tab: SiteClient, key: str, how: dict[str, Any]
    ) -> None:
        assert tab.get(f"{URL}/{key}", **how).status_code == 404
        assert tab.get(f"{URL}/details/?id={key}", **how).status_code == 404
