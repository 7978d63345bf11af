"""Changing a user on the list, in the form and by script: who may change what of whom."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.models import ApiToken, User
from tests.client import SiteClient
from tests.factories import save
from tests.lists import ask
from tests.rows import person, staff
from tests.views.reading import JSON, actions, events, message, said, sessions_of, toast

ClientAs = Callable[[str | User], SiteClient]
Door = Callable[..., TestResponse]
URL = "/admin/users"


def by_cell(tab: SiteClient, key: Any, **values: Any) -> TestResponse:
    """A cell edited in its place."""
    return tab.post(f"{URL}/ajax/update/", data={"list_form_pk": str(key), **values}, htmx=True)


def by_row(tab: SiteClient, key: Any, **values: Any) -> TestResponse:
    """The row edited in its place."""
    return tab.put(f"{URL}/{key}", data=values, htmx=True)


def by_form(tab: SiteClient, key: Any, **values: Any) -> TestResponse:
    """The form on its own page."""
    return tab.post(f"{URL}/edit/?id={key}", data=values)


def by_script(tab: SiteClient, key: Any, **values: Any) -> TestResponse:
    """A script that sends JSON."""
    return tab.put(f"{URL}/{key}", json=values, headers=JSON)


def by_role_select(tab: SiteClient, key: Any, **values: Any) -> TestResponse:
    """The select on the person's page."""
    return tab.post(f"{URL}/{key}/role", data=values, htmx=True)


DOORS = pytest.mark.parametrize("door", [by_cell, by_row, by_form, by_script])
ROLE_DOORS = pytest.mark.parametrize("door", [by_cell, by_row, by_form, by_script, by_role_select])


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture
def boss(client_as: ClientAs) -> SiteClient:
    return client_as("owner")


def sentence(answer: TestResponse) -> str:
    if answer.is_json:
        return message(answer)
    return toast(answer) if "HX-Trigger" in answer.headers else said(answer)


class TestName:
    @DOORS
    def test_is_changed_by_an_admin(self, tab: SiteClient, session: Session, door: Door) -> None:
        mia = person("Mia")

        answer = door(tab, mia.id, display_name="Mia Berg", row_version="1")

        assert answer.status_code in {200, 303}
        assert (session.get_one(User, mia.id).display_name, mia.version) == ("Mia Berg", 2)
        [event] = events(session, mia.id)
        assert (event.action, event.actor_email) == ("user.updated", "admin@example.com")
        assert event.changes == {"display_name": ["Mia", "Mia Berg"]}

    def test_is_a_cell_that_opens_in_its_place(self, tab: SiteClient) -> None:
        mia = person("Mia")
        assert 'data-cell="display_name"' in ask(tab, URL).row(mia.id)

        form = tab.get(f"{URL}/{mia.id}/cell/display_name", htmx=True).text
        saved = by_cell(tab, mia.id, display_name="Mia Berg")

        assert 'aria-label="Name of Mia"' in form
        assert 'value="Mia"' in form
        assert ">Mia Berg</button>" in saved.text
        assert toast(saved) == "success: Saved Mia Berg."

    @DOORS
    @pytest.mark.parametrize("name", ["", "  ", "a\x00b", "two\nlines", "x" * 201, "x" * 1_000_000])
    def test_is_one_visible_line(
        self, tab: SiteClient, session: Session, door: Door, name: str
    ) -> None:
        mia = person("Mia")

        answer = door(tab, mia.id, display_name=name)

        assert answer.status_code in {413, 422}
        assert session.get_one(User, mia.id).display_name == "Mia"

    @DOORS
    def test_that_two_people_changed_is_a_conflict(
        self, tab: SiteClient, boss: SiteClient, session: Session, door: Door
    ) -> None:
        mia = person("Mia")
        by_row(boss, mia.id, display_name="Theirs", row_version="1")

        answer = door(tab, mia.id, display_name="Mine", row_version="1")

        assert answer.status_code == 409
        assert "owner@example.com changed display name" in sentence(answer) + answer.text
        assert session.get_one(User, mia.id).display_name == "Theirs"

    @DOORS
    def test_and_address_changed_by_two_people_are_both_kept(
        self, tab: SiteClient, boss: SiteClient, session: Session, door: Door
    ) -> None:
        mia = person("Mia")
        by_row(boss, mia.id, email="new@example.com", row_version="1")

        answer = door(tab, mia.id, display_name="Mine", row_version="1")

        assert answer.status_code in {200, 303}
        user = session.get_one(User, mia.id)
        assert (user.display_name, user.email) == ("Mine", "new@example.com")

    @DOORS
    def test_of_staff_is_for_owners(
        self, tab: SiteClient, boss: SiteClient, session: Session, door: Door
    ) -> None:
        zoe = staff("support", "Zoe").user

        refused = door(tab, zoe.id, display_name="Zed")
        taken = door(boss, zoe.id, display_name="Zed")

        assert refused.status_code == 403
        assert "This needs an owner; you are signed in as admin." in sentence(refused)
        assert taken.status_code in {200, 303}
        assert actions(session, zoe.id) == ["user.updated"]

    def test_of_staff_is_closed_to_admins_with_the_reason(self, tab: SiteClient) -> None:
        zoe = staff("support", "Zoe").user
        why = "This needs an owner; you are signed in as admin."

        row = ask(tab, URL).row(zoe.id)
        form = tab.get(f"{URL}/edit/?id={zoe.id}").text

        assert 'data-cell="display_name"' not in row
        assert f'data-tip="{why}">Zoe' in row
        assert f'id="display_name-help">{why}</p>' in form
        assert f'id="email-help">{why}</p>' in form
        assert tab.get(f"{URL}/{zoe.id}/cell/display_name", htmx=True).status_code == 400

    def test_of_oneself_is_ones_own(self, tab: SiteClient, admin: User, session: Session) -> None:
        assert 'data-cell="display_name"' in ask(tab, URL).row(admin.id)

        assert by_cell(tab, admin.id, display_name="Me").status_code == 200
        assert session.get_one(User, admin.id).display_name == "Me"


class TestAddress:
    @pytest.mark.parametrize("door", [by_row, by_form, by_script])
    def test_that_is_taken_is_refused_at_the_field(
        self, tab: SiteClient, session: Session, door: Door
    ) -> None:
        mia = person(email="mia@example.com")
        person(email="Taken@Example.com")

        answer = door(tab, mia.id, email="taken@EXAMPLE.com")

        assert answer.status_code == 422
        assert "Somebody with the address" in answer.text
        assert session.get_one(User, mia.id).email == "mia@example.com"

    def test_may_change_its_capitals(self, tab: SiteClient, session: Session) -> None:
        mia = person(email="mia@example.com")

        assert by_row(tab, mia.id, email="Mia@Example.com").status_code == 200
        assert session.get_one(User, mia.id).email == "Mia@Example.com"

    def test_is_no_cell(self, tab: SiteClient, session: Session) -> None:
        mia = person(email="mia@example.com")

        answer = by_cell(tab, mia.id, email="new@example.com")

        assert answer.status_code == 400
        assert session.get_one(User, mia.id).email == "mia@example.com"


class TestRole:
    @ROLE_DOORS
    @pytest.mark.parametrize(("before", "after"), [("user", "admin"), ("admin", "user")])
    def test_is_changed_by_an_owner(
        self, boss: SiteClient, session: Session, door: Door, before: str, after: str
    ) -> None:
        mia = person("Mia", role=before)

        answer = door(boss, mia.id, role=after)

        assert answer.status_code in {200, 303}
        assert session.get_one(User, mia.id).role == after
        [event] = events(session, mia.id)
        assert (event.action, event.changes["role"]) == ("user.role_changed", [before, after])

    @ROLE_DOORS
    def test_ends_sessions_at_once(
        self, boss: SiteClient, client_as: ClientAs, session: Session, member: User, door: Door
    ) -> None:
        theirs = client_as("member")
        assert sessions_of(session, member.id) == 1

        door(boss, member.id, role="admin")

        assert sessions_of(session, member.id) == 0
        assert theirs.get("/dashboard").status_code == 302

    def test_taken_away_ends_tokens_too(self, boss: SiteClient, session: Session) -> None:
        mia = person(role="admin")
        save(ApiToken(user_id=mia.id, name="script", token_hash="0" * 64, prefix="x"))

        by_cell(boss, mia.id, role="user")

        assert session.scalars(select(ApiToken.revoked_at)).one() is not None

    @ROLE_DOORS
    @pytest.mark.parametrize("who", ["admin", "support", "member"])
    def test_is_for_owners_only(
        self, client_as: ClientAs, session: Session, door: Door, who: str
    ) -> None:
        key = person().id

        answer = door(client_as(who), key, role="admin")

        assert answer.status_code == 403
        assert session.get_one(User, key).role == "user"
        assert actions(session, key) == []

    def test_is_a_cell_for_owners_only(self, tab: SiteClient, boss: SiteClient) -> None:
        mia = person()

        assert 'data-cell="role"' not in ask(tab, URL).row(mia.id)
        assert 'data-cell="role"' in ask(boss, URL).row(mia.id)
        assert tab.get(f"{URL}/{mia.id}/cell/role", htmx=True).status_code == 403
        assert 'name="role"' not in tab.get(f"{URL}/edit/?id={mia.id}").text

    @ROLE_DOORS
    def test_of_oneself_is_refused(
        self, boss: SiteClient, session: Session, owner: User, door: Door
    ) -> None:
        key = owner.id

        answer = door(boss, key, role="user")

        assert answer.status_code == 400
        assert "Nobody changes their own role. Ask another owner." in sentence(answer)
        assert session.get_one(User, key).role == "admin"

    @ROLE_DOORS
    @pytest.mark.parametrize("status", ["active", "suspended"])
    def test_of_staff_is_changed_by_their_level(
        self, boss: SiteClient, session: Session, door: Door, status: str
    ) -> None:
        role = "admin" if status == "active" else "user"
        zoe = staff("support", user__role=role, user__display_name="Zoe", status=status).user
        key, other = zoe.id, "user" if role == "admin" else "admin"

        answer = door(boss, key, role=other)

        assert answer.status_code == 400
        assert "Zoe has a staff record. Change their level or status there." in sentence(answer)
        assert session.get_one(User, key).role == role

    @pytest.mark.parametrize(
        ("who", "why"),
        [
            ("owner", "Nobody changes their own role. Ask another owner."),
            ("support", "Staff (support). Change their level on the Admins page."),
        ],
    )
    def test_is_closed_with_the_reason(
        self, boss: SiteClient, request: pytest.FixtureRequest, who: str, why: str
    ) -> None:
        key = request.getfixturevalue(who).id

        row = ask(boss, URL).row(key)
        forms = [
            boss.get(f"{URL}/edit/?id={key}").text,
            boss.get(f"{URL}/{key}/edit", htmx=True).text,
        ]

        assert 'data-cell="role"' not in row
        assert f'data-tip="{why}"' in row
        for form in forms:
            assert "disabled" in form.split("<select")[-1].split(">")[0]
            assert f'id="role-help">{why}</p>' in form

    @ROLE_DOORS
    @pytest.mark.parametrize("role", ["owner", "ADMIN", "", "\x00", "x" * 1_000_000])
    def test_is_one_of_two(self, boss: SiteClient, session: Session, door: Door, role: str) -> None:
        key = person(role="admin").id

        answer = door(boss, key, role=role)

        assert answer.status_code in {400, 413, 422}
        assert session.get_one(User, key).role == "admin"
        assert actions(session, key) == []
