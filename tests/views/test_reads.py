"""Looking at something changes nothing."""

from collections.abc import Callable

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.db import Base
from adminsite.models import AuditEvent, Link
from tests.client import SiteClient
from tests.rows import keyword, link, person, tag
from tests.views import access
from tests.views.access import Rows

ClientAs = Callable[[str], SiteClient]
MACHINERY = {"audit_events", "audit_heads", "alembic_version"}


def contents(session: Session) -> dict[str, list[str]]:
    """Every row of every table, but for when sessions were used last."""
    session.rollback()
    found = {}
    for table in Base.metadata.sorted_tables:
        if table.name not in MACHINERY:
            columns = [column for column in table.columns if column.name != "last_seen_at"]
            found[table.name] = sorted(repr(row) for row in session.execute(select(*columns)))
    return found


def test_no_get_route_changes_data(app: Flask, client_as: ClientAs, session: Session) -> None:
    tab = client_as("owner")
    routes = [route for route in access.routes(app) if route.method == "GET"]
    made = [(route, Rows("owner", str(route.rule.endpoint).partition(".")[0])) for route in routes]
    addresses = [access.url(route, rows) for route, rows in made]
    before = contents(session)
    recorded = set(session.scalars(select(AuditEvent.id)))

    for address in addresses:
        for how in ({}, {"htmx": True}, {"headers": {"Accept": "application/json"}}):
            assert tab.get(address, **how).status_code < 500, address

    assert contents(session) == before
    events = session.scalars(select(AuditEvent.action).where(AuditEvent.id.not_in(recorded)))
    assert set(events) == {"data.exported"}


def test_parameters_of_a_write_change_nothing_in_a_get(
    client_as: ClientAs, session: Session
) -> None:
    tab = client_as("owner")
    row = link(tags=[tag("red")], co_owners=[person()])
    keyword()
    before = contents(session)
    write = f"action=delete&rowid={row.id}&id={row.id}&title=x&list_form_pk={row.id}&_method=DELETE"

    for path in ("", "/new/", "/edit/", "/details/", f"/{row.id}", f"/{row.id}/edit"):
        tab.get(f"/admin/links{path}?{write}")
    for path in ("/delete/", "/action/", "/action/preview", "/ajax/update/"):
        assert tab.get(f"/admin/links{path}?{write}").status_code in {404, 405}

    assert contents(session) == before


def test_a_header_or_field_does_not_change_the_method(
    client_as: ClientAs, session: Session
) -> None:
    tab = client_as("owner")
    row = link()

    tab.get(f"/admin/links/{row.id}", headers={"X-HTTP-Method-Override": "DELETE"})
    tab.post(f"/admin/links/{row.id}", data={"_method": "DELETE"})

    assert session.scalars(select(Link.id)).all() == [row.id]
