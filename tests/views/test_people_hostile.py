"""Nonsense sent to every route of the users and the admins screen: refused, and nothing changes."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.client import SiteClient
from tests.rows import link, person, staff
from tests.views import access
from tests.views.access import Route
from tests.views.reading import JSON, NOBODY, actions
from tests.views.test_reads import contents

ClientAs = Callable[[str], SiteClient]
LONG = "a" * 1_000_000
FORM = "application/x-www-form-urlencoded"
VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH")
HOWS: dict[str, dict[str, Any]] = {"page": {}, "htmx": {"htmx": True}, "json": {"headers": JSON}}
BODIES: tuple[dict[str, Any], ...] = (
    {},
    {"data": {}},
    {"data": {"nonsense": "x", "password_hash": "x", "id": "x", "version": "7"}},
    {"data": {"row_version": "x", "full_name": "x", "display_name": "x"}},
    {"data": {"row_version": "9" * 40, "full_name": "x", "display_name": "x"}},
    {"data": {"row_version": ["1", "2"], "full_name": "x", "display_name": "x"}},
    {"data": {"row_version": "999", "full_name": "x", "display_name": "x", "role": "x"}},
    {"data": {"email": LONG, "full_name": LONG, "display_name": LONG}},
    {"data": {"email": "a\x00@x.example", "role": "\x00", "status": "\x00"}},
    {"data": {"full_name": "\x00", "display_name": "\x00", "role": LONG}},
    {"data": {"action": "\x00", "rowid": "\x00", "list_form_pk": "\x00", "id": "\x00"}},
    {"data": {"action": "delete", "rowid": LONG, "list_form_pk": LONG, "id": LONG}},
    {"data": {"action": "delete", "rowid": NOBODY, "list_form_pk": NOBODY, "id": NOBODY}},
    {"data": {"link_action": "\x00", "plan": LONG}},
    {"json": []},
    {"json": "x"},
    {"json": None},
    {"json": {"role": {"a": 1}, "full_name": 5, "display_name": True}},
    {"json": {"role": 10.0, "email": [["x"]], "link_action": {}}},
    {"json": {"email": "\ud800", "display_name": "\ud800", "full_name": "\ud800"}},
    {"data": b"{", "content_type": "application/json"},
    {"data": b"[" * 100_000, "content_type": "application/json"},
    {"data": b"\xff\xfe=%ZZ&%00=%00&&==", "content_type": FORM},
    {"data": b"x", "content_type": "multipart/form-data; boundary=a"},
    {"data": b"x", "content_type": "multipart/form-data"},
    {"data": b"x", "content_type": "\x7f/\xff"},
)


@pytest.fixture
def boss(client_as: ClientAs) -> SiteClient:
    return client_as("owner")


def routes(app: Flask) -> Iterator[Route]:
    """The routes of both screens, each once."""
    for route in access.routes(app):
        path = route.rule.rule
        if path.startswith(("/admin/users", "/admin/admins")) and not path.endswith("/"):
            yield route


def fits(answer: TestResponse, how: str) -> bool:
    """Whether a refusal has the form that was asked for, with a sentence in it.

    The form that has a page of its own is shown as that page again, whoever asks.
    """
    if how == "htmx" and '<form class="form" id="form"' in answer.text:
        return answer.request.path.rstrip("/").endswith("/edit")
    if how == "json":
        return bool(answer.is_json and answer.json and answer.json["error"]["message"])
    if how == "htmx":
        return "<html" not in answer.text and bool(answer.text or answer.headers["HX-Trigger"])
    return "<html" in answer.text or answer.mimetype == "text/plain"


def address(route: Route, user: Any, record: Any) -> str:
    """The route's address for one user, or one member of staff."""
    key = user if route.rule.rule.startswith("/admin/users") else record
    path = re.sub(r"<\w+:pk>", str(key), route.rule.rule)
    path = path.replace("<field>", "role").replace("<export_type>", "csv")
    return f"{path}?id={key}" if route.verb in {"edit_view", "details_view"} else path


def does_it_all_the_same(route: Route) -> bool:
    """Whether the address alone says what is to be done, and what else is sent is not read."""
    removes = route.verb == "rest_delete" and route.rule.rule.startswith("/admin/admins")
    return removes or route.verb in {"reset", "end_sessions"}


@pytest.mark.parametrize("how", HOWS)
def test_no_nonsense_changes_anything(
    app: Flask, boss: SiteClient, session: Session, how: str
) -> None:
    mia, zoe = person("Mia").id, staff("support", "Zoe").id
    link(owner=person("Bob"), co_owners=[person("Eve")])
    sent = [r for r in routes(app) if not r.safe and not does_it_all_the_same(r)]
    before = contents(session)

    for route in sent:
        url = address(route, mia, zoe)
        for body in BODIES:
            answer = boss.open(url, method=route.method, **body, **HOWS[how])

            told = (route.method, url, body, answer.status_code)
            assert answer.status_code < 500, told
            assert answer.status_code < 400 or fits(answer, how), told

    assert contents(session) == before
    assert actions(session) == []
    assert len(sent) > 15


@pytest.mark.parametrize("how", HOWS)
def test_ids_of_nobody_and_of_the_wrong_form_are_not_there(
    app: Flask, boss: SiteClient, session: Session, how: str
) -> None:
    wrong = ("999999", NOBODY, "0", "-1", "x", "1.0", "%00", "9" * 40, "1;2", "{}", "é", "a" * 3000)
    before = contents(session)

    for route in routes(app):
        if "pk>" not in route.rule.rule:
            continue
        for key in wrong:
            url = address(route, key, key)
            answer = boss.open(url, method=route.method, **HOWS[how])

            told = (route.method, url, answer.status_code)
            assert answer.status_code in {404, 405, 422}, told
            assert fits(answer, how), told

    assert contents(session) == before


@pytest.mark.parametrize("how", HOWS)
def test_other_verbs_are_told_which_there_are(app: Flask, boss: SiteClient, how: str) -> None:
    mia, zoe = person("Mia").id, staff("support", "Zoe").id
    known: dict[str, set[str]] = {}
    for route in routes(app):
        known.setdefault(route.rule.rule, set()).add(route.method)
    urls = {route.rule.rule: address(route, mia, zoe) for route in routes(app)}

    for rule, verbs in known.items():
        for verb in set(VERBS) - verbs:
            answer = boss.open(urls[rule], method=verb, **HOWS[how])

            told = (verb, urls[rule], answer.status_code)
            assert answer.status_code == 405, told
            assert verbs <= set(answer.headers["Allow"].split(", ")), told
            assert fits(answer, how), told


@pytest.mark.parametrize(
    "query",
    [
        "id=",
        "id=x",
        "id=%00",
        "id=999999",
        f"id={NOBODY}",
        "",
        "search=%00",
        "search=%FF",
        "sort=%00&desc=%00&page_size=%00&cursor=%00",
        "cursor=" + "a" * 5000,
        "role=%00",
        "status=%00&subscription_tier=%00",
        "created_at_from=9999-12-31&created_at_to=0001-01-01",
        "first=%00",
        "cancel=1",
        "cancel=%00",
        "from=%00",
        "url=//evil.example",
    ],
)
@pytest.mark.parametrize("how", HOWS)
def test_queries_that_make_no_sense_are_answered(
    app: Flask, boss: SiteClient, query: str, how: str
) -> None:
    mia, zoe = person("Mia").id, staff("support", "Zoe").id

    for route in routes(app):
        if route.method == "GET":
            url = address(route, mia, zoe).partition("?")[0]
            answer = boss.get(f"{url}?{query}", **HOWS[how])

            told = (url, query, answer.status_code)
            assert answer.status_code < 500, told
            assert answer.status_code < 400 or fits(answer, how), told


@pytest.mark.parametrize("path", ["/admin/users", "/admin/admins"])
def test_a_body_of_many_megabytes_is_too_large(boss: SiteClient, path: str) -> None:
    answer = boss.post(path, data={"email": "a" * 3_000_000}, headers=JSON)

    assert answer.status_code == 413
    assert fits(answer, "json")
