"""One's own record and the last active owner's: closed on the screen, refused at every door."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.models import Admin, ApiToken, User
from adminsite.permissions import SYSTEM
from tests.client import SiteClient
from tests.factories import save
from tests.kit.conftest import view_of
from tests.lists import Listed, ask, statements
from tests.rows import link, staff
from tests.views.reading import JSON, actions, message, said, sessions_of, toast

ClientAs = Callable[[str | User], SiteClient]
Door = Callable[..., TestResponse]
URL = "/admin/admins"
REASONS = {
    "role": "Nobody changes their own level. Make somebody else an owner first.",
    "status": "Nobody suspends or reinstates themselves. Make somebody else an owner first.",
    "delete": "Nobody removes themselves. Make somebody else an owner first.",
}


def by_cell(tab: SiteClient, key: int, **values: Any) -> TestResponse:
    """The select or the switch of the list."""
    return tab.post(f"{URL}/ajax/update/", data={"list_form_pk": str(key), **values}, htmx=True)


def by_row(tab: SiteClient, key: int, **values: Any) -> TestResponse:
    """The row edited in its place."""
    return tab.put(f"{URL}/{key}", data=values, htmx=True)


def by_form(tab: SiteClient, key: int, **values: Any) -> TestResponse:
    """The form on its own page."""
    return tab.post(f"{URL}/edit/?id={key}", data=values)


def by_script(tab: SiteClient, key: int, **values: Any) -> TestResponse:
    """A script that sends JSON to the row."""
    return tab.put(f"{URL}/{key}", json=values, headers=JSON)


def by_form_script(tab: SiteClient, key: int, **values: Any) -> TestResponse:
    """A script that sends JSON to the form."""
    return tab.post(f"{URL}/edit/?id={key}", json=values, headers=JSON)


def by_api(tab: SiteClient, key: int, **values: Any) -> TestResponse:
    """The JSON API."""
    [(name, value)] = values.items()
    return tab.put(f"/admin/api/admins/{key}/{name}", json={name: value})


def delete_row(tab: SiteClient, key: int) -> TestResponse:
    return tab.delete(f"{URL}/{key}", htmx=True)


def delete_form(tab: SiteClient, key: int) -> TestResponse:
    return tab.post(f"{URL}/delete/", data={"id": str(key)})


def delete_many(tab: SiteClient, key: int) -> TestResponse:
    data = {"action": "delete", "rowid": str(key)}
    return tab.post(f"{URL}/action/", data=data, htmx=True)


def delete_by_script(tab: SiteClient, key: int) -> TestResponse:
    return tab.delete(f"{URL}/{key}", headers=JSON)


def delete_by_api(tab: SiteClient, key: int) -> TestResponse:
    return tab.delete(f"/admin/api/admins/{key}")


DOORS = pytest.mark.parametrize(
    "door", [by_cell, by_row, by_form, by_script, by_form_script, by_api]
)
DELETES = pytest.mark.parametrize(
    "door", [delete_row, delete_form, delete_many, delete_by_script, delete_by_api]
)


@pytest.fixture
def boss(client_as: ClientAs) -> SiteClient:
    return client_as("owner")


@pytest.fixture
def own(owner: User) -> int:
    """The key of the owner's own record, the only one of an owner."""
    assert owner.staff is not None
    return owner.staff.id


def reason(verb: str, *, another: bool) -> str:
    """Why not, and what would help: another owner, whom there may be already."""
    alone = "Make somebody else an owner first."
    return REASONS[verb].replace(alone, "Ask another owner.") if another else REASONS[verb]


def sentence(answer: TestResponse) -> str:
    if answer.is_json:
        return message(answer)
    return toast(answer) if "HX-Trigger" in answer.headers else said(answer)


def stored(session: Session, key: int) -> tuple[str, str]:
    row = session.get_one(Admin, key)
    return row.role, row.status


class TestOwnRecord:
    @DOORS
    @pytest.mark.parametrize(
        "values", [{"role": "admin"}, {"role": "support"}, {"status": "suspended"}]
    )
    @pytest.mark.parametrize("another", [True, False])
    def test_keeps_level_and_status(  # noqa: PLR0913 - one for each parameter
        self,
        boss: SiteClient,
        session: Session,
        own: int,
        door: Door,
        values: dict[str, str],
        *,
        another: bool,
    ) -> None:
        if another:
            staff("owner")

        answer = door(boss, own, **values)

        assert answer.status_code == 400
        assert reason(next(iter(values)), another=another) in sentence(answer)
        assert stored(session, own) == ("owner", "active")
        assert actions(session) == []

    @DELETES
    @pytest.mark.parametrize("another", [True, False])
    def test_is_not_removed(
        self, boss: SiteClient, session: Session, own: int, door: Door, *, another: bool
    ) -> None:
        if another:
            staff("owner")

        answer = door(boss, own)

        assert answer.status_code == 400
        assert reason("delete", another=another) in sentence(answer)
        assert stored(session, own) == ("owner", "active")
        assert actions(session) == []

    def test_is_not_removed_among_others(
        self, boss: SiteClient, session: Session, own: int
    ) -> None:
        zoe = staff("support", "Zoe")
        data = {"action": "delete", "rowid": f"{zoe.id},{own}"}

        answer = boss.post(f"{URL}/action/", data=data, headers=JSON)

        assert answer.status_code == 400
        assert message(answer).startswith("Owner Person (owner): Nobody removes themselves.")
        assert stored(session, zoe.id) == ("support", "active")

    def test_is_left_out_of_a_bulk_deletion(self, boss: SiteClient, own: int) -> None:
        zoe = staff("support", "Zoe")
        data = {"action": "delete", "rowid": f"{zoe.id},{own}"}

        dialog = boss.post(f"{URL}/action/preview", data=data, htmx=True)

        assert "1 changes, 1 refused." in said(dialog)
        assert f'name="rowid" value="{zoe.id}"' in dialog.text

    def test_costs_a_preview_of_many_no_more(self, boss: SiteClient) -> None:
        costs = []
        for count in (2, 40):
            keys = ",".join(str(staff("owner").id) for _ in range(count))
            with statements() as sent:
                boss.post(
                    f"{URL}/action/preview", data={"action": "delete", "rowid": keys}, htmx=True
                )
            costs.append(len(sent))

        assert costs[0] == costs[1]

    def test_shows_the_reasons_in_the_list(self, boss: SiteClient, own: int) -> None:
        row = ask(boss, URL).row(own)

        for word, why in REASONS.items():
            assert f'data-tip="{why}"' in row, word
        for control in ("<select", 'role="switch"', f"{URL}/{own}/delete"):
            assert control not in row
        assert 'aria-disabled="true" data-action="delete"' in row

    @pytest.mark.parametrize("how", ["page", "row"])
    def test_shows_the_reasons_in_the_form(self, boss: SiteClient, own: int, how: str) -> None:
        address = f"{URL}/edit/?id={own}" if how == "page" else f"{URL}/{own}/edit"

        form = boss.get(address, htmx=how == "row").text

        for name in ("role", "status"):
            control = form.split(f'id="{name}"')[0].rpartition("<")[2]
            assert "disabled" in control
            assert f'id="{name}-help">{REASONS[name]}</p>' in form
        assert how == "row" or f'data-action="delete" data-tip="{REASONS["delete"]}"' in form

    def test_keeps_the_reasons_when_another_field_is_wrong(
        self, boss: SiteClient, own: int
    ) -> None:
        answer = boss.post(f"{URL}/edit/?id={own}", data={"email": "x", "full_name": "Typed"})

        assert answer.status_code == 422
        assert REASONS["role"] in said(answer)
        assert '<option selected value="owner">' in answer.text
        assert 'value="Typed"' in answer.text

    def test_keeps_what_was_typed_when_it_is_refused(self, boss: SiteClient, own: int) -> None:
        values = {"full_name": "Typed", "role": "support", "row_version": "1"}

        answer = boss.post(f"{URL}/edit/?id={own}", data=values)

        assert answer.status_code == 400
        assert 'value="Typed"' in answer.text
        alert = answer.text.split('role="alert"')[1].split("</div>")[0]
        assert REASONS["role"] in alert
        assert '<option selected value="owner">' in answer.text

    @pytest.mark.parametrize("field", ["role", "status"])
    def test_opens_no_cell(self, boss: SiteClient, own: int, field: str) -> None:
        answer = boss.get(f"{URL}/{own}/cell/{field}", htmx=True)

        assert answer.status_code == 400
        assert REASONS[field] in toast(answer)

    def test_asks_no_question(self, boss: SiteClient, own: int) -> None:
        answer = boss.get(f"{URL}/{own}/delete", htmx=True)

        assert (answer.status_code, "<dialog" in answer.text) == (400, False)

    @pytest.mark.parametrize("door", [by_cell, by_row, by_form, by_script])
    def test_takes_ones_own_name(
        self, boss: SiteClient, session: Session, own: int, door: Door
    ) -> None:
        answer = door(boss, own, full_name="New Name")

        assert answer.status_code in {200, 303}
        assert session.get_one(Admin, own).full_name == "New Name"
        assert sessions_of(session, session.get_one(Admin, own).user_id) == 1

    @DOORS
    def test_takes_the_level_it_has(
        self, boss: SiteClient, session: Session, own: int, door: Door
    ) -> None:
        answer = door(boss, own, role="owner")

        assert answer.status_code in {200, 303}
        assert actions(session) == []


class TestAnotherOwner:
    """With two active owners, one may be changed by the other, and then one is left."""

    @DOORS
    @pytest.mark.parametrize("values", [{"role": "admin"}, {"status": "suspended"}])
    def test_is_changed_by_the_other(
        self, boss: SiteClient, session: Session, door: Door, values: dict[str, str]
    ) -> None:
        zoe = staff("owner", "Zoe")

        answer = door(boss, zoe.id, **values)

        assert answer.status_code in {200, 303}
        assert set(values.values()) <= set(stored(session, zoe.id))

    @DELETES
    def test_is_removed_by_the_other_and_stays_a_user(
        self, boss: SiteClient, session: Session, door: Door
    ) -> None:
        zoe = staff("owner", "Zoe").user
        person_key, key = (
            zoe.id,
            session.scalars(select(Admin.id).where(Admin.user_id == zoe.id)).one(),
        )
        mine = link(owner=zoe)
        save(ApiToken(user_id=person_key, name="x", token_hash="0" * 64, prefix="x"))

        answer = door(boss, key)

        assert answer.status_code in {200, 303}
        assert session.get(Admin, key) is None
        assert session.get_one(User, person_key).role == "user"
        assert mine.owners[0].user_id == person_key
        assert session.scalars(select(ApiToken.revoked_at)).one() is not None

    def test_who_was_demoted_is_no_owner_any_more(
        self, boss: SiteClient, client_as: ClientAs, session: Session, own: int
    ) -> None:
        zoe = staff("owner", "Zoe")
        theirs = client_as(zoe.user)

        by_cell(boss, zoe.id, role="admin")

        assert theirs.get(URL).status_code == 302  # signed out
        assert by_cell(theirs, own, role="admin").status_code == 401
        assert stored(session, own) == ("owner", "active")

    def test_removed_from_the_list_draws_it_anew(self, boss: SiteClient) -> None:
        zoe, other = staff("owner", "Zoe").id, staff("support").id

        dialog = boss.get(f"{URL}/{zoe}/delete", htmx=True)
        answer = delete_row(boss, zoe)

        assert 'hx-target="#list"' in dialog.text
        assert "The person stays as a user, with their links and history." in said(dialog)
        assert toast(answer) == "success: Deleted Zoe (owner)."
        assert other in Listed(answer).ids
        assert zoe not in Listed(answer).ids


def test_the_last_active_owner_is_told_to_whoever_asks(app: Flask, owner: User) -> None:
    """Nobody but that owner opens the screen; the view would say so to anybody."""
    staff("owner", status="suspended")
    assert owner.staff is not None
    view = view_of(app, "admins")

    ruled = view.refusals([owner.staff], SYSTEM)

    why = "Owner Person is the last active owner. Make somebody else an owner first."
    assert ruled == {owner.staff.id: {"role": why, "status": why, "delete": why}}
    assert view.objection("delete", owner.staff, SYSTEM) == why
