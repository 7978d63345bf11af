"""Deleting a user: who may not, which answers are none, and what happens when facts move."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.models import Link, User
from tests.client import SiteClient
from tests.factories import AdminFactory
from tests.rows import link, person, staff
from tests.views.reading import JSON, NOBODY, actions, hidden, message, said, toast
from tests.views.test_user_deletion import WAYS, Way, by_page, by_query, by_script, owners

ClientAs = Callable[[str | User], SiteClient]
URL = "/admin/users"
MOVED = "changed since you were asked. Nothing was deleted: look at it again."


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


def sentence(answer: TestResponse) -> str:
    """Why not, in whichever form it came."""
    if answer.is_json:
        return message(answer)
    return toast(answer) if "HX-Trigger" in answer.headers else said(answer)


class TestOneself:
    @WAYS
    @pytest.mark.parametrize("who", ["admin", "owner"])
    def test_is_not_deleted(
        self,
        client_as: ClientAs,
        session: Session,
        request: pytest.FixtureRequest,
        who: str,
        way: Way,
    ) -> None:
        tab, key = client_as(who), request.getfixturevalue(who).id

        answer = way(tab, key, "reassign")

        assert answer.status_code == 400
        assert "Nobody deletes themselves. Ask another admin." in sentence(answer)
        assert session.get(User, key) is not None
        assert actions(session) == []

    def test_is_shown_a_control_that_says_why_not(self, tab: SiteClient, admin: User) -> None:
        row = tab.get(URL).text.split(f'id="user-{admin.id}"')[1].split("</tr>")[0]
        page = tab.get(f"{URL}/{admin.id}").text

        assert f'href="/admin/users/{admin.id}/delete"' not in row + page
        for shown in (row, page):
            control = shown.split('data-action="delete"')[0].rpartition("<")[2]
            assert 'aria-disabled="true"' in control
            assert "Nobody deletes themselves. Ask another admin." in shown


class TestStaff:
    @WAYS
    @pytest.mark.parametrize("status", ["active", "suspended"])
    def test_are_not_deleted_here(
        self, client_as: ClientAs, session: Session, way: Way, status: str
    ) -> None:
        key = staff("support", status=status, user__email="staff@example.com").user_id

        answer = way(client_as("owner"), key, "delete")

        assert answer.status_code == 400
        assert "staff@example.com is staff. Remove staff access first." in sentence(answer)
        assert session.get(User, key) is not None

    def test_are_so_by_their_role_alone_too(self, tab: SiteClient, session: Session) -> None:
        key = person(role="admin").id

        assert by_query(tab, key, "delete").status_code == 400
        assert session.get(User, key) is not None

    @pytest.mark.parametrize("record", [True, False])
    def test_have_no_delete_control(self, tab: SiteClient, *, record: bool) -> None:
        user = person(role="admin")
        if record:
            AdminFactory(user=user)

        row = tab.get(URL).text.split(f'id="user-{user.id}"')[1].split("</tr>")[0]

        assert 'data-action="edit"' in row
        assert 'data-action="delete"' not in row


class TestAnswerAsked:
    @pytest.mark.parametrize(
        "send",
        [
            lambda tab, key: tab.delete(f"{URL}/{key}", htmx=True),
            lambda tab, key: tab.delete(f"{URL}/{key}", headers=JSON),
            lambda tab, key: tab.delete(f"{URL}/{key}", json={}, headers=JSON),
            lambda tab, key: tab.delete(f"{URL}/{key}", json={"link_action": None}, headers=JSON),
            lambda tab, key: tab.delete(f"{URL}/{key}?link_action=", data={"link_action": ""}),
            lambda tab, key: tab.post(f"{URL}/delete/", data={"id": str(key)}),
        ],
    )
    def test_is_required(
        self, tab: SiteClient, session: Session, send: Callable[..., TestResponse]
    ) -> None:
        key = person().id

        answer = send(tab, key)

        assert answer.status_code == 400
        assert "link_action is required: say reassign or delete." in sentence(answer)
        assert session.get(User, key) is not None

    @WAYS
    @pytest.mark.parametrize("given", ["keep", "Delete", "reassign,delete", "\x00", "x" * 100_000])
    def test_is_one_of_two(self, tab: SiteClient, session: Session, way: Way, given: str) -> None:
        key = person().id
        if way is by_query and len(given) > 100:
            given = given[:2000]

        answer = way(tab, key, given)

        assert answer.status_code == 400
        assert "link_action cannot be" in sentence(answer)
        assert len(sentence(answer)) < 400
        assert session.get(User, key) is not None

    @pytest.mark.parametrize("body", [{"link_action": 1}, {"link_action": True}, [], "delete", 7])
    def test_is_a_text_in_an_object(self, tab: SiteClient, session: Session, body: Any) -> None:
        key = person().id

        answer = tab.delete(f"{URL}/{key}", json=body, headers=JSON)

        assert answer.status_code == 400
        assert message(answer)
        assert session.get(User, key) is not None


class TestOrder:
    """404, then oneself, then staff, then the answer (D-15)."""

    def test_tells_first_who_is_not_there(self, tab: SiteClient) -> None:
        answer = tab.delete(f"{URL}/{NOBODY}", headers=JSON)

        assert answer.status_code == 404
        assert message(answer) == "User not found. They may have been deleted."

    def test_tells_of_oneself_before_staff_and_the_answer(
        self, tab: SiteClient, admin: User
    ) -> None:
        answer = tab.delete(f"{URL}/{admin.id}", headers=JSON)

        assert (answer.status_code, message(answer)[:23]) == (400, "Nobody deletes themselv")

    def test_tells_of_staff_before_the_answer(self, tab: SiteClient, owner: User) -> None:
        answer = tab.delete(f"{URL}/{owner.id}", headers=JSON)

        assert answer.status_code == 400
        assert message(answer) == "owner@example.com is staff. Remove staff access first."


class TestLevels:
    @WAYS
    @pytest.mark.parametrize("who", ["support", "member"])
    def test_below_admin_delete_nobody(
        self, client_as: ClientAs, session: Session, way: Way, who: str
    ) -> None:
        key = person().id

        answer = way(client_as(who), key, "delete")

        assert answer.status_code == 403
        assert session.get(User, key) is not None

    def test_support_see_no_control(self, client_as: ClientAs) -> None:
        mia, tab = person(), client_as("support")

        pages = tab.get(URL).text + tab.get(f"{URL}/{mia.id}").text

        assert 'data-action="delete"' not in pages
        assert tab.get(f"{URL}/{mia.id}/delete").status_code == 403

    def test_who_is_signed_out_is_asked_to_sign_in(self, client: SiteClient) -> None:
        key = person().id

        plain, htmx, script = (
            client.delete(f"{URL}/{key}?link_action=delete", htmx=how == "htmx", headers=headers)
            for how, headers in (("", {}), ("htmx", {}), ("", JSON))
        )

        assert plain.location.startswith("/login")
        assert (htmx.status_code, "HX-Redirect" in htmx.headers) == (401, True)
        assert script.status_code == 401


class TestPlan:
    """What the dialog showed is what is done, or nothing."""

    @pytest.fixture
    def asked(self, tab: SiteClient) -> tuple[Any, str]:
        """Somebody with a link, and the plan their dialog carries."""
        mia = person("Mia")
        link(slug="first", owner=mia)
        return mia.id, hidden(tab.get(f"{URL}/{mia.id}/delete", htmx=True))["plan"]

    def send(self, tab: SiteClient, key: Any, plan: str, **how: Any) -> TestResponse:
        query = {"link_action": "delete", "plan": plan}
        return tab.delete(f"{URL}/{key}", query_string=query, **how)

    def test_that_still_holds_is_carried_out(
        self, tab: SiteClient, session: Session, asked: tuple[Any, str]
    ) -> None:
        key, plan = asked

        assert self.send(tab, key, plan, htmx=True).status_code == 200
        assert session.get(User, key) is None

    @pytest.mark.parametrize("what", ["link", "co-owner", "credits"])
    def test_that_does_not_hold_deletes_nothing_and_is_shown_anew(
        self, tab: SiteClient, session: Session, asked: tuple[Any, str], what: str
    ) -> None:
        key, plan = asked
        self.move(session, session.get_one(User, key), what)

        answer = self.send(tab, key, plan, htmx=True)

        assert answer.status_code == 409
        assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == (
            "#dialog",
            "innerHTML",
        )
        assert MOVED in said(answer)
        assert session.get(User, key) is not None
        assert self.send(tab, key, hidden(answer)["plan"], htmx=True).status_code == 200

    def move(self, session: Session, user: User, what: str) -> None:
        if what == "link":
            link(slug="second", owner=user)
        elif what == "co-owner":
            link(slug="shared", owner=person(), co_owners=[user])
        else:
            moved = User.__table__.update().where(User.id == user.id).values(credits_balance=7)  # type: ignore[attr-defined]
            session.execute(moved, execution_options={"audited": True})
            session.commit()

    def test_is_shown_anew_on_the_page(
        self, tab: SiteClient, session: Session, asked: tuple[Any, str]
    ) -> None:
        key, plan = asked
        link(slug="second", owner=session.get_one(User, key))

        data = {"id": str(key), "link_action": "delete", "plan": plan}
        answer = tab.post(f"{URL}/delete/", data=data)

        assert answer.status_code == 409
        assert "<h1>Delete Mia?</h1>" in answer.text
        assert MOVED in said(answer)
        assert "2 links that nobody else owns are deleted. first second" in said(answer)
        again = tab.post(f"{URL}/delete/", data={**hidden(answer), "link_action": "delete"})
        assert again.status_code == 303

    def test_is_told_to_a_script(self, tab: SiteClient, asked: tuple[Any, str]) -> None:
        key, _plan = asked

        answer = self.send(tab, key, "f" * 32, headers=JSON)

        assert answer.status_code == 409
        assert MOVED in message(answer)

    @pytest.mark.parametrize("plan", ["x", "\x00", "é" * 500])
    def test_of_nobodys_making_deletes_nothing(
        self, tab: SiteClient, session: Session, asked: tuple[Any, str], plan: str
    ) -> None:
        key, _plan = asked

        assert self.send(tab, key, plan, htmx=True).status_code == 409
        assert session.get(User, key) is not None

    def test_is_not_needed(self, tab: SiteClient, asked: tuple[Any, str]) -> None:
        key, _plan = asked

        assert by_script(tab, key, "delete").status_code == 200


def test_a_refusal_loses_no_link(tab: SiteClient, session: Session) -> None:
    mia = person()
    row = link(owner=mia)

    by_page(tab, mia.id, "nonsense")

    assert session.get(Link, row.id) is not None
    assert len(owners(session, row)) == 1
