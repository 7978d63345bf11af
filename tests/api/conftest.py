"""A script of anybody, signed in by a token."""

from typing import cast

import pytest
from flask import Flask

from adminsite.models import User
from tests.api.scripts import API, Script, ScriptAs, make_token
from tests.client import SiteClient


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
