"""A real browser against a real server; whatever the browser complains of fails the test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.hands import Hand, Keyboard, Mouse
from tests.browser.server import browsing, serving
from tests.browser.watch import Watch
from tests.client import SECRET_KEY
from tests.database import Database
from tests.people import SignIn, restore_session

TIMEOUT_MS = 10_000
SETTINGS: dict[str, Any] = {
    "locale": "en-GB",
    "timezone_id": "UTC",
    "reduced_motion": "reduce",
}
expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture(scope="session")
def served(
    application: Flask, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the production server, on the database of `app`."""
    settings = {
        "DATABASE_URL": database.url,
        "SECRET_KEY": SECRET_KEY,
        "TRUSTED_HOSTS": "127.0.0.1",
        "SESSION_COOKIE_SECURE": "0",
        "OVERVIEW_CACHE_S": "0",
        "LOGIN_RATE_LIMIT": "1000 per minute",
    }
    with serving(settings, tmp_path_factory.mktemp("server") / "log") as url:
        yield url


@pytest.fixture
def live_server(app: Flask, served: str) -> str:
    """The server's address; rows that a test saves are there, and gone after it."""
    return served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, started once."""
    with browsing() as started:
        yield started


@pytest.fixture
def watch() -> Watch:
    """What the browser complains of; `watch.allow(409)` expects an answer of that status."""
    return Watch()


@pytest.fixture(scope="session")
def desk(browser: Browser, served: str) -> Iterator[BrowserContext]:
    """The browser that most tests share, emptied after each: it keeps the static files."""
    with browser.new_context(base_url=served, **SETTINGS) as context:
        context.set_default_timeout(TIMEOUT_MS)
        yield context


@pytest.fixture
def open_tab(
    browser: Browser, desk: BrowserContext, live_server: str, watch: Watch
) -> Iterator[Callable[..., Page]]:
    """A function that opens a browser of its own: `open_tab(java_script_enabled=False)`."""
    contexts: list[BrowserContext] = []

    def open_one(**options: object) -> Page:
        context = desk
        if options or contexts:
            settings: dict[str, Any] = SETTINGS | options
            context = browser.new_context(base_url=live_server, **settings)
            context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        context.on("page", watch.follow)
        return context.new_page()

    yield open_one
    for context in contexts:
        for tab in context.pages:
            watch.finish(tab)
        context.remove_listener("page", watch.follow)
        _clear(context) if context is desk else context.close()
    assert not watch.problems, "\n".join(watch.problems)


@pytest.fixture
def page(open_tab: Callable[..., Page]) -> Page:
    """An empty tab that nobody has signed in with; addresses may be paths."""
    return open_tab()


@pytest.fixture
def tab_as(
    request: pytest.FixtureRequest,
    open_tab: Callable[..., Page],
    live_server: str,
    sign_ins: dict[str, SignIn],
) -> Callable[..., Page]:
    """A browser of its own, signed in: `tab_as("owner")`."""

    def sign_in(level: str, tab: Page | None = None, **options: object) -> Page:
        request.getfixturevalue(level)
        restore_session(sign_ins[level])
        held = sign_ins[level].cookies.items()
        opened = tab or open_tab(**options)
        opened.context.add_cookies([{"name": n, "value": v, "url": live_server} for n, v in held])
        return opened

    return sign_in


@pytest.fixture
def page_as(page: Page, tab_as: Callable[..., Page]) -> Callable[[str], Page]:
    """The tab, signed in: `page_as("admin").goto("/admin/links")`."""
    return lambda level: tab_as(level, page)


@pytest.fixture(params=[Mouse, Keyboard], ids=["mouse", "keyboard"])
def hand(request: pytest.FixtureRequest, page_as: Callable[[str], Page]) -> Hand:
    """An admin at work in the tab: once with the mouse, once with the keyboard alone."""
    made: Hand = request.param(page_as("admin"))
    return made


@pytest.fixture(params=[Mouse, Keyboard], ids=["mouse", "keyboard"])
def boss(request: pytest.FixtureRequest, page_as: Callable[[str], Page]) -> Hand:
    """An owner at work, in both ways, too."""
    made: Hand = request.param(page_as("owner"))
    return made


def _clear(context: BrowserContext) -> None:
    """Forget who was here and what they set."""
    for tab in context.pages:
        if tab.url.startswith("http"):
            tab.evaluate("localStorage.clear()")
        tab.close()
    context.clear_cookies()
