"""Making somebody staff, and the one-time link to set a password: shown once, kept nowhere."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.models import Admin, PasswordReset, User
from tests.client import SiteClient
from tests.mailbox import Mailbox
from tests.rows import person, staff
from tests.views.reading import JSON, actions, events, hidden, message, said, toast
from tests.views.test_reads import contents

ClientAs = Callable[[str | User], SiteClient]
URL = "/admin/admins"
NEW = {"email": "New@Example.com", "full_name": "New Person", "role": "support"}
LINK = re.compile(r'value="(https?://[^"]*/set-password/([^"]+))"')
CHANGED = "a long and new passphrase"


@pytest.fixture
def boss(client_as: ClientAs) -> SiteClient:
    return client_as("owner")


def found(session: Session, email: str = "new@example.com") -> Admin:
    return session.scalars(select(Admin).join(User).where(User.email_key == email)).one()


def shown(answer: TestResponse) -> tuple[str, str]:
    """The link that an answer shows, and its token."""
    if answer.is_json:
        assert answer.json is not None
        url = answer.json["data"]["set_password_url"]
    else:
        [url] = {unescape(url) for url, _token in LINK.findall(answer.text)}
    return url, url.rpartition("/")[2]


def by_dialog(tab: SiteClient, **values: Any) -> TestResponse:
    """The dialog over the list."""
    return tab.post(URL, data=values, htmx=True)


def by_page(tab: SiteClient, **values: Any) -> TestResponse:
    """The page, without script."""
    return tab.post(f"{URL}/new/", data=values)


def by_script(tab: SiteClient, **values: Any) -> TestResponse:
    """JSON."""
    return tab.post(URL, json=values, headers=JSON)


Door = Callable[..., TestResponse]
DOORS = pytest.mark.parametrize("door", [by_dialog, by_page, by_script])


class TestCreate:
    @DOORS
    def test_adds_somebody_new(self, boss: SiteClient, session: Session, door: Door) -> None:
        answer = door(boss, **NEW)

        assert answer.status_code in {200, 201}
        admin = found(session)
        assert (admin.role, admin.status, admin.full_name) == ("support", "active", "New Person")
        assert (admin.email, admin.user.role) == ("New@Example.com", "admin")
        assert set(actions(session)) == {
            "user.created",
            "user.role_changed",
            "admin.created",
            "password.reset_issued",
        }

    @DOORS
    def test_makes_staff_of_somebody_who_is_there(
        self, boss: SiteClient, session: Session, door: Door
    ) -> None:
        mia = person("Mia", email="mia@example.com")

        answer = door(boss, email="MIA@example.com", role="admin")

        assert answer.status_code in {200, 201}
        admin = found(session, "mia@example.com")
        assert (admin.user_id, admin.full_name, admin.email) == (mia.id, "Mia", "mia@example.com")
        assert session.scalar(select(func.count()).select_from(User)) == 2

    @DOORS
    @pytest.mark.parametrize(
        ("values", "field", "why"),
        [
            ({**NEW, "email": "STAFF@example.com"}, "email", "Zoe is staff already."),
            ({**NEW, "email": ""}, "email", "Give an e-mail address."),
            ({**NEW, "email": "x"}, "email", "is not an e-mail address"),
            ({**NEW, "full_name": ""}, "full_name", "Give a name."),
            ({**NEW, "role": "boss"}, "role", "The level is one of support, admin, owner."),
            ({**NEW, "role": ""}, "role", "Choose one."),
            ({"email": "a@example.com", "full_name": "A"}, "role", "The level is one of"),
        ],
    )
    def test_shows_what_is_wrong_at_its_field(  # noqa: PLR0913, PLR0917 - one for each parameter
        self,
        boss: SiteClient,
        session: Session,
        door: Door,
        values: dict[str, str],
        field: str,
        why: str,
    ) -> None:
        staff("support", "Zoe", user__email="staff@example.com")

        answer = door(boss, **values)

        assert answer.status_code == 422
        if answer.is_json:
            assert answer.json is not None
            assert why in answer.json["error"]["fields"][field]
        else:
            assert why in said(answer)
            assert f'id="{field}-error"' in answer.text
            assert answer.headers.get("HX-Retarget") == ("#dialog" if door is by_dialog else None)
        assert (actions(session), session.scalars(select(PasswordReset)).all()) == ([], [])

    @pytest.mark.parametrize("who", ["admin", "support", "member"])
    def test_is_for_owners_alone(self, client_as: ClientAs, session: Session, who: str) -> None:
        tab = client_as(who)

        answers = [door(tab, **NEW) for door in (by_dialog, by_page, by_script)]

        assert [answer.status_code for answer in answers] == [403, 403, 403]
        assert actions(session) == ["access.denied"] * 3

    def test_offers_the_levels_and_no_status(self, boss: SiteClient) -> None:
        dialog = boss.get(f"{URL}/new/", htmx=True).text

        assert re.findall(r'<option[^>]* value="(\w+)"', dialog) == ["support", "admin", "owner"]
        assert 'name="status"' not in dialog
        assert "Somebody with this address becomes staff" in dialog


class TestLink:
    @DOORS
    def test_sets_the_password_once(
        self, boss: SiteClient, client: SiteClient, session: Session, door: Door
    ) -> None:
        url, _token = shown(door(boss, **NEW))
        page = client.get(url)
        sent = {**hidden(page), "new_password": CHANGED, "repeat_password": CHANGED}

        first = client.post(url, data=sent)
        second = client.get(url)

        assert (page.status_code, first.status_code, second.status_code) == (200, 303, 404)
        assert client.sign_in("new@example.com", CHANGED).status_code == 303

    def test_is_shown_in_the_dialog_over_the_new_list(
        self, boss: SiteClient, session: Session
    ) -> None:
        answer = by_dialog(boss, **NEW)

        assert f'id="admin-{found(session).id}"' in answer.text
        assert '<div id="dialog" hx-swap-oob="innerHTML"><dialog' in answer.text
        assert "A link for New Person to set a password" in said(answer)
        assert "It works once, within an hour, and is not shown again." in said(answer)
        assert toast(answer) == "success: Created New Person (support)."

    def test_is_shown_on_the_page_without_script(self, boss: SiteClient) -> None:
        answer = by_page(boss, **NEW)

        assert "<h1>A link for New Person to set a password</h1>" in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert shown(answer)[0].startswith("http://localhost/set-password/")

    @DOORS
    def test_is_stored_nowhere_in_clear(
        self, boss: SiteClient, session: Session, door: Door
    ) -> None:
        _url, token = shown(door(boss, **NEW))

        assert token not in repr(contents(session))
        assert not any(token in repr(event.changes) for event in events(session))

    def test_is_shown_no_second_time(self, boss: SiteClient, session: Session) -> None:
        _url, token = shown(by_dialog(boss, **NEW))
        key = found(session).id

        for path in ("", f"/{key}", f"/edit/?id={key}", f"/details/?id={key}", f"/{key}/reset"):
            for how in ({}, {"htmx": True}, {"headers": JSON}):
                assert token not in boss.get(f"{URL}{path}", **how).text, path

    def test_says_that_it_was_not_mailed(self, boss: SiteClient) -> None:
        told = said(by_dialog(boss, **NEW))

        assert "Hand it over to New Person yourself: no e-mail was sent." in told

    def test_is_mailed_where_there_is_a_server(self, boss: SiteClient, mailbox: Mailbox) -> None:
        answer = by_dialog(boss, **NEW)

        [letter] = mailbox.messages
        assert letter["To"] == "New@Example.com"
        assert shown(answer)[0] in letter.get_content()
        assert "It was e-mailed to New@Example.com" in said(answer)

    def test_is_shown_when_the_server_refuses(
        self, boss: SiteClient, mailbox: Mailbox, session: Session
    ) -> None:
        mailbox.refuse = "550 no"

        answer = by_dialog(boss, **NEW)

        assert answer.status_code == 200
        assert "no e-mail was sent" in said(answer)
        assert found(session).role == "support"

    def test_is_issued_for_nobody_who_was_refused(self, boss: SiteClient, session: Session) -> None:
        staff("support", user__email="new@example.com")

        assert by_dialog(boss, **NEW).status_code == 422
        assert session.scalars(select(PasswordReset)).all() == []


def reset(tab: SiteClient, key: Any, how: str) -> TestResponse:
    url = f"{URL}/{key}/reset"
    if how == "script":
        return tab.post(url, headers=JSON)
    return tab.post(url, htmx=how == "dialog")


class TestReset:
    @pytest.mark.parametrize("htmx", [True, False])
    def test_asks_first(self, boss: SiteClient, session: Session, *, htmx: bool) -> None:
        zoe = staff("support", "Zoe", user__email="zoe@example.com")

        answer = boss.get(f"{URL}/{zoe.id}/reset", htmx=htmx)

        assert "You get a link with which zoe@example.com sets a new password." in said(answer)
        assert ("<dialog" in answer.text.split("<template")[0]) == htmx
        assert "data-confirm" in answer.text
        assert session.scalars(select(PasswordReset)).all() == []

    @pytest.mark.parametrize("how", ["dialog", "page", "script"])
    def test_shows_a_link_once(
        self, boss: SiteClient, session: Session, client: SiteClient, how: str
    ) -> None:
        zoe = staff("support", "Zoe")

        answer = reset(boss, zoe.id, how)

        url, token = shown(answer)
        assert answer.status_code == 200
        assert client.get(url).status_code == 200
        assert token not in repr(contents(session))
        assert actions(session, zoe.user_id) == ["password.reset_issued"]

    def test_says_where_it_leads_back_to(self, boss: SiteClient) -> None:
        page = reset(boss, staff("support", "Zoe").id, "page")

        crumbs = page.text.split('aria-label="Breadcrumb"')[1].split("</nav>")[0]
        assert f'<a href="{URL}">Admins</a>' in crumbs

    def test_ends_the_link_before_it(self, boss: SiteClient, client: SiteClient) -> None:
        zoe = staff("support", "Zoe")
        first, _token = shown(reset(boss, zoe.id, "dialog"))

        second, _token = shown(reset(boss, zoe.id, "dialog"))

        assert [client.get(url).status_code for url in (first, second)] == [404, 200]

    def test_leaves_password_and_sessions_until_it_is_used(
        self, boss: SiteClient, client_as: ClientAs, session: Session, support: User
    ) -> None:
        theirs, key = (
            client_as("support"),
            session.scalars(select(Admin.id).where(Admin.user_id == support.id)).one(),
        )

        reset(boss, key, "dialog")

        assert theirs.get("/admin").status_code == 200

    @pytest.mark.parametrize("how", ["dialog", "page", "script"])
    def test_of_oneself_is_refused(
        self, boss: SiteClient, session: Session, owner: User, how: str
    ) -> None:
        assert owner.staff is not None
        asked = boss.get(f"{URL}/{owner.staff.id}/reset", htmx=how == "dialog")

        answer = reset(boss, owner.staff.id, how)

        assert answer.status_code == 400
        assert "Change your own password in your account" in answer.text + str(answer.headers)
        assert "This is you." in said(asked)
        assert "Issue a link" not in asked.text
        assert session.scalars(select(PasswordReset)).all() == []

    @pytest.mark.parametrize("who", ["admin", "support", "member"])
    def test_is_for_owners_alone(self, client_as: ClientAs, session: Session, who: str) -> None:
        zoe, tab = staff("support"), client_as(who)

        statuses = [
            reset(tab, zoe.id, "dialog").status_code,
            reset(tab, zoe.id, "script").status_code,
            tab.get(f"{URL}/{zoe.id}/reset").status_code,
        ]

        assert statuses == [403, 403, 403]
        assert session.scalars(select(PasswordReset)).all() == []

    def test_of_nobody_is_not_there(self, boss: SiteClient) -> None:
        answer = reset(boss, 999999, "script")

        assert answer.status_code == 404
        assert message(answer) == "This member of staff does not exist any more."
