"""Reversing entries, and approving or declining what waits (issue Money, 1 and 2)."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.models import PendingAdjustment, User
from adminsite.operations import ledger, users
from adminsite.operations.rules import LARGEST
from tests.client import SiteClient
from tests.lists import Listed
from tests.people import acting
from tests.rows import person
from tests.views.ledgers import (
    URL,
    ClientAs,
    adjusted,
    asked,
    balance,
    count,
    entry,
    limit,
    newest,
)
from tests.views.reading import JSON, actions, message, said, toast

HERE = {"HX-Current-URL": "http://localhost/admin/credits"}
VERBS = ("approve", "decline")


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture
def mia(session: Session) -> User:
    return person("Mia Ash", email="mia@example.com")


class TestReverse:
    def test_says_in_numbers_what_will_happen(self, tab: SiteClient, mia: User) -> None:
        made = entry(mia, 50, "bonus", "Welcome")
        entry(mia, -30, "usage")

        dialog = tab.get(f"{URL}/{made.id}/reverse", htmx=True)

        assert "Reverse +50 of mia@example.com?" in said(dialog)
        assert "Current 20 → New −30 50 credits are taken from Mia Ash" in said(dialog)
        assert "Mia Ash is then in debt by 30 credits." in said(dialog)
        assert "Reason then Welcome" in said(dialog)

    def test_adds_the_opposite_entry(
        self, tab: SiteClient, mia: User, admin: User, session: Session
    ) -> None:
        made = adjusted(mia, 50, by=admin)

        answer = tab.post(f"{URL}/{made.id}/reverse", data={"reason": "Wrong one"}, htmx=True)

        back = newest(session)
        assert (back.amount, back.type, back.reverses_id) == (-50, "reversal", made.id)
        assert Listed(answer).ids == [back.id]
        assert toast(answer) == "success: Took 50 credits from Mia Ash: 50 → 0."
        assert actions(session, mia.id)[-1] == "credits.reversed"

    @pytest.mark.parametrize(("how", "status"), [({}, 303), ({"headers": JSON}, 200)])
    def test_works_without_htmx(
        self, tab: SiteClient, mia: User, session: Session, how: dict[str, Any], status: int
    ) -> None:
        made = entry(mia, 50)

        answer = tab.post(f"{URL}/{made.id}/reverse", data={"reason": "Wrong"}, **how)

        assert (answer.status_code, balance(session, mia)) == (status, 0)

    @pytest.mark.parametrize("reason", ["", "x" * 501, "\x00"])
    def test_asks_again_for_a_reason(
        self, tab: SiteClient, mia: User, session: Session, reason: str
    ) -> None:
        made = entry(mia, 50)

        answer = tab.post(f"{URL}/{made.id}/reverse", data={"reason": reason}, htmx=True)

        assert answer.status_code == 422
        assert '<dialog class="modal" open' in answer.text
        assert 'id="reverse-reason-error"' in answer.text
        assert count(session) == 1

    def test_happens_once(self, tab: SiteClient, mia: User, session: Session) -> None:
        made = entry(mia, 50)
        path = f"{URL}/{made.id}/reverse"
        tab.post(path, data={"reason": "Wrong"})

        asked_again = tab.get(path, htmx=True)
        again = tab.post(path, data={"reason": "Wrong"}, headers=JSON)

        assert (asked_again.status_code, again.status_code) == (409, 409)
        assert message(again) == "This entry was reversed already."
        assert count(session) == 2

    def test_the_same_form_twice_answers_the_same(
        self, tab: SiteClient, mia: User, session: Session
    ) -> None:
        made = entry(mia, 50)
        values = {"reason": "Wrong", "idempotency_key": "one"}

        answers = [tab.post(f"{URL}/{made.id}/reverse", data=values, htmx=True) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert count(session) == 2

    def test_another_reason_with_the_same_key_is_asked_again(
        self, tab: SiteClient, mia: User
    ) -> None:
        first, second = entry(mia, 50), entry(mia, 60)
        values = {"reason": "Wrong", "idempotency_key": "one"}
        tab.post(f"{URL}/{first.id}/reverse", data=values)

        answer = tab.post(f"{URL}/{second.id}/reverse", data=values, htmx=True)

        assert answer.status_code == 409
        assert "This idempotency key was used" in said(answer)

    def test_is_refused_when_the_person_is_gone(
        self, tab: SiteClient, mia: User, admin: User, session: Session
    ) -> None:
        made = entry(mia, 50)
        with transaction():
            users.delete(mia, by=acting(admin), link_action="delete")

        answer = tab.post(f"{URL}/{made.id}/reverse", data={"reason": "x"}, headers=JSON)

        assert answer.status_code == 422
        assert "The account was deleted" in message(answer)
        assert tab.get(f"{URL}/{made.id}/reverse").status_code == 422
        assert count(session) == 1

    def test_waits_beyond_the_limit(
        self,
        app: Flask,
        monkeypatch: pytest.MonkeyPatch,
        tab: SiteClient,
        mia: User,
        session: Session,
    ) -> None:
        made = entry(mia, 500)
        limit(app, monkeypatch, admin=100)

        dialog = tab.get(f"{URL}/{made.id}/reverse", htmx=True)
        answer = tab.post(f"{URL}/{made.id}/reverse", data={"reason": "Wrong"}, headers=JSON)

        assert "Ask for approval" in said(dialog)
        assert answer.status_code == 202
        assert (count(session), count(session, PendingAdjustment)) == (1, 1)
        assert "waits for a second person already" in tab.get(URL).text

    @pytest.mark.parametrize("key", ["0", "999999", str(2**31), "9" * 40])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_of_nothing_is_not_there(self, tab: SiteClient, key: str, method: str) -> None:
        answer = tab.open(f"{URL}/{key}/reverse", method=method, data={"reason": "x"})

        assert answer.status_code == 404

    @pytest.mark.parametrize("who", ["member", "support"])
    def test_is_for_admins(
        self, client_as: ClientAs, mia: User, session: Session, who: str
    ) -> None:
        made = entry(mia, 50)
        other = client_as(who)

        for method in ("GET", "POST"):
            answer = other.open(f"{URL}/{made.id}/reverse", method=method, data={"reason": "x"})
            assert answer.status_code == 403
        assert count(session) == 1

    def test_needs_the_token(self, tab: SiteClient, mia: User, session: Session) -> None:
        made = entry(mia, 50)
        answer = tab.post(f"{URL}/{made.id}/reverse", data={"reason": "x"}, csrf=False)

        assert (answer.status_code, count(session)) == (400, 1)


class TestDecide:
    def test_asks_in_numbers(self, tab: SiteClient, mia: User, owner: User) -> None:
        entry(mia, 20)
        waits = asked(mia, -50, by=owner, reason="Refunded")

        approving = said(tab.get(f"{URL}/pending/{waits.id}/approve", htmx=True))
        declining = said(tab.get(f"{URL}/pending/{waits.id}/decline", htmx=True))

        assert "Approve −50 for Mia Ash?" in approving
        assert "the balance goes from 20 to −30." in approving
        assert "Asked by owner@example.com" in approving
        assert "Reason Refunded" in approving
        assert "in debt by 30 credits" in approving
        assert "Nothing is changed; the request ends." in declining

    def test_approving_makes_the_entry(
        self, tab: SiteClient, mia: User, owner: User, session: Session
    ) -> None:
        waits = asked(mia, 500, by=owner)

        answer = tab.post(
            f"{URL}/pending/{waits.id}/approve", data={"note": "Fine"}, htmx=True, headers=HERE
        )

        made = newest(session)
        assert (made.amount, made.actor_email, made.approved_by) == (
            500,
            "owner@example.com",
            "admin@example.com",
        )
        assert Listed(answer).ids == [made.id]
        assert '<div id="pending" hx-swap-oob="true">' in answer.text
        assert "Waiting for" not in said(answer)
        assert toast(answer) == "success: Added 500 credits to Mia Ash: 0 → 500."

    def test_the_list_names_both(
        self, tab: SiteClient, mia: User, owner: User, session: Session
    ) -> None:
        waits = asked(mia, 500, by=owner)
        tab.post(f"{URL}/pending/{waits.id}/approve", data={"note": "Fine"})

        page = Listed(tab.get(URL, htmx=True))

        told = page.cell(newest(session).id, "By")
        assert told == "owner@example.com + admin@example.com"

    def test_declining_changes_nothing(
        self, tab: SiteClient, mia: User, owner: User, session: Session
    ) -> None:
        waits = asked(mia, 500, by=owner)

        answer = tab.post(f"{URL}/pending/{waits.id}/decline", data={"note": "No"}, headers=JSON)

        assert answer.json is not None
        assert answer.json["data"]["pending"]["status"] == "declined"
        assert answer.json["data"]["pending"]["note"] == "No"
        assert (count(session), balance(session, mia)) == (0, 0)
        assert actions(session, mia.id)[-1] == "credits.declined"

    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize(("how", "status"), [({}, 303), ({"headers": JSON}, 200)])
    def test_works_without_htmx(
        self, tab: SiteClient, owner: User, verb: str, how: dict[str, Any], status: int
    ) -> None:
        waits = asked(person(), 500, by=owner)

        answer = tab.post(f"{URL}/pending/{waits.id}/{verb}", data={"note": "So"}, **how)

        assert answer.status_code == status

    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize("note", ["", " ", "x" * 501, "\x00"])
    def test_needs_a_note(self, tab: SiteClient, owner: User, verb: str, note: str) -> None:
        waits = asked(person(), 500, by=owner)

        answer = tab.post(f"{URL}/pending/{waits.id}/{verb}", data={"note": note}, htmx=True)

        assert answer.status_code == 422
        assert 'id="decide-note-error"' in answer.text

    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_is_not_for_who_asked(
        self, tab: SiteClient, admin: User, verb: str, method: str
    ) -> None:
        waits = asked(person(), 500, by=admin)

        answer = tab.open(
            f"{URL}/pending/{waits.id}/{verb}", method=method, data={"note": "x"}, headers=JSON
        )

        assert answer.status_code == 422
        assert message(answer) == "You asked for this: somebody else has to decide."

    @pytest.mark.parametrize("verb", VERBS)
    def test_happens_once(
        self, tab: SiteClient, mia: User, owner: User, session: Session, verb: str
    ) -> None:
        waits = asked(mia, 500, by=owner)
        path = f"{URL}/pending/{waits.id}"
        tab.post(f"{path}/approve", data={"note": "Fine"})

        again = tab.post(f"{path}/{verb}", data={"note": "Again"}, headers=JSON)

        assert again.status_code == 409
        assert message(again) == "admin@example.com approved this already."
        assert count(session) == 1

    def test_is_refused_beyond_what_a_balance_holds(
        self, tab: SiteClient, mia: User, owner: User, session: Session
    ) -> None:
        waits = asked(mia, 500, by=owner)
        entry(mia, LARGEST)

        answer = tab.post(f"{URL}/pending/{waits.id}/approve", data={"note": "x"}, headers=JSON)

        assert answer.status_code == 422
        assert count(session) == 1

    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize("key", ["0", "77", str(2**31), "9" * 40])
    def test_of_nothing_is_not_there(self, tab: SiteClient, verb: str, key: str) -> None:
        path = f"{URL}/pending/{key}/{verb}"

        assert tab.get(path).status_code == 404
        assert tab.post(path, data={"note": "x"}).status_code == 404

    @pytest.mark.parametrize("who", ["member", "support"])
    @pytest.mark.parametrize("verb", VERBS)
    def test_is_for_admins(
        self, client_as: ClientAs, mia: User, owner: User, who: str, verb: str
    ) -> None:
        waits = asked(mia, 500, by=owner)
        other = client_as(who)

        for method in ("GET", "POST"):
            answer = other.open(
                f"{URL}/pending/{waits.id}/{verb}", method=method, data={"note": "x"}
            )
            assert answer.status_code == 403

    @pytest.mark.parametrize("verb", VERBS)
    def test_needs_the_token(
        self, tab: SiteClient, mia: User, owner: User, session: Session, verb: str
    ) -> None:
        waits = asked(mia, 500, by=owner)

        answer = tab.post(f"{URL}/pending/{waits.id}/{verb}", data={"note": "x"}, csrf=False)

        assert (answer.status_code, count(session)) == (400, 0)

    def test_approving_a_reversal_reverses(
        self, tab: SiteClient, mia: User, owner: User, session: Session
    ) -> None:
        made = entry(mia, 50)
        with transaction():
            waits = ledger.reverse(made, "Wrong", by=acting(owner), cap=0).pending
        assert waits is not None

        page = said(tab.get(URL))
        tab.post(f"{URL}/pending/{waits.id}/approve", data={"note": "Fine"})

        assert f"Reversal of entry {made.id}." in page
        assert (newest(session).reverses_id, balance(session, mia)) == (made.id, 0)
