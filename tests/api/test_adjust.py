"""`POST /api/admin/credits/adjust`: R-002-31 to R-002-36, R-002-61, D-11, D-13, D-14."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.config import Settings
from adminsite.db import transaction
from adminsite.models import AuditEvent, CreditTransaction, PendingAdjustment, User
from adminsite.operations import approvals
from tests.api.scripts import Script, ScriptAs, coded
from tests.people import acting

PATH = "/credits/adjust"
Body = dict[str, Any]
Send = Callable[..., Any]


@pytest.fixture
def body(member: User) -> Body:
    """What adds ten credits to the member."""
    return {"userId": str(member.id), "amount": 10, "reason": "Goodwill"}


@pytest.fixture
def script(api_as: ScriptAs) -> Script:
    """An admin's."""
    return api_as("admin")


@pytest.fixture
def limit_of(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set ADMINSITE_ADJUST_LIMIT."""

    def set_to(text: str) -> None:
        settings = Settings.load({"TESTING": True, "ADJUST_LIMIT": text}, {})
        monkeypatch.setitem(app.config, "SETTINGS", settings)

    return set_to


def entries(session: Session) -> list[CreditTransaction]:
    session.rollback()
    return list(session.scalars(select(CreditTransaction).order_by(CreditTransaction.id)))


def written(session: Session) -> tuple[int, int]:
    session.rollback()
    counts = (select(func.count()).select_from(t) for t in (CreditTransaction, AuditEvent))
    one, two = (session.scalar(count) or 0 for count in counts)
    return one, two


def balance(session: Session, user: User) -> int:
    session.rollback()
    return session.scalars(select(User.credits_balance).where(User.id == user.id)).one()


class TestAdjust:
    def test_answers_balance_and_entry(
        self, script: Script, body: Body, member: User, admin: User, session: Session
    ) -> None:
        data = script.data("POST", PATH, body)

        [entry] = entries(session)
        assert data["newBalance"] == 10
        assert data["transaction"] == {
            "id": entry.id,
            "user_id": str(member.id),
            "amount": 10,
            "balance_after": 10,
            "type": "admin_adjustment",
            "reference_id": entry.reference_id,
            "description": f"[Admin: {admin.id}] Goodwill",
            "created_at": entry.created_at.isoformat(),
        }

    def test_names_admin_and_time(self, script: Script, body: Body, admin: User) -> None:
        told = script.data("POST", PATH, body)["transaction"]

        assert told["reference_id"].startswith(f"admin_{admin.id}_20")

    def test_moves_the_balance_and_the_time(
        self, script: Script, body: Body, member: User, session: Session
    ) -> None:
        before = member.updated_at

        script.data("POST", PATH, body)

        session.refresh(member)
        assert member.credits_balance == 10
        assert member.updated_at > before

    def test_is_told_by_the_audit(self, script: Script, body: Body, session: Session) -> None:
        script.data("POST", PATH, body)

        event = session.query(AuditEvent).filter_by(action="credits.adjusted").one()
        assert (event.reason, event.changes["credits_balance"]) == ("Goodwill", [0, 10])

    def test_goes_below_zero(self, script: Script, body: Body) -> None:
        assert script.data("POST", PATH, body | {"amount": -25})["newBalance"] == -25

    @pytest.mark.parametrize("amount", [1, -1, 2**31 - 1, -(2**31) + 1])
    def test_takes_any_amount_of_32_bits(self, script: Script, body: Body, amount: int) -> None:
        assert script.data("POST", PATH, body | {"amount": amount})["newBalance"] == amount

    def test_is_seen_in_the_details(self, script: Script, body: Body, member: User) -> None:
        made = script.data("POST", PATH, body)["transaction"]

        details = script.data("GET", f"/users/{member.id}")
        assert details["profile"]["credits_balance"] == 10
        assert details["recentTransactions"] == [made]

    def test_takes_500_characters_as_a_reason(self, script: Script, body: Body) -> None:
        reason = f"  {'ж' * 500}\n"

        told = script.data("POST", PATH, body | {"reason": reason})["transaction"]

        assert told["description"].endswith(f"] {'ж' * 500}")


class TestRefused:
    @pytest.mark.parametrize(
        "amount",
        [
            None,
            0,
            10.0,
            10.5,
            -0.0,
            1e3,
            True,
            False,
            "10",
            "",
            [],
            [10],
            {},
            2**31,
            -(2**31),
            10**30,
        ],
    )
    def test_amounts_are_whole_numbers(
        self, script: Script, body: Body, session: Session, amount: object
    ) -> None:
        before = written(session)

        refusal = script.error("POST", PATH, body | {"amount": amount})

        assert refusal["code"] == "INVALID"
        assert refusal["details"].keys() == {"amount"}
        assert written(session) == before

    @pytest.mark.parametrize(
        "reason",
        [
            None,
            "",
            "  ",
            "\n\t",
            5,
            True,
            [],
            {},
            "x" * 501,
            "a\x00b",
            "\ud800",
            "\u202e",
            "x" * 99999,
        ],
    )
    def test_reasons_are_texts(
        self, script: Script, body: Body, session: Session, reason: object
    ) -> None:
        before = written(session)

        refusal = script.error("POST", PATH, body | {"reason": reason})

        assert refusal["code"] == "INVALID"
        assert refusal["details"].keys() == {"reason"}
        assert written(session) == before

    @pytest.mark.parametrize(
        "key", [None, "", "x", 1, True, [], {}, "\x00", "{0.hex}", "urn:uuid:{0}", " {0}", "{0}\n"]
    )
    def test_ids_are_of_people(
        self, script: Script, body: Body, member: User, session: Session, key: object
    ) -> None:
        before = written(session)
        sent = key.format(member.id) if isinstance(key, str) else key

        refusal = script.error("POST", PATH, body | {"userId": sent})

        assert refusal["details"].keys() == {"userId"}
        assert written(session) == before

    def test_nobody_is_not_found(self, script: Script, body: Body) -> None:
        refusal = script.error("POST", PATH, body | {"userId": str(uuid4())}, 404)

        assert refusal == {"error": "User not found", "code": "NOT_FOUND", "details": {}}

    @pytest.mark.parametrize("name", ["userId", "amount", "reason"])
    def test_fields_are_all_needed(self, script: Script, body: Body, name: str) -> None:
        del body[name]

        assert script.error("POST", PATH, body)["details"].keys() == {name}

    @pytest.mark.parametrize("name", ["set_to", "type", "key", "user_id", "", "x" * 500])
    def test_other_fields_are_refused(
        self, script: Script, body: Body, session: Session, name: str
    ) -> None:
        before = written(session)

        refusal = script.error("POST", PATH, body | {name: 5})

        assert refusal["details"].keys() == {name[:60]}
        assert written(session) == before

    def test_wrong_fields_are_all_named(self, script: Script) -> None:
        wrong = {"userId": "x", "amount": "10", "reason": 5}

        assert script.error("POST", PATH, wrong)["details"].keys() == wrong.keys()

    def test_balance_beyond_32_bits_is_refused(
        self, script: Script, body: Body, session: Session, member: User
    ) -> None:
        script.data("POST", PATH, body | {"amount": 2**31 - 1})

        assert script.error("POST", PATH, body)["code"] == "INVALID"
        assert balance(session, member) == 2**31 - 1

    @pytest.mark.parametrize("who", ["support", "member"])
    def test_levels_below_admin_are_refused(
        self, api_as: ScriptAs, body: Body, session: Session, who: str
    ) -> None:
        script = api_as(who)
        before = written(session)

        assert script.error("POST", PATH, body, 403)["code"] == "NOT_ADMIN"
        assert written(session)[0] == before[0]


class TestKey:
    @pytest.fixture
    def send(self, script: Script) -> Send:
        """Post with a key."""

        def post(sent: Body, key: str, status: int = 200, by: Script = script) -> Any:
            answer = by.ask("POST", PATH, sent, headers={"Idempotency-Key": key})
            assert answer.status_code == status, answer.text
            return answer.json

        return post

    def test_answers_the_first_result_again(self, send: Send, body: Body, session: Session) -> None:
        first = send(body, "k")

        again = send(body, "k")

        assert again == first
        assert len(entries(session)) == 1

    def test_answers_the_first_result_after_others(
        self, send: Send, script: Script, body: Body, session: Session
    ) -> None:
        first = send(body, "k")
        script.data("POST", PATH, body)

        assert send(body, "k") == first
        assert len(entries(session)) == 2

    @pytest.mark.parametrize("change", [{"amount": 11}, {"reason": "Other"}])
    def test_is_refused_with_another_body(
        self, send: Send, body: Body, session: Session, change: Body
    ) -> None:
        send(body, "k")

        assert send(body | change, "k", 409)["code"] == "CONFLICT"
        assert len(entries(session)) == 1

    def test_is_refused_for_another_person(
        self, send: Send, body: Body, owner: User, session: Session
    ) -> None:
        send(body, "k")

        assert send(body | {"userId": str(owner.id)}, "k", 409)["code"] == "CONFLICT"
        assert len(entries(session)) == 1

    def test_is_the_callers_own(
        self, send: Send, api_as: ScriptAs, body: Body, session: Session
    ) -> None:
        send(body, "k")

        send(body | {"amount": 5}, "k", by=api_as("owner"))

        assert [entry.amount for entry in entries(session)] == [10, 5]

    def test_is_one_for_all_tokens_of_a_caller(
        self, send: Send, api_as: ScriptAs, body: Body, session: Session
    ) -> None:
        send(body, "k")

        send(body, "k", by=api_as("admin"))

        assert len(entries(session)) == 1

    def test_is_not_used_up_by_a_refused_request(
        self, send: Send, body: Body, session: Session
    ) -> None:
        send(body | {"amount": 0}, "k", 400)
        send(body | {"userId": str(uuid4())}, "k", 404)
        send(body | {"amount": 2**31 - 1}, "other")
        send(body, "k", 400)

        send(body | {"amount": -5}, "k")

        assert [entry.amount for entry in entries(session)] == [2**31 - 1, -5]

    @pytest.mark.parametrize("key", ["k" * 255, "~", "a b", "00000000-0000-0000-0000-000000000000"])
    def test_is_any_word(self, send: Send, body: Body, session: Session, key: str) -> None:
        send(body, key)
        send(body, key)

        assert len(entries(session)) == 1

    @pytest.mark.parametrize("key", ["", "k" * 256, "k" * 9999, "é", "a\tb", "\x7f"])
    def test_of_another_form_is_refused(
        self, send: Send, body: Body, session: Session, key: str
    ) -> None:
        assert send(body, key, 400)["details"].keys() == {"idempotency_key"}
        assert entries(session) == []

    def test_left_out_is_no_key(self, script: Script, body: Body, session: Session) -> None:
        script.data("POST", PATH, body)
        script.data("POST", PATH, body)

        assert len(entries(session)) == 2


class TestLimit:
    def test_leaves_what_is_beyond_to_a_second_person(
        self, limit_of: Any, script: Script, body: Body, admin: User, session: Session
    ) -> None:
        limit_of("9")

        data = script.data("POST", PATH, body, 202)

        pending = session.scalars(select(PendingAdjustment)).one()
        assert data == {
            "pending": {
                "id": pending.id,
                "user_id": body["userId"],
                "amount": 10,
                "reason": "Goodwill",
                "status": "pending",
                "requested_by": str(admin.id),
                "created_at": pending.created_at.isoformat(),
            }
        }
        assert entries(session) == []

    @pytest.mark.parametrize("amount", [9, -9])
    def test_is_not_passed_by_what_reaches_it(
        self, limit_of: Any, script: Script, body: Body, amount: int
    ) -> None:
        limit_of("9")

        assert script.data("POST", PATH, body | {"amount": amount})["newBalance"] == amount

    def test_is_of_the_level(
        self, limit_of: Any, api_as: ScriptAs, script: Script, body: Body
    ) -> None:
        limit_of("admin=9,owner=100")

        script.data("POST", PATH, body, 202)
        api_as("owner").data("POST", PATH, body)

    def test_makes_one_request_for_one_key(
        self, limit_of: Any, script: Script, body: Body, session: Session
    ) -> None:
        limit_of("9")
        key = {"Idempotency-Key": "k"}

        first, again = (script.ask("POST", PATH, body, headers=key) for _ in range(2))

        assert (first.status_code, again.status_code) == (202, 202)
        assert first.json == again.json
        assert session.scalar(select(func.count()).select_from(PendingAdjustment)) == 1

    def test_lets_a_key_show_what_became_of_the_request(
        self, limit_of: Any, script: Script, body: Body, owner: User, session: Session
    ) -> None:
        limit_of("9")
        key = {"Idempotency-Key": "k"}
        script.ask("POST", PATH, body, headers=key)
        with transaction():
            pending = session.scalars(select(PendingAdjustment)).one()
            approvals.approve(pending, "Fine", by=acting(owner))

        again = script.ask("POST", PATH, body, headers=key)

        assert again.status_code == 202
        assert again.json is not None
        assert again.json["data"]["pending"]["status"] == "approved"


BODIES = [
    b"",
    b" ",
    b"{",
    b"[]",
    b"[1]",
    b"null",
    b"1",
    b'"x"',
    b"{'amount': 1}",
    b'{"amount": NaN}',
    b'{"amount": Infinity}',
    b'{"amount": ' + b"9" * 5000 + b"}",
    b'{"amount": 1, "amount": 1000000}',
    b'{"reason": "\\ud800"}',
    b'{"\\ud800": 1}',
    b"\xff\xfe",
    b"\x00",
    b'{"reason": "\xff"}',
    b"[" * 100_000,
    b'{"amount":' * 100_000,
    b'{"reason": "' + b"x" * 3_000_000 + b'"}',
    b"amount=1&reason=x",
]


class TestHostile:
    @pytest.mark.parametrize("sent", BODIES, ids=lambda sent: repr(sent)[:30])
    @pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-16"])
    def test_bodies_are_refused(
        self, api_as: ScriptAs, member: User, session: Session, sent: bytes, kind: str
    ) -> None:
        script = api_as("owner")
        before = written(session)

        for verb, path in (("POST", PATH), ("PATCH", f"/users/{member.id}")):
            answer = script.ask(verb, path, data=sent, content_type=kind)

            assert answer.status_code == (413 if len(sent) > 2_500_000 else 400)
            assert coded(answer)["code"] == ("TOO_LARGE" if len(sent) > 2_500_000 else "INVALID")
        assert written(session) == before

    @pytest.mark.parametrize(
        "kind", [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
    )
    def test_bodies_that_are_not_said_to_be_json_are_refused(
        self, script: Script, body: Body, kind: str | None
    ) -> None:
        for sent in (b'{"amount": 1}', b"amount=1", b""):
            answer = script.ask("POST", PATH, data=sent, content_type=kind)

            assert answer.status_code == 400
            assert coded(answer)["error"] == "Send a JSON object."
