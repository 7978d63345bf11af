"""The two sides of the comparison, asked for the same things."""

import re
from collections.abc import Callable
from html import unescape
from typing import Protocol
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

from bench.client import Browser, Reply, UnexpectedAnswerError, form_with
from bench.database import flask
from bench.server import Server

EMAIL = "bench.owner@example.com"
PASSWORD = "a-long-phrase-for-the-benchmark"
DAYS = {"30d": 30, "12m": 365}
CSRF_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)"')

Place = tuple[object, int]


class Site(Protocol):
    """One side: each method is one timed request, preparations apart."""

    name: str
    server: Server

    def first_page(self) -> Reply: ...
    def page_after(self, place: Place) -> Callable[[], Reply]: ...
    def search(self, term: str, *, fragment: bool = False) -> Reply: ...
    def users(self) -> Reply: ...
    def form(self, number: int) -> Reply: ...
    def saving(self, number: int, title: str) -> Callable[[], Reply]: ...
    def cell(self, number: int, title: str) -> Reply: ...
    def delete_user(self, person: UUID, link_action: str, heir: UUID) -> Reply: ...
    def overview(self, period: str) -> Reply: ...
    def adjust(self, person: UUID, amount: int, reason: str) -> Reply: ...


class FloorSite:
    """Hand-written SQL behind bare Flask."""

    name = "floor"

    def __init__(self, server: Server) -> None:
        self.server = server
        self._browser = server.browser

    def first_page(self) -> Reply:
        return self._browser.get("/links")

    def page_after(self, place: Place) -> Callable[[], Reply]:
        query = urlencode({"at": place[0], "id": place[1]})
        return lambda: self._browser.get(f"/links?{query}")

    def search(self, term: str, *, fragment: bool = False) -> Reply:
        return self._browser.get(f"/links?search={quote(term)}", htmx=fragment)

    def users(self) -> Reply:
        return self._browser.get("/users")

    def form(self, number: int) -> Reply:
        return self._browser.get(f"/links/{number}")

    def saving(self, number: int, title: str) -> Callable[[], Reply]:
        return lambda: self._browser.post(f"/links/{number}", [("title", title)], expect=303)

    def cell(self, number: int, title: str) -> Reply:
        return self._browser.post(f"/cells/{number}", [("title", title)])

    def delete_user(self, person: UUID, link_action: str, heir: UUID) -> Reply:
        fields = [("link_action", link_action), ("heir", str(heir))]
        return self._browser.post(f"/users/{person}", fields)

    def overview(self, period: str) -> Reply:
        return self._browser.get(f"/?days={DAYS[period]}")

    def adjust(self, person: UUID, amount: int, reason: str) -> Reply:
        fields = [("amount", str(amount)), ("reason", reason)]
        return self._browser.post(f"/credits/{person}", fields)


class ProjectSite:
    """The back office, seen by a signed-in owner."""

    name = "project"

    def __init__(self, server: Server) -> None:
        self.server = server
        self._browser = server.browser
        sign_in(self._browser)

    def first_page(self) -> Reply:
        return self._browser.get("/admin/links")

    def page_after(self, place: Place) -> Callable[[], Reply]:
        asked = urlencode({"at": place[0], "id": place[1]})
        query = self.server.ask(f"/__bench__/page-after?{asked}")
        return lambda: self._browser.get(f"/admin/links?{query}")

    def search(self, term: str, *, fragment: bool = False) -> Reply:
        return self._browser.get(f"/admin/links?search={quote(term)}", htmx=fragment)

    def users(self) -> Reply:
        return self._browser.get("/admin/users?sort=email")

    def form(self, number: int) -> Reply:
        return self._browser.get(f"/admin/links/edit/?id={number}")

    def saving(self, number: int, title: str) -> Callable[[], Reply]:
        path = f"/admin/links/edit/?id={number}"
        fields = form_with("title", self._browser.get(path).text)
        changed = [(name, title if name == "title" else value) for name, value in fields]
        return lambda: self._browser.post(path, changed, expect=303)

    def cell(self, number: int, title: str) -> Reply:
        fields = [("list_form_pk", str(number)), ("title", title)]
        return self._browser.post("/admin/links/ajax/update/", fields, htmx=True)

    def delete_user(self, person: UUID, link_action: str, heir: UUID) -> Reply:
        fields = [("id", str(person)), ("link_action", link_action)]
        return self._browser.post("/admin/users/delete/", fields, htmx=True)

    def overview(self, period: str) -> Reply:
        return self._browser.get(f"/admin?period={period}")

    def adjust(self, person: UUID, amount: int, reason: str) -> Reply:
        fields = {"user_id": str(person), "amount": str(amount), "reason": reason}
        fields["idempotency_key"] = uuid4().hex
        return self._browser.post("/admin/credits/adjust", fields.items(), htmx=True)


def create_owner(url: str) -> None:
    """Make the owner who signs in."""
    flask(
        url,
        *("staff", "create-owner", EMAIL, "--name", "Bench Owner", "--password-stdin"),
        answer=PASSWORD,
    )


def sign_in(browser: Browser) -> None:
    """Sign the owner in, and send the CSRF token with everything from then on.

    Raises:
        UnexpectedAnswerError: the sign-in was refused.
    """
    fields = dict(form_with("password", browser.get("/login").text))
    fields |= {"email": EMAIL, "password": PASSWORD}
    browser.post("/login", fields.items(), expect=303)
    page = browser.get("/admin/links").text
    token = CSRF_TOKEN.search(page)
    if token is None:
        raise UnexpectedAnswerError("the links page has no CSRF token")
    browser.headers["X-CSRFToken"] = unescape(token[1])
