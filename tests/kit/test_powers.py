"""Columns and fields that ask for more than their view, and verbs that there are not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import Forbidden

from adminsite import auth
from adminsite.db import transaction
from adminsite.errors import ForbiddenError
from adminsite.models import Keyword, Link, User
from adminsite.operations import keywords
from adminsite.permissions import Permission
from adminsite.views.keywords import KeywordView
from adminsite.views.links import LinkView
from tests.client import SiteClient
from tests.lists import ask
from tests.people import acting
from tests.rows import keyword, link

ClientAs = Callable[[str], SiteClient]
JSON = {"Accept": "application/json"}
SECRET = "only owners read this"


def view_of(app: Flask, name: str) -> Any:
    [panel] = app.extensions["admin"]
    return next(view for view in panel._views if view.endpoint == name)  # noqa: SLF001


@pytest.fixture
def hidden(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Link:
    """A link whose title and date only owners may see."""
    only = dict.fromkeys(("title", "created_at"), Permission.STAFF_WRITE)
    monkeypatch.setattr(LinkView, "column_permissions", only)
    return link(title=SECRET)


class TestHiddenColumn:
    @pytest.mark.parametrize(
        "path",
        ["", "/{}", "/{}/edit", "/details/?id={}", "/edit/?id={}", "/export/csv/", "/count"],
    )
    @pytest.mark.parametrize("how", [{}, {"htmx": True}, {"headers": JSON}])
    def test_is_nowhere_to_be_read(
        self, client_as: ClientAs, hidden: Link, path: str, how: dict[str, Any]
    ) -> None:
        answer = client_as("admin").get("/admin/links" + path.format(hidden.id), **how)

        assert answer.status_code in {200, 302}
        assert SECRET not in answer.text

    @pytest.mark.parametrize("path", ["", "/details/?id={}", "/edit/?id={}", "/export/csv/"])
    def test_is_there_for_those_who_may(self, client_as: ClientAs, hidden: Link, path: str) -> None:
        assert SECRET in client_as("owner").get("/admin/links" + path.format(hidden.id)).text

    def test_is_not_told_after_a_save(self, client_as: ClientAs, hidden: Link) -> None:
        tab, path = client_as("admin"), f"/admin/links/{hidden.id}"

        answers = [
            tab.put(path, data={"description": "a"}, htmx=True),
            tab.put(path, json={"description": "b"}, headers=JSON),
            tab.put(path, data={"url": "nonsense"}, htmx=True),
        ]

        assert [answer.status_code for answer in answers] == [200, 200, 422]
        assert not any(SECRET in answer.text for answer in answers)

    def test_is_not_told_by_a_conflict(self, client_as: ClientAs, hidden: Link) -> None:
        path = f"/admin/links/{hidden.id}"
        values = {"title": f"{SECRET}, too", "description": "theirs", "row_version": "1"}
        client_as("owner").put(path, data=values, htmx=True)

        answer = client_as("admin").put(
            path, data={"description": "mine", "row_version": "1"}, htmx=True
        )

        assert answer.status_code == 409
        assert SECRET not in answer.text

    @pytest.mark.parametrize(
        "send",
        [
            lambda tab, pk: tab.put(f"/admin/links/{pk}", data={"title": "x"}, htmx=True),
            lambda tab, pk: tab.put(f"/admin/links/{pk}", json={"title": "x"}, headers=JSON),
            lambda tab, pk: tab.post(f"/admin/links/edit/?id={pk}", data={"title": "x"}),
            lambda tab, pk: tab.post(
                "/admin/links/ajax/update/", data={"list_form_pk": pk, "title": "x"}, htmx=True
            ),
            lambda tab, pk: tab.get(f"/admin/links/{pk}/cell/title", htmx=True),
            lambda tab, pk: tab.get(f"/admin/links/{pk}/cell/title?cancel=1", htmx=True),
            lambda tab, pk: tab.post(
                "/admin/links", data={"slug": "new", "url": "https://example.com/", "title": "x"}
            ),
        ],
    )
    def test_is_not_theirs_to_set(
        self, client_as: ClientAs, session: Session, hidden: Link, send: Callable[..., Any]
    ) -> None:
        answer = send(client_as("admin"), hidden.id)

        assert answer.status_code == 403
        assert SECRET not in answer.text
        assert session.get_one(Link, hidden.id).title == SECRET

    @pytest.mark.parametrize("query", ["created_at=2025-01-01", "sort=created_at&desc=0"])
    def test_narrows_and_sorts_nothing(self, client_as: ClientAs, hidden: Link, query: str) -> None:
        link(slug="newer")

        page = client_as("admin").get(f"/admin/links?{query}").text

        assert f'id="link-{hidden.id}"' in page
        assert "sort=created_at" not in page
        assert "created_at_from" not in page

    def test_leaves_everybody_an_order(self, app: Flask, client_as: ClientAs, hidden: Link) -> None:
        other = link(slug="a", created_at=hidden.created_at - timedelta(days=1))

        orders = [ask(client_as(who), "/admin/links").ids for who in ("owner", "admin", "owner")]

        newest_first, by_name = [hidden.id, other.id], [other.id, hidden.id]
        assert orders == [newest_first, by_name, newest_first]


class TestField:
    def test_that_asks_for_more_is_shown_and_not_set(
        self, client_as: ClientAs, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(LinkView, "field_permissions", {"url": Permission.STAFF_WRITE})
        row = link(url="https://example.com/old")
        path, values = f"/admin/links/{row.id}", {"url": "https://example.com/new"}

        assert client_as("admin").put(path, data=values, htmx=True).status_code == 403
        assert session.get_one(Link, row.id).url == "https://example.com/old"
        assert "example.com/old" in client_as("admin").get("/admin/links").text
        assert client_as("owner").put(path, data=values, htmx=True).status_code == 200


class TestScreen:
    """A screen that asks for more than its routes do."""

    @pytest.fixture
    def kept(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> str:
        """Keywords that only owners may look at."""
        row = keyword(keyword=SECRET.split(maxsplit=1)[0], description=SECRET)
        resource = replace(view_of(app, "keywords").resource, read=Permission.STAFF_READ)
        monkeypatch.setattr(KeywordView, "resource", resource)
        return f"/admin/keywords/{row.id}"

    @pytest.mark.parametrize("path", ["", "/export/csv/", "/count", "/new/", "/{}", "/{}/delete"])
    def test_is_closed_at_every_door(self, client_as: ClientAs, kept: str, path: str) -> None:
        url = f"/admin/keywords{path.format(kept.rpartition('/')[2])}"

        answer = client_as("admin").get(url)

        assert answer.status_code == 403
        assert SECRET not in answer.text

    def test_is_changed_by_nobody_who_may_not_look(
        self, client_as: ClientAs, session: Session, kept: str
    ) -> None:
        tab = client_as("admin")

        answers = [
            tab.put(kept, data={"description": "x"}, htmx=True),
            tab.delete(kept, htmx=True),
        ]

        assert [answer.status_code for answer in answers] == [403, 403]
        assert session.scalars(select(Keyword.description)).all() == [SECRET]


class TestVerb:
    """A verb exists where its operation does."""

    @pytest.fixture
    def reading(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        """Keywords as if they had no operations."""
        view = view_of(app, "keywords")
        monkeypatch.setattr(KeywordView, "resource", replace(view.resource, operations=object()))

    @pytest.mark.usefixtures("reading")
    def test_that_there_is_not_is_not_found(self, client_as: ClientAs) -> None:
        tab, row = client_as("owner"), keyword()

        statuses = [
            tab.post("/admin/keywords", data={"keyword": "a"}).status_code,
            tab.put(f"/admin/keywords/{row.id}", data={}).status_code,
            tab.delete(f"/admin/keywords/{row.id}").status_code,
            tab.get(f"/admin/keywords/edit/?id={row.id}").status_code,
            tab.post("/admin/keywords/delete/", data={"id": row.id}).status_code,
        ]

        assert statuses == [404] * 5

    @pytest.mark.usefixtures("reading")
    def test_that_there_is_not_has_no_control(self, client_as: ClientAs) -> None:
        keyword()

        page = client_as("owner").get("/admin/keywords").text

        for control in ("data-cell=", 'data-action="delete"', 'data-action="new"', "rowid"):
            assert control not in page


class TestRoute:
    """A view is closed by itself, whatever stands before it."""

    def test_sends_strangers_to_sign_in(self, app: Flask) -> None:
        with app.test_request_context("/admin/keywords"):
            answer: Any = view_of(app, "keywords")._handle_view("index_view")  # noqa: SLF001

        assert answer.status_code == 302
        assert answer.location == "/login?next=/admin/keywords"

    def test_that_is_not_known_is_refused(
        self, app: Flask, owner: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        actor = acting(owner)
        monkeypatch.setattr(auth, "current_actor", lambda: actor)

        with app.test_request_context("/admin/keywords"), pytest.raises(Forbidden):
            view_of(app, "keywords")._handle_view("unheard_of")  # noqa: SLF001


class TestMethods:
    """Flask-Admin's own write methods, for code that calls them, end in the operations."""

    @pytest.fixture
    def view(self, app: Flask, admin: User, monkeypatch: pytest.MonkeyPatch) -> Any:
        actor = acting(admin)
        monkeypatch.setattr(auth, "current_actor", lambda: actor)
        monkeypatch.setattr(auth, "current_person", lambda: actor)
        with app.test_request_context():
            yield view_of(app, "keywords")

    def test_make_change_and_delete(self, view: Any, session: Session) -> None:
        values = {"keyword": "jira", "url_template": "https://example.com/{slug}"}
        row = view.create_model(view.create_form_class(data=values))
        changed = {**values, "description": "Tickets"}

        assert view.update_model(view.form_for(view.edit_fields)(data=changed), row)
        assert row.description == "Tickets"
        assert view.delete_model(row)
        assert view.get_one(row.id) is None

    def test_delete_many_or_none(self, view: Any, session: Session) -> None:
        rows = [keyword().id, keyword().id]

        view.action_delete([str(key) for key in rows])

        assert [view.get_one(key) for key in rows] == [None, None]


def test_operations_ask_again(session: Session, support: User) -> None:
    person = acting(support)

    with pytest.raises(ForbiddenError, match="needs an admin"), transaction():
        keywords.create({"keyword": "a", "url_template": "https://example.com/{slug}"}, by=person)
