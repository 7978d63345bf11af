"""The list as a file: what it holds, who may have it, and how it is made."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from adminsite.kit import export, listing
from adminsite.models import AuditEvent, Link
from tests.client import SiteClient
from tests.kit.conftest import Fill
from tests.lists import statements
from tests.rows import keyword, link, person, tag

ClientAs = Callable[[str], SiteClient]
URL = "/admin/links/export/csv/"


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def view_of(app: Flask, name: str) -> Any:
    [panel] = app.extensions["admin"]
    return next(view for view in panel._views if view.endpoint == name)  # noqa: SLF001


class TestFile:
    @pytest.mark.parametrize(
        ("name", "header"),
        [
            ("links", "slug,url,title,description,tags,owners"),
            ("keywords", "keyword,url_template,description"),
            ("tags", "name"),
        ],
    )
    def test_has_the_columns_that_an_import_takes(
        self, tab: SiteClient, name: str, header: str
    ) -> None:
        answer = tab.get(f"/admin/{name}/export/csv/")

        assert answer.text == f"{header}\n"
        assert answer.mimetype == "text/csv"
        assert f"filename={name}.csv" in answer.headers["Content-Disposition"]

    @pytest.mark.parametrize(("desc", "slugs"), [("0", ["a", "b", "c"]), ("1", ["c", "b", "a"])])
    def test_is_in_the_order_of_the_list(
        self, tab: SiteClient, monkeypatch: pytest.MonkeyPatch, desc: str, slugs: list[str]
    ) -> None:
        monkeypatch.setattr(export, "CHUNK", 2)
        for slug in ("b", "c", "a"):
            link(slug=slug)

        answer = tab.get(f"{URL}?sort=slug&desc={desc}")

        assert [row["slug"] for row in rows(answer.text)] == slugs

    def test_holds_tags_and_owners_the_primary_one_first(self, tab: SiteClient) -> None:
        alice, bob = person(email="z@example.com"), person(email="a@example.com")
        link(slug="mine", owner=alice, co_owners=[bob], tags=[tag("red"), tag("blue")])

        [row] = rows(tab.get(URL).text)

        assert (row["owners"], row["tags"]) == ("z@example.com;a@example.com", "blue;red")

    def test_quotes_what_would_break_a_line(self, tab: SiteClient) -> None:
        text = 'He said "no",\nand left; é Ж'
        link(description=text)

        assert rows(tab.get(URL).text)[0]["description"] == text

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_holds_no_formula(self, tab: SiteClient, start: str) -> None:
        keyword(description=f"{start}HYPERLINK(A1)")

        [row] = rows(tab.get("/admin/keywords/export/csv/").text.replace("\r", "\\r"))

        assert row["description"].startswith("'")

    def test_is_narrowed_like_the_list(self, tab: SiteClient) -> None:
        red = tag("red")
        link(slug="wanted-1", tags=[red])
        link(slug="wanted-2")
        link(slug="other", tags=[red])

        found = rows(tab.get(f"{URL}?search=wanted&tag={red.id}").text)

        assert [row["slug"] for row in found] == ["wanted-1"]

    def test_holds_every_row_once(
        self, tab: SiteClient, fill: Fill, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(export, "CHUNK", 20)
        fill(Link, 50)

        slugs = [row["slug"] for row in rows(tab.get(URL).text)]

        assert (len(slugs), len(set(slugs))) == (50, 50)

    @pytest.mark.parametrize("query", ["owner=nobody", "tag=none", "created_at=never"])
    def test_of_a_filter_that_makes_no_sense_is_refused(self, tab: SiteClient, query: str) -> None:
        assert tab.get(f"{URL}?{query}").status_code == 400

    @pytest.mark.parametrize("kind", ["xlsx", "json", "CSV", "..", "%00"])
    def test_of_another_kind_is_not_there(self, tab: SiteClient, kind: str) -> None:
        assert tab.get(f"/admin/links/export/{kind}/").status_code == 404


class TestAccess:
    def test_is_not_for_support(self, client_as: ClientAs, session: Session) -> None:
        answer = client_as("support").get(URL)

        assert answer.status_code == 403
        assert taken(session) == []

    def test_is_not_offered_to_support(self, client_as: ClientAs) -> None:
        assert "/export/" not in client_as("support").get("/admin/links").text

    def test_is_recorded_with_what_was_asked(self, tab: SiteClient, session: Session) -> None:
        alice = person("Alice")
        link(owner=alice)

        answer = tab.get(f"{URL}?search=a&owner={alice.id}")

        [event] = taken(session)
        assert event.changes == {"resource": "links", "search": "a", "filters": {"owner": "Alice"}}
        assert event.actor_email == "admin@example.com"
        assert event.request_id == answer.headers["X-Request-ID"]

    def test_is_not_recorded_when_only_asked_about(self, tab: SiteClient, session: Session) -> None:
        answer = tab.open(URL, method="HEAD")

        assert (answer.status_code, answer.data, taken(session)) == (200, b"", [])


def taken(session: Session) -> list[AuditEvent]:
    wanted = select(AuditEvent).where(AuditEvent.action == "data.exported")
    return list(session.scalars(wanted))


class TestStream:
    def test_begins_before_all_rows_are_read(
        self, app: Flask, fill: Fill, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(export, "CHUNK", 20)
        fill(Link, 50)
        view = view_of(app, "links")
        lines = export.lines(view, listing.read(view, MultiDict()))

        with statements() as sent:
            header, first = next(lines), next(lines)

        assert header.startswith("slug,")
        assert len(rows(header + first)) == 20
        assert len(sent) == 3  # one chunk of links, their owners, their tags

    def test_reads_as_many_statements_as_it_has_chunks(
        self, app: Flask, fill: Fill, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(export, "CHUNK", 20)
        fill(Link, 60)
        view = view_of(app, "links")

        with statements() as sent:
            text = "".join(export.lines(view, listing.read(view, MultiDict())))

        assert text.count("\n") == 61
        assert len(sent) == 3 * 3 + 1
