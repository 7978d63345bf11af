"""A test client that behaves like a browser tab of its own."""

import contextvars
import re
from typing import Any

from flask import has_app_context
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from adminsite.db import db

SECRET_KEY = "a long random text for the tests only"  # signs every cookie of a test
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
TOKEN = re.compile(r'name="csrf[-_]token"[^>]*(?:content|value)="([^"]+)"')


class SiteClient(FlaskClient):
    """Sends the CSRF token by itself and keeps each request apart from the test's own session.

    `client.post(url, csrf=False)` leaves the token out, `client.get(url, htmx=True)` asks as
    htmx does.
    """

    csrf_token = ""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        headers = Headers(kwargs.pop("headers", None) or {})
        with_token = kwargs.pop("csrf", True) and self.csrf_token
        if with_token and kwargs.get("method", "GET").upper() not in SAFE:
            headers.setdefault("X-CSRFToken", self.csrf_token)
        if kwargs.pop("htmx", False):
            headers.setdefault("HX-Request", "true")
        kwargs.setdefault("buffered", True)
        forget()
        # Without the test's application context: a request shares no g and no session with it.
        answer = contextvars.Context().run(super().open, *args, headers=headers, **kwargs)
        forget()
        return answer

    def sign_in(self, email: str, password: str) -> TestResponse:
        """Sign in through the page, as a person does."""
        self.csrf_token = self.read_token("/login") or self.csrf_token  # none when signed in
        values = {"email": email, "password": password, "csrf_token": self.csrf_token}
        answer = self.post("/login", data=values)
        self.csrf_token = self.read_token("/dashboard") or self.csrf_token
        return answer

    def read_token(self, url: str) -> str:
        """The CSRF token on a page."""
        found = TOKEN.search(self.get(url).text)
        return found[1] if found else ""

    def cookies(self) -> dict[str, str]:
        """Name and value of each cookie held."""
        return {cookie.key: cookie.value for cookie in (self._cookies or {}).values()}

    def adopt(self, cookies: dict[str, str], csrf_token: str) -> None:
        """Go on as the client whose cookies and token these are."""
        for name, value in cookies.items():
            self.set_cookie(name, value)
        self.csrf_token = csrf_token


def forget() -> None:
    """Drop what the test's session has read, so that it reads what the request wrote."""
    if has_app_context():
        db.session.rollback()
        db.session.expire_all()
