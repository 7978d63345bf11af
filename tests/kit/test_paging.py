"""Lists, page by page: every row once, at any size, in both directions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from adminsite import audit
from adminsite.db import utc_now
from adminsite.models import Keyword, Link, Tag
from tests.client import SiteClient
from tests.kit.conftest import Fill
from tests.lists import ask, walk
from tests.rows import link, person

ClientAs = Callable[[str], SiteClient]
ORDERS = [
    (Link, "/admin/links", "slug"),
    (Link, "/admin/links", "created_at"),
    (Link, "/admin/links", "updated_at"),
    (Keyword, "/admin/keywords", "keyword"),
    (Keyword, "/admin/keywords", "created_at"),
    (Tag, "/admin/tags", "name"),
    (Tag, "/admin/tags", "created_at"),
]


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("support")


def in_order(session: Session, model: Any, column: str, *, desc: bool) -> list[int]:
    rows = [(getattr(row, column), row.id) for row in session.query(model)]
    return [key for _value, key in sorted(rows, reverse=desc)]


class TestPages:
    @pytest.mark.parametrize(("model", "url", "column"), ORDERS)
    @pytest.mark.parametrize("desc", [False, True])
    def test_show_every_row_once_in_order(  # noqa: PLR0913, PLR0917 - one for each parameter
        self,
        tab: SiteClient,
        session: Session,
        fill: Fill,
        model: Any,
        url: str,
        column: str,
        *,
        desc: bool,
    ) -> None:
        fill(model, 50)
        start = f"{url}?sort={column}&desc={int(desc)}&page_size=20"

        pages = list(walk(tab, start))

        shown = [key for page in pages for key in page.ids]
        assert shown == in_order(session, model, column, desc=desc)
        assert [len(page.ids) for page in pages] == [20, 20, 10]

    @pytest.mark.parametrize(("model", "url", "column"), ORDERS)
    def test_lead_back_the_way_they_came(
        self, tab: SiteClient, fill: Fill, model: Any, url: str, column: str
    ) -> None:
        fill(model, 50)
        forth = list(walk(tab, f"{url}?sort={column}&desc=1&page_size=20"))

        back = list(walk(tab, forth[-2].next or "", "prev"))

        assert [page.ids for page in reversed(back)] == [page.ids for page in forth]

    @pytest.mark.parametrize("column", ["created_at", "updated_at"])
    def test_keep_apart_rows_of_one_moment(
        self, tab: SiteClient, session: Session, fill: Fill, column: str
    ) -> None:
        fill(Link, 50, at_once=True)

        pages = list(walk(tab, f"/admin/links?sort={column}&desc=0&page_size=20"))

        shown = [key for page in pages for key in page.ids]
        assert shown == in_order(session, Link, column, desc=False)

    def test_say_which_rows_they_show(self, tab: SiteClient, fill: Fill) -> None:
        fill(Link, 50)

        pages = list(walk(tab, "/admin/links?page_size=20"))

        for page, said in zip(pages, ["1–20", "21–40", "41–50"], strict=True):
            assert f"Showing {said}" in page.text

    def test_go_on_with_search_and_filters(self, tab: SiteClient, fill: Fill) -> None:
        fill(Link, 50)
        owner = person()
        wanted = [link(slug=f"other-{n}", owner=owner).id for n in range(30)]

        pages = list(walk(tab, "/admin/links?search=other&page_size=20&created_at_from=2020-01-01"))

        assert sorted(key for page in pages for key in page.ids) == wanted
        assert [page.count for page in pages] == ["30", "30"]


class TestMeanwhile:
    """Rows come and go while somebody turns pages."""

    def test_rows_made_at_the_top_repeat_nothing(self, tab: SiteClient, fill: Fill) -> None:
        before = set(fill(Link, 50))
        shown: list[int] = []

        for page in walk(tab, "/admin/links?page_size=20"):
            shown += page.ids
            link()

        assert len(shown) == len(set(shown))
        assert before <= set(shown)

    def test_rows_gone_leave_no_gap(self, tab: SiteClient, session: Session, fill: Fill) -> None:
        before = set(fill(Link, 60))
        shown: list[int] = []

        for page in walk(tab, "/admin/links?page_size=20"):
            shown += page.ids
            remove(session, page.ids[:5] + page.ids[-1:])

        assert len(shown) == len(set(shown))
        assert set(shown) == before

    def test_the_cursors_own_row_may_go(
        self, tab: SiteClient, session: Session, fill: Fill
    ) -> None:
        fill(Link, 50)
        first = ask(tab, "/admin/links?page_size=20")
        remove(session, first.ids[-1:])

        second = ask(tab, first.next or "")

        assert len(second.ids) == 20
        assert not set(second.ids) & set(first.ids)

    @pytest.mark.parametrize("turn", ["next", "prev"])
    def test_a_page_that_is_gone_leads_to_the_first(
        self, tab: SiteClient, session: Session, fill: Fill, turn: str
    ) -> None:
        fill(Link, 50)
        first, second, third = walk(tab, "/admin/links?page_size=20")
        gone = third.ids if turn == "next" else first.ids
        remove(session, gone)

        page = ask(tab, (second.next if turn == "next" else second.prev) or "")

        assert page.ids == (first.ids if turn == "next" else second.ids)
        assert page.next


def remove(session: Session, keys: list[int]) -> None:
    for key in keys:
        session.delete(session.get_one(Link, key))
    session.flush()
    session.info.pop(audit.WRITTEN, None)
    session.commit()


class TestCursor:
    @pytest.mark.parametrize("change", ["x{}", "{}x", "", "a.b", "\x00", "%FF", "{}" * 50])
    def test_of_others_making_shows_the_first_page(
        self, tab: SiteClient, fill: Fill, change: str
    ) -> None:
        fill(Link, 30)
        first = ask(tab, "/admin/links", page_size=20)
        cursor = (first.next or "").partition("cursor=")[2]

        page = ask(tab, "/admin/links", page_size=20, cursor=change.replace("{}", cursor))

        assert page.ids == first.ids

    @pytest.mark.parametrize(
        "other",
        [
            "/admin/keywords?page_size=20",
            "/admin/links?page_size=20&search=row",
            "/admin/links?page_size=20&sort=slug",
            "/admin/links?page_size=20&desc=0",
            "/admin/links?page_size=20&created_at_from=2020-01-01",
        ],
    )
    def test_of_another_list_shows_the_first_page(
        self, tab: SiteClient, fill: Fill, other: str
    ) -> None:
        fill(Link, 30)
        fill(Keyword, 30)
        cursor = (ask(tab, "/admin/links?page_size=20").next or "").partition("cursor=")[2]

        page = ask(tab, f"{other}&cursor={cursor}")

        assert page.ids == ask(tab, other).ids


class TestPageSize:
    @pytest.mark.parametrize(
        "text", ["", "0", "-5", "7", "1e3", "abc", "9" * 30, "20.0", "\x00", "٢٠", " 20"]
    )
    def test_falls_back_when_it_is_nonsense(self, tab: SiteClient, fill: Fill, text: str) -> None:
        fill(Link, 60)

        assert len(ask(tab, "/admin/links", page_size=text).ids) == 50

    @pytest.mark.parametrize("size", [20, 50, 100, 200])
    def test_is_one_of_four(self, tab: SiteClient, fill: Fill, size: int) -> None:
        fill(Link, 210)

        assert len(ask(tab, "/admin/links", page_size=size).ids) == size


class TestCount:
    @pytest.mark.parametrize("rows", [999, 1000])
    def test_is_exact_to_a_thousand(self, tab: SiteClient, fill: Fill, rows: int) -> None:
        fill(Link, rows)

        page = ask(tab, "/admin/links?page_size=20")

        assert page.count == f"{rows:,}"
        assert page.count_url is None

    @pytest.mark.parametrize("search", ["", "row"])
    def test_stops_after_a_thousand_and_is_fetched_later(
        self, tab: SiteClient, fill: Fill, search: str
    ) -> None:
        fill(Link, 1001)

        page = ask(tab, "/admin/links", page_size=20, search=search)

        assert page.count == "1000+"
        assert ">1,001<" in tab.get(page.count_url or "", htmx=True).text

    def test_of_a_searched_list_is_that_of_the_search(self, tab: SiteClient, fill: Fill) -> None:
        fill(Link, 30)
        link(slug="lonely")

        assert ">1<" in tab.get("/admin/links/count?search=lonely").text


@pytest.mark.parametrize(
    "query",
    ["sort=nothing", "sort=title", "sort=id", "sort=", "sort=slug%00", "page=-5", "page=99999999"],
)
def test_an_unknown_order_is_the_default_one(tab: SiteClient, fill: Fill, query: str) -> None:
    fill(Link, 10)

    assert ask(tab, f"/admin/links?{query}").ids == ask(tab, "/admin/links").ids


def test_the_newest_link_comes_first(tab: SiteClient) -> None:
    old = link(created_at=utc_now() - timedelta(days=1))
    new = link()

    assert ask(tab, "/admin/links").ids == [new.id, old.id]
