"""Requests that nobody honest sends to `/admin/api`: refused in its envelope, nothing written."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.models import AuditEvent, User
from tests.api.scripts import ANN, ROUTES, ScriptAs, refusal, staff

WRITES = [route for route in ROUTES if route[2]]
ONE = [route for route in ROUTES if "{id}" in route[1]]
PLACES = [  # every field of every route that takes it
    *(("POST", "/admins", name) for name in ANN),
    *(("PUT", "/admins/{id}", name) for name in (*ANN, "status")),
    ("PUT", "/admins/{id}/role", "role"),
    ("PUT", "/admins/{id}/status", "status"),
]
VALUES = [
    None,
    0,
    1,
    -1.5,
    10**40,
    True,
    [],
    ["admin"],
    {},
    {"role": "admin"},
    "",
    "  ",
    "\x00",
    "a\x00@example.com",
    "\ud800",
    "a\ud800@example.com",
    "a\nb@example.com",
    "\u202e",
    "x" * 1_000_000,
    "@",
]
BODIES = [
    b"",
    b" ",
    b"{",
    b"{}",
    b"[]",
    b"null",
    b"true",
    b"1",
    b'"role"',
    b"{'role': 'admin'}",
    b'{"role": NaN}',
    b'{"role": "admin", "role": "support"}',  # which of them is meant?
    b'{"role": ' + b"9" * 5000 + b"}",
    b'{"\\ud800": "x"}',
    b'{"": ""}',
    b"\xff\xfe",
    b"\x00",
    b'{"role": "\xff"}',
    b"[" * 100_000,
    b'{"role":' * 100_000,
    b'{"role": "' + b"x" * 3_000_000 + b'"}',
    b"role=admin&status=active",
]
WRONG_IDS = ["0", "-1", "999", "2147483648", "9" * 30, "9" * 5000, "abc", "1.5", "1e3", "%00"]
WRONG_IDS += ["٣", "%20", "null", "..%2f1", "1;2", "00000000-0000-0000-0000-000000000000"]


def written(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(AuditEvent)) or 0


class TestRefused:
    @pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
    def test_values_are_refused_in_every_field(
        self, script_as: ScriptAs, member: User, session: Session, value: object
    ) -> None:
        script, pk = script_as("owner"), staff().id
        before = written(session)

        for verb, path, name in PLACES:
            if value == "@" and name == "full_name":
                continue  # a strange name, but one
            body = {**ANN, "email": member.email} if verb == "POST" else {}

            error = script.error(verb, path.format(id=pk), {**body, name: value})

            assert error["fields"].keys() == {name}, (verb, path, name)
        assert written(session) == before

    @pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body)[:30])
    @pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-16"])
    def test_bodies_are_refused(
        self, script_as: ScriptAs, session: Session, body: bytes, kind: str
    ) -> None:
        script, pk = script_as("owner"), staff().id
        before = written(session)

        for verb, path, _body in WRITES:
            answer = script.ask(verb, path.format(id=pk), data=body, content_type=kind)

            assert answer.status_code == (413 if len(body) > 2_500_000 else 400), (verb, path)
            assert refusal(answer)
        assert written(session) == before

    @pytest.mark.parametrize(
        "kind",
        [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "é"],
    )
    def test_bodies_that_are_not_said_to_be_json_are_refused(
        self, script_as: ScriptAs, kind: str | None
    ) -> None:
        script, pk = script_as("owner"), staff().id

        for verb, path, _body in WRITES:
            for data in (b'{"role": "owner"}', b"role=owner", b""):
                answer = script.ask(verb, path.format(id=pk), data=data, content_type=kind)

                assert answer.status_code == 400, (verb, path, data)
                assert refusal(answer)["message"] == "Send a JSON object."

    @pytest.mark.parametrize("pk", WRONG_IDS, ids=lambda pk: pk[:20])
    def test_ids_are_not_found(self, script_as: ScriptAs, session: Session, pk: str) -> None:
        script = script_as("owner")
        before = written(session)

        for verb, path, body in ONE:
            assert script.error(verb, path.format(id=pk), body, status=404), (verb, path)
        assert written(session) == before

    @pytest.mark.parametrize(
        ("path", "allowed"),
        [
            ("/admins", {"GET", "HEAD", "OPTIONS", "POST"}),
            ("/admins/1", {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}),
            ("/admins/1/role", {"OPTIONS", "PUT"}),
            ("/admins/1/status", {"OPTIONS", "PUT"}),
        ],
    )
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_verbs_are_told_which_there_are(
        self, script_as: ScriptAs, path: str, allowed: set[str], slash: str
    ) -> None:
        script = script_as("owner")

        for verb in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"} - allowed:
            answer = script.ask(verb, path + slash, {})

            assert answer.status_code == 405, verb
            assert set(answer.headers["Allow"].split(", ")) == allowed
            assert refusal(answer)

    @pytest.mark.parametrize(
        "path", ["", "/", "/nothing", "/admins/1/nothing", "/admins/1/role/1", "/admin", "/%00"]
    )
    @pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE"])
    def test_addresses_are_not_found(self, script_as: ScriptAs, path: str, verb: str) -> None:
        assert script_as("owner").error(verb, path, {}, status=404)
