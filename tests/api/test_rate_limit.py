"""How many requests one token may send (contract, Environment)."""

import pytest
from flask import Flask
from limits.errors import StorageError

from adminsite import throttle
from adminsite.models import User
from adminsite.throttle import limits_of
from tests.api.scripts import Script, ScriptAs, make_token
from tests.client import SiteClient

FAMILIES = ["/admin/api/admins", "/api/admin/users"]


@pytest.fixture(autouse=True)
def three_per_minute(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with ADMINSITE_API_RATE_LIMIT="3 per minute"."""
    limits = limits_of("API_RATE_LIMIT", "3 per minute")
    monkeypatch.setattr(app.extensions[throttle.API_KEY], "limits", limits)


def use_up(script: Script) -> None:
    for _ in range(3):
        assert script.ask("GET", "/admin/api/admins").status_code == 200


@pytest.fixture
def script(script_as: ScriptAs) -> Script:
    """An owner's, for both families."""
    made = script_as("owner")
    made.root = ""
    return made


class TestLimit:
    @pytest.mark.parametrize("path", FAMILIES)
    @pytest.mark.parametrize("verb", ["GET", "POST", "DELETE"])
    def test_refuses_beyond_it(self, script: Script, path: str, verb: str) -> None:
        use_up(script)

        answer = script.ask(verb, path)

        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60

    def test_is_told_in_the_envelope_of_each_family(self, script: Script) -> None:
        use_up(script)

        inner, outer = (script.ask("GET", path).json for path in FAMILIES)

        assert inner is not None
        assert outer is not None
        assert inner["error"]["message"] == outer["error"]
        assert outer["error"].startswith("Too many requests with this token. Wait ")
        assert outer["code"] == "RATE_LIMITED"

    def test_counts_both_families_together(self, script: Script) -> None:
        for path in (*FAMILIES, *FAMILIES[:1]):
            script.ask("GET", path)

        assert script.ask("GET", FAMILIES[1]).status_code == 429

    def test_counts_what_is_refused_too(self, script: Script) -> None:
        for _ in range(3):
            script.ask("POST", "/admin/api/admins", {})

        assert script.ask("GET", FAMILIES[0]).status_code == 429

    def test_is_of_each_token(self, script: Script, owner: User) -> None:
        use_up(script)

        assert (
            Script(script.client, make_token(owner), "").ask("GET", FAMILIES[0]).status_code == 200
        )

    def test_is_not_of_browsers(self, script: Script, client_as: object) -> None:
        use_up(script)
        assert callable(client_as)
        browser = client_as("owner")

        statuses = {browser.get(FAMILIES[0]).status_code for _ in range(5)}

        assert statuses == {200}

    def test_does_not_hide_that_a_token_is_none(self, client: SiteClient) -> None:
        sent = {"Authorization": "Bearer adm_none"}

        statuses = {client.get(path, headers=sent).status_code for path in FAMILIES * 3}

        assert statuses == {401}

    def test_is_counted_here_when_the_store_fails(
        self, script: Script, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_args: object, **_kwargs: object) -> None:
            raise StorageError(ConnectionError("gone"))

        monkeypatch.setattr(app.extensions[throttle.API_KEY].counter.storage, "incr", fail)
        use_up(script)

        assert script.ask("GET", FAMILIES[0]).status_code == 429
