"""The OpenAPI document: it names every route, and what it says of them is true."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from flask import Flask
from jsonschema_rs import Draft202012Validator

from adminsite.api import contracts, openapi
from adminsite.api.describe import operation_of
from adminsite.models import User
from tests.api.scripts import Script, ScriptAs, make_token, staff
from tests.browser.server import environment
from tests.client import SiteClient
from tests.factories import SubscriptionFactory, UserFactory
from tests.people import make_person

ClientAs = Callable[[str], SiteClient]
DOCUMENT = "/api/openapi.json"
CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "12")  # for each route and way of asking
SEED = os.environ.get("FUZZ_SEED", "20260105")
ADMIN_ID = 7  # as in the document's examples


@pytest.fixture
def told(app: Flask) -> dict[str, Any]:
    """The document, as it is sent."""
    return cast("dict[str, Any]", app.test_client().get(DOCUMENT).json)


@pytest.fixture
def people_of_the_examples(app: Flask) -> None:
    """The person and the staff record that the examples name."""
    SubscriptionFactory.create(user=UserFactory.create(id=UUID(contracts.EXAMPLE_USER)))
    staff(name="Zed", id=ADMIN_ID)


def operations(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, verbs in told["paths"].items():
        for verb, one in verbs.items():
            yield verb, path, one


def validator(told: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema | {"components": told["components"]}, validate_formats=True)


class TestDocument:
    def test_is_openapi_3_1(self, told: dict[str, Any]) -> None:
        assert told["openapi"] == "3.1.0"

    def test_names_every_route_of_both_families(self, app: Flask, told: dict[str, Any]) -> None:
        rules = openapi.routes(app)
        routes = {
            (verb.lower(), re.sub(r"<(\w+)>", r"{\1}", rule.rule))
            for rule in rules
            for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        }

        assert {(verb, path) for verb, path, _ in operations(told)} == routes
        assert all(operation_of(app.view_functions[rule.endpoint]) for rule in rules)

    def test_names_each_operation_once(self, told: dict[str, Any]) -> None:
        names = [one["operationId"] for _, _, one in operations(told)]

        assert len(set(names)) == len(names) == 12

    def test_leaves_no_room_for_other_fields(self, told: dict[str, Any]) -> None:
        open_ones = [
            name
            for name, schema in told["components"]["schemas"].items()
            if schema["additionalProperties"] is not False
        ]

        assert not open_ones

    def test_refers_to_what_is_there(self, told: dict[str, Any]) -> None:
        refs = set(re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(told)))

        assert all(name in told["components"][kind] for kind, name in refs)

    def test_asks_for_the_csrf_token_with_sessions_that_write(self, told: dict[str, Any]) -> None:
        for verb, path, one in operations(told):
            session = one["security"][1]
            assert ("csrf" in session) == (verb != "get"), path

    def test_names_the_cookie_that_is_used(self, app: Flask, told: dict[str, Any]) -> None:
        schemes = told["components"]["securitySchemes"]

        assert schemes["session"]["name"] == app.config["SESSION_COOKIE_NAME"]
        assert schemes["token"] | {"description": ""} == {
            "type": "http",
            "scheme": "bearer",
            "description": "",
        }

    def test_has_examples_that_fit(self, told: dict[str, Any]) -> None:
        for name, schema in told["components"]["schemas"].items():
            for field, one in schema["properties"].items():
                if "example" in one:
                    assert validator(told, one).is_valid(one["example"]), (name, field)

    def test_is_the_same_however_it_is_asked_for(
        self, client: SiteClient, client_as: ClientAs, told: dict[str, Any]
    ) -> None:
        assert client.get(DOCUMENT).json == client_as("owner").get(DOCUMENT + "/").json == told

    def test_says_where_the_site_is_mounted(self, client: SiteClient) -> None:
        answer = client.get(DOCUMENT, environ_overrides={"SCRIPT_NAME": "/back"})

        assert answer.json is not None
        assert answer.json["servers"] == [{"url": "/back"}]

    @pytest.mark.parametrize("who", ["member", "support", "admin", "owner"])
    def test_is_for_everybody(self, client_as: ClientAs, who: str) -> None:
        assert client_as(who).get(DOCUMENT).status_code == 200

    def test_holds_nothing_of_anybodys(self, owner: User, client: SiteClient) -> None:
        text = client.get(DOCUMENT).text

        assert owner.email not in text
        assert "secret" not in text.lower()

    @pytest.mark.usefixtures("people_of_the_examples")
    def test_has_bodies_that_are_taken(self, script_as: ScriptAs, told: dict[str, Any]) -> None:
        script = script_as("owner")
        script.root = ""

        for verb, path, one in operations(told):
            if "requestBody" in one:
                body = one["requestBody"]["content"]["application/json"]["example"]
                answer = send(script, verb, path, one, json=body | fresh(verb, path))
                assert answer.status_code < 300, (verb, path, answer.text)

    @pytest.mark.usefixtures("people_of_the_examples")
    def test_describes_what_is_answered(self, script_as: ScriptAs, told: dict[str, Any]) -> None:
        script = script_as("owner")
        script.root = ""

        for verb, path, one in operations(told):
            if verb == "get":
                answer = send(script, verb, path, one)
                said = one["responses"]["200"]["content"]["application/json"]["schema"]
                validator(told, said).validate(answer.json)


def send(script: Script, verb: str, path: str, one: dict[str, Any], **how: Any) -> Any:
    for parameter in one["parameters"]:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
    return script.ask(verb.upper(), path, **how)


def fresh(verb: str, path: str) -> dict[str, Any]:
    """Another address for each who gets one."""
    takes_email = path.startswith("/admin/api") and path.endswith(("admins", "{key}"))
    return {"email": f"{verb}@example.com"} if takes_email else {}


class TestPage:
    @pytest.mark.parametrize("who", ["member", "support", "admin", "owner"])
    def test_is_for_everybody_who_is_signed_in(self, client_as: ClientAs, who: str) -> None:
        answer = client_as(who).get("/api/docs")

        assert answer.status_code == 200
        assert "<h1>API documentation</h1>" in answer.text
        assert f"{who.title()} Person" in answer.text

    @pytest.mark.parametrize("path", ["/api/docs", "/api/docs/"])
    def test_is_for_the_signed_out_too(self, client: SiteClient, path: str) -> None:
        answer = client.get(path)

        assert answer.status_code == 200
        assert answer.mimetype == "text/html"

    def test_shows_every_route_and_contract(self, client: SiteClient, told: dict[str, Any]) -> None:
        page = client.get("/api/docs").text

        for _, path, one in operations(told):
            assert f'id="{one["operationId"]}"' in page, path
        for name in told["components"]["schemas"]:
            assert f'id="contract-{name}"' in page

    def test_has_no_link_to_nowhere(self, client: SiteClient) -> None:
        page = client.get("/api/docs").text

        links = set(re.findall(r'href="#([\w-]+)"', page))
        assert links <= set(re.findall(r'id="([\w-]+)"', page))

    def test_loads_nothing_from_elsewhere(self, client: SiteClient) -> None:
        answer = client.get("/api/docs")

        assert all(url.startswith("/") for url in re.findall(r'src="([^"]+)"', answer.text))
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]

    @pytest.mark.usefixtures("people_of_the_examples")
    def test_shows_commands_that_work(self, script_as: ScriptAs, client: SiteClient) -> None:
        script = script_as("owner")
        script.root = ""
        commands = re.findall(r"<pre[^>]*>(curl .*?)</pre>", client.get("/api/docs").text)

        assert len(commands) == 12
        for command in sorted(commands, key=lambda line: "DELETE" in line):
            verb, url, headers, body = parsed(unescaped(command))
            assert headers.pop("Authorization") == "Bearer TOKEN"
            sent = body.replace("ann@example.com", f"ann{len(url)}@example.com")
            answer = script.ask(verb, url, data=sent, headers=headers)
            assert answer.status_code < 300, (command, answer.text)

    def test_is_linked_from_the_tokens_of_ones_own_account(self, client_as: ClientAs) -> None:
        page = client_as("support").get("/dashboard").text

        assert '<a class="text-link" href="/api/docs">API documentation</a>' in page


def unescaped(text: str) -> str:
    for sign, code in (("'", "&#39;"), ('"', "&#34;"), ("<", "&lt;"), ("&", "&amp;")):
        text = text.replace(code, sign)
    return text


def parsed(command: str) -> tuple[str, str, dict[str, str], str]:
    """The verb, path, headers and body of a command."""
    words = shlex.split(command)
    pairs = list(pairwise(words))
    headers = dict(value.split(": ", 1) for flag, value in pairs if flag == "-H")
    verb = next((value for flag, value in pairs if flag == "-X"), "GET")
    body = next((value for flag, value in pairs if flag == "-d"), "")
    return verb, words[-1].removeprefix("http://localhost"), headers, body


@pytest.mark.usefixtures("people_of_the_examples")
def test_both_families_keep_to_the_document(app: Flask, served_api: str, tmp_path: Path) -> None:
    """Whatever the document allows and forbids, asked by schemathesis with all its checks."""
    token = make_token(make_person("owner"))
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG)),
        *("run", served_api + DOCUMENT, "--header", f"Authorization: Bearer {token}"),
        *("--max-examples", EXAMPLES, "--seed", SEED, "--no-color"),
    ]

    done = subprocess.run(
        command,
        env=environment({}) | {"COLUMNS": "200"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "Tested: 12" in done.stdout
