"""Two owners edit the same person, on one screen or on two."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.models import Admin
from tests.client import SiteClient
from tests.rows import staff
from tests.views.reading import JSON, events, hidden, message, said, toast

ClientAs = Callable[..., SiteClient]
Door = Callable[..., TestResponse]
ADMINS, USERS = "/admin/admins", "/admin/users"


@pytest.fixture
def zoe(session: Session) -> Admin:
    """Somebody whose record both have open."""
    return staff("support", "Zoe", user__email="zoe@example.com")


@pytest.fixture
def one(client_as: ClientAs) -> SiteClient:
    return client_as("owner")


@pytest.fixture
def other(client_as: ClientAs) -> SiteClient:
    """The tab of a second owner."""
    return client_as(staff("owner", "Second", user__email="second@example.com").user)


def by_row(tab: SiteClient, key: int, **values: Any) -> TestResponse:
    return tab.put(f"{ADMINS}/{key}", data=values, htmx=True)


def by_cell(tab: SiteClient, key: int, **values: Any) -> TestResponse:
    return tab.post(f"{ADMINS}/ajax/update/", data={"list_form_pk": str(key), **values}, htmx=True)


def by_form(tab: SiteClient, key: int, **values: Any) -> TestResponse:
    return tab.post(f"{ADMINS}/edit/?id={key}", data=values)


def by_script(tab: SiteClient, key: int, **values: Any) -> TestResponse:
    return tab.put(f"{ADMINS}/{key}", json=values, headers=JSON)


DOORS = pytest.mark.parametrize("door", [by_row, by_cell, by_form, by_script])


class TestAdminsScreen:
    @DOORS
    def test_asks_which_value_to_keep(
        self, one: SiteClient, other: SiteClient, session: Session, zoe: Admin, door: Door
    ) -> None:
        by_row(other, zoe.id, full_name="Theirs", row_version="1")

        answer = door(one, zoe.id, full_name="Mine", row_version="1")

        assert answer.status_code == 409
        assert session.get_one(Admin, zoe.id).full_name == "Theirs"
        if door is by_script:
            assert "second@example.com changed full name" in message(answer)
        else:
            assert "keep which?" in said(answer)
            assert "Yours: Mine" in said(answer)
            assert hidden(answer)["row_version"] == "2"

    @DOORS
    def test_saves_the_decision(
        self, one: SiteClient, other: SiteClient, session: Session, zoe: Admin, door: Door
    ) -> None:
        by_row(other, zoe.id, full_name="Theirs", row_version="1")
        assert door(one, zoe.id, full_name="Mine", row_version="1").status_code == 409

        answer = door(one, zoe.id, full_name="Mine", row_version="2")

        assert answer.status_code in {200, 303}
        assert session.get_one(Admin, zoe.id).full_name == "Mine"

    @pytest.mark.parametrize("values", [{"role": "admin"}, {"status": "suspended"}])
    def test_keeps_both_where_they_touch_different_fields(
        self,
        one: SiteClient,
        other: SiteClient,
        session: Session,
        zoe: Admin,
        values: dict[str, str],
    ) -> None:
        by_cell(other, zoe.id, row_version="1", **values)

        answer = by_row(one, zoe.id, full_name="Mine", row_version="1")

        assert answer.status_code == 200
        assert "second@example.com changed" in toast(answer)
        row = session.get_one(Admin, zoe.id)
        assert row.full_name == "Mine"
        assert {row.role, row.status} >= set(values.values())


class TestBothScreens:
    def test_a_name_saved_on_users_is_a_conflict_on_admins(
        self, one: SiteClient, other: SiteClient, session: Session, zoe: Admin
    ) -> None:
        taken = other.put(
            f"{USERS}/{zoe.user_id}",
            data={"display_name": "Theirs", "row_version": "1"},
            htmx=True,
        )

        answer = by_row(one, zoe.id, full_name="Mine", row_version="1")

        assert (taken.status_code, answer.status_code) == (200, 409)
        assert session.get_one(Admin, zoe.id).full_name == "Theirs"

    def test_a_name_saved_on_admins_is_a_conflict_on_users(
        self, one: SiteClient, other: SiteClient, session: Session, zoe: Admin
    ) -> None:
        by_row(other, zoe.id, full_name="Theirs", row_version="1")

        answer = one.put(
            f"{USERS}/{zoe.user_id}",
            data={"display_name": "Mine", "row_version": "1"},
            htmx=True,
        )

        assert answer.status_code == 409
        assert session.get_one(Admin, zoe.id).full_name == "Theirs"

    def test_an_address_and_a_name_are_both_kept(
        self, one: SiteClient, other: SiteClient, session: Session, zoe: Admin
    ) -> None:
        other.put(
            f"{USERS}/{zoe.user_id}",
            data={"email": "new@example.com", "row_version": "1"},
            htmx=True,
        )

        answer = by_row(one, zoe.id, full_name="Mine", row_version="1")

        assert answer.status_code == 200
        row = session.get_one(Admin, zoe.id)
        assert (row.email, row.full_name) == ("new@example.com", "Mine")

    def test_a_level_changed_does_not_stand_in_the_way_of_a_name(
        self, one: SiteClient, other: SiteClient, session: Session, zoe: Admin
    ) -> None:
        by_cell(other, zoe.id, status="suspended", row_version="1")

        answer = one.put(
            f"{USERS}/{zoe.user_id}",
            data={"display_name": "Mine", "row_version": "1"},
            htmx=True,
        )

        assert answer.status_code == 200
        assert session.get_one(Admin, zoe.id).full_name == "Mine"

    def test_each_change_is_told_on_both_records(
        self, one: SiteClient, session: Session, zoe: Admin
    ) -> None:
        by_row(one, zoe.id, full_name="Zed")

        told = {
            event.action: event.changes
            for key in (zoe.id, zoe.user_id)
            for event in events(session, key)
        }

        assert told == {
            "admin.updated": {"full_name": ["Zoe", "Zed"]},
            "user.updated": {"display_name": ["Zoe", "Zed"]},
        }

    def test_who_was_removed_is_not_there_any_more(
        self, one: SiteClient, other: SiteClient, zoe: Admin
    ) -> None:
        key = zoe.id
        other.delete(f"{ADMINS}/{key}", htmx=True)

        answers = [door(one, key, full_name="Mine") for door in (by_row, by_cell, by_form)]

        assert [answer.status_code for answer in answers] == [404, 404, 404]
