"""A browser's part of HTTP: cookies, forms, and the time each answer took."""

import http.client
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode

Pairs = Iterable[tuple[str, str]]
NOT_SENT = frozenset({"submit", "button", "reset", "image", "file"})


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: its text and headers, and what it cost."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    ms: float

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


class UnexpectedAnswerError(RuntimeError):
    """The server answered, but not what was asked for."""


@dataclass
class Browser:
    """Requests to one local server, with the cookies it set.

    Attributes:
        headers: sent with every request, for example the CSRF token.
    """

    port: int
    timeout_s: float = 30
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, *, htmx: bool = False, expect: int = 200) -> Reply:
        """Ask for a page, or with `htmx` for its fragment."""
        headers = {"HX-Request": "true"} if htmx else {}
        return self._checked(self._send("GET", path, None, headers), path, expect)

    def post(self, path: str, fields: Pairs, *, htmx: bool = False, expect: int = 200) -> Reply:
        """Send a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if htmx:
            headers["HX-Request"] = "true"
        sent = self._send("POST", path, urlencode(list(fields)).encode(), headers)
        return self._checked(sent, path, expect)

    def _checked(self, reply: Reply, path: str, expect: int) -> Reply:
        if reply.status != expect:
            message = f"{path[:80]} answered {reply.status}: {reply.text[:300]!r}"
            raise UnexpectedAnswerError(message)
        return reply

    def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        sent = {"Accept": "text/html", **self.headers, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_s)
        try:
            started = time.perf_counter()
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            received = response.read()
            ms = (time.perf_counter() - started) * 1000
        finally:
            connection.close()
        for cookie in response.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.split(";", 1)[0].partition("=")
            self.cookies[name] = value
        return Reply(response.status, dict(response.headers), received, ms)


def form_with(name: str, page: str) -> list[tuple[str, str]]:
    """What a browser would send of the first form on the page that has this field.

    Raises:
        UnexpectedAnswerError: no form has it.
    """
    parser = _FormParser()
    parser.feed(page)
    for pairs in parser.forms:
        if any(field_name == name for field_name, _ in pairs):
            return pairs
    names = [[field_name for field_name, _ in pairs] for pairs in parser.forms]
    raise UnexpectedAnswerError(f"no form with a field {name!r}, only {names}")


class _FormParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[list[tuple[str, str]]] = []
        self._form: list[tuple[str, str]] | None = None
        self._select: str | None = None
        self._textarea: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = []
            self.forms.append(self._form)
        if self._form is None or "disabled" in found:
            return
        name = found.get("name", "")
        if tag == "input" and name:
            self._input(name, found)
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in found:
            self._form.append((self._select, found.get("value", "")))
        elif tag == "textarea":
            self._textarea, self._text = name, ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea" and self._textarea:
            if self._form is not None:
                # Browsers drop the one line break that may follow the tag.
                self._form.append((self._textarea, self._text.removeprefix("\n")))
            self._textarea = None

    def _input(self, name: str, found: dict[str, str]) -> None:
        kind = found.get("type", "text")
        unticked = kind in {"checkbox", "radio"} and "checked" not in found
        if self._form is not None and kind not in NOT_SENT and not unticked:
            self._form.append((name, found.get("value", "")))
