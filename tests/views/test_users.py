"""The users screen: what its list shows, finds, sorts and gives away."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.db import utc_now
from adminsite.models import AuditEvent, User
from tests.client import SiteClient
from tests.factories import AdminFactory, UserFactory, save
from tests.lists import Listed, ask, statements, text_of, walk
from tests.rows import link, person

ClientAs = Callable[[str], SiteClient]
URL = "/admin/users"
HEADING = re.compile(r'<th scope="col" class="cell-.*?</th>', re.DOTALL)


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("support")


def crowd(count: int, **values: Any) -> list[User]:
    """Many people who joined one after the other."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    people = [
        UserFactory.build(created_at=start + timedelta(hours=n), **values) for n in range(count)
    ]
    save(*people)
    return people


def names(page: Listed) -> list[str]:
    return [page.cell(key, "Name") for key in page.keys]


class TestList:
    def test_shows_everybody_members_and_staff(self, tab: SiteClient, support: User) -> None:
        mia = person("Mia")

        assert set(ask(tab, URL).keys) == {str(mia.id), str(support.id)}

    @pytest.mark.parametrize("path", ["/admin/users", "/admin/users/"])
    def test_answers_with_and_without_a_slash(self, tab: SiteClient, path: str) -> None:
        answer = tab.get(path)

        assert answer.status_code == 200
        assert "<h1>Users" in answer.text

    def test_has_the_columns_of_the_requirement(self, tab: SiteClient) -> None:
        labels = [text_of(heading) for heading in HEADING.findall(ask(tab, URL).text)]

        assert labels == ["E-mail", "Name", "Role", "Credits", "Subscription", "Links", "Joined"]

    def test_shows_a_person_in_words(self, tab: SiteClient) -> None:
        mia = person(
            "Mia",
            email="mia@example.com",
            credits_balance=-25,
            subscription_tier="pro",
            created_at=datetime(2025, 1, 5, 23, 59, tzinfo=UTC),
        )
        link(owner=mia)
        link(co_owners=[mia])

        page = ask(tab, URL)

        labels = ("E-mail", "Name", "Role", "Credits", "Subscription", "Links", "Joined")
        shown = [page.cell(mia.id, label) for label in labels]
        assert shown == ["mia@example.com", "Mia", "user", "−25", "pro", "2", "Jan 5, 2025"]

    def test_calls_who_has_no_plan_free(self, tab: SiteClient) -> None:
        mia = person("Mia")

        assert ask(tab, URL).cell(mia.id, "Subscription") == "Free"

    def test_tells_the_roles_apart(self, tab: SiteClient) -> None:
        member, boss = person(), person(role="admin")

        page = ask(tab, URL)

        assert 'class="badge" data-word="user"' in page.row(member.id)
        assert 'class="badge" data-word="admin"' in page.row(boss.id)

    def test_leads_to_the_person_and_to_their_links(self, tab: SiteClient) -> None:
        mia = person("Mia")

        row = ask(tab, URL).row(mia.id)

        assert f'<a href="/admin/users/{mia.id}">' in row
        assert f'<a href="/admin/links?owner={mia.id}">0</a>' in row

    def test_shows_names_as_they_are(self, tab: SiteClient) -> None:
        mia = person("<b>{{7*7}}</b>", email='"><script>@example.com')

        row = ask(tab, URL).row(mia.id)

        assert "&lt;b&gt;{{7*7}}&lt;/b&gt;" in row
        assert "<script>" not in row

    @pytest.mark.parametrize("who", ["support", "admin", "owner"])
    def test_costs_the_same_at_any_length(self, client_as: ClientAs, who: str) -> None:
        tab = client_as(who)
        crowd(3)
        ask(tab, URL)
        with statements() as few:
            ask(tab, URL, page_size=200)
        for user in crowd(60):
            AdminFactory(user=user)
            link(owner=user)

        with statements() as many:
            ask(tab, URL, page_size=200)

        assert len(many) <= len(few)
        assert sum("link_owners" in sent for sent in many) == 1

    @pytest.mark.parametrize(
        ("params", "why", "way_out"),
        [
            ({"search": "zzz"}, "this search", "Clear the search"),
            ({"created_at_from": "2999-01-01"}, "these filters", "Clear the filters"),
            (
                {"search": "zzz", "created_at_from": "2999-01-01"},
                "this search and these filters",
                "Clear the filters",
            ),
        ],
    )
    def test_says_when_nobody_fits(
        self, tab: SiteClient, params: dict[str, str], why: str, way_out: str
    ) -> None:
        page = ask(tab, URL, **params)

        assert page.keys == []
        assert f"No user fits {why}. {way_out}" in text_of(page.text)


class TestSearch:
    @pytest.mark.parametrize(
        ("values", "term"),
        [
            ({"email": "Mia.Berg@example.com"}, "mia.berg@"),
            ({"display_name": "Жанна"}, "жАННА"),
            ({"display_name": "Élodie"}, "éLO"),
            ({"display_name": "100%_sure"}, "%_s"),
            ({"display_name": "山田太郎"}, "田太"),
        ],
    )
    def test_finds_addresses_and_names(
        self, tab: SiteClient, values: dict[str, str], term: str
    ) -> None:
        found = person(**values)
        person("100 per cent", email="sure@example.com")

        page = ask(tab, URL, search=term)

        assert (page.keys, page.count) == ([str(found.id)], "1")

    @pytest.mark.parametrize("term", ["' OR 1=1 --", "%", "_", "\\", "user\x1f", "a" * 5000])
    def test_takes_every_character_literally(self, tab: SiteClient, term: str) -> None:
        person("Mia")

        assert ask(tab, URL, search=term).keys == []


class TestFilters:
    @pytest.mark.parametrize(
        ("values", "query"),
        [
            ({"role": "admin"}, {"role": "admin"}),
            ({"subscription_tier": "pro"}, {"subscription_tier": "pro"}),
            ({"subscription_status": "past_due"}, {"subscription_status": "past_due"}),
            (
                {"created_at": datetime(2020, 2, 29, 12, tzinfo=UTC)},
                {"created_at_from": "2020-02-29", "created_at_to": "2020-02-29"},
            ),
        ],
    )
    def test_keep_those_who_fit(
        self,
        client_as: ClientAs,
        admin: User,
        values: dict[str, Any],
        query: dict[str, str],
    ) -> None:
        found = person(**values)
        person(subscription_tier="hobby", subscription_status="active")

        keys = set(ask(client_as("admin"), URL, **query).keys) - {str(admin.id)}

        assert keys == {str(found.id)}

    def test_find_those_without_a_plan(self, tab: SiteClient, support: User) -> None:
        free = person()
        person(subscription_tier="pro")

        page = ask(tab, URL, subscription_tier="free")

        assert set(page.keys) == {str(free.id), str(support.id)}
        assert "<b title=" in page.text

    @pytest.mark.parametrize(
        "query",
        ["role=owner", "subscription_tier=gold", "subscription_status=x", "created_at=yesterday"],
    )
    def test_refuse_what_they_do_not_know(self, tab: SiteClient, query: str) -> None:
        answer = tab.get(f"{URL}?{query}")

        assert answer.status_code == 400
        assert "The filter" in answer.text


def sorted_by(value: Callable[[User], Any], people: list[User], *, desc: bool) -> list[str]:
    rows = sorted(people, key=lambda user: (value(user), user.id), reverse=desc)
    return [str(user.id) for user in rows]


class TestOrder:
    @pytest.mark.parametrize("desc", [False, True])
    @pytest.mark.parametrize("column", ["email", "display_name", "credits_balance", "created_at"])
    def test_goes_through_all_pages(
        self, tab: SiteClient, session: Session, column: str, *, desc: bool
    ) -> None:
        for n in range(45):
            name = f"name {n % 7}"
            person(name, email=f"{'ABC'[n % 3]}{n}@x.example", credits_balance=n % 5)
        people = list(session.scalars(select(User)))

        pages = list(walk(tab, f"{URL}?sort={column}&desc={int(desc)}&page_size=20"))

        shown = [key for page in pages for key in page.keys]
        stored = "email_key" if column == "email" else column
        assert shown == sorted_by(lambda user: getattr(user, stored), people, desc=desc)

    def test_is_newest_first_by_itself(self, tab: SiteClient, support: User) -> None:
        old = person(created_at=utc_now() - timedelta(days=2))
        older = person(created_at=utc_now() - timedelta(days=3))

        assert ask(tab, URL).keys == [str(user.id) for user in (support, old, older)]


class TestPaging:
    """R-002-47, in its words."""

    def test_says_which_rows_and_which_page(self, tab: SiteClient) -> None:
        crowd(64)  # and the one who looks

        pages = list(walk(tab, f"{URL}?page_size=20"))

        told = [text_of(page.text.split('<nav class="footer"')[1]) for page in pages]
        rows = ["1 to 20", "21 to 40", "41 to 60", "61 to 65"]
        for number, (words, shown) in enumerate(zip(told, rows, strict=True), start=1):
            assert f"Showing {shown} of 65 " in words
            assert f"Page {number} of 4" in words

    def test_has_no_way_on_at_the_ends(self, tab: SiteClient) -> None:
        crowd(25)

        first, last = walk(tab, f"{URL}?page_size=20")

        assert '<span class="btn" id="page-prev" aria-disabled="true">Previous</span>' in first.text
        assert '<span class="btn" id="page-next" aria-disabled="true">Next</span>' in last.text
        assert (first.prev, last.next) == (None, None)

    def test_of_one_page_has_no_controls(self, tab: SiteClient) -> None:
        crowd(19)

        page = ask(tab, URL, page_size=20)

        assert "Showing 1 to 20 of 20" in text_of(page.text)
        assert "Page 1" not in page.text
        assert 'id="page-next"' not in page.text

    def test_counts_those_found_only(self, tab: SiteClient) -> None:
        crowd(25, display_name="wanted")
        crowd(3)

        page = ask(tab, URL, page_size=20, search="wanted")

        assert "Showing 1 to 20 of 25" in text_of(page.text)
        assert "Page 1 of 2" in text_of(page.text)

    def test_tells_the_exact_number_of_many_after_the_page(self, tab: SiteClient) -> None:
        crowd(1100)
        page = ask(tab, URL, page_size=50)
        second = ask(tab, page.next or "")

        late = tab.get(second.count_url or "", htmx=True).text

        assert "Showing 51 to 100 of more than 1,000" in text_of(second.text)
        assert '<span id="paging-of" hx-swap-oob="true">of 1,101</span>' in late
        assert '<span id="paging-pages" hx-swap-oob="true">Page 2 of 23</span>' in late

    @pytest.mark.parametrize("first", ["", "0", "x", "-1", "9" * 20, "٣"])
    def test_of_a_place_that_is_none_tells_the_count_alone(
        self, tab: SiteClient, first: str
    ) -> None:
        answer = tab.get(f"{URL}/count", query_string={"first": first}, htmx=True)

        assert answer.status_code == 200
        assert ">1<" in answer.text


class TestExport:
    def rows(self, tab: SiteClient, query: str = "") -> list[dict[str, str]]:
        answer = tab.get(f"{URL}/export/csv/{query}")
        assert answer.status_code == 200
        return list(csv.DictReader(io.StringIO(answer.text)))

    def test_has_the_columns_that_an_import_takes(self, client_as: ClientAs) -> None:
        answer = client_as("admin").get(f"{URL}/export/csv/")

        assert answer.text.splitlines()[0] == "email,display_name,role"
        assert "filename=users.csv" in answer.headers["Content-Disposition"]

    def test_holds_those_the_list_was_narrowed_to(self, client_as: ClientAs) -> None:
        person("Mia", email="mia@example.com")
        person("Zoe")

        rows = self.rows(client_as("admin"), "?search=mia")

        assert rows == [{"email": "mia@example.com", "display_name": "Mia", "role": "user"}]

    def test_holds_no_formula(self, client_as: ClientAs) -> None:
        person('=HYPERLINK("https://evil.example")', email="+1@example.com")

        rows = self.rows(client_as("admin"), "?search=evil")

        assert rows[0]["display_name"].startswith("'=")
        assert rows[0]["email"] == "'+1@example.com"

    def test_is_recorded(self, client_as: ClientAs, session: Session) -> None:
        self.rows(client_as("admin"), "?search=mia&role=user")

        wanted = select(AuditEvent).where(AuditEvent.action == "data.exported")
        event = session.scalars(wanted).one()
        assert event.actor_email == "admin@example.com"
        assert event.changes == {
            "resource": "users",
            "search": "mia",
            "filters": {"role": "User"},
        }

    def test_is_not_for_support(self, tab: SiteClient) -> None:
        answer = tab.get(f"{URL}/export/csv/")

        assert answer.status_code == 403
        assert "Export</span>" not in tab.get(URL).text
