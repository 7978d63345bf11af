"""Deleting a user: the question, its two answers, and what stays (S1, D-15 to D-18)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.models import ApiToken, CreditTransaction, Link, LinkOwner, Subscription, User
from tests.client import SiteClient
from tests.factories import CreditTransactionFactory, SubscriptionFactory, save
from tests.lists import ask, text_of
from tests.rows import link, person
from tests.views.reading import JSON, actions, events, said, sessions_of, toast

ClientAs = Callable[[str | User], SiteClient]
Way = Callable[[SiteClient, Any, str], TestResponse]
URL = "/admin/users"
WORDS = ("E-mail", "Name", "Owns alone", "Primary owner with others", "Co-owner", "Credits")


def by_query(tab: SiteClient, key: Any, answer: str) -> TestResponse:
    """As the dialog sends it."""
    return tab.delete(f"{URL}/{key}?link_action={answer}", htmx=True)


def by_form(tab: SiteClient, key: Any, answer: str) -> TestResponse:
    """In the body of a DELETE."""
    return tab.delete(f"{URL}/{key}", data={"link_action": answer}, htmx=True)


def by_script(tab: SiteClient, key: Any, answer: str) -> TestResponse:
    """In JSON."""
    return tab.delete(f"{URL}/{key}", json={"link_action": answer}, headers=JSON)


def by_page(tab: SiteClient, key: Any, answer: str) -> TestResponse:
    """The plain form, on Flask-Admin's own address."""
    return tab.post(f"{URL}/delete/", data={"id": str(key), "link_action": answer})


WAYS = pytest.mark.parametrize("way", [by_query, by_form, by_script, by_page])


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


def owners(session: Session, row: Link) -> list[tuple[str, bool]]:
    """Who owns the link, the primary owner first."""
    wanted = (
        select(User.display_name, LinkOwner.is_primary)
        .join(LinkOwner, LinkOwner.user_id == User.id)
        .where(LinkOwner.link_id == row.id)
        .order_by(LinkOwner.is_primary.desc(), LinkOwner.created_at)
    )
    return [(name, primary) for name, primary in session.execute(wanted)]


def facts(dialog: TestResponse) -> dict[str, str]:
    """What the dialog says of the person, by label."""
    listed = dialog.text.split('<dl class="facts">')[1].split("</dl>")[0]
    pairs = [part.split("<dd>") for part in listed.split("<dt>")[1:]]
    return {text_of(f"<dt>{label}"): text_of(f"<dd>{value}") for label, value in pairs}


class TestQuestion:
    def test_tells_whom_it_is_about_and_what_they_have(self, tab: SiteClient) -> None:
        mia = person("Mia", email="mia@example.com", credits_balance=1234)
        for _ in range(3):
            link(owner=mia)
        link(owner=mia, co_owners=[person()])
        link(co_owners=[mia])
        link(co_owners=[mia, person()])

        dialog = tab.get(f"{URL}/{mia.id}/delete", htmx=True)

        told = facts(dialog)
        assert [told[word] for word in WORDS] == [
            "mia@example.com",
            "Mia",
            "3 links",
            "1 link",
            "2 links",
            "1,234",
        ]
        assert told["Subscription"] == "None"

    def test_offers_two_answers_and_chooses_none(self, tab: SiteClient) -> None:
        dialog = tab.get(f"{URL}/{person().id}/delete", htmx=True)

        for answer in ("reassign", "delete"):
            assert f'type="radio" name="link_action" value="{answer}" required' in dialog.text
        assert "Reassign links to me" in said(dialog)
        assert "Delete all links" in said(dialog)
        assert " checked" not in dialog.text

    def test_names_the_first_links_that_would_go(self, tab: SiteClient) -> None:
        mia = person()
        for letter in "gfedcba":
            link(slug=f"own-{letter}", owner=mia)
        link(slug="shared", owner=mia, co_owners=[person()])

        dialog = tab.get(f"{URL}/{mia.id}/delete", htmx=True)

        sample = said(dialog).partition("Delete all links")[2]
        assert "own-a own-b own-c own-d own-e and 2 more" in sample
        assert "own-f" not in dialog.text
        assert "shared" not in dialog.text

    def test_says_what_each_answer_would_do(self, tab: SiteClient) -> None:
        mia = person()
        link(owner=mia)
        link(owner=mia)
        link(owner=mia, co_owners=[person()])
        link(co_owners=[mia])

        told = said(tab.get(f"{URL}/{mia.id}/delete", htmx=True))

        assert "3 links become yours. 1 link only co-owned stays with the primary owner." in told
        assert "2 links that nobody else owns are deleted. 1 link goes to the longest" in told

    def test_warns_of_credits_and_of_a_running_subscription(self, tab: SiteClient) -> None:
        mia = person(credits_balance=-3)
        SubscriptionFactory(user=mia, status="past_due", tier="pro")

        dialog = tab.get(f"{URL}/{mia.id}/delete", htmx=True)

        assert facts(dialog)["Subscription"] == "pro, past due"
        assert "not canceled with the payment provider" in said(dialog)
        assert "A debt of 3 credits is written off; the ledger keeps its entries." in said(dialog)

    def test_is_a_dialog_for_htmx_and_a_page_without(self, tab: SiteClient) -> None:
        mia = person("Mia")

        part, page = (tab.get(f"{URL}/{mia.id}/delete", htmx=htmx) for htmx in (True, False))

        assert '<dialog class="modal" open' in part.text
        assert "<html" not in part.text
        assert "data-confirm" in part.text
        assert "data-dismiss" in part.text
        assert "<h1>Delete Mia?</h1>" in page.text
        assert 'action="/admin/users/delete/"' in page.text

    @pytest.mark.parametrize("who", ["self", "staff"])
    def test_is_not_asked_where_the_answer_is_no(
        self, tab: SiteClient, admin: User, owner: User, who: str
    ) -> None:
        user = admin if who == "self" else owner

        answer = tab.get(f"{URL}/{user.id}/delete", htmx=True)

        assert answer.status_code == 400
        reasons = {
            "self": "Nobody deletes themselves",
            "staff": "is staff. Remove staff access first.",
        }
        assert reasons[who] in toast(answer)
        assert "<dialog" not in answer.text


class TestReassign:
    @WAYS
    def test_gives_the_primary_links_to_who_deletes(
        self, tab: SiteClient, session: Session, way: Way
    ) -> None:
        mia = person("Mia")
        key = mia.id
        alone, shared = link(owner=mia), link(owner=mia, co_owners=[person("Bob")])

        answer = way(tab, key, "reassign")

        assert answer.status_code in {200, 303}
        assert session.get(User, key) is None
        assert owners(session, alone) == [("Admin Person", True)]
        assert owners(session, shared) == [("Admin Person", True), ("Bob", False)]

    def test_merges_the_share_they_have_already(
        self, tab: SiteClient, session: Session, admin: User
    ) -> None:
        mia = person("Mia")
        row = link(owner=mia, co_owners=[admin, person("Bob")])

        by_query(tab, mia.id, "reassign")

        assert owners(session, row) == [("Admin Person", True), ("Bob", False)]

    @pytest.mark.parametrize("answer", ["reassign", "delete"])
    def test_leaves_co_owned_links_to_their_owner(
        self, tab: SiteClient, session: Session, answer: str
    ) -> None:
        mia = person("Mia")
        row = link(owner=person("Zoe"), co_owners=[mia, person("Bob")])

        by_query(tab, mia.id, answer)

        assert owners(session, row) == [("Zoe", True), ("Bob", False)]


class TestDelete:
    @WAYS
    def test_takes_the_links_that_nobody_else_owns(
        self, tab: SiteClient, session: Session, way: Way
    ) -> None:
        mia = person("Mia")
        key, alone = mia.id, link(owner=mia).id
        shared = link(owner=mia, co_owners=[person("First"), person("Second")])

        answer = way(tab, key, "delete")

        assert answer.status_code in {200, 303}
        assert session.get(User, key) is None
        assert session.get(Link, alone) is None
        assert owners(session, shared) == [("First", True), ("Second", False)]

    def test_names_every_link_in_one_event(self, tab: SiteClient, session: Session) -> None:
        mia = person(email="mia@example.com", display_name="Mia", credits_balance=5)
        key = mia.id
        heir = person(email="heir@example.com")
        link(slug="alone", owner=mia)
        link(slug="shared", owner=mia, co_owners=[heir])
        link(slug="theirs", co_owners=[mia])

        answer = by_query(tab, key, "delete")

        [event] = events(session, key)
        assert (event.action, event.subject_label) == ("user.deleted", "Mia")
        assert event.request_id == answer.headers["X-Request-ID"]
        assert event.changes == {
            "email": ["mia@example.com", None],
            "display_name": ["Mia", None],
            "role": ["user", None],
            "credits_balance": [5, None],
            "links_deleted": [["alone"], None],
            "links_left_to": [["shared"], ["heir@example.com"]],
            "co_owned_links": [["theirs"], None],
        }


class TestEverythingTheyHad:
    def test_ends_their_sessions_and_tokens(
        self, client_as: ClientAs, session: Session, member: User
    ) -> None:
        theirs, tab, key = client_as("member"), client_as("admin"), member.id
        save(ApiToken(user_id=member.id, name="script", token_hash="0" * 64, prefix="x"))
        assert theirs.get("/dashboard").status_code == 200

        by_query(tab, key, "delete")

        assert sessions_of(session, key) == 0
        assert session.scalars(select(ApiToken)).all() == []
        assert theirs.get("/dashboard").status_code == 302

    def test_keeps_their_ledger_under_their_address(
        self, tab: SiteClient, session: Session
    ) -> None:
        mia = person(email="mia@example.com")
        CreditTransactionFactory(user=mia)
        SubscriptionFactory(user=mia)

        by_query(tab, mia.id, "reassign")

        [entry] = session.scalars(select(CreditTransaction))
        assert (entry.user_id, entry.user_email) == (None, "mia@example.com")
        assert session.scalars(select(Subscription)).all() == []


class TestAnswer:
    def test_is_empty_for_htmx_with_a_toast(self, tab: SiteClient) -> None:
        key = person("Mia").id

        answer = by_query(tab, key, "delete")

        assert (answer.status_code, answer.text) == (200, "")
        assert toast(answer) == "success: Deleted Mia."
        assert str(key) not in ask(tab, URL).keys

    def test_leaves_the_page_of_who_is_gone(self, tab: SiteClient) -> None:
        mia = person("Mia")
        url = f"{URL}/{mia.id}"

        asked = tab.get(f"{url}/delete?from=page", htmx=True)
        answer = tab.delete(f"{url}?from=page&link_action=delete", htmx=True)

        assert f'hx-delete="{url}?from=page"' in asked.text
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, URL)
        assert "Deleted Mia." in tab.get(URL).text

    def test_is_json_for_a_script(self, tab: SiteClient) -> None:
        key = person().id

        answer = by_script(tab, key, "delete")

        assert answer.json == {"success": True, "data": {"id": str(key)}}

    def test_leads_a_plain_form_to_the_list(self, tab: SiteClient) -> None:
        mia = person("Mia")

        answer = by_page(tab, mia.id, "delete")

        assert (answer.status_code, answer.location) == (303, URL)
        assert "Deleted Mia." in tab.get(URL).text

    def test_is_told_once_when_two_delete_the_same(
        self, client_as: ClientAs, tab: SiteClient, session: Session
    ) -> None:
        key = person("Mia").id
        by_query(client_as("owner"), key, "delete")

        answer = by_query(tab, key, "delete")

        assert answer.status_code == 404
        assert actions(session, key) == ["user.deleted"]
