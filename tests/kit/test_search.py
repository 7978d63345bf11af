"""Searching and filtering: what is shown is what a plain reading of all rows would give."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from adminsite.models import Link, LinkOwner, Tag, User
from tests.client import SiteClient
from tests.lists import ask, walk
from tests.rows import keyword, link, person, tag

ClientAs = Callable[[str], SiteClient]
URL = "/admin/links"


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("support")


class TestSearch:
    def test_has_no_box_where_no_column_is_searched(
        self, tab: SiteClient, declare: Callable[..., Any]
    ) -> None:
        declare("keywords", column_searchable_list=())

        assert 'role="search"' not in tab.get("/admin/keywords").text

    def test_finds_a_sigma_wherever_it_stands(self, tab: SiteClient) -> None:
        found = link(title="ΟΔΟΣΑ")

        assert ask(tab, URL, search="ΟΔΟΣ").ids == [found.id]

    @pytest.mark.parametrize(
        "values",
        [
            {"slug": "jira-board"},
            {"url": "https://jira.example.com/"},
            {"title": "The JIRA board"},
        ],
    )
    def test_finds_slug_url_and_title(self, tab: SiteClient, values: dict[str, str]) -> None:
        link(slug="other")
        found = link(**values)

        assert ask(tab, URL, search="jira").ids == [found.id]

    def test_finds_the_names_of_owners_and_co_owners(self, tab: SiteClient) -> None:
        jirayu = person("Jirayu Wong")
        own, shared = link(owner=jirayu), link(co_owners=[jirayu])
        link(slug="other")

        assert ask(tab, URL, search="jira").ids == [shared.id, own.id]

    def test_does_not_find_an_owners_email(self, tab: SiteClient) -> None:
        link(owner=person("Somebody", email="jira@example.com"))

        assert ask(tab, URL, search="jira").ids == []

    def test_does_not_run_across_two_fields(self, tab: SiteClient) -> None:
        link(slug="abc", url="https://example.com/")

        assert ask(tab, URL, search="abchttps").ids == []

    @pytest.mark.parametrize(
        ("title", "search"),
        [
            ("Жук", "жук"),
            ("жук", "ЖУК"),
            ("École", "école"),
            ("école", "ÉCOLE"),
            ("ΑΘΗΝΑ", "αθηνα"),
            ("İstanbul", "İSTANBUL"),
            ("日本語の題", "本語"),
            ("मेरा शीर्षक", "शीर्षक"),
            ("🚀 launch", "🚀"),
            ("می\u200cخواهم", "می\u200cخواهم"),
            ("👩\u200d💻 desk", "👩\u200d💻"),
            ("10\u00a0km", "10\u00a0km"),
            ("全角\u3000空白", "全角\u3000空白"),
        ],
    )
    def test_finds_any_script_in_any_case(self, tab: SiteClient, title: str, search: str) -> None:
        link(title="something else")
        found = link(title=title)

        assert ask(tab, URL, search=search).ids == [found.id]

    def test_finds_owners_in_any_script(self, tab: SiteClient) -> None:
        found = link(owner=person("Ждан Ильин"))

        assert ask(tab, URL, search="ждан").ids == [found.id]

    @pytest.mark.parametrize("search", ["%", "_", "100%", "a_b", "\\", "'", '"', "*", "[a]", "??"])
    def test_takes_wildcards_literally(self, tab: SiteClient, search: str) -> None:
        link(title="100 percent aXb")
        found = link(title=f"so {search} so")

        assert ask(tab, URL, search=search).ids == [found.id]

    @pytest.mark.parametrize(
        "search",
        ["\x00", "a\x00b", "a" * 10_000, "é" * 10_000, "%00", "\ud7ff\ue000", "\x1f", "a b " * 400],
    )
    def test_never_fails(self, tab: SiteClient, search: str) -> None:
        link()

        assert tab.get(URL, query_string={"search": search}).status_code == 200

    def test_of_bytes_that_are_no_text_never_fails(self, tab: SiteClient) -> None:
        assert tab.get(f"{URL}?search=%ff%fe%00").status_code == 200

    def test_shows_all_owners_and_tags_of_a_hit_on_one(
        self, tab: SiteClient, session: Session
    ) -> None:
        found = link(
            owner=person("Alice"), co_owners=[person("Bob")], tags=[tag("red"), tag("blue")]
        )

        row = ask(tab, URL, search="bob").row(found.id)

        assert all(name in row for name in ("Alice", "red", "blue"))

    def test_counts_a_link_once_when_two_owners_match(self, tab: SiteClient) -> None:
        link(owner=person("Bob One"), co_owners=[person("Bob Two")])

        page = ask(tab, URL, search="bob")

        assert (page.count, len(page.ids)) == ("1", 1)

    def test_finds_a_name_that_very_many_have(self, tab: SiteClient) -> None:
        people = [person(f"Smith {n}") for n in range(51)]
        link(owner=person("Jones"))
        found = link(owner=people[50], co_owners=people[:3])

        assert ask(tab, URL, search="smith").ids == [found.id]

    def test_looks_in_a_keywords_description_too(self, tab: SiteClient) -> None:
        found = keyword(description="Finds tickets.")

        assert ask(tab, "/admin/keywords", search="TICKETS").ids == [found.id]

    def test_says_so_when_nothing_matches(self, tab: SiteClient) -> None:
        link()

        page = ask(tab, URL, search="no such thing")

        assert (page.ids, page.count) == ([], "0")
        assert "Nothing matches" in page.text

    def test_marks_the_hit_without_opening_html(self, tab: SiteClient) -> None:
        link(title="<b>bold</b> & co")

        assert "&lt;<mark>b</mark>&gt;<mark>b</mark>old" in ask(tab, URL, search="b").text


class TestFilter:
    @pytest.mark.parametrize("by", ["id", "email"])
    def test_by_owner_takes_id_and_email(self, tab: SiteClient, by: str) -> None:
        alice = person("Alice", email="Alice@Example.com")
        own, shared = link(owner=alice), link(co_owners=[alice])
        link()

        page = ask(tab, URL, owner=alice.email.upper() if by == "email" else str(alice.id))

        assert page.ids == [shared.id, own.id]

    @pytest.mark.parametrize("by", ["id", "name"])
    def test_by_tag_takes_id_and_name(self, tab: SiteClient, by: str) -> None:
        red = tag("red")
        found = link(tags=[red, tag("blue")])
        link(tags=[tag("green")])

        assert ask(tab, URL, tag="RED" if by == "name" else red.id).ids == [found.id]

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            ({"created_at_from": "2025-03-02"}, [3, 2]),
            ({"created_at_to": "2025-03-02"}, [2, 1]),
            ({"created_at_from": "2025-03-02", "created_at_to": "2025-03-02"}, [2]),
            ({"created_at": "2025-03-01"}, [1]),
            ({"created_at_from": "0001-01-01", "created_at_to": "9999-12-31"}, [3, 2, 1]),
            ({"created_at_from": "2025-03-03", "created_at_to": "2025-03-01"}, []),
        ],
    )
    def test_by_days_includes_both_ends(
        self, tab: SiteClient, days: dict[str, str], expected: list[int]
    ) -> None:
        last = timedelta(hours=23, minutes=59, seconds=59)
        made = {n: link(created_at=datetime(2025, 3, n, tzinfo=UTC) + last) for n in (1, 2, 3)}

        assert ask(tab, URL, **days).ids == [made[n].id for n in expected]

    @pytest.mark.parametrize("name", ["owner", "owners"])
    def test_goes_by_the_name_of_its_column_too(self, tab: SiteClient, name: str) -> None:
        found = link(owner=person("Alice", email="alice@example.com"))
        link(owner=person("Bob"))

        assert ask(tab, URL, **{name: "alice@example.com"}).ids == [found.id]

    def test_combines_with_search_and_other_filters(self, tab: SiteClient) -> None:
        alice, red = person("Alice"), tag("red")
        found = link(slug="wanted-1", owner=alice, tags=[red])
        link(slug="wanted-2", owner=alice)
        link(slug="wanted-3", tags=[red])
        link(slug="other", owner=alice, tags=[red])

        page = ask(tab, URL, search="wanted", owner=str(alice.id), tag=red.id)

        assert (page.ids, page.count) == ([found.id], "1")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("owner", "00000000-0000-4000-8000-000000000000"),
            ("owner", "nobody@example.com"),
            ("owner", "\x00"),
            ("owner", "x" * 5000),
            ("tag", "999999"),
            ("tag", "9" * 40),
            ("tag", "-1"),
            ("tag", "no such tag"),
            ("tag", "²"),
            ("tag", "\x00"),
            ("created_at_from", "yesterday"),
            ("created_at_to", "2025-02-30"),
            ("created_at", "0000-00-00"),
            ("created_at_to", "10000-01-01"),
            ("created_at_from", "\x00"),
        ],
    )
    @pytest.mark.parametrize("where", ["", "/count"])
    def test_that_makes_no_sense_is_refused_in_a_sentence(
        self, tab: SiteClient, name: str, value: str, where: str
    ) -> None:
        answer = tab.get(URL + where, query_string={name: value})

        assert answer.status_code == 400
        assert "The filter " in answer.text

    def test_keeps_its_place_in_every_link_of_the_page(self, tab: SiteClient) -> None:
        red = tag("red")
        for _ in range(21):
            link(tags=[red])

        page = ask(tab, URL, tag=red.id, page_size=20)

        assert f"tag={red.id}" in (page.next or "")
        assert f"?tag={red.id}&amp;page_size=20&amp;sort=slug" in page.text

    def test_is_forgotten_by_lists_that_do_not_know_it(self, tab: SiteClient) -> None:
        found = keyword()

        assert ask(tab, "/admin/keywords", owner="nobody").ids == [found.id]


# ---- the property: the list is a plain filter of all rows ------------------------------------

TEXT = st.text(st.sampled_from("aAbBжЖéÉßİıσΣς_%\\'-/ 1"), min_size=1, max_size=3)
DAYS = st.dates(date(2025, 1, 1), date(2025, 1, 6)).map(str)
QUERY = st.fixed_dictionaries(
    {},
    optional={
        "search": TEXT,
        "owner": st.integers(0, 3),
        "tag": st.integers(0, 3),
        "created_at_from": DAYS,
        "created_at_to": DAYS,
        "sort": st.sampled_from(["slug", "created_at", "updated_at"]),
        "desc": st.sampled_from(["0", "1"]),
    },
)


@dataclass
class World:
    """What the property searches in."""

    tab: SiteClient
    links: list[Link]
    people: list[User]
    tags: list[Tag]


@pytest.fixture
def world(app: Flask, tab: SiteClient, session: Session) -> World:
    """Forty links of four people with four tags, in letters that are hard to compare."""
    names = ["Ab жЖ", "Éa_b", "ßİ%", "Σας 1"]
    people = [person(name) for name in names]
    tags = [tag(name) for name in ("a", "Ж", "é%", "_")]
    titles = ["aB", "Жж é", "100% b_a", "ΣΑΣ", "İı ß", "a\\b", "'1'", None]
    for n in range(40):
        link(
            slug=f"{'ab1'[n % 3]}-{n}",
            title=titles[n % len(titles)],
            owner=people[n % 4],
            co_owners=[people[(n + 1) % 4]] if n % 3 == 0 else [],
            tags=[tags[n % 4]] if n % 2 else [],
            created_at=datetime(2025, 1, 1 + n % 6, n % 24, tzinfo=UTC),
        )
    wanted = select(Link).options(
        selectinload(Link.owners).joinedload(LinkOwner.user), selectinload(Link.tags)
    )
    found = list(session.scalars(wanted))
    session.expunge_all()
    return World(tab, found, people, tags)


def matches(row: Link, term: str) -> bool:
    texts = [row.slug, row.url, row.title or "", *(o.user.display_name for o in row.owners)]
    return any(term.strip().lower() in text.lower() for text in texts)


def plainly(world: World, query: dict[str, Any]) -> list[int]:
    """The keys that the list must show, in order."""
    rows = [
        row
        for row in world.links
        if matches(row, query.get("search", ""))
        and ("owner" not in query or query["owner"] in {o.user_id for o in row.owners})
        and ("tag" not in query or query["tag"] in {t.id for t in row.tags})
        and query.get("created_at_from", "") <= str(row.created_at.date())
        and str(row.created_at.date()) <= query.get("created_at_to", "9")
    ]
    column = query.get("sort", "created_at")
    desc = query.get("desc", "0" if "sort" in query else "1") == "1"
    rows.sort(key=lambda row: (getattr(row, column), row.id), reverse=desc)
    return [row.id for row in rows]


@settings(max_examples=60)
@given(query=QUERY)
def test_a_list_is_a_plain_filter_of_all_rows(world: World, query: dict[str, Any]) -> None:
    if "owner" in query:
        query = {**query, "owner": world.people[query["owner"]].id}
    if "tag" in query:
        query = {**query, "tag": world.tags[query["tag"]].id}
    params = {name: str(value) for name, value in query.items()}

    first = ask(world.tab, URL, page_size="20", **params)
    pages = [first, *(walk(world.tab, first.next) if first.next else ())]

    assert [key for page in pages for key in page.ids] == plainly(world, query)
    assert {page.count for page in pages} == {str(len(plainly(world, query)))}
