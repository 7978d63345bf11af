"""Every route, for everybody, with and without the CSRF token, against one table."""

import os
from collections.abc import Callable
from functools import cache

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.models import AuditEvent
from tests.client import SiteClient
from tests.views import access
from tests.views.access import PEOPLE, Route, Rows

ClientAs = Callable[[str], SiteClient]
TabOf = Callable[[str], SiteClient]
REFUSED = {"anonymous": 401, "member": 403, "support": 403, "admin": 403}


@pytest.fixture
def tab_of(client: SiteClient, client_as: ClientAs, app: Flask) -> TabOf:
    """A browser tab of that person; of nobody with a token of the sign-in page."""
    made = {who: client_as(who) for who in PEOPLE if who != "anonymous"}
    assert made
    client.csrf_token = client.read_token("/login")
    cookies = client.cookies()

    def open_tab(who: str) -> SiteClient:
        if who != "anonymous":
            return client_as(who)
        tab = app.test_client()
        assert isinstance(tab, SiteClient)
        tab.adopt(cookies, client.csrf_token)
        return tab

    return open_tab


def answers(tab_of: TabOf, route: Route, who: str) -> str:
    """The route's statuses for the person, as a cell of the table."""
    statuses = []
    for csrf in (True,) if route.safe else (True, False):
        rows = rows_for(route, who)
        statuses.append(str(access.send(tab_of(who), route, rows, csrf=csrf).status_code))
    return "/".join(statuses)


def walked(app: Flask, tab_of: TabOf) -> access.Table:
    """The table as the application answers now; a slash at the end leads to the same view."""
    found: access.Table = {}
    views: dict[tuple[str, str], object] = {}
    for route in access.routes(app):
        view = app.view_functions[route.rule.endpoint]
        if route.name not in found:
            found[route.name] = {who: answers(tab_of, route, who) for who in PEOPLE}
        assert views.setdefault(route.name, view) is view, route
    return found


def refused_routes(app: Flask, who: str) -> list[tuple[Route, Rows]]:
    """The panel's routes that the table refuses to this person, with rows to ask for.

    The routes of a screen ask for the same rows: who is refused leaves them as they are.
    """
    refusal = "302" if who == "anonymous" else "403"
    table = access.read()
    shared = cache(lambda screen: Rows(who, screen))
    return [
        (route, shared(screen(route)))
        for route in access.routes(app)
        if route.rule.rule.startswith("/admin") and table[route.name][who].startswith(refusal)
    ]


def rows_for(route: Route, who: str) -> Rows:
    return Rows(who, screen(route))


def screen(route: Route) -> str:
    """The screen that the route belongs to."""
    return str(route.rule.endpoint).partition(".")[0]


def test_routes_answer_as_the_table_says(app: Flask, tab_of: TabOf) -> None:
    now = walked(app, tab_of)
    if os.environ.get(access.WRITE):
        access.write(now)

    table = access.read()

    assert {name: now.get(name) for name in now.keys() | table.keys()} == table


@pytest.mark.parametrize("who", REFUSED)
def test_htmx_is_refused_without_a_page(app: Flask, tab_of: TabOf, who: str) -> None:
    tab = tab_of(who)
    routes = refused_routes(app, who)

    for route, rows in routes:
        answer = access.send(tab, route, rows, htmx=True)

        assert answer.status_code == REFUSED[who], route
        assert "<html" not in answer.text, route
        assert ("HX-Redirect" in answer.headers) == (who == "anonymous"), route
    assert routes


@pytest.mark.parametrize("who", REFUSED)
def test_scripts_are_refused_in_json(app: Flask, tab_of: TabOf, who: str) -> None:
    tab = tab_of(who)
    routes = refused_routes(app, who)

    for route, rows in routes:
        answer = access.send(tab, route, rows, headers={"Accept": "application/json"})

        assert answer.status_code == REFUSED[who], route
        assert answer.json["success"] is False, route
        assert answer.json["error"]["message"], route
    assert routes


@pytest.mark.parametrize("who", REFUSED)
def test_refused_requests_change_nothing(
    app: Flask, tab_of: TabOf, session: Session, who: str
) -> None:
    tab = tab_of(who)
    routes = refused_routes(app, who)
    for route, rows in routes:
        access.url(route, rows)
        assert rows.record is not None  # made now: an event is itself on record
    # that they were refused is on record itself
    counted = select(func.count(AuditEvent.id)).where(AuditEvent.action != "access.denied")
    written = session.scalar(counted)

    for route, rows in routes:
        access.send(tab, route, rows)

    assert session.scalar(counted) == written
    assert all(session.get(type(rows.record), rows.record.id) for _route, rows in routes)
