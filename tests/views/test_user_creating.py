"""Adding a user: from the list's dialog, from the page, by script."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.models import User
from tests.client import SiteClient
from tests.rows import person
from tests.views.reading import JSON, actions, events, message, said, toast

ClientAs = Callable[[str | User], SiteClient]
URL = "/admin/users"
NEW = {"email": "New@Example.com", "display_name": "New Person"}


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture
def boss(client_as: ClientAs) -> SiteClient:
    return client_as("owner")


def found(session: Session, email: str = "new@example.com") -> User:
    return session.scalars(select(User).where(User.email_key == email)).one()


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(User)) or 0


class TestForm:
    def test_opens_in_a_dialog_over_the_list(self, tab: SiteClient) -> None:
        page, dialog = tab.get(URL).text, tab.get(f"{URL}/new/", htmx=True).text

        assert 'data-action="new"' in page
        assert '<dialog class="modal" open' in dialog
        for name in NEW:
            assert f'name="{name}"' in dialog

    def test_offers_the_role_to_owners_only(self, tab: SiteClient, boss: SiteClient) -> None:
        assert 'name="role"' not in tab.get(f"{URL}/new/", htmx=True).text
        assert 'name="role"' in boss.get(f"{URL}/new/", htmx=True).text

    def test_is_not_for_support(self, client_as: ClientAs) -> None:
        support = client_as("support")

        assert support.get(f"{URL}/new/").status_code == 403
        assert 'data-action="new"' not in support.get(URL).text


class TestCreate:
    def test_answers_htmx_with_the_list_and_a_toast(
        self, tab: SiteClient, session: Session
    ) -> None:
        answer = tab.post(URL, data=NEW, htmx=True)

        user = found(session)
        assert toast(answer) == "success: Created New Person."
        assert f'id="user-{user.id}"' in answer.text
        assert (user.email, user.role, user.password_hash) == ("New@Example.com", "user", None)

    def test_leads_a_plain_form_to_the_list(self, tab: SiteClient, session: Session) -> None:
        answer = tab.post(f"{URL}/new/", data=NEW)

        assert (answer.status_code, answer.location) == (303, URL)
        assert found(session).display_name == "New Person"

    def test_answers_a_script_with_the_record(self, tab: SiteClient, session: Session) -> None:
        answer = tab.post(URL, json=NEW, headers=JSON)

        assert answer.status_code == 201
        assert answer.json is not None
        made = answer.json["data"]
        assert made["id"] == str(found(session).id)
        assert (made["email"], made["role"]) == ("New@Example.com", "user")
        assert "password_hash" not in made

    def test_is_recorded(self, tab: SiteClient, session: Session) -> None:
        tab.post(URL, data=NEW, htmx=True)

        [event] = events(session)
        assert (event.action, event.actor_email) == ("user.created", "admin@example.com")
        assert event.changes["email"] == [None, "New@Example.com"]

    def test_with_a_role_is_for_owners(
        self, tab: SiteClient, boss: SiteClient, session: Session
    ) -> None:
        refused = tab.post(URL, data={**NEW, "role": "admin"}, htmx=True)
        assert (refused.status_code, actions(session)) == (403, ["access.denied"])

        taken = boss.post(URL, data={**NEW, "role": "admin"}, htmx=True)

        assert (taken.status_code, found(session).role) == (200, "admin")

    @pytest.mark.parametrize(
        ("values", "field", "why"),
        [
            ({"display_name": "New"}, "email", "Give an e-mail address."),
            ({**NEW, "email": "nowhere"}, "email", "is not an e-mail address"),
            ({**NEW, "email": "TAKEN@example.com"}, "email", "Edit that person instead."),
            ({"email": "a@example.com"}, "display_name", "Give a name."),
            ({**NEW, "display_name": "\u200b"}, "display_name", "Give a name."),
            ({**NEW, "email": ["a@x.example", "b@x.example"]}, "email", "Give one value."),
        ],
    )
    def test_shows_what_is_wrong_at_its_field(
        self, tab: SiteClient, session: Session, values: dict[str, str], field: str, why: str
    ) -> None:
        person(email="taken@example.com")
        before = count(session)

        dialog = tab.post(URL, data=values, htmx=True)
        page = tab.post(f"{URL}/new/", data=values)
        script = tab.post(URL, json=values, headers=JSON)

        assert [a.status_code for a in (dialog, page, script)] == [422, 422, 422]
        assert dialog.headers["HX-Retarget"] == "#dialog"
        for answer in (dialog, page):
            assert f'id="{field}-error"' in answer.text
            assert why in said(answer)
        assert script.json is not None
        assert why in script.json["error"]["fields"][field]
        assert count(session) == before

    def test_takes_no_field_that_is_not_offered(self, boss: SiteClient, session: Session) -> None:
        more = {"credits_balance": "1000", "password_hash": "x", "id": "1", "version": "9"}

        boss.post(URL, data={**NEW, **more}, htmx=True)

        user = found(session)
        assert (user.credits_balance, user.password_hash, user.version) == (0, None, 1)

    def test_is_refused_to_support_in_words(self, client_as: ClientAs, session: Session) -> None:
        answer = client_as("support").post(URL, json=NEW, headers=JSON)

        assert answer.status_code == 403
        assert message(answer) == "This needs an admin; you are signed in as support."
        assert actions(session) == ["access.denied"]
