"""A list as a test reads it, and the statements that it cost."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

from sqlalchemy import event
from werkzeug.test import TestResponse

from adminsite.db import db
from tests.client import SiteClient

ROW = re.compile(r'<tr id="[a-z]+-([0-9a-f-]+)"')
HEADING_COUNT = re.compile(r'id="count"[^>]*>\s*([\d,]+\+?)')
COUNT_URL = re.compile(r'id="count"[^>]*hx-get="([^"]+)"')
TURN = r'<a href="([^"]+)"[^>]*id="page-{}"'
PLUMBING = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SET LOCAL")


class Listed:
    """One page of a list."""

    def __init__(self, answer: TestResponse) -> None:
        assert answer.status_code == 200, (answer.status_code, answer.text[:500])
        self.text = answer.text
        self.ids = [int(key) for key in ROW.findall(self.text)]
        self.next = self._found(TURN.format("next"))
        self.prev = self._found(TURN.format("prev"))
        self.count = self._found(HEADING_COUNT.pattern)
        self.count_url = self._found(COUNT_URL.pattern)

    def _found(self, pattern: str) -> str | None:
        found = re.search(pattern, self.text)
        return unescape(found[1]) if found else None

    def row(self, key: int) -> str:
        """The markup of one row."""
        return self.text.split(f'<tr id="link-{key}"')[1].split("</tr>")[0]


def ask(client: SiteClient, url: str, **params: Any) -> Listed:
    """The list's region as htmx gets it."""
    return Listed(client.get(url, query_string=params or None, htmx=True))


def walk(client: SiteClient, url: str, turn: str = "next") -> Iterator[Listed]:
    """The pages from here on, forth or back."""
    following: str | None = url
    while following:
        page = ask(client, following)
        yield page
        following = getattr(page, turn)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that the block sends, without what begins and ends transactions."""
    sent: list[str] = []

    def note(*args: Any) -> None:
        if not args[2].lstrip().upper().startswith(PLUMBING):
            sent.append(args[2])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
