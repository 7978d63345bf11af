"""Changing a subscription: the question, the answer, and what refuses it, at every door."""

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.db import db, transaction
from adminsite.models import Subscription, User
from adminsite.operations import users
from adminsite.permissions import SYSTEM
from tests.client import SiteClient
from tests.lists import statements, text_of
from tests.rows import person
from tests.views.reading import JSON, actions, events, hidden, message, said, toast
from tests.views.subscribing import URL, older, subscribed

ClientAs = Callable[[str | User], SiteClient]
WHY = "asked for it on the phone"
ROW = f"{URL}/sub_1"
PLAN, STATUS = f"{ROW}/plan", f"{ROW}/status"
TO_PRO = {"tier": "pro", "reason": WHY}
TO_END = {"status": "canceled", "reason": WHY}
HOWS: tuple[dict[str, Any], ...] = ({}, {"htmx": True}, {"headers": JSON})
RADIO = re.compile(r'type="radio" name="(\w+)" value="(\w+)"([^>]*)>')


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture
def mia(app: Flask) -> User:
    return person("Mia Lund", email="mia@example.com")


@pytest.fixture
def row(mia: User) -> Subscription:
    return subscribed(mia, "starter", id="sub_1")


def stored() -> tuple[str | None, str]:
    """The plan and the status of the subscription now."""
    db.session.expire_all()
    row = db.session.get_one(Subscription, "sub_1")
    return row.tier, row.status


def mirrored(user: User) -> tuple[str | None, str | None]:
    """What the person's row says."""
    db.session.refresh(user)
    return user.subscription_tier, user.subscription_status


def offered(answer: TestResponse) -> list[str]:
    """The choices of the question."""
    return [value for _name, value, _rest in RADIO.findall(answer.text)]


def checked(answer: TestResponse) -> list[str]:
    return [value for _name, value, rest in RADIO.findall(answer.text) if "checked" in rest]


def typed(answer: TestResponse) -> str:
    """What stands in the reason's field."""
    found = re.search(r"<textarea[^>]*>\s?(.*?)</textarea>", answer.text, re.DOTALL)
    assert found is not None
    return unescape(found[1]).strip()


class TestQuestion:
    @pytest.mark.usefixtures("row")
    def test_shows_what_is_and_what_it_can_become(self, tab: SiteClient) -> None:
        answer = tab.get(PLAN, htmx=True)

        told = text_of(answer.text)
        assert "Change the plan of Mia Lund?" in told
        assert "Person mia@example.com" in told
        assert "Plan now Starter" in told
        assert "Starter → Pro" in told
        assert offered(answer) == ["hobby", "pro", "business"]

    @pytest.mark.usefixtures("row")
    def test_says_that_no_payment_provider_is_called(self, tab: SiteClient) -> None:
        for address in (PLAN, STATUS):
            assert "Changing it calls no payment provider." in text_of(tab.get(address).text)

    @pytest.mark.parametrize(
        ("status", "moves"),
        [
            ("incomplete", ["trialing", "active", "canceled"]),
            ("trialing", ["active", "past_due", "unpaid", "canceled"]),
            ("active", ["past_due", "unpaid", "canceled"]),
            ("past_due", ["active", "unpaid", "canceled"]),
            ("unpaid", ["active", "past_due", "canceled"]),
            ("canceled", ["active"]),
        ],
    )
    def test_offers_only_the_moves_there_are(
        self, tab: SiteClient, mia: User, status: str, moves: list[str]
    ) -> None:
        subscribed(mia, status=status, id="sub_1")

        assert offered(tab.get(STATUS, htmx=True)) == moves

    @pytest.mark.usefixtures("row")
    def test_is_a_dialog_to_htmx_and_else_a_page(self, tab: SiteClient) -> None:
        dialog, page = tab.get(PLAN, htmx=True).text, tab.get(PLAN).text

        assert "<dialog" in dialog
        assert "<html" not in dialog
        assert f'<form class="stack" method="post" action="{PLAN}"' in page
        assert "<title>Change the plan of Mia Lund?" in page

    @pytest.mark.usefixtures("row")
    def test_is_put_in_place_of_the_row(self, tab: SiteClient) -> None:
        asked = unescape(tab.get(PLAN, htmx=True).text)

        assert """hx-target="[id="subscription-sub_1"]" hx-swap="outerHTML\"""" in asked

    @pytest.mark.usefixtures("row")
    def test_from_another_page_leads_back_there(self, tab: SiteClient) -> None:
        asked = tab.get(f"{PLAN}?return_to=/admin/users/x", htmx=True)
        page = tab.get(f"{PLAN}?return_to=/admin/users/x")

        assert 'hx-swap="none"' in asked.text
        assert hidden(asked)["return_to"] == "/admin/users/x"
        assert 'href="/admin/users/x"' in page.text

    @pytest.mark.usefixtures("row")
    @pytest.mark.parametrize("where", ["//evil.example", "https://evil.example", "x", "/\\evil"])
    def test_leads_to_no_other_site(self, tab: SiteClient, where: str) -> None:
        asked = tab.get(PLAN, query_string={"return_to": where})

        assert "return_to" not in hidden(asked)
        assert "evil" not in said(asked)

    @pytest.mark.parametrize("how", HOWS)
    def test_about_the_plan_of_an_ended_one_is_refused(
        self, tab: SiteClient, mia: User, how: dict[str, Any]
    ) -> None:
        subscribed(mia, status="canceled", id="sub_1")

        answer = tab.get(PLAN, **how)

        assert answer.status_code == 422
        assert "Make it active again before its plan changes." in unescape(answer.text)

    @pytest.mark.parametrize("address", [PLAN, STATUS])
    def test_about_an_older_one_is_refused(self, tab: SiteClient, mia: User, address: str) -> None:
        older(mia, id="sub_1", status="canceled")
        subscribed(mia, id="sub_2")

        answer = tab.get(address, htmx=True)

        assert answer.status_code == 422
        assert "A newer subscription of this person counts: sub_2." in toast(answer)

    def test_about_an_older_one_that_goes_on_offers_its_end(
        self, tab: SiteClient, mia: User
    ) -> None:
        older(mia, id="sub_1", status="active")
        subscribed(mia, id="sub_2")

        told = text_of(tab.get(STATUS, htmx=True).text)

        assert "Active → Canceled It ends now, for good. The newer one stays as it is." in told
        assert "Active → Unpaid" not in told
        assert "The person's page says the same" not in told

    def test_escapes_the_selector_of_an_odd_id(self, tab: SiteClient, mia: User) -> None:
        subscribed(mia, id='a"b\\c')

        asked = unescape(tab.get(f"{URL}/a%22b%5Cc/plan", htmx=True).text)

        assert r'hx-target="[id="subscription-a\"b\\c"]"' in asked


class TestPlan:
    def test_is_changed_from_the_list(
        self, tab: SiteClient, session: Session, row: Subscription, mia: User
    ) -> None:
        answer = tab.post(PLAN, data={**TO_PRO, "was": "starter"}, htmx=True)

        assert answer.status_code == 200
        assert answer.text.startswith('<tr id="subscription-sub_1"')
        assert toast(answer) == "success: The subscription of Mia Lund is on the plan Pro now."
        assert (stored(), mirrored(mia)) == (("pro", "active"), ("pro", "active"))
        [event] = events(session, mia.id)
        assert (event.action, event.reason) == ("subscription.updated", WHY)
        assert event.actor_email == "admin@example.com"

    @pytest.mark.usefixtures("row")
    def test_lets_other_parts_of_the_page_know(self, tab: SiteClient) -> None:
        answer = tab.post(PLAN, data=TO_PRO, htmx=True)

        assert json.loads(answer.headers["HX-Trigger"])["subscription"] is True

    @pytest.mark.usefixtures("row")
    def test_is_changed_by_a_plain_form(self, tab: SiteClient) -> None:
        answer = tab.post(PLAN, data=TO_PRO)

        assert (answer.status_code, answer.location) == (303, URL)
        assert "is on the plan Pro now." in tab.get(URL).text

    @pytest.mark.usefixtures("row")
    def test_leads_back_to_where_it_was_asked(self, tab: SiteClient) -> None:
        back = tab.post(PLAN, data={**TO_PRO, "return_to": "/admin/users/x"})
        away = tab.post(PLAN, data={"tier": "hobby", "reason": WHY, "return_to": "//evil.example"})

        assert (back.location, away.location) == ("/admin/users/x", URL)

    @pytest.mark.usefixtures("row")
    @pytest.mark.parametrize("sent", ["data", "json"])
    def test_is_changed_by_a_script(self, tab: SiteClient, sent: str) -> None:
        answer = tab.post(PLAN, headers=JSON, **{sent: TO_PRO})

        assert answer.status_code == 200
        assert answer.json is not None
        assert answer.json["success"] is True
        assert (answer.json["data"]["id"], answer.json["data"]["tier"]) == ("sub_1", "pro")

    @pytest.mark.usefixtures("row")
    def test_that_is_so_already_is_nothing_to_change(
        self, tab: SiteClient, session: Session, mia: User
    ) -> None:
        answer = tab.post(PLAN, data={"tier": "starter", "reason": WHY}, htmx=True)

        assert toast(answer) == "success: Nothing to change."
        assert actions(session, mia.id) == []

    @pytest.mark.usefixtures("row")
    def test_costs_little(self, tab: SiteClient) -> None:
        tab.post(PLAN, data=TO_PRO, htmx=True)

        with statements() as sent:
            tab.post(PLAN, data={"tier": "hobby", "reason": WHY}, htmx=True)

        assert len(sent) <= 13


class TestStatus:
    @pytest.mark.usefixtures("row")
    def test_is_changed_from_the_list(self, tab: SiteClient, mia: User) -> None:
        answer = tab.post(STATUS, data={**TO_END, "was": "active"}, htmx=True)

        assert toast(answer) == "success: The subscription of Mia Lund is canceled now."
        assert "canceled" in text_of(answer.text)
        assert (stored(), mirrored(mia)) == (("starter", "canceled"), ("starter", "canceled"))

    def test_of_an_older_one_is_its_end_and_leaves_the_person(
        self, tab: SiteClient, mia: User
    ) -> None:
        older(mia, id="sub_1", status="active")
        subscribed(mia, "hobby", id="sub_2")

        answer = tab.post(STATUS, data={**TO_END, "was": "active"}, htmx=True)

        assert toast(answer) == "success: The subscription of Mia Lund is canceled now."
        assert "replaced by a newer one" in text_of(answer.text)
        assert mirrored(mia) == ("hobby", "active")

    @pytest.mark.usefixtures("row")
    def test_shows_what_the_row_allows_then(self, tab: SiteClient) -> None:
        answer = tab.post(STATUS, data=TO_END, htmx=True)

        assert 'aria-disabled="true" data-action="plan"' in answer.text


class TestRefused:
    """Nothing is changed, the question is there again, and so is what was typed."""

    @pytest.fixture(autouse=True)
    def unchanged(self, session: Session, row: Subscription, mia: User) -> Any:
        """Every one of these leaves the subscription and the audit as they were."""
        before = (row.tier, row.status)
        yield
        assert stored() == before
        assert actions(session, mia.id) == []

    def test_without_an_answer_in_the_dialog(self, tab: SiteClient) -> None:
        answer = tab.post(PLAN, data={"reason": WHY}, htmx=True)

        assert answer.status_code == 422
        assert answer.headers["HX-Retarget"] == "#dialog"
        assert "Choose a plan." in text_of(answer.text)
        assert typed(answer) == WHY

    def test_without_a_reason_in_the_dialog(self, tab: SiteClient) -> None:
        answer = tab.post(STATUS, data={"status": "canceled", "reason": "  "}, htmx=True)

        assert answer.status_code == 422
        assert "Give a reason: whoever reads this later will ask." in text_of(answer.text)
        assert checked(answer) == ["canceled"]
        assert 'aria-invalid="true"' in answer.text

    def test_without_anything_on_the_page(self, tab: SiteClient) -> None:
        answer = tab.post(PLAN, data={"return_to": "/admin/users/x"})

        assert answer.status_code == 422
        assert "<html" in answer.text
        assert "Choose a plan." in said(answer)
        assert "Give a reason" in said(answer)
        assert hidden(answer)["return_to"] == "/admin/users/x"

    @pytest.mark.parametrize("reason", ["x" * 501, "a\x00b", "\u200b"])
    def test_with_a_reason_that_breaks_its_rule(self, tab: SiteClient, reason: str) -> None:
        answer = tab.post(PLAN, json={"tier": "pro", "reason": reason}, headers=JSON)

        assert answer.status_code == 422
        assert answer.json is not None
        assert list(answer.json["error"]["fields"]) == ["reason"]

    @pytest.mark.parametrize("how", HOWS)
    @pytest.mark.parametrize(
        ("address", "values"),
        [(PLAN, {"tier": "gold"}), (STATUS, {"status": "gone"}), (STATUS, {"tier": "pro"})],
    )
    def test_with_an_unknown_word(
        self, tab: SiteClient, address: str, values: dict[str, str], how: dict[str, Any]
    ) -> None:
        assert tab.post(address, data={**values, "reason": WHY}, **how).status_code == 422

    def test_where_no_move_leads_keeps_the_dialog(self, tab: SiteClient) -> None:
        answer = tab.post(STATUS, data={"status": "trialing", "reason": WHY}, htmx=True)

        assert answer.status_code == 422
        assert answer.headers["HX-Retarget"] == "#dialog"
        assert typed(answer) == WHY
        assert (
            "From active a subscription goes to past due, unpaid, canceled; not to trialing."
        ) in said(answer)

    def test_where_no_move_leads_keeps_the_page(self, tab: SiteClient) -> None:
        answer = tab.post(STATUS, data={"status": "trialing", "reason": WHY})

        assert answer.status_code == 422
        assert "From active a subscription goes to" in said(answer)
        assert typed(answer) == WHY

    def test_where_no_move_leads_says_so_to_scripts(self, tab: SiteClient) -> None:
        answer = tab.post(STATUS, data={"status": "trialing", "reason": WHY}, headers=JSON)

        assert answer.status_code == 422
        assert "not to trialing" in message(answer)

    @pytest.mark.parametrize("how", HOWS)
    def test_of_an_older_one(self, tab: SiteClient, mia: User, how: dict[str, Any]) -> None:
        subscribed(mia, id="sub_2")

        answer = tab.post(STATUS, data={**TO_END, "status": "past_due"}, **how)

        assert answer.status_code == 422
        assert "A newer subscription of this person counts: sub_2." in (
            unescape(answer.text) + answer.headers.get("HX-Trigger", "")
        )

    def test_when_another_decided_meanwhile_shows_what_is_stored(self, tab: SiteClient) -> None:
        answer = tab.post(STATUS, data={**TO_END, "was": "past_due"}, htmx=True)

        assert answer.status_code == 409
        assert answer.headers["HX-Retarget"] == "#dialog"
        assert "Somebody changed the status meanwhile: it is active now." in text_of(answer.text)
        assert (hidden(answer)["was"], typed(answer)) == ("active", WHY)
        assert checked(answer) == ["canceled"]

    def test_when_another_decided_meanwhile_on_the_page(self, tab: SiteClient) -> None:
        answer = tab.post(PLAN, data={**TO_PRO, "was": "hobby"})

        assert answer.status_code == 409
        assert "it is starter now" in said(answer)

    def test_when_another_decided_meanwhile_tells_scripts(self, tab: SiteClient) -> None:
        answer = tab.post(PLAN, data={**TO_PRO, "was": "hobby"}, headers=JSON)

        assert answer.status_code == 409
        assert "it is starter now" in message(answer)

    @pytest.mark.parametrize("was", ["", "nonsense", "\x00", "x" * 9999])
    def test_when_shown_something_that_never_was(self, tab: SiteClient, was: str) -> None:
        assert tab.post(PLAN, data={**TO_PRO, "was": was}, htmx=True).status_code == 409

    @pytest.mark.parametrize("how", HOWS)
    def test_without_the_token(self, tab: SiteClient, how: dict[str, Any]) -> None:
        for address, values in ((PLAN, TO_PRO), (STATUS, TO_END)):
            assert tab.post(address, data=values, csrf=False, **how).status_code == 400

    @pytest.mark.parametrize("level", ["support", "member"])
    @pytest.mark.parametrize("how", HOWS)
    def test_to_lower_levels(self, client_as: ClientAs, level: str, how: dict[str, Any]) -> None:
        tab = client_as(level)

        for address, values in ((PLAN, TO_PRO), (STATUS, TO_END)):
            assert tab.post(address, data=values, **how).status_code == 403
            assert tab.get(address, **how).status_code == 403

    def test_to_the_signed_out(self, client: SiteClient) -> None:
        assert client.post(PLAN, data=TO_PRO).status_code in {302, 400}
        assert client.post(PLAN, data=TO_PRO, headers=JSON).status_code == 401

    @pytest.mark.parametrize(
        "body",
        [
            {"json": []},
            {"json": {"tier": 5, "reason": WHY}},
            {"json": {"tier": ["pro"], "reason": {"a": 1}}},
            {"json": {"tier": ["pro", "hobby"], "reason": WHY}},
            {"data": {"tier": ["pro", "hobby"], "reason": WHY}},
            {"data": "{", "content_type": "application/json"},
        ],
    )
    def test_of_nonsense(self, tab: SiteClient, body: dict[str, Any]) -> None:
        assert tab.post(PLAN, headers=JSON, **body).status_code == 400

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    def test_by_another_method(self, tab: SiteClient, method: str) -> None:
        assert tab.open(PLAN, method=method, data=TO_PRO).status_code == 405

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("PUT", "/sub_1"),
            ("DELETE", "/sub_1"),
            ("GET", "/sub_1/edit"),
            ("GET", "/sub_1/delete"),
            ("GET", "/sub_1/cell/tier"),
            ("POST", "/ajax/update/"),
            ("POST", "/new/"),
            ("POST", "/edit/?id=sub_1"),
            ("POST", "/delete/"),
            ("POST", ""),
        ],
    )
    def test_past_the_moves(self, tab: SiteClient, method: str, path: str) -> None:
        values = {"id": "sub_1", "list_form_pk": "sub_1", "tier": "pro", "status": "trialing"}

        assert tab.open(f"{URL}{path}", method=method, data=values).status_code == 404


class TestMissing:
    @pytest.mark.parametrize("how", HOWS)
    @pytest.mark.parametrize("key", ["nobody", "%00", "x" * 256, "%F0%9F%A6%8A", "a%0Ab"])
    def test_is_not_found(self, tab: SiteClient, key: str, how: dict[str, Any]) -> None:
        for name, values in (("plan", TO_PRO), ("status", TO_END)):
            assert tab.post(f"{URL}/{key}/{name}", data=values, **how).status_code == 404
            assert tab.get(f"{URL}/{key}/{name}", **how).status_code == 404

    @pytest.mark.usefixtures("row")
    def test_went_with_its_person_while_the_dialog_was_open(
        self, tab: SiteClient, mia: User
    ) -> None:
        assert tab.get(PLAN, htmx=True).status_code == 200
        with transaction():
            users.delete(mia, by=SYSTEM, link_action="delete")

        answer = tab.post(PLAN, data=TO_PRO, htmx=True)

        assert answer.status_code == 404
        assert toast(answer) == "error: This subscription does not exist any more."


class TestPersonPage:
    def test_offers_the_changes_and_comes_back(
        self, tab: SiteClient, row: Subscription, mia: User
    ) -> None:
        page = tab.get(f"/admin/users/{mia.id}").text

        back = f"return_to=/admin/users/{mia.id}"
        assert f'hx-get="{PLAN}?{back}"' in page
        assert f'href="{STATUS}?{back}"' in page
        assert f'href="{URL}/{row.id}"' in page

    def test_fetches_its_cards_anew_after_a_change(self, tab: SiteClient, mia: User) -> None:
        page = tab.get(f"/admin/users/{mia.id}").text

        assert re.search(r'hx-get="[^"]+/cards" hx-trigger="[^"]*subscription from:body"', page)

    def test_says_why_an_ended_one_keeps_its_plan(self, tab: SiteClient, mia: User) -> None:
        subscribed(mia, status="canceled", id="sub_1")

        page = tab.get(f"/admin/users/{mia.id}").text

        assert 'data-tip="This subscription has ended. Make it active again' in page
        assert f"{STATUS}?" in page

    @pytest.mark.usefixtures("row")
    def test_offers_nothing_to_support(self, client_as: ClientAs, mia: User) -> None:
        page = client_as("support").get(f"/admin/users/{mia.id}").text

        assert PLAN not in page
        assert "sub_1" in page

    @pytest.mark.usefixtures("row")
    def test_tells_of_the_change_in_words(self, tab: SiteClient, mia: User) -> None:
        tab.post(PLAN, data=TO_PRO)

        told = said(tab.get(f"/admin/users/{mia.id}"))

        assert (
            "admin@example.com changed the subscription Subscription tier: starter → pro "
            f"Subscription: sub_1 Reason: {WHY}"
        ) in told
