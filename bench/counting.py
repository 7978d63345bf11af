"""A wrapper around a WSGI application that tells how many SQL statements it sent."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

STATEMENTS_PATH = "/__bench__/statements"
Answer: TypeAlias = Callable[["WSGIEnvironment"], object]


@dataclass
class Counted:
    """The application itself, and beside it a few addresses that only the benchmark asks.

    Attributes:
        take_statements: gives the statements since the last call and starts again at 0.
        extra: what other benchmark addresses answer, as JSON.
    """

    app: "WSGIApplication"
    take_statements: Callable[[], int]
    extra: dict[str, Answer] = field(default_factory=dict)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/__bench__/"):
            return self.app(environ, start_response)
        answer = self.take_statements() if path == STATEMENTS_PATH else self.extra[path](environ)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]
