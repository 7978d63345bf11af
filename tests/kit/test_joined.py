"""Lists whose columns lie in another table: searched, sorted and paged in the same statements."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from adminsite.kit import ChoiceFilter, ResourceView, export, listing, pages
from adminsite.models import ApiToken, User
from adminsite.permissions import Permission
from adminsite.resources import Resource
from tests.factories import save
from tests.lists import statements
from tests.rows import person

People = User.__table__.c
Read = Callable[..., listing.Page]


class TokenView(ResourceView):
    """API tokens with whose they are."""

    resource = Resource(
        model=ApiToken,
        operations=object(),
        read=Permission.STAFF_READ,
        write=Permission.STAFF_WRITE,
        fields=("name", "scopes"),
    )
    column_list = ("name", "whose", "created_at")
    column_searchable_list = ("whose",)
    column_sortable_list = ("whose", "created_at")
    list_joins = (User,)
    list_columns = {  # noqa: RUF012 - as views declare it
        "whose": People.display_name,
        "whose_key": People.email_key,
    }
    search_column = People.search_text
    sort_columns = {"whose": "whose_key"}  # noqa: RUF012 - as views declare it
    label_column = "whose"
    filters = (
        ChoiceFilter("scopes", "Scope", "key", ApiToken.scopes, (("read", "R"), ("write", "W"))),
    )


@pytest.fixture
def view(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> TokenView:
    """The view, which no address leads to; the model knows its person's name, as views ask."""

    def whose(row: ApiToken) -> str:
        return session.get_one(User, row.user_id).display_name

    monkeypatch.setattr(ApiToken, "whose", property(whose), raising=False)
    return TokenView()


@pytest.fixture
def read(app: Flask, view: TokenView, session: Session) -> Read:
    """A page of the list: `read(search="mia", page_size="20")`."""

    def fetch(**args: str) -> listing.Page:
        query = listing.read(view, MultiDict(args))
        return listing.fetch(view, session, query)

    return fetch


def token(user: User, n: int, **values: Any) -> ApiToken:
    row = ApiToken(user_id=user.id, name=f"t{n}", token_hash=f"{n:064}", prefix="x", **values)
    save(row)
    return row


class TestRows:
    def test_hold_the_joined_columns_under_their_names_here(self, read: Read) -> None:
        mia = person("Mia")
        token(mia, 1)

        [row] = read().records

        assert (row.name, row.whose) == ("t1", "Mia")

    def test_are_searched_in_the_joined_text(self, read: Read) -> None:
        found = token(person("Жанна", email="zh@example.com"), 1)
        token(person("Other"), 2)

        assert [row.id for row in read(search="жАН").records] == [found.id]
        assert [row.id for row in read(search="ZH@example").records] == [found.id]
        assert read(search="t1").records == []

    def test_are_filtered_and_counted_alike(
        self, view: TokenView, read: Read, session: Session
    ) -> None:
        mia = person("Mia")
        for n in range(25):
            token(mia, n, scopes="read" if n % 2 else "write")
        token(person("Other"), 99)

        page = read(search="mia", scopes="write", page_size="20")

        assert (page.count, page.exact, len(page.records)) == (13, True, 13)
        query = listing.read(view, MultiDict({"search": "mia", "scopes": "write"}))
        assert listing.exact_count(view, session, query) == 13

    @pytest.mark.parametrize("desc", ["0", "1"])
    def test_are_sorted_by_the_column_that_stands_for_it(
        self, view: TokenView, read: Read, desc: str
    ) -> None:
        wanted = []
        for n, address in enumerate(("b@x.example", "A@x.example", "c@x.example") * 15):
            row = token(person("Same", email=f"{n % 3}{address}{n}"), n)
            wanted.append((f"{n % 3}{address}{n}".lower(), row.id))

        shown: list[int] = []
        args = {"sort": "whose", "desc": desc, "page_size": "20"}
        while True:
            page = read(**args)
            shown += [row.id for row in page.records]
            if not page.next_cursor:
                break
            args["cursor"] = page.next_cursor

        assert shown == [key for _name, key in sorted(wanted, reverse=desc == "1")]

    def test_go_back_the_way_they_came(self, read: Read) -> None:
        for n in range(45):
            token(person(email=f"{n:02}@x.example"), n)
        args = {"sort": "whose", "desc": "0", "page_size": "20"}
        first = read(**args)
        second = read(**args, cursor=first.next_cursor or "")

        back = read(**args, cursor=second.prev_cursor or "")

        assert [row.id for row in back.records] == [row.id for row in first.records]

    @pytest.mark.parametrize("query", [{}, {"search": "per"}, {"sort": "whose"}])
    def test_cost_no_statement_each(self, read: Read, query: dict[str, str]) -> None:
        costs = []
        for n in (2, 40):
            for m in range(n):
                token(person(), n * 1000 + m)
            with statements() as sent:
                [row.whose for row in read(**query).records]
            costs.append(len(sent))

        assert costs[0] == costs[1]

    def test_are_exported_with_the_joined_columns(
        self, app: Flask, view: TokenView, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(export, "CHUNK", 2)
        view.column_export_list = ("name", "whose")
        for n in range(5):
            token(person(f"P{n}", email=f"{n}@x.example"), n)

        query = listing.read(view, MultiDict({"sort": "whose", "desc": "0"}))
        with app.test_request_context():
            text = "".join(export.lines(view, query))

        assert text == "name,whose\nt0,P0\nt1,P1\nt2,P2\nt3,P3\nt4,P4\n"


def test_a_record_for_a_script_holds_them_too(app: Flask, view: TokenView) -> None:
    row = token(person("Mia"), 1)

    with app.test_request_context():
        told = pages.plain_record(view, row)

    assert told["whose"] == "Mia"
    assert "token_hash" not in told


class TestWords:
    """R-002-47, as a function of what is known."""

    @pytest.mark.parametrize(
        ("size", "first", "total", "of", "page", "several"),
        [
            (50, 1, 192, "of 192", "Page 1 of 4", True),
            (50, 51, 192, "of 192", "Page 2 of 4", True),
            (50, 151, 192, "of 192", "Page 4 of 4", True),
            (20, 1, 20, "of 20", "Page 1 of 1", False),
            (20, 1, 21, "of 21", "Page 1 of 2", True),
            (20, 0, 0, "of 0", "Page 1 of 1", False),
            (20, 41, 40, "of 40", "Page 3 of 3", True),
            (200, 1, 1_234_567, "of 1,234,567", "Page 1 of 6,173", True),
            (20, 21, None, "of more than 1,000", "Page 2", True),
        ],
    )
    def test_tell_which_page_of_how_many(  # noqa: PLR0913 - one for each parameter
        self, size: int, first: int, total: int | None, of: str, page: str, *, several: bool
    ) -> None:
        told = pages.paging(size, first, total)

        assert (told.of, told.pages, told.several) == (of, page, several)
