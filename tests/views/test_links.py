"""The links screen: what is particular to it beside the kit."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.models import AuditEvent, Link, LinkOwner, User
from tests.client import SiteClient
from tests.lists import ask, text_of
from tests.rows import link, person, tag

ClientAs = Callable[[str], SiteClient]
JSON = {"Accept": "application/json"}
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


class TestList:
    def test_shows_the_links_of_everybody(self, client_as: ClientAs) -> None:
        rows = [link(owner=person()), link(owner=person())]

        assert set(ask(client_as("support"), "/admin/links").ids) == {row.id for row in rows}

    def test_names_the_owners_with_commas_the_primary_one_first(self, tab: SiteClient) -> None:
        row = link(owner=person("Zoe"), co_owners=[person("Bob"), person("Alice")])

        shown = ask(tab, "/admin/links").row(row.id)

        cell = shown.split('class="cell-owners">')[1].split("</td>")[0]
        assert text_of(cell) == "Zoe, Bob, Alice"

    def test_cuts_a_long_url_and_keeps_it_whole_for_the_tooltip(self, tab: SiteClient) -> None:
        url = "https://example.com/" + "path/" * 40
        row = link(url=url)

        shown = ask(tab, "/admin/links").row(row.id)

        assert "…" in shown
        assert f'"{url}"' in shown

    def test_shows_three_tags_and_counts_the_rest(self, tab: SiteClient) -> None:
        row = link(tags=[tag(f"tag-{n}") for n in range(5)])

        shown = ask(tab, "/admin/links").row(row.id)

        assert "+2" in shown
        assert "tag-4" in shown

    @pytest.mark.parametrize(
        ("who", "there"), [("support", False), ("admin", True), ("owner", True)]
    )
    def test_offers_changes_to_those_who_may(
        self, client_as: ClientAs, who: str, *, there: bool
    ) -> None:
        link()

        page = client_as(who).get("/admin/links").text

        for control in ("data-cell=", 'data-action="delete"', 'data-action="new"', "rowid"):
            assert (control in page) == there, control

    def test_asks_for_no_script_url(self, tab: SiteClient, session: Session) -> None:
        row = link()
        session.execute(
            Link.__table__.update().where(Link.id == row.id).values(url="javascript:alert(1)"),  # type: ignore[attr-defined]
            execution_options={"audited": True},
        )
        session.commit()

        assert 'href="javascript' not in tab.get("/admin/links").text


def owners(session: Session, row: Link) -> list[tuple[str, bool]]:
    shares = (
        select(User.display_name, LinkOwner.is_primary)
        .join(LinkOwner, LinkOwner.user_id == User.id)
        .where(LinkOwner.link_id == row.id)
        .order_by(LinkOwner.is_primary.desc(), LinkOwner.created_at)
    )
    return [(name, primary) for name, primary in session.execute(shares)]


def change(tab: SiteClient, row: Link, path: str, **values: object) -> TestResponse:
    return tab.post(f"/admin/links/{row.id}/owners{path}", data=values, htmx=True)


class TestOwners:
    """The panel on a link's page."""

    def test_are_shown_on_the_page(self, tab: SiteClient) -> None:
        row = link(owner=person("Zoe"), co_owners=[person("Bob")])

        page = tab.get(f"/admin/links/edit/?id={row.id}").text

        panel = page.split('id="owners"')[1]
        assert panel.index("Zoe") < panel.index("Bob")
        assert panel.count(">primary<") == 1

    @pytest.mark.parametrize("by", ["id", "email"])
    def test_gain_a_person(self, tab: SiteClient, session: Session, by: str) -> None:
        row, bob = link(owner=person("Zoe")), person("Bob")

        answer = change(tab, row, "", user=bob.id if by == "id" else bob.email.upper())

        assert answer.status_code == 200
        assert 'id="owners"' in answer.text
        assert "<html" not in answer.text
        said = json.loads(answer.headers["HX-Trigger"])["toast"]["message"]
        assert said == "Bob is now an owner."
        assert owners(session, row) == [("Zoe", True), ("Bob", False)]

    def test_lose_a_person(self, tab: SiteClient, session: Session) -> None:
        bob = person("Bob")
        row = link(owner=person("Zoe"), co_owners=[bob])

        answer = change(tab, row, f"/{bob.id}/remove")

        assert answer.status_code == 200
        assert owners(session, row) == [("Zoe", True)]

    def test_change_places(self, tab: SiteClient, session: Session) -> None:
        bob = person("Bob")
        row = link(owner=person("Zoe"), co_owners=[bob, person("Ann")])

        answer = change(tab, row, f"/{bob.id}/primary")

        assert answer.status_code == 200
        assert owners(session, row) == [("Bob", True), ("Zoe", False), ("Ann", False)]

    def test_keep_their_primary_one(self, tab: SiteClient, session: Session) -> None:
        zoe = person("Zoe")
        row = link(owner=zoe, co_owners=[person("Bob")])

        answer = change(tab, row, f"/{zoe.id}/remove")

        assert answer.status_code == 400
        assert "Make somebody else primary first" in answer.headers["HX-Trigger"]
        assert owners(session, row) == [("Zoe", True), ("Bob", False)]

    def test_make_a_stranger_primary_by_adding_them(
        self, tab: SiteClient, session: Session
    ) -> None:
        row, bob = link(owner=person("Zoe")), person("Bob")

        answer = change(tab, row, f"/{bob.id}/primary")

        assert answer.status_code == 200
        assert owners(session, row) == [("Bob", True), ("Zoe", False)]

    @pytest.mark.parametrize(
        ("path", "values", "status"),
        [
            ("", {"user": ""}, 422),
            ("", {"user": "nobody@example.com"}, 422),
            ("", {"user": NOBODY}, 422),
            ("", {"user": "\x00"}, 422),
            (f"/{NOBODY}/remove", {}, 404),
            (f"/{NOBODY}/primary", {}, 404),
        ],
    )
    def test_are_people_who_exist(
        self, tab: SiteClient, session: Session, path: str, values: dict[str, str], status: int
    ) -> None:
        row = link(owner=person("Zoe"))

        assert change(tab, row, path, **values).status_code == status
        assert owners(session, row) == [("Zoe", True)]

    def test_are_not_added_twice(self, tab: SiteClient, session: Session) -> None:
        zoe = person("Zoe")
        row = link(owner=zoe)

        answer = change(tab, row, "", user=zoe.id)

        assert answer.status_code == 422
        assert owners(session, row) == [("Zoe", True)]

    def test_leave_one_event_with_before_and_after(self, tab: SiteClient, session: Session) -> None:
        bob = person("Bob", email="bob@example.com")
        row = link(owner=person("Zoe", email="zoe@example.com"))

        change(tab, row, "", user=bob.id)

        event = session.scalars(select(AuditEvent).where(AuditEvent.subject_type == "link")).one()
        assert event.changes == {
            "owners": [["zoe@example.com"], ["zoe@example.com", "bob@example.com"]]
        }
        session.refresh(row)
        assert row.version == 2

    def test_are_not_for_support_to_change(self, client_as: ClientAs, session: Session) -> None:
        row = link(owner=person("Zoe"))
        tab = client_as("support")

        assert change(tab, row, "", user=person("Bob").id).status_code == 403
        assert owners(session, row) == [("Zoe", True)]

    def test_of_no_link_are_not_found(self, tab: SiteClient) -> None:
        answer = tab.post("/admin/links/999999/owners", data={"user": person().email})

        assert answer.status_code == 404


class TestLookup:
    def test_finds_people_by_name_and_email(self, tab: SiteClient) -> None:
        alice = person("Алиса", email="wonder@example.com")
        person("Bob")

        by_name = tab.get("/admin/links/ajax/lookup/?name=people&query=АЛИ")
        by_email = tab.get("/admin/links/ajax/lookup/?name=people&query=Wonder")

        expected = [[str(alice.id), "Алиса", "wonder@example.com"]]
        assert by_name.json == by_email.json == expected

    def test_gives_options_to_htmx(self, tab: SiteClient) -> None:
        alice = person("Alice <b>")

        options = tab.get("/admin/links/ajax/lookup/?name=people&query=alice", htmx=True).text

        assert f'data-value="{alice.id}"' in options
        assert "Alice &lt;b&gt;" in options

    @pytest.mark.parametrize("limit", ["1000000", "-1", "x"])
    def test_gives_few_whatever_is_asked(self, tab: SiteClient, limit: str) -> None:
        for _ in range(25):
            person("Smith")

        found = tab.get(f"/admin/links/ajax/lookup/?name=people&query=smith&limit={limit}").json

        assert found is not None
        assert len(found) == 20

    @pytest.mark.parametrize("query", ["%", "_", "\x00", "a" * 10_000, "\\"])
    def test_takes_wildcards_literally(self, tab: SiteClient, query: str) -> None:
        person("Nobody in particular")

        answer = tab.get("/admin/links/ajax/lookup/", query_string={"name": "tags", "query": query})

        assert answer.json == []

    @pytest.mark.parametrize("name", ["", "nothing", "owners", "password_hash"])
    def test_of_nothing_declared_is_not_there(self, tab: SiteClient, name: str) -> None:
        assert tab.get(f"/admin/links/ajax/lookup/?name={name}").status_code == 404
