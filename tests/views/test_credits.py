"""The list of the ledger: its rows, filters, totals and export (issue Money, 2)."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from adminsite.db import transaction, utc_now
from adminsite.models import CreditTransaction, User
from adminsite.operations import users
from tests.client import SiteClient
from tests.factories import CreditTransactionFactory
from tests.lists import Listed, ask, statements, text_of, walk
from tests.people import acting
from tests.rows import person
from tests.views.ledgers import URL, adjusted, asked, entry
from tests.views.reading import JSON, actions, said

ClientAs = Callable[[str | User], SiteClient]


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture
def mia(session: Session) -> User:
    return person("Mia Ash", email="mia@example.com")


def deleted(user: User, by: User) -> None:
    with transaction():
        users.delete(user, by=acting(by), link_action="delete")


class TestList:
    def test_shows_the_newest_first(self, tab: SiteClient, mia: User, admin: User) -> None:
        first = entry(mia, 1500, "purchase", "Pack")
        second = adjusted(mia, -300, by=admin, reason="Charged twice")

        page = ask(tab, URL)

        assert page.ids == [second.id, first.id]
        assert page.cell(second.id, "User") == "mia@example.com"
        assert page.cell(second.id, "Type") == "Admin adjustment"
        assert (page.cell(second.id, "Amount"), page.cell(first.id, "Amount")) == ("−300", "+1,500")
        assert page.cell(second.id, "Balance") == "1,200"
        assert 'class="loss">−300' in page.row(second.id)

    def test_shows_the_reason_without_who_wrote_it(
        self, tab: SiteClient, mia: User, admin: User
    ) -> None:
        made = adjusted(mia, 5, by=admin, reason="For the outage")

        page = ask(tab, URL)

        assert page.cell(made.id, "Reason") == "For the outage"
        assert page.cell(made.id, "By") == "admin@example.com"

    def test_leads_to_the_person(self, tab: SiteClient, mia: User) -> None:
        made = entry(mia, 5)

        assert f'href="/admin/users/{mia.id}"' in ask(tab, URL).row(made.id)

    def test_keeps_the_address_of_who_was_deleted(
        self, tab: SiteClient, mia: User, admin: User
    ) -> None:
        made = entry(mia, 5)
        deleted(mia, admin)

        page = ask(tab, URL)

        assert page.cell(made.id, "User") == "mia@example.com"
        assert "/admin/users/" not in page.row(made.id)
        assert ask(tab, URL, user="mia@example.com").ids == [made.id]

    def test_pages_by_key(self, tab: SiteClient, mia: User) -> None:
        ids = [CreditTransactionFactory.create(user=mia).id for _ in range(45)]

        pages = list(walk(tab, f"{URL}?page_size=20"))

        assert [key for page in pages for key in page.ids] == ids[::-1]

    def test_says_what_would_be_here(self, tab: SiteClient) -> None:
        page = tab.get(URL)

        assert "No entries yet" in said(page)
        assert "Adjust credits" in said(page)
        assert 'id="totals"' not in page.text

    def test_shows_names_as_they_are(self, tab: SiteClient, mia: User, admin: User) -> None:
        adjusted(mia, 5, by=admin, reason="<b>{{7*7}}</b>")

        page = tab.get(URL).text

        assert "<b>{{7*7}}" not in page
        assert "&lt;b&gt;{{7*7}}&lt;/b&gt;" in page

    def test_costs_the_same_at_every_length(self, tab: SiteClient, mia: User) -> None:
        for _ in range(120):
            CreditTransactionFactory(user=mia)
        tab.get(URL)

        with statements() as few:
            tab.get(f"{URL}?page_size=20")
        with statements() as many:
            tab.get(f"{URL}?page_size=100")

        assert len(few) == len(many) <= 8

    @pytest.mark.parametrize(("who", "sees"), [("support", 0), ("admin", 1), ("owner", 1)])
    def test_offers_changes_to_those_who_may(
        self, client_as: ClientAs, mia: User, who: str, sees: int
    ) -> None:
        entry(mia, 5)

        page = client_as(who).get(URL).text

        assert page.count('data-action="adjust"') == sees
        assert page.count('data-action="reverse"') == sees

    def test_is_not_for_members(self, client_as: ClientAs) -> None:
        assert client_as("member").get(URL).status_code == 403

    def test_says_why_an_entry_cannot_be_reversed(
        self, tab: SiteClient, mia: User, admin: User
    ) -> None:
        made = adjusted(mia, 5, by=admin)
        tab.post(f"{URL}/{made.id}/reverse", data={"reason": "Wrong"})

        page = ask(tab, URL)

        assert "This entry was reversed already." in page.row(made.id)
        assert 'href="/admin/credits/' not in page.row(made.id).split('class="actions"')[1]

    def test_shows_one_entry_with_all_that_is_known(
        self, tab: SiteClient, mia: User, admin: User
    ) -> None:
        made = adjusted(mia, 5, by=admin, reason="For the outage")

        page = said(tab.get(f"{URL}/{made.id}", follow_redirects=True))

        assert "+5 for mia@example.com" in page
        assert "Reason For the outage" in page
        assert f"Reference admin_{admin.id}_" in page

    def test_marks_a_debt(self, tab: SiteClient, mia: User, admin: User) -> None:
        made = adjusted(mia, -5, by=admin)

        assert 'class="debt">−5' in ask(tab, URL).row(made.id)


class TestFilters:
    @pytest.fixture
    def rows(self, mia: User, admin: User) -> dict[str, CreditTransaction]:
        ben = person("Ben", email="ben@example.com")
        return {
            "bought": entry(mia, 500, "purchase"),
            "used": entry(mia, -20, "usage"),
            "taken": adjusted(mia, -30, by=admin),
            "bens": entry(ben, 7, "bonus"),
        }

    @pytest.mark.parametrize(
        ("params", "names"),
        [
            ({"type": "usage"}, ["used"]),
            ({"sign": "positive"}, ["bens", "bought"]),
            ({"sign": "negative"}, ["taken", "used"]),
            ({"user": "mia@example.com"}, ["taken", "used", "bought"]),
            ({"user_email": "ben@example.com", "type": "bonus"}, ["bens"]),
            ({"actor": "admin@example.com"}, ["taken"]),
            ({"created_at_from": "2020-01-01"}, ["bens", "taken", "used", "bought"]),
            ({"created_at_to": "2020-01-01"}, []),
            ({"search": "BEN"}, ["bens"]),
            ({"search": "mia ash"}, ["taken", "used", "bought"]),
            ({"search": "%"}, []),
            ({"search": "mia", "sign": "negative"}, ["taken", "used"]),
        ],
    )
    def test_narrow_the_list(
        self,
        tab: SiteClient,
        rows: dict[str, CreditTransaction],
        params: dict[str, str],
        names: list[str],
    ) -> None:
        assert ask(tab, URL, **params).ids == [rows[name].id for name in names]

    @pytest.mark.parametrize(
        "params",
        [
            {"type": "gift"},
            {"sign": "0"},
            {"user": "nobody@example.com"},
            {"actor": "x\x00"},
            {"created_at": "yesterday"},
        ],
    )
    def test_refuse_what_they_do_not_know(self, tab: SiteClient, params: dict[str, str]) -> None:
        for path in (URL, f"{URL}/totals"):
            assert tab.get(path, query_string=params).status_code == 400

    def test_know_an_actor_who_is_gone(self, tab: SiteClient, mia: User) -> None:
        left = person(email="left@example.com", role="admin")
        made = adjusted(mia, 5, by=left)
        left_id = left.id
        CreditTransactionFactory(user=mia)

        page = ask(tab, URL, actor=str(left_id))

        assert page.ids == [made.id]


class TestTotals:
    def figures(self, tab: SiteClient, **params: str) -> str:
        return text_of(tab.get(f"{URL}/totals", query_string=params, htmx=True).text)

    @pytest.fixture
    def rows(self, mia: User, admin: User) -> None:
        entry(mia, 500, "purchase")
        entry(mia, -20, "usage")
        adjusted(mia, -30, by=admin)
        old = utc_now() - timedelta(days=40)
        CreditTransactionFactory(user=mia, amount=1000, type="bonus", created_at=old)

    @pytest.mark.parametrize(
        ("params", "told"),
        [
            ({}, "Entries 4 Added +1,500 Taken −50 Net +1,450"),
            ({"type": "usage"}, "Entries 1 Added 0 Taken −20 Net −20"),
            ({"sign": "negative"}, "Entries 2 Added 0 Taken −50 Net −50"),
            ({"user": "mia@example.com", "type": "purchase"}, "Entries 1 Added +500 Taken 0"),
            ({"search": "nobody"}, "Entries 0 Added 0 Taken 0 Net 0"),
        ],
    )
    @pytest.mark.usefixtures("rows")
    def test_add_up_what_is_listed(
        self, tab: SiteClient, params: dict[str, str], told: str
    ) -> None:
        assert self.figures(tab, **params).startswith(told)

    @pytest.mark.usefixtures("rows")
    @pytest.mark.parametrize("more", [{}, {"search": "mia"}])
    def test_of_a_period_count_whole_days(self, tab: SiteClient, more: dict[str, str]) -> None:
        since = f"{utc_now() - timedelta(days=3):%Y-%m-%d}"

        assert self.figures(tab, created_at_from=since, **more).startswith("Entries 3 Added +500")
        assert self.figures(tab, created_at_to=since, **more).startswith("Entries 1 Added +1,000")

    @pytest.mark.usefixtures("rows")
    @pytest.mark.parametrize(
        "params", [{}, {"type": "usage"}, {"created_at_from": "2020-01-01", "type": "bonus"}]
    )
    def test_of_whole_days_read_no_entry(self, tab: SiteClient, params: dict[str, str]) -> None:
        with statements() as sent:
            self.figures(tab, **params)

        assert not [sql for sql in sent if "credit_transactions" in sql]
        assert len([sql for sql in sent if "credit_days" in sql]) == 1

    @pytest.mark.usefixtures("rows")
    def test_are_a_page_without_script(self, tab: SiteClient) -> None:
        page = tab.get(f"{URL}/totals?type=usage")

        assert "Entries with type: Usage." in said(page)
        assert "Taken −20" in said(page)
        assert 'href="/admin/credits?type=usage"' in page.text

    @pytest.mark.usefixtures("rows")
    def test_are_numbers_for_a_script(self, client_as: ClientAs) -> None:
        answer = client_as("support").get(f"{URL}/totals", headers=JSON)

        assert answer.json == {
            "success": True,
            "data": {"entries": 4, "added": 1500, "taken": 50, "net": 1450},
        }

    @pytest.mark.usefixtures("rows")
    def test_are_fetched_with_the_filters_of_the_list(self, tab: SiteClient) -> None:
        page = ask(tab, URL, type="usage").text

        assert 'hx-get="/admin/credits/totals?type=usage" hx-trigger="load"' in page


class TestExport:
    def rows(self, tab: SiteClient, **params: str) -> list[dict[str, str]]:
        answer = tab.get(f"{URL}/export/csv/", query_string=params)
        assert answer.status_code == 200
        return list(csv.DictReader(io.StringIO(answer.text)))

    def test_gives_what_is_listed(self, tab: SiteClient, mia: User, session: Session) -> None:
        entry(mia, 500, "purchase")
        entry(mia, -20, "usage", "=1+1")

        (row,) = self.rows(tab, type="usage")

        assert (row["user_email"], row["type"]) == ("mia@example.com", "usage")
        assert (row["amount"], row["balance_after"]) == ("-20", "480")  # numbers, no formulas
        assert row["description"] == "'=1+1"
        assert actions(session)[-1] == "data.exported"

    def test_is_for_admins(self, client_as: ClientAs) -> None:
        support = client_as("support")

        assert support.get(f"{URL}/export/csv/").status_code == 403
        assert "Export" not in said(support.get(URL))


class TestWaiting:
    def test_is_above_the_list(self, tab: SiteClient, mia: User, owner: User) -> None:
        asked(mia, -500, by=owner, reason="Refunded")

        panel = said(tab.get(URL))

        assert "Waiting for a second person 1" in panel
        assert "Mia Ash −500 0 → −500 Refunded Asked by owner@example.com" in panel
        assert "Decline Approve" in panel

    def test_says_why_one_cannot_decide(self, tab: SiteClient, mia: User, admin: User) -> None:
        asked(mia, 500, by=admin)

        page = tab.get(URL)

        assert "You asked for this: somebody else has to decide." in said(page)
        assert 'data-action="approve"' not in page.text

    def test_is_read_only_for_support(self, client_as: ClientAs, mia: User, admin: User) -> None:
        asked(mia, 500, by=admin)

        page = client_as("support").get(URL)

        assert "Mia Ash +500" in said(page)
        assert 'data-action="approve"' not in page.text

    def test_counts_them_all(self, tab: SiteClient, mia: User, owner: User) -> None:
        for _ in range(23):
            asked(mia, 5, by=owner)

        page = said(tab.get(URL))

        assert "Waiting for a second person 23" in page
        assert "and 3 more, when these are decided" in page

    def test_costs_the_same_however_many(self, tab: SiteClient, owner: User) -> None:
        asked(person(), 5, by=owner)
        tab.get(URL)
        with statements() as few:
            tab.get(URL)
        for _ in range(10):
            asked(person(), 5, by=owner)

        with statements() as many:
            tab.get(URL)

        assert len(many) == len(few)


class TestUserPage:
    def page(self, tab: SiteClient, user: User) -> Any:
        return tab.get(f"/admin/users/{user.id}")

    @pytest.mark.parametrize(("who", "sees"), [("support", False), ("admin", True)])
    def test_offers_to_adjust(
        self, client_as: ClientAs, mia: User, who: str, *, sees: bool
    ) -> None:
        page = self.page(client_as(who), mia)

        assert ('data-action="adjust"' in page.text) == sees

    def test_shows_reasons_and_what_waits(self, tab: SiteClient, mia: User, admin: User) -> None:
        adjusted(mia, 5, by=admin, reason="For the outage")
        asked(mia, 500, by=admin)

        page = said(self.page(tab, mia))

        assert "Admin adjustment For the outage" in page
        assert "1 adjustment waits for a second person" in page
        assert "[Admin" not in page

    def test_tells_in_words_what_happened(self, tab: SiteClient, mia: User, admin: User) -> None:
        adjusted(mia, 5, by=admin, reason="For the outage")
        asked(mia, 500, by=admin)

        page = said(self.page(tab, mia))

        assert "adjusted the credits Balance: 0 → 5 Reason: For the outage" in page
        assert "asked to adjust the credits Amount: 500 Reason: Big" in page

    def test_gives_its_cards_alone(self, tab: SiteClient, mia: User) -> None:
        path = f"/admin/users/{mia.id}/cards"

        cards = tab.get(path, htmx=True).text
        without = tab.get(path)

        assert cards.lstrip().startswith('<div class="cards" id="person"')
        assert without.location == f"/admin/users/{mia.id}"


class TestOwnAccount:
    def test_shows_reasons_and_no_ids_of_admins(
        self, client_as: ClientAs, member: User, admin: User
    ) -> None:
        adjusted(member, 5, by=admin, reason="For the outage")

        page = client_as("member").get("/dashboard").text

        assert "For the outage" in page
        assert str(admin.id) not in page


def test_a_row_is_drawn_alone(tab: SiteClient, mia: User) -> None:
    made = entry(mia, 5)

    row = Listed(tab.get(f"{URL}/{made.id}", htmx=True))
    script = tab.get(f"{URL}/{made.id}", headers=JSON)

    assert row.ids == [made.id]
    assert script.json is not None
    assert script.json["data"]["amount"] == 5
