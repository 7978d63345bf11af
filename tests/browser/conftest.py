"""A real browser against a real server; whatever the browser complains of fails the test."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.watch import Watch
from tests.client import SECRET_KEY
from tests.database import Database
from tests.people import SignIn, restore_session
from tests.system import chromium

ROOT = Path(__file__).parent.parent.parent
START_S = 30
TIMEOUT_MS = 10_000
FLAGS = [
    "--no-sandbox",  # Chromium's own does not start for root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def served(
    application: Flask, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the production server, on the database of `app`."""
    port = _free_port()
    environment = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
    }
    environment |= {
        "ADMINSITE_DATABASE_URL": database.url,
        "ADMINSITE_SECRET_KEY": SECRET_KEY,
        "ADMINSITE_TRUSTED_HOSTS": "127.0.0.1",
        "ADMINSITE_SESSION_COOKIE_SECURE": "0",
        "ADMINSITE_OVERVIEW_CACHE_S": "0",
        "ADMINSITE_LOGIN_RATE_LIMIT": "1000 per minute",
    }
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--threads", "4", "app:create_app()"]
    log = tmp_path_factory.mktemp("server") / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output
        ) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/healthz", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.fixture
def live_server(app: Flask, served: str) -> str:
    """The server's address; rows that a test saves are there, and gone after it."""
    return served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, started once."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def watch() -> Watch:
    """What the browser complains of; `watch.allow(409)` expects an answer of that status."""
    return Watch()


@pytest.fixture
def page(browser: Browser, live_server: str, watch: Watch) -> Iterator[Page]:
    """An empty tab that nobody has signed in with; addresses may be paths."""
    with browser.new_context(base_url=live_server, locale="en-GB", timezone_id="UTC") as context:
        context.set_default_timeout(TIMEOUT_MS)
        opened = context.new_page()
        watch.follow(opened)
        yield opened
        problems = watch.finish(opened)
    assert not problems, "\n".join(problems)


@pytest.fixture
def page_as(
    request: pytest.FixtureRequest, page: Page, live_server: str, sign_ins: dict[str, SignIn]
) -> Callable[[str], Page]:
    """The tab, signed in: `page_as("admin").goto("/admin/links")`."""

    def sign_in(level: str) -> Page:
        request.getfixturevalue(level)
        restore_session(sign_ins[level])
        held = sign_ins[level].cookies.items()
        page.context.add_cookies([{"name": n, "value": v, "url": live_server} for n, v in held])
        return page

    return sign_in


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url):  # noqa: S310 - our own address
                return
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')}")
