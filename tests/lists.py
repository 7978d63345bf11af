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
BLOCK = re.compile(r"<(dd|dt|div|h\d|label|legend|li|option|p|strong|td)\b")
PLUMBING = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SET LOCAL")


class Listed:
    """One page of a list."""

    def __init__(self, answer: TestResponse) -> None:
        assert answer.status_code == 200, (answer.status_code, answer.text[:500])
        self.text = answer.text
        self.keys = ROW.findall(self.text)
        self.next = self._found(TURN.format("next"))
        self.prev = self._found(TURN.format("prev"))
        self.count = self._found(HEADING_COUNT.pattern)
        self.count_url = self._found(COUNT_URL.pattern)

    @property
    def ids(self) -> list[int]:
        """The rows' keys, where they are numbers."""
        return [int(key) for key in self.keys]

    def _found(self, pattern: str) -> str | None:
        found = re.search(pattern, self.text)
        return unescape(found[1]) if found else None

    def row(self, key: Any) -> str:
        """The markup of one row."""
        return re.split(f'<tr id="[a-z]+-{key}"', self.text)[1].split("</tr>")[0]

    def cell(self, key: Any, label: str) -> str:
        """The text of one cell, by its column's label."""
        markup = self.row(key).split(f'<td data-label="{label}"')[1].split("</td>")[0]
        return text_of(f"<td{markup}")


def text_of(markup: str) -> str:
    """What is read of a piece of HTML; blocks stand apart, words in a line do not."""
    markup = BLOCK.sub(r" <\1", markup)
    text = "".join(part.partition(">")[2] for part in f">{markup}".split("<"))
    return " ".join(unescape(text).split())


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
