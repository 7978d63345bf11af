"""How many statements a request may cost; the number never grows with the rows."""

from collections.abc import Callable
from typing import Any

import pytest

from adminsite.models import Keyword, Link, Tag
from tests.client import SiteClient
from tests.kit.conftest import Fill
from tests.lists import ask, statements, walk
from tests.rows import link, person, tag

ClientAs = Callable[[str], SiteClient]
LIST, FORM, SAVE, CELL = 8, 6, 9, 9


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


def cost(tab: SiteClient, method: str, url: str, **how: Any) -> int:
    """The statements of a request, after one that warmed what is kept."""
    with statements() as sent:
        answer = tab.open(url, method=method, **how)
    assert answer.status_code < 400, (answer.status_code, answer.text[:300])
    return len(sent)


class TestList:
    @pytest.mark.parametrize(
        ("model", "url"),
        [(Link, "/admin/links"), (Keyword, "/admin/keywords"), (Tag, "/admin/tags")],
    )
    def test_costs_the_same_at_every_length(
        self, tab: SiteClient, fill: Fill, model: Any, url: str
    ) -> None:
        fill(model, 210)

        short = cost(tab, "GET", f"{url}?page_size=20")
        long = cost(tab, "GET", f"{url}?page_size=200")

        assert short == long <= LIST

    def test_costs_the_same_at_every_depth(self, tab: SiteClient, fill: Fill) -> None:
        fill(Link, 210)
        pages = list(walk(tab, "/admin/links?page_size=20"))

        costs = {cost(tab, "GET", page.next) for page in pages[:-2] if page.next}

        assert len(costs) == 1
        assert max(costs) <= LIST

    def test_costs_little_with_search_and_filters(self, tab: SiteClient, fill: Fill) -> None:
        fill(Link, 210)
        alice, red = person("Row Alice"), tag("red")
        for n in range(30):
            link(slug=f"row-x{n}", owner=alice, tags=[red])
        narrow = f"search=row&owner={alice.id}&tag={red.id}&created_at_from=2020-01-01"

        short = cost(tab, "GET", f"/admin/links?page_size=20&{narrow}")
        long = cost(tab, "GET", f"/admin/links?page_size=200&{narrow}")

        assert short == long <= LIST

    def test_counts_once(self, tab: SiteClient, fill: Fill) -> None:
        fill(Link, 60)

        with statements() as sent:
            ask(tab, "/admin/links")

        assert sum("count(" in sql.lower() for sql in sent) == 1


class TestChange:
    def test_a_form_costs_little(self, tab: SiteClient) -> None:
        row = link(tags=[tag()], co_owners=[person()])

        assert cost(tab, "GET", f"/admin/links/edit/?id={row.id}") <= FORM
        assert cost(tab, "GET", f"/admin/links/{row.id}/edit", htmx=True) <= FORM

    def test_a_save_costs_little(self, tab: SiteClient) -> None:
        row = link(tags=[tag()], co_owners=[person()])
        values = {"url": "https://example.com/x", "title": "New", "row_version": "1"}

        assert cost(tab, "PUT", f"/admin/links/{row.id}", data=values, htmx=True) <= SAVE

    def test_a_cell_costs_little(self, tab: SiteClient) -> None:
        row = link()
        values = {"list_form_pk": row.id, "title": "New", "row_version": "1"}

        assert cost(tab, "GET", f"/admin/links/{row.id}/cell/title", htmx=True) <= FORM
        assert cost(tab, "POST", "/admin/links/ajax/update/", data=values, htmx=True) <= CELL

    def test_deleting_many_reads_no_more_than_deleting_few(
        self, tab: SiteClient, fill: Fill
    ) -> None:
        keys = fill(Link, 60)

        def delete(some: list[int]) -> int:
            values = {"action": "delete", "rowid": ",".join(map(str, some))}
            return cost(tab, "POST", "/admin/links/action/", data=values)

        few, many = delete(keys[:5]), delete(keys[5:])

        assert many - few <= 2 * 50  # the record and its owners
