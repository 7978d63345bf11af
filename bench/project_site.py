"""The back office as it is served, with its SQL statements counted from outside."""

import cProfile
import io
import os
import pstats
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from sqlalchemy import event
from sqlalchemy.engine import Engine

from adminsite.kit.cursor import Cursor, sign
from app import create_app
from bench.counting import Counted

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK")
PROFILE_LINES = 40
PROFILE_HEADER = "HTTP_X_BENCH_PROFILE"
LIST_SCOPE = "links:created_at:"  # the list of links, in its own order, nothing filtered


class Statements:
    """Counts what SQLAlchemy sends to the database."""

    def __init__(self) -> None:
        self._sent = 0
        event.listen(Engine, "before_cursor_execute", self._count)

    def take(self) -> int:
        """How many since the last call."""
        sent, self._sent = self._sent, 0
        return sent

    def _count(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(NOT_COUNTED):
            self._sent += 1


class Profiled:
    """An application whose requests are profiled together, those that ask for it."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self._profile = cProfile.Profile()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if PROFILE_HEADER not in environ:
            return self._app(environ, start_response)
        self._profile.enable()
        try:
            return list(self._app(environ, start_response))
        finally:
            self._profile.disable()

    def take(self, _environ: "WSGIEnvironment") -> str:
        """Where the time went since the last call."""
        text = io.StringIO()
        stats = pstats.Stats(self._profile, stream=text)
        for order in ("cumulative", "tottime"):
            stats.strip_dirs().sort_stats(order).print_stats(PROFILE_LINES)
        self._profile = cProfile.Profile()
        return text.getvalue()


def create_site() -> Counted:
    """The application with its settings from the environment; BENCH_PROFILE=1 profiles it."""
    statements = Statements()
    site = create_app()

    def page_after(environ: "WSGIEnvironment") -> str:
        asked = {name: found[0] for name, found in parse_qs(environ["QUERY_STRING"]).items()}
        return place_query(asked, str(site.config["SECRET_KEY"]))

    extra: dict[str, Any] = {"/__bench__/page-after": page_after}
    app: WSGIApplication = site
    if os.environ.get("BENCH_PROFILE"):
        app = profiled = Profiled(site)
        extra["/__bench__/profile"] = profiled.take
    return Counted(app, statements.take, extra)


def place_query(asked: dict[str, str], secret: str) -> str:
    """The query of the page that follows a row, signed as the application signs it."""
    created = datetime.fromisoformat(asked["at"])
    created = created if created.tzinfo else created.replace(tzinfo=UTC)
    cursor = Cursor("next", created, int(asked["id"]), int(asked.get("position", 0)))
    return urlencode({"cursor": sign(cursor, secret, LIST_SCOPE)})
