"""The benchmark measures what it says: valid rows, and the same pages on both sides."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from adminsite.models import CreditDay, CreditTransaction, Keyword, Link, LinkOwner, Tag, User
from bench.client import UnexpectedAnswerError, form_with
from bench.database import fill
from bench.dataset import COLUMNS, Dataset
from bench.floor import Floor
from bench.floor_site import create_site
from bench.money import Money
from bench.tasks import SLUG_LIKE, take_sample
from tests.client import SiteClient
from tests.factories import CreditTransactionFactory

LINKS = 200
ENTRIES = 400


@pytest.fixture
def filled(database_url: str) -> str:
    """The address of a database that holds the benchmark's rows."""
    fill(database_url, Dataset(LINKS).batches())
    return database_url


@pytest.fixture
def floor(filled: str) -> Iterator[Floor]:
    floor = Floor(filled)
    yield floor
    floor.close()


class TestDataset:
    def test_rows_are_the_same_for_the_same_seed(self) -> None:
        first, second = (
            [(table, list(rows)) for table, rows in Dataset(LINKS).batches()] for _ in range(2)
        )

        assert first == second

    def test_a_row_has_a_value_for_each_column(self) -> None:
        for table, rows in Dataset(LINKS).batches():
            assert {len(row) for row in rows} == {len(COLUMNS[table])}

    @pytest.mark.usefixtures("filled")
    def test_rows_keep_the_schema(self, session: Session) -> None:
        counts = {
            model: session.scalar(select(func.count()).select_from(model))
            for model in (Link, User, Tag, Keyword)
        }

        assert counts == {Link: LINKS, User: 50, Tag: 300, Keyword: 500}

    @pytest.mark.usefixtures("filled")
    def test_every_link_has_one_primary_owner(self, session: Session) -> None:
        primary = select(LinkOwner.link_id).where(LinkOwner.is_primary)

        assert sorted(session.scalars(primary)) == list(range(1, LINKS + 1))

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize("model", [Link, User, Tag, Keyword])
    def test_search_text_is_what_the_application_writes(
        self, session: Session, model: type[Link]
    ) -> None:
        row = session.scalars(select(model).limit(1)).one()
        before = row.search_text

        row.fill_search_text()

        assert row.search_text == before

    @pytest.mark.usefixtures("filled")
    def test_a_new_row_gets_the_next_number(self, session: Session) -> None:
        tag = Tag(name="Fresh", slug="fresh")
        session.add(tag)
        session.flush()

        assert tag.id == 301
        session.rollback()


class TestFloor:
    def test_its_list_shows_what_the_project_shows(
        self,
        floor: Floor,
        client_as: Callable[[str], SiteClient],
        monkeypatch: pytest.MonkeyPatch,
        filled: str,
    ) -> None:
        monkeypatch.setenv("BENCH_DATABASE_URL", filled)
        wanted = take_sample(floor, 1).first_page

        ours = client_as("owner").get("/admin/links").text
        theirs = _floor_page("/links")

        assert _slugs(ours) == wanted
        assert _slugs(theirs) == wanted


class TestMoney:
    @pytest.fixture
    def entered(self, filled: str) -> str:
        """The address of that database with members, subscriptions and a ledger on top."""
        fill(filled, Money(ENTRIES).batches())
        return filled

    def test_rows_are_the_same_for_the_same_seed(self) -> None:
        now = datetime(2026, 3, 4, tzinfo=UTC)
        first, second = (
            [(table, list(rows)) for table, rows in Money(ENTRIES, now).batches()] for _ in "ab"
        )

        assert first == second
        assert all({len(row) for row in rows} == {len(COLUMNS[table])} for table, rows in first)

    @pytest.mark.usefixtures("entered")
    def test_days_are_what_the_entries_add_up_to(self, session: Session) -> None:
        entries, total = session.execute(
            select(func.count(), func.sum(CreditTransaction.amount))
        ).one()
        counted, added, taken = session.execute(
            select(
                func.sum(CreditDay.entries), func.sum(CreditDay.added), func.sum(CreditDay.taken)
            )
        ).one()

        assert entries == counted == ENTRIES
        assert total == added - taken

    @pytest.mark.usefixtures("entered")
    def test_an_entry_afterwards_is_added_to_its_day(self, session: Session) -> None:
        wanted = select(func.sum(CreditDay.entries))

        CreditTransactionFactory.create()

        assert session.scalar(wanted) == ENTRIES + 1

    @pytest.mark.usefixtures("entered")
    def test_the_ledger_stays_append_only(self, session: Session) -> None:
        with pytest.raises(DBAPIError, match="append-only"):
            session.execute(text("DELETE FROM credit_transactions WHERE id = 1"))
        session.rollback()

    def test_both_sides_show_the_figures_of_the_entries(
        self,
        entered: str,
        client_as: Callable[[str], SiteClient],
        floor: Floor,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("BENCH_DATABASE_URL", entered)
        client = client_as("owner")  # one more user
        wanted = take_sample(floor, 1).figures

        ours, theirs = client.get("/admin").text, _floor_page("/")

        assert all(figure in ours and figure in theirs for figure in wanted)


class TestForm:
    def test_is_what_a_browser_would_send(self) -> None:
        page = (
            "<form><input name=q></form><form><input name=title value='A &amp; B'>"
            "<input type=checkbox name=no><input type=checkbox name=yes value=1 checked>"
            "<select name=tags multiple><option value=1 selected>x<option value=2>y</select>"
            "<textarea name=about>\nTwo\nlines</textarea><input type=submit name=save></form>"
        )

        pairs = form_with("title", page)

        assert pairs == [("title", "A & B"), ("yes", "1"), ("tags", "1"), ("about", "Two\nlines")]

    def test_is_refused_when_no_form_has_the_field(self) -> None:
        with pytest.raises(UnexpectedAnswerError, match="no form"):
            form_with("title", "<form><input name=q></form>")


def _floor_page(path: str) -> str:
    site = create_site().app
    assert isinstance(site, Flask)
    return site.test_client().get(path).text


def _slugs(page: str) -> list[str]:
    rows = re.findall(r'<tr id="link-\d+".*?</tr>', page, re.DOTALL)
    return [SLUG_LIKE.findall(row)[0] for row in rows]
