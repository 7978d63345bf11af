"""The admins screen: for owners alone; its list, its level select and its status switch (S0)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.models import Admin, AuditEvent, User
from tests.client import SiteClient
from tests.lists import Listed, ask, statements, text_of, walk
from tests.rows import person, staff
from tests.views.reading import JSON, actions, events, said, sessions_of, toast

ClientAs = Callable[[str | User], SiteClient]
URL = "/admin/admins"
HEADING = re.compile(r'<th scope="col" class="cell-.*?</th>', re.DOTALL)
MENU = re.compile(r'<a href="(/admin[^"]*)"[^>]*><svg[^>]*><use href="[^"]*#([a-z-]+)">')


@pytest.fixture
def boss(client_as: ClientAs) -> SiteClient:
    return client_as("owner")


class TestAccess:
    @pytest.mark.parametrize("who", ["admin", "support", "member"])
    @pytest.mark.parametrize("how", [{}, {"htmx": True}, {"headers": JSON}])
    def test_is_for_owners_alone(self, client_as: ClientAs, who: str, how: dict[str, Any]) -> None:
        answer = client_as(who).get(URL, **how)

        assert answer.status_code == 403
        assert "owner@example.com" not in answer.text

    @pytest.mark.parametrize(("who", "there"), [("owner", 1), ("admin", 0), ("support", 0)])
    def test_stands_in_the_menu_of_owners_alone(
        self, client_as: ClientAs, who: str, there: int
    ) -> None:
        menu = MENU.findall(client_as(who).get("/admin").text)

        assert menu.count((URL, "user-cog")) == there
        assert menu.count(("/admin/users", "users")) == 1

    @pytest.mark.parametrize("path", [URL, f"{URL}/"])
    def test_answers_with_and_without_a_slash(self, boss: SiteClient, path: str) -> None:
        assert boss.get(path).status_code == 200


class TestList:
    def test_has_the_columns_of_the_requirement(self, boss: SiteClient) -> None:
        labels = [text_of(heading) for heading in HEADING.findall(ask(boss, URL).text)]

        assert labels == ["Id", "E-mail", "Name", "Level", "Status", "Last sign-in", "Since"]

    def test_shows_a_record_with_its_person(self, boss: SiteClient) -> None:
        zoe = staff(
            "support",
            "Zoe <b>",
            status="suspended",
            user__email="zoe@example.com",
            last_login_at=datetime(2025, 3, 4, tzinfo=UTC),
            created_at=datetime(2025, 1, 5, tzinfo=UTC),
        )

        page = ask(boss, URL)

        shown = [page.cell(zoe.id, label) for label in ("Id", "E-mail", "Name", "Since")]
        assert shown == [str(zoe.id), "zoe@example.com", "Zoe <b>", "Jan 5, 2025"]
        assert page.cell(zoe.id, "Last sign-in") == "Mar 4, 2025"
        assert "Zoe <b>" not in page.text

    def test_shows_nobody_who_is_no_staff(self, boss: SiteClient, owner: User) -> None:
        person("Mia")
        person("By SQL", role="admin")

        assert ask(boss, URL).count == "1"

    @pytest.mark.parametrize("role", Admin.ROLES)
    def test_chooses_the_level_that_is_stored(self, boss: SiteClient, role: str) -> None:
        zoe = staff(role)

        row = ask(boss, URL).row(zoe.id)

        assert re.findall(r'<option value="(\w+)" selected>', row) == [role]
        assert re.findall(r'<option value="(\w+)"', row) == list(Admin.ROLES)

    @pytest.mark.parametrize(
        ("status", "checked", "other"),
        [("active", "true", "suspended"), ("suspended", "false", "active")],
    )
    def test_switches_to_the_other_status(
        self, boss: SiteClient, status: str, checked: str, other: str
    ) -> None:
        zoe = staff(status=status)

        row = ask(boss, URL).row(zoe.id)

        assert f'role="switch" aria-checked="{checked}"' in row
        assert f'"status": "{other}"' in row
        assert f">{status.capitalize()}</span>" in row

    def test_asks_before_it_takes_something_away(self, boss: SiteClient) -> None:
        active, suspended = staff(name='Zoe "Z" {x}'), staff(status="suspended")

        page = ask(boss, URL)

        assert "Change the level of Zoe &#34;Z&#34; {x}? They are signed out" in page.row(active.id)
        assert "Suspend Zoe &#34;Z&#34; {x}? They are signed out" in page.row(active.id)
        assert "Suspend P" not in page.row(suspended.id)

    def test_costs_the_same_at_any_length(self, boss: SiteClient) -> None:
        staff()
        ask(boss, URL)
        with statements() as few:
            ask(boss, URL, page_size=200)
        for _ in range(40):
            staff()

        with statements() as many:
            ask(boss, URL, page_size=200)

        assert len(many) <= len(few)

    @pytest.mark.parametrize("term", ["ZOË", "zoe.b@EXAMPLE", "oë Ber"])
    def test_finds_addresses_and_names(self, boss: SiteClient, term: str) -> None:
        zoe = staff(name="Zoë Berg", user__email="Zoe.B@example.com")
        staff(name="Other")

        page = ask(boss, URL, search=term)

        assert (page.ids, page.count) == ([zoe.id], "1")
        assert "<mark>" in page.row(zoe.id)

    @pytest.mark.parametrize(
        "query", [{"role": "support"}, {"status": "suspended"}, {"search": "zoe"}]
    )
    def test_keeps_those_who_fit(self, boss: SiteClient, query: dict[str, str]) -> None:
        zoe = staff("support", "Zoe", status="suspended")
        staff("admin", "Other")

        assert ask(boss, URL, **query).ids == [zoe.id]

    @pytest.mark.parametrize("query", ["role=user", "status=away"])
    def test_refuses_a_filter_it_does_not_know(self, boss: SiteClient, query: str) -> None:
        assert boss.get(f"{URL}?{query}").status_code == 400

    @pytest.mark.parametrize("desc", [False, True])
    @pytest.mark.parametrize("column", ["email", "created_at"])
    def test_sorts_through_all_pages(
        self, boss: SiteClient, session: Session, column: str, *, desc: bool
    ) -> None:
        start = datetime(2025, 1, 1, tzinfo=UTC)
        for n in range(45):
            address = f"{'aBc'[n % 3]}{n}@example.com"
            staff(user__email=address, created_at=start + timedelta(days=n % 9))
        rows = session.scalars(select(Admin)).all()
        value: Callable[[Admin], Any] = (
            (lambda row: row.user.email_key) if column == "email" else (lambda row: row.created_at)
        )
        wanted = [row.id for row in sorted(rows, key=lambda r: (value(r), r.id), reverse=desc)]

        pages = list(walk(boss, f"{URL}?sort={column}&desc={int(desc)}&page_size=20"))

        assert [key for page in pages for key in page.ids] == wanted
        assert [len(page.ids) for page in pages] == [20, 20, 6]

    def test_is_exported_for_owners_and_recorded(self, boss: SiteClient, session: Session) -> None:
        staff(name="=1+1", user__email="zoe@example.com")

        answer = boss.get(f"{URL}/export/csv/?search=zoe")

        header, row = answer.text.splitlines()
        assert header == "id,email,full_name,role,status,last_login_at,created_at"
        assert "zoe@example.com,'=1+1,admin,active" in row
        exported = select(AuditEvent.changes).where(AuditEvent.action == "data.exported")
        assert session.scalars(exported).one()["resource"] == "admins"

    @pytest.mark.parametrize("who", ["admin", "support"])
    def test_is_exported_for_nobody_else(self, client_as: ClientAs, who: str) -> None:
        assert client_as(who).get(f"{URL}/export/csv/").status_code == 403


def cell(tab: SiteClient, key: int, **values: str) -> Any:
    data = {"list_form_pk": str(key), **values}
    return tab.post(f"{URL}/ajax/update/", data=data, htmx=True)


class TestControls:
    @pytest.mark.parametrize(
        ("values", "action", "change"),
        [
            ({"role": "support"}, "admin.role_changed", {"role": ["admin", "support"]}),
            ({"role": "owner"}, "admin.role_changed", {"role": ["admin", "owner"]}),
            ({"status": "suspended"}, "admin.status_changed", {"status": ["active", "suspended"]}),
        ],
    )
    def test_save_at_once(
        self,
        boss: SiteClient,
        session: Session,
        values: dict[str, str],
        action: str,
        change: dict[str, Any],
    ) -> None:
        zoe = staff("admin", "Zoe")

        answer = cell(boss, zoe.id, row_version="1", **values)

        assert answer.status_code == 200
        assert toast(answer).startswith("success: Saved Zoe (")
        [event] = [found for found in events(session, zoe.id) if found.action == action]
        assert event.changes.items() >= change.items()

    def test_draw_the_whole_list_as_it_was_narrowed(self, boss: SiteClient) -> None:
        zoe, other = staff("admin", "Zoe"), staff("admin", "Other")
        here = {"HX-Current-URL": f"http://localhost{URL}?search=zoe&page_size=20"}

        answer = boss.post(
            f"{URL}/ajax/update/",
            data={"list_form_pk": str(zoe.id), "role": "support"},
            headers=here,
            htmx=True,
        )

        assert answer.headers["HX-Retarget"] == "#list"
        assert answer.headers["HX-Reswap"] == "outerHTML"
        assert Listed(answer).ids == [zoe.id]
        assert f"admin-{other.id}" not in answer.text

    @pytest.mark.parametrize("here", ["", "nonsense", "http://x/?role=zzz", "http://[", "\x7f"])
    def test_draw_the_whole_list_whatever_the_browser_says_of_itself(
        self, boss: SiteClient, here: str
    ) -> None:
        zoe = staff("admin", "Zoe")

        answer = boss.post(
            f"{URL}/ajax/update/",
            data={"list_form_pk": str(zoe.id), "role": "support"},
            headers={"HX-Current-URL": here},
            htmx=True,
        )

        assert answer.status_code == 200
        assert zoe.id in Listed(answer).ids

    @pytest.mark.parametrize("values", [{"role": "support"}, {"status": "suspended"}])
    def test_end_the_persons_sessions(
        self,
        boss: SiteClient,
        client_as: ClientAs,
        session: Session,
        admin: User,
        values: dict[str, str],
    ) -> None:
        theirs, key = (
            client_as("admin"),
            session.scalars(select(Admin.id).where(Admin.user_id == admin.id)).one(),
        )
        assert theirs.get("/admin").status_code == 200

        cell(boss, key, **values)

        assert sessions_of(session, admin.id) == 0
        assert theirs.get("/admin").status_code == 302

    def test_reinstate(self, boss: SiteClient, session: Session) -> None:
        zoe = staff("admin", status="suspended", user__role="user")

        cell(boss, zoe.id, status="active")

        assert session.get_one(Admin, zoe.id).status == "active"
        assert session.get_one(User, zoe.user_id).role == "admin"

    @pytest.mark.parametrize(
        "values",
        [{"role": "boss"}, {"role": ""}, {"status": ""}, {"status": "x"}, {"role": "\x00"}],
    )
    def test_take_words_that_there_are(
        self, boss: SiteClient, session: Session, values: dict[str, str]
    ) -> None:
        zoe = staff("admin", status="suspended", user__role="user")

        answer = cell(boss, zoe.id, **values)

        assert answer.status_code == 422
        row = session.get_one(Admin, zoe.id)
        assert (row.role, row.status, actions(session)) == ("admin", "suspended", [])

    def test_that_somebody_else_used_first_are_a_conflict(
        self, boss: SiteClient, session: Session
    ) -> None:
        zoe = staff("admin", "Zoe")
        cell(boss, zoe.id, role="owner", row_version="1")

        answer = cell(boss, zoe.id, role="support", row_version="1")

        assert answer.status_code == 409
        assert session.get_one(Admin, zoe.id).role == "owner"

    def test_of_a_record_that_is_gone_are_not_there(self, boss: SiteClient) -> None:
        answer = cell(boss, 999999, role="support")

        assert answer.status_code == 404
        assert toast(answer) == "error: This member of staff does not exist any more."


class TestForm:
    def test_shows_what_is_stored(self, boss: SiteClient) -> None:
        zoe = staff("support", "Zoe", user__email="zoe@example.com")

        page = boss.get(f"{URL}/edit/?id={zoe.id}")

        assert 'name="email"' in page.text
        assert 'value="zoe@example.com"' in page.text
        assert '<option selected value="support">' in page.text
        assert "disabled" not in page.text.split("<main")[1].split("</main>")[0]

    def test_saves_everything_at_once(self, boss: SiteClient, session: Session) -> None:
        zoe = staff("support", "Zoe")
        values = {"email": "new@example.com", "full_name": "Zed", "role": "admin"}

        answer = boss.post(f"{URL}/edit/?id={zoe.id}", data={**values, "row_version": "1"})

        assert (answer.status_code, answer.location) == (303, URL)
        row = session.get_one(Admin, zoe.id)
        assert (row.email, row.full_name, row.role) == tuple(values.values())
        assert set(actions(session, zoe.id)) == {"admin.updated", "admin.role_changed"}

    def test_has_no_password(self, boss: SiteClient, session: Session) -> None:
        zoe = staff("support")

        answer = boss.put(f"{URL}/{zoe.id}", json={"password": "x", "password_hash": "x"})

        assert "password" not in boss.get(f"{URL}/edit/?id={zoe.id}", htmx=True).text
        assert answer.status_code < 500
        assert actions(session, zoe.id) == []

    def test_of_a_taken_address_is_shown_again(self, boss: SiteClient) -> None:
        person(email="taken@example.com")
        zoe = staff("support", "Zoe")
        values = {"email": "Taken@example.com", "full_name": "Typed", "status": "suspended"}

        answer = boss.post(f"{URL}/edit/?id={zoe.id}", data=values)

        assert answer.status_code == 422
        assert "Somebody with the address" in said(answer)
        assert 'value="Typed"' in answer.text
        assert '<option selected value="suspended">' in answer.text
        assert '<option selected value="support">' in answer.text

    @pytest.mark.parametrize("htmx", [True, False])
    def test_is_the_rows_address_too(self, boss: SiteClient, *, htmx: bool) -> None:
        zoe = staff("support")

        answer = boss.get(f"{URL}/{zoe.id}", htmx=htmx)

        if htmx:
            assert Listed(answer).ids == [zoe.id]
        else:
            assert answer.location == f"{URL}/edit/?id={zoe.id}"
