"""Adjusting credits by hand: the dialog, its preview, the request (R-002-31 to 37, 55, 58, 61)."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from adminsite.db import transaction
from adminsite.models import IdempotencyKey, PendingAdjustment, User
from adminsite.operations import ledger
from adminsite.operations.rules import LARGEST
from tests.client import SiteClient
from tests.lists import Listed, statements
from tests.people import acting
from tests.rows import person
from tests.views.ledgers import URL, ClientAs, balance, count, entry, limit, newest
from tests.views.reading import JSON, NOBODY, actions, hidden, message, said, toast

ADJUST = f"{URL}/adjust"
HERE = {"HX-Current-URL": "http://localhost/admin/credits"}


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture
def mia(session: Session) -> User:
    made = person("Mia Ash", email="mia@example.com")
    entry(made, 120)
    return made


def sent(user: User, **values: Any) -> dict[str, Any]:
    return {"user_id": str(user.id), "amount": "50", "reason": "For the outage", **values}


class TestDialog:
    def test_asks_for_a_person_an_amount_and_a_reason(self, tab: SiteClient) -> None:
        dialog = tab.get(ADJUST, htmx=True)

        assert '<dialog class="modal" open' in dialog.text
        assert "<html" not in dialog.text
        for name in ("user_id", "amount", "set_to", "reason"):
            assert f'name="{name}"' in dialog.text
        assert 'data-lookup="/admin/credits/ajax/lookup/?name=people"' in dialog.text
        assert "data-confirm" in dialog.text
        assert "data-dismiss" in dialog.text

    def test_knows_the_person_it_was_opened_for(self, tab: SiteClient, mia: User) -> None:
        dialog = tab.get(f"{ADJUST}?user={mia.id}", htmx=True)

        assert "Adjust the credits of Mia Ash" in said(dialog)
        assert "Balance 120 Recent entries Bonus" in said(dialog)
        assert hidden(dialog)["user_id"] == str(mia.id)

    def test_has_a_key_of_its_own(self, tab: SiteClient) -> None:
        keys = {hidden(tab.get(ADJUST, htmx=True)).get("csrf_token") for _ in range(2)}
        texts = {tab.get(ADJUST, htmx=True).text for _ in range(2)}

        assert keys
        assert len(texts) == 2

    def test_is_a_page_without_script(self, tab: SiteClient, mia: User) -> None:
        page = tab.get(f"{ADJUST}?user={mia.id}&return_to=/admin/users/{mia.id}")

        assert "<h1>Adjust the credits of Mia Ash</h1>" in page.text
        assert f'href="/admin/users/{mia.id}" data-dismiss' in page.text

    @pytest.mark.parametrize("user", [NOBODY, "x", "nobody@example.com", "%00"])
    def test_does_not_find_nobody(self, tab: SiteClient, user: str) -> None:
        assert tab.get(f"{ADJUST}?user={user}").status_code == 404

    def test_returns_to_this_site_only(self, tab: SiteClient, mia: User) -> None:
        page = tab.get(f"{ADJUST}?user={mia.id}&return_to=//evil.example.com/")

        assert "evil" not in page.text


class TestPreview:
    def preview(self, tab: SiteClient, **params: str) -> str:
        return said(tab.get(f"{ADJUST}/preview", query_string=params, htmx=True))

    @pytest.mark.parametrize(
        ("params", "told"),
        [
            ({"amount": "50"}, "Current 120 → New 170 50 credits are added to Mia Ash"),
            ({"amount": "-50"}, "Current 120 → New 70 50 credits are taken from Mia Ash"),
            ({"amount": "−1"}, "New 119 1 credit is taken from Mia Ash"),
            ({"set_to": "0"}, "Current 120 → New 0 120 credits are taken"),
            ({"amount": "-200"}, "New −80"),
            ({"amount": "0"}, "The amount cannot be 0"),
            ({"amount": "1.5"}, "The amount is a whole number"),
            ({"set_to": "120"}, "The balance is 120 already."),
            ({"amount": str(LARGEST)}, "it lies between"),
            ({"amount": "1", "set_to": "2"}, "not both"),
            ({}, "Type an amount to see what it does"),
        ],
    )
    def test_says_what_would_happen(
        self, tab: SiteClient, mia: User, params: dict[str, str], told: str
    ) -> None:
        assert told in self.preview(tab, user_id=str(mia.id), **params)

    def test_warns_of_a_debt(self, tab: SiteClient, mia: User) -> None:
        told = self.preview(tab, user_id=str(mia.id), amount="-200")

        assert "Mia Ash is then in debt by 80 credits." in told

    def test_says_when_a_second_person_is_needed(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch, tab: SiteClient, mia: User
    ) -> None:
        limit(app, monkeypatch, admin=100)

        small = self.preview(tab, user_id=str(mia.id), amount="100")
        large = self.preview(tab, user_id=str(mia.id), amount="-101")

        assert "second person" not in small
        assert "More than 100 credits need a second person" in large
        assert "Ask for approval" in large

    def test_changes_nothing(self, tab: SiteClient, mia: User, session: Session) -> None:
        with statements() as made:
            self.preview(tab, user_id=str(mia.id), amount="50")

        assert not [sql for sql in made if not sql.lstrip().upper().startswith("SELECT")]
        assert count(session) == 1

    @pytest.mark.parametrize("user", ["", "x", NOBODY, "\x00"])
    def test_waits_for_a_person(self, tab: SiteClient, user: str) -> None:
        assert "Choose a person" in self.preview(tab, user_id=user, amount="5")

    def test_finds_a_typed_address(self, tab: SiteClient, mia: User) -> None:
        told = self.preview(tab, user_id=" MIA@example.com ", amount="5")

        assert f"New {mia.credits_balance + 5}" in told

    def test_names_the_act_on_the_button(self, tab: SiteClient, mia: User) -> None:
        params = {"user_id": str(mia.id), "amount": "1"}

        text = tab.get(f"{ADJUST}/preview", query_string=params, htmx=True).text

        assert '<span id="act" hx-swap-oob="innerHTML">Add 1 credit</span>' in text


class TestAdjust:
    def test_moves_the_balance_and_logs_it(
        self, tab: SiteClient, mia: User, admin: User, session: Session
    ) -> None:
        answer = tab.post(ADJUST, data=sent(mia), htmx=True)

        made = newest(session)
        assert answer.status_code == 200
        assert (made.amount, made.balance_after, made.type) == (50, 170, "admin_adjustment")
        assert made.description == f"[Admin: {admin.id}] For the outage"
        assert (made.actor_id, balance(session, mia)) == (admin.id, 170)
        assert actions(session, mia.id)[-1] == "credits.adjusted"

    def test_answers_the_new_row_and_a_toast(
        self, tab: SiteClient, mia: User, session: Session
    ) -> None:
        answer = tab.post(ADJUST, data=sent(mia), htmx=True)

        assert Listed(answer).ids == [newest(session).id]
        assert answer.text.startswith("<tr")
        assert toast(answer) == "success: Added 50 credits to Mia Ash: 120 → 170."
        assert answer.headers["HX-Retarget"] == "#rows"
        assert answer.headers["HX-Reswap"] == "afterbegin"

    def test_answers_the_list_to_its_page(
        self, tab: SiteClient, mia: User, session: Session
    ) -> None:
        url = f"{HERE['HX-Current-URL']}?type=admin_adjustment"

        answer = tab.post(ADJUST, data=sent(mia), htmx=True, headers={"HX-Current-URL": url})

        assert Listed(answer).ids == [newest(session).id]
        assert answer.headers["HX-Retarget"] == "#list"
        assert 'id="pending" hx-swap-oob="true"' in answer.text

    def test_answers_the_first_page(self, tab: SiteClient, mia: User, session: Session) -> None:
        for _ in range(25):
            entry(mia, 1)
        second = Listed(tab.get(f"{URL}?page_size=20", htmx=True)).next

        answer = tab.post(
            ADJUST, data=sent(mia), htmx=True, headers={"HX-Current-URL": f"http://x{second}"}
        )

        assert Listed(answer).ids[0] == newest(session).id

    def test_tells_other_pages_to_look_again(self, tab: SiteClient, mia: User) -> None:
        here = {"HX-Current-URL": f"http://localhost/admin/users/{mia.id}"}

        answer = tab.post(ADJUST, data=sent(mia), htmx=True, headers=here)

        assert (answer.text, answer.headers["HX-Reswap"]) == ("", "none")
        assert '"credits": true' in answer.headers["HX-Trigger"]

    @pytest.mark.parametrize("here", ["http://[", "/elsewhere", f"{URL}?type=nonsense"])
    def test_answers_whatever_page_is_claimed(self, tab: SiteClient, mia: User, here: str) -> None:
        answer = tab.post(ADJUST, data=sent(mia), htmx=True, headers={"HX-Current-URL": here})

        assert answer.status_code == 200

    def test_sets_the_balance(self, tab: SiteClient, mia: User, session: Session) -> None:
        tab.post(ADJUST, data=sent(mia, amount="", set_to="-30"))

        assert (newest(session).amount, balance(session, mia)) == (-150, -30)

    def test_leads_back_without_script(self, tab: SiteClient, mia: User) -> None:
        plain = tab.post(ADJUST, data=sent(mia))
        back = tab.post(ADJUST, data=sent(mia, return_to=f"/admin/users/{mia.id}"))
        evil = tab.post(ADJUST, data=sent(mia, return_to="//evil.example.com"))

        assert (plain.status_code, plain.location) == (303, URL)
        assert back.location == f"/admin/users/{mia.id}"
        assert evil.location == URL

    def test_shows_what_it_would_do_without_script(
        self, tab: SiteClient, mia: User, session: Session
    ) -> None:
        page = tab.post(ADJUST, data=sent(mia, preview="1"))

        assert "Current 120 → New 170" in said(page)
        assert "For the outage" in page.text
        assert count(session) == 1

    def test_answers_json(self, tab: SiteClient, mia: User, session: Session) -> None:
        values = {"user_id": str(mia.id), "amount": -20, "reason": "Charged twice"}

        answer = tab.post(ADJUST, json=values, headers=JSON)

        assert answer.json is not None
        data = answer.json["data"]
        assert (answer.status_code, data["newBalance"]) == (200, 100)
        assert data["transaction"]["amount"] == -20
        assert data["transaction"]["id"] == newest(session).id

    def test_takes_a_typed_address(self, tab: SiteClient, mia: User, session: Session) -> None:
        tab.post(ADJUST, data=sent(mia, user_id="MIA@example.com"))

        assert balance(session, mia) == 170

    def test_costs_little(self, tab: SiteClient, mia: User) -> None:
        tab.post(ADJUST, data=sent(mia), htmx=True)

        with statements() as made:
            tab.post(ADJUST, data=sent(mia, idempotency_key="k"), htmx=True)

        assert len(made) <= 16

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"amount": ""}, "amount"),
            ({"amount": "0"}, "amount"),
            ({"amount": "1.5"}, "amount"),
            ({"amount": "true"}, "amount"),
            ({"amount": "1e3"}, "amount"),
            ({"amount": "٣"}, "amount"),
            ({"amount": str(2**31)}, "amount"),
            ({"amount": "9" * 4000}, "amount"),
            ({"set_to": "5"}, "set_to"),
            ({"amount": "", "set_to": "120"}, "set_to"),
            ({"reason": ""}, "reason"),
            ({"reason": "   "}, "reason"),
            ({"reason": "x\x00y"}, "reason"),
            ({"reason": "x" * 501}, "reason"),
            ({"user_id": ""}, "user_id"),
            ({"user_id": "nobody@example.com"}, "user_id"),
            ({"idempotency_key": "ä"}, "idempotency_key"),
            ({"idempotency_key": "k" * 256}, "idempotency_key"),
        ],
    )
    def test_refuses_with_a_message_at_the_field(
        self, tab: SiteClient, mia: User, session: Session, values: dict[str, str], field: str
    ) -> None:
        answer = tab.post(ADJUST, data=sent(mia, **values), headers=JSON)

        assert answer.status_code == 422
        assert answer.json is not None
        assert field in answer.json["error"]["fields"]
        assert (count(session), balance(session, mia)) == (1, 120)

    @pytest.mark.parametrize("amount", [True, 1.5, 10.0, [5], ["5"], [], {"a": 1}, None])
    def test_refuses_what_is_no_number_in_json(
        self, tab: SiteClient, mia: User, session: Session, amount: object
    ) -> None:
        answer = tab.post(ADJUST, json=sent(mia, amount=amount), headers=JSON)

        assert answer.status_code in {400, 422}
        assert count(session) == 1

    def test_refuses_more_than_a_balance_holds(
        self, tab: SiteClient, mia: User, session: Session
    ) -> None:
        answer = tab.post(ADJUST, data=sent(mia, amount=str(LARGEST)), headers=JSON)

        assert answer.status_code == 422
        assert "it lies between" in message(answer)
        assert count(session) == 1

    @pytest.mark.parametrize("how", [{}, {"htmx": True}])
    def test_shows_a_refusal_with_all_that_was_typed(
        self, tab: SiteClient, mia: User, how: dict[str, Any]
    ) -> None:
        values = sent(mia, amount="1.5", reason="A long <story>", idempotency_key="mine")

        answer = tab.post(ADJUST, data=values, **how)

        assert answer.status_code == 422
        assert "<html" in answer.text or how
        assert 'value="1.5"' in answer.text
        assert "A long &lt;story&gt;" in answer.text
        assert 'value="mine"' in answer.text
        assert "The amount is a whole number" in said(answer)

    def test_lets_another_person_be_chosen_after_a_refusal(
        self, tab: SiteClient, mia: User
    ) -> None:
        refused = tab.post(ADJUST, data=sent(mia, reason=""), htmx=True)
        again = tab.post(ADJUST, data=sent(mia, user_id=mia.email, reason=""))

        picker = 'value="mia@example.com" autocomplete="off"'
        assert '<h2 id="dialog-title">Adjust credits</h2>' in refused.text
        assert picker in refused.text
        assert f'data-value="{mia.id}"' in refused.text
        assert picker in again.text

    def test_keeps_to_the_person_it_was_opened_for_after_a_refusal(
        self, tab: SiteClient, mia: User
    ) -> None:
        opened = hidden(tab.get(f"{ADJUST}?user={mia.id}", htmx=True))

        refused = tab.post(ADJUST, data=sent(mia, reason="", fixed=opened["fixed"]), htmx=True)

        assert "Adjust the credits of Mia Ash" in said(refused)
        assert hidden(refused)["user_id"] == str(mia.id)

    def test_sums_up_all_that_is_wrong_and_begins_with_the_first(
        self, tab: SiteClient, mia: User
    ) -> None:
        answer = tab.post(ADJUST, data=sent(mia, amount="x", reason=""), htmx=True)

        told = said(answer)
        assert "Check: Amount: The amount is a whole number" in told
        assert "Reason: Give a reason" in told
        assert answer.text.count("autofocus") == 1
        assert "autofocus" in next(
            tag for tag in answer.text.split("<") if 'id="adjust-amount"' in tag
        )

    @pytest.mark.parametrize("user", [NOBODY, "6f1f7e0c-8a5b-4f3f-9d52-2b7c1d0e4a11"])
    @pytest.mark.parametrize("how", [{}, {"htmx": True}, {"headers": JSON}])
    def test_does_not_find_nobody(
        self, tab: SiteClient, mia: User, user: str, how: dict[str, Any]
    ) -> None:
        answer = tab.post(ADJUST, data=sent(mia, user_id=user), **how)

        assert answer.status_code == 404
        assert answer.is_json == ("headers" in how)

    def test_refuses_two_values_of_one_field(self, tab: SiteClient, mia: User) -> None:
        values = [("user_id", str(mia.id)), ("amount", "1"), ("amount", "2"), ("reason", "x")]

        assert tab.post(ADJUST, data=MultiDict(values)).status_code == 400

    @pytest.mark.parametrize(
        ("who", "status"), [("member", 403), ("support", 403), ("admin", 303), ("owner", 303)]
    )
    def test_is_for_admins(
        self, client_as: ClientAs, mia: User, session: Session, who: str, status: int
    ) -> None:
        tab = client_as(who)

        assert tab.post(ADJUST, data=sent(mia)).status_code == status
        assert count(session) == (2 if status == 303 else 1)
        assert tab.get(f"{ADJUST}/preview").status_code == (200 if status == 303 else 403)

    def test_needs_the_token(self, tab: SiteClient, mia: User, session: Session) -> None:
        assert tab.post(ADJUST, data=sent(mia), csrf=False).status_code == 400
        assert count(session) == 1

    def test_changes_nothing_when_read(self, tab: SiteClient, mia: User, session: Session) -> None:
        tab.get(ADJUST, query_string=sent(mia))

        assert count(session) == 1


class TestKeys:
    def test_the_same_form_twice_makes_one_entry(
        self, tab: SiteClient, mia: User, session: Session
    ) -> None:
        values = sent(mia, idempotency_key="one")

        answers = [tab.post(ADJUST, data=values, htmx=True) for _ in range(2)]

        assert [toast(answer) for answer in answers] == [
            "success: Added 50 credits to Mia Ash: 120 → 170."
        ] * 2
        assert (count(session), balance(session, mia)) == (2, 170)

    def test_another_body_is_refused_and_asked_again(
        self, tab: SiteClient, mia: User, session: Session
    ) -> None:
        tab.post(ADJUST, data=sent(mia, idempotency_key="one"))

        script = tab.post(ADJUST, data=sent(mia, amount="9", idempotency_key="one"), headers=JSON)
        dialog = tab.post(ADJUST, data=sent(mia, amount="9", idempotency_key="one"), htmx=True)

        assert (script.status_code, dialog.status_code) == (409, 409)
        assert 'value="9"' in dialog.text
        assert 'name="idempotency_key" type="hidden" value="one"' not in dialog.text
        assert count(session) == 2

    def test_a_refused_form_uses_none_up(
        self, tab: SiteClient, mia: User, session: Session
    ) -> None:
        tab.post(ADJUST, data=sent(mia, reason="", idempotency_key="one"))
        assert count(session, IdempotencyKey) == 0

        tab.post(ADJUST, data=sent(mia, idempotency_key="one"))

        assert balance(session, mia) == 170

    def test_of_one_person_is_not_anothers(
        self, client_as: ClientAs, mia: User, session: Session
    ) -> None:
        for who in ("admin", "owner"):
            client_as(who).post(ADJUST, data=sent(mia, idempotency_key="one"))

        assert count(session) == 3


class TestLimit:
    @pytest.fixture(autouse=True)
    def limits(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        limit(app, monkeypatch, admin=100, owner=1000)

    def test_beyond_it_becomes_a_request(
        self, tab: SiteClient, mia: User, session: Session
    ) -> None:
        answer = tab.post(ADJUST, data=sent(mia, amount="101"), htmx=True, headers=HERE)

        assert toast(answer) == (
            "success: Asked for +101 for Mia Ash. A second person has to approve it first."
        )
        assert "Waiting for a second person 1" in said(answer)
        assert (count(session), count(session, PendingAdjustment)) == (1, 1)
        assert actions(session, mia.id)[-1] == "credits.requested"

    def test_is_that_of_the_level(self, client_as: ClientAs, mia: User, session: Session) -> None:
        client_as("owner").post(ADJUST, data=sent(mia, amount="101"))

        assert (count(session), count(session, PendingAdjustment)) == (2, 0)

    def test_tells_a_script(self, tab: SiteClient, mia: User) -> None:
        answer = tab.post(ADJUST, data=sent(mia, amount="-500"), headers=JSON)

        assert answer.status_code == 202
        assert answer.json is not None
        assert answer.json["data"]["pending"]["amount"] == -500

    def test_a_request_sent_twice_is_one(
        self, tab: SiteClient, mia: User, session: Session
    ) -> None:
        values = sent(mia, amount="500", idempotency_key="one")

        answers = [tab.post(ADJUST, data=values).status_code for _ in range(2)]

        assert answers == [303, 303]
        assert count(session, PendingAdjustment) == 1

    def test_a_request_sent_again_tells_who_decided_meanwhile(
        self, tab: SiteClient, mia: User, owner: User, session: Session
    ) -> None:
        values = sent(mia, amount="500", idempotency_key="one")
        tab.post(ADJUST, data=values)
        with transaction():
            waits = session.scalars(select(PendingAdjustment)).one()
            ledger.decline(waits, "No", by=acting(owner))

        again = tab.post(ADJUST, data=values, htmx=True)

        assert toast(again) == (
            "success: +500 for Mia Ash was asked for before, and owner@example.com declined it."
        )

    def test_without_a_list_to_show_there_is_nothing_to_swap(
        self, tab: SiteClient, mia: User
    ) -> None:
        answer = tab.post(ADJUST, data=sent(mia, amount="500"), htmx=True)

        assert (answer.text, answer.headers["HX-Reswap"]) == ("", "none")
