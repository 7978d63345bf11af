"""What plain Flask-Admin leaves open, shown on it, and held here.

Each trap is a pair: the probe on a stock admin, where it finds the hole, and on ours, where it
does not. Should a newer Flask-Admin close one, its first test fails and the pair can go.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from adminsite import audit
from adminsite.db import db
from adminsite.kit import export, listing
from adminsite.kit.routes import lists
from adminsite.models import Keyword, Link
from adminsite.operations import keywords
from adminsite.views.links import LinkView
from tests.client import SiteClient
from tests.kit import stock
from tests.kit.conftest import Fill
from tests.kit.stock import names, sent
from tests.lists import ask, walk
from tests.rows import keyword, link, person

ClientAs = Callable[[str], SiteClient]
JSON = {"Accept": "application/json"}
HUGE = 10**30


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """A tab on the stock admin, whose tables our audit leaves alone."""
    exempt = audit.EXEMPT_TABLES | set(stock.Base.metadata.tables)
    monkeypatch.setattr(audit, "EXEMPT_TABLES", exempt)
    with stock.stock_admin() as tab:
        yield tab


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


class TestOpenByDefault:
    """Flask-Admin notes, section 9: every view is public until overridden."""

    def test_stock_shows_its_rows_to_everybody(self, plain: FlaskClient) -> None:
        assert "item 1" in plain.get("/admin/plain/").text

    def test_ours_asks_to_sign_in(self, client: SiteClient) -> None:
        link()

        assert client.get("/admin/links").status_code == 302


class TestCsrf:
    """Flask-Admin notes, section 9; peers, section e: all write routes pass without a token."""

    def test_stock_takes_a_form_without_token(self, plain: FlaskClient) -> None:
        plain.post("/admin/plain/new/", data={"name": "forged", "password_hash": "x"})

        assert "forged" in names()

    def test_ours_refuses_it(self, tab: SiteClient, session: Session) -> None:
        values = {"keyword": "forged", "url_template": "https://example.com/{slug}"}

        answer = tab.post("/admin/keywords/new/", data=values, csrf=False)

        assert answer.status_code == 400
        assert session.query(Keyword).all() == []


class TestInlineEdit:
    """Peers, section e; pallets-eco/flask-admin#2129, #2219: `can_edit` is not asked inline."""

    def test_stock_saves_a_cell_of_a_locked_view(self, plain: FlaskClient) -> None:
        answer = plain.post(
            "/admin/locked/ajax/update/", data={"list_form_pk": "1", "name": "changed"}
        )

        assert (answer.status_code, names()[0]) == (200, "changed")

    def test_ours_asks_the_permission_first(self, client_as: ClientAs, session: Session) -> None:
        row = link(title="Old")

        answer = client_as("support").post(
            "/admin/links/ajax/update/", data={"list_form_pk": row.id, "title": "changed"}
        )

        assert answer.status_code == 403
        assert session.get_one(Link, row.id).title == "Old"


class TestBulk:
    """Peers, section e; style, section 11.3: each row of a bulk action commits by itself."""

    def test_stock_deletes_what_it_can(self, plain: FlaskClient) -> None:
        plain.post("/admin/guarded/action/", data={"action": "delete", "rowid": ["1", "2", "3"]})

        assert names() == ["item 3", "item 4", "item 5"]

    def test_ours_deletes_all_or_none(
        self, tab: SiteClient, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [link(slug=f"row-{n}") for n in range(3)]
        monkeypatch.setattr(LinkView, "refuses", lambda *args: refused(args[2], "row-2"))

        tab.post(
            "/admin/links/action/", data={"action": "delete", "rowid": [row.id for row in rows]}
        )

        assert session.query(Link).count() == 3


def refused(row: Link, slug: str) -> str | None:
    return "Not this one." if row.slug == slug else None


class TestErrors:
    """Flask-Admin notes, sections 5 and 9: exceptions are flashed, SQL and parameters too."""

    def test_stock_shows_what_went_wrong_inside(self, plain: FlaskClient) -> None:
        values = {"name": "broken", "password_hash": "x"}

        answer = plain.post("/admin/guarded/new/", data=values)

        assert "secret detail of the server" in answer.text

    def test_ours_shows_a_reference(self, tab: SiteClient, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_args: Any, **_named: Any) -> None:
            raise IntegrityError("INSERT INTO vault", {"key": "hunter2"}, Exception("at home"))

        monkeypatch.setattr(keywords, "create", fail)
        values = {"keyword": "a", "url_template": "https://example.com/{slug}"}

        answer = tab.post("/admin/keywords", data=values)

        assert answer.status_code == 409
        assert not any(word in answer.text for word in ("vault", "hunter2", "at home"))
        assert answer.headers["X-Request-ID"] in answer.text


class TestLostUpdate:
    """Peers, section e; pallets-eco/flask-admin#2596: the last write wins."""

    def test_stock_forgets_the_first_save(self, plain: FlaskClient) -> None:
        for name in ("first", "second"):
            plain.post("/admin/plain/edit/?id=1", data={"name": name, "password_hash": "x"})

        assert names()[0] == "second"

    def test_ours_asks_which_to_keep(self, tab: SiteClient, session: Session) -> None:
        row = link(title="Old")

        answers = [
            tab.post(
                f"/admin/links/edit/?id={row.id}", data={"title": title, "row_version": "1"}
            ).status_code
            for title in ("first", "second")
        ]

        assert answers == [303, 409]
        assert session.get_one(Link, row.id).title == "first"


class TestFormulas:
    """Peers, section e: a cell of the CSV begins with a formula."""

    def test_stock_exports_a_formula(self, plain: FlaskClient) -> None:
        stock.db.session.add(stock.Item(name="=HYPERLINK(1)"))
        stock.db.session.commit()

        assert ",=HYPERLINK(1)," in plain.get("/admin/plain/export/csv/").text

    def test_ours_exports_a_text(self, tab: SiteClient) -> None:
        keyword(description="=HYPERLINK(1)")

        assert ",'=HYPERLINK(1)\n" in tab.get("/admin/keywords/export/csv/").text


class TestExport:
    """Peers, section e; flask-admin notes, section 6: all rows are read before the first byte."""

    def test_stock_reads_everything_first(self, plain: FlaskClient) -> None:
        loaded: list[Any] = []
        event.listen(stock.Item, "load", lambda row, _context: loaded.append(row))

        answer = plain.get("/admin/plain/export/csv/", buffered=False)
        next(iter(answer.response))

        assert len(loaded) == stock.ITEMS
        answer.close()

    def test_ours_reads_a_chunk(
        self, app: Flask, fill: Fill, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(export, "CHUNK", 20)
        fill(Link, 50)
        [panel] = app.extensions["admin"]
        view = next(v for v in panel._views if v.endpoint == "links")  # noqa: SLF001

        begun = list(islice(export.lines(view, listing.read(view, MultiDict())), 2))

        assert sum(text.count("\n") for text in begun) == 1 + 20


class TestPaging:
    """Peers, section e: every list counts all rows and skips those before its page."""

    def test_stock_skips_rows_one_by_one(self, plain: FlaskClient) -> None:
        with sent(stock.db.engine) as statements:
            plain.get("/admin/plain/?page=1&page_size=20")

        assert any("count(" in sql for sql, _values in statements)
        assert any("OFFSET" in sql and values[-1] == 20 for sql, values in statements)

    def test_ours_begins_at_the_row(self, tab: SiteClient, fill: Fill) -> None:
        fill(Link, 30)
        second = ask(tab, "/admin/links?page_size=20").next or ""

        with sent(db.engine) as statements:
            list(walk(tab, second))

        skipping = [values for sql, values in statements if "OFFSET" in sql and values[-1]]
        assert skipping == []


class TestRelations:
    """Peers, section e; pallets-eco/flask-admin#1441: a relation's field loads its table."""

    def test_stock_offers_every_row(self, plain: FlaskClient) -> None:
        page = plain.get("/admin/plain/new/").text

        assert page.count("<option") >= stock.PEOPLE

    def test_ours_searches_on_the_server(self, tab: SiteClient) -> None:
        for _ in range(stock.PEOPLE):
            person("Somebody")

        page = tab.get("/admin/links/new/").text

        assert "<option" not in page
        assert "Somebody" not in page


class TestHeaders:
    """Peers, section e; pallets-eco/flask-admin#384, #2556: no policy, inline handlers, no lang."""

    def test_stock_sends_none(self, plain: FlaskClient) -> None:
        answer = plain.get("/admin/plain/")

        assert "Content-Security-Policy" not in answer.headers
        assert "X-Frame-Options" not in answer.headers
        assert "onclick=" in answer.text
        assert "<html lang" not in answer.text

    def test_ours_sends_a_strict_one(self, tab: SiteClient) -> None:
        link()

        answer = tab.get("/admin/links")

        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert '<html lang="en"' in answer.text
        assert not any(word in answer.text for word in ("onclick=", "<style", " style="))


class TestLookup:
    """Flask-Admin notes, section 9: the limit of a lookup is what the query says."""

    def test_stock_gives_as_many_as_are_asked(self, plain: FlaskClient) -> None:
        found = plain.get("/admin/picking/ajax/lookup/?name=person&query=person&limit=1000").json

        assert found is not None
        assert len(found) == stock.PEOPLE

    def test_ours_gives_few(self, tab: SiteClient) -> None:
        for _ in range(stock.PEOPLE):
            person("Somebody")

        found = tab.get("/admin/links/ajax/lookup/?name=people&query=somebody&limit=1000").json

        assert found is not None
        assert len(found) == 20


class TestDelete:
    """Flask-Admin notes, section 9: the record to delete is taken from the query, too."""

    def test_stock_deletes_by_the_address_alone(self, plain: FlaskClient) -> None:
        plain.post("/admin/plain/delete/?id=1")

        assert "item 1" not in names()

    def test_ours_wants_it_in_the_form(self, tab: SiteClient, session: Session) -> None:
        row = keyword()

        answer = tab.post(f"/admin/keywords/delete/?id={row.id}")

        assert answer.status_code == 404
        assert session.query(Keyword).count() == 1


class TestScope:
    """Flask-Admin notes, section 5: rows that `get_query` hides are opened by their key."""

    def test_stock_opens_a_hidden_row(self, plain: FlaskClient) -> None:
        assert "item 5" not in plain.get("/admin/guarded/").text
        assert 'value="item 5"' in plain.get("/admin/guarded/edit/?id=5").text

    @pytest.mark.parametrize(
        ("method", "path", "values"),
        [
            ("GET", "/admin/links/{}", {}),
            ("GET", "/admin/links/{}/edit", {}),
            ("GET", "/admin/links/{}/delete", {}),
            ("GET", "/admin/links/{}/cell/title", {}),
            ("GET", "/admin/links/{}/cell/title?cancel=1", {}),
            ("GET", "/admin/links/edit/?id={}", {}),
            ("GET", "/admin/links/details/?id={}", {}),
            ("PUT", "/admin/links/{}", {"title": "x"}),
            ("DELETE", "/admin/links/{}", {}),
            ("POST", "/admin/links/edit/?id={}", {"title": "x"}),
            ("POST", "/admin/links/ajax/update/", {"list_form_pk": "{}", "title": "x"}),
            ("POST", "/admin/links/delete/", {"id": "{}"}),
            ("POST", "/admin/links/action/", {"action": "delete", "rowid": "{}"}),
            ("POST", "/admin/links/action/preview", {"action": "delete", "rowid": "{}"}),
            ("POST", "/admin/links/{}/owners", {"user": "owner@example.com"}),
        ],
    )
    def test_ours_hides_it_at_every_door(  # noqa: PLR0913, PLR0917 - one for each parameter
        self,
        tab: SiteClient,
        owner: object,
        monkeypatch: pytest.MonkeyPatch,
        method: str,
        path: str,
        values: dict[str, str],
    ) -> None:
        row = link(slug="hidden")
        monkeypatch.setattr(LinkView, "scope", lambda _view: (Link.slug != "hidden",))
        data = {name: text.format(row.id) for name, text in values.items()}

        answer = tab.open(path.format(row.id), method=method, data=data, htmx=True)

        assert answer.status_code == 404
        assert "hidden" not in answer.text.replace("hidden>", "")

    @pytest.mark.parametrize("path", ["", "/count", "/export/csv/"])
    def test_ours_leaves_it_out_of_lists(
        self, tab: SiteClient, monkeypatch: pytest.MonkeyPatch, path: str
    ) -> None:
        link(slug="unseen")
        monkeypatch.setattr(LinkView, "scope", lambda _view: (Link.slug != "unseen",))

        assert "unseen" not in tab.get(f"/admin/links{path}").text


class TestMaskedError:
    """Flask-Admin notes, section 4; pallets-eco/flask-admin#2358: a TypeError is retried."""

    def test_stock_hides_the_reason(
        self, plain: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert plain.get("/admin/plain/broken/").status_code == 500
        assert "unexpected keyword argument 'cls'" in str(caplog.records[-1].exc_info)

    def test_ours_tells_it(self, tab: SiteClient, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_view: object) -> None:
            message = "the real reason"
            raise TypeError(message)

        monkeypatch.setattr(lists, "index", fail)

        with pytest.raises(TypeError, match="the real reason"):
            tab.get("/admin/links")


class TestColumns:
    """Flask-Admin notes, section 9; style, section 11.4: whatever a table gains is shown."""

    @pytest.mark.parametrize("path", ["", "new/", "export/csv/"])
    def test_stock_shows_every_column(self, plain: FlaskClient, path: str) -> None:
        assert "password" in plain.get(f"/admin/plain/{path}").text.lower()

    @pytest.mark.parametrize("path", ["", "/details/?id={}", "/edit/?id={}", "/export/csv/"])
    def test_ours_shows_what_is_declared(self, tab: SiteClient, path: str) -> None:
        row = link()

        page = tab.get("/admin/links" + path.format(row.id)).text.lower()

        assert "search_text" not in page
        assert "search text" not in page


class TestNonsense:
    """Flask-Admin notes, sections 5 and 8; #2915: keys and pages that are none are errors."""

    @pytest.mark.parametrize("path", ["edit/?id=1,2", f"?page={HUGE}"])
    def test_stock_fails(self, plain: FlaskClient, path: str) -> None:
        assert plain.get(f"/admin/plain/{path}").status_code == 500

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("edit/?id=1,2", 404),
            ("edit/?id=abc", 404),
            (f"edit/?id={HUGE}", 404),
            ("details/?id=1,2", 404),
            (f"?page={HUGE}", 200),
            ("?page=-5&page_size=-1", 200),
        ],
    )
    def test_ours_answers(self, tab: SiteClient, path: str, status: int) -> None:
        link()

        assert tab.get(f"/admin/links/{path}").status_code == status
