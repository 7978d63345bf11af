"""A script of anybody, signed in by a token."""

from collections.abc import Iterator
from typing import cast

import pytest
from flask import Flask

from adminsite.models import User
from tests.api.scripts import API, Script, ScriptAs, make_token
from tests.browser.server import serving
from tests.client import SECRET_KEY, SiteClient
from tests.database import Database

SERVED = {
    "SECRET_KEY": SECRET_KEY,
    "TRUSTED_HOSTS": "127.0.0.1",
    "SESSION_COOKIE_SECURE": "0",
    "API_RATE_LIMIT": "1000000 per minute",
    "ADJUST_LIMIT": "1000000",
}


@pytest.fixture
def script_as(request: pytest.FixtureRequest, app: Flask) -> ScriptAs:
    """A script with a token: `script_as("owner", scope="read")`, or of a person."""

    def make(who: str | User, **values: object) -> Script:
        user = request.getfixturevalue(who) if isinstance(who, str) else who
        return Script(cast("SiteClient", app.test_client()), make_token(user, **values))

    return make


@pytest.fixture
def api_as(script_as: ScriptAs) -> ScriptAs:
    """The same for `/api/admin`."""

    def make(who: str | User, **values: object) -> Script:
        made = script_as(who, **values)
        made.root = API
        return made

    return make


@pytest.fixture(scope="session")
def served_api(
    application: Flask, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The production server with several processes, on the database of `app`."""
    settings = SERVED | {"DATABASE_URL": database.url}
    with serving(settings, tmp_path_factory.mktemp("api") / "log", workers=2) as url:
        yield url
