"""Many users at once: what would change is said before, and then all of it is done, or nothing."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.models import Link, User
from tests.client import SiteClient
from tests.factories import UserFactory, save
from tests.lists import Listed, statements
from tests.rows import link, person, staff
from tests.views.reading import JSON, actions, events, hidden, message, said, sessions_of, toast
from tests.views.test_user_deletion import owners

ClientAs = Callable[[str | User], SiteClient]
URL = "/admin/users"


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture
def boss(client_as: ClientAs) -> SiteClient:
    return client_as("owner")


def rowid(rows: Iterable[User]) -> str:
    return ",".join(str(row.id) for row in rows)


def preview(tab: SiteClient, action: str, rows: Iterable[User], **how: Any) -> TestResponse:
    data = {"action": action, "rowid": rowid(rows)}
    return tab.post(f"{URL}/action/preview", data=data, **{"htmx": True, **how})


def run(tab: SiteClient, action: str, rows: Iterable[User], **values: Any) -> TestResponse:
    how = {"headers": values.pop("headers", None)}
    data = {"action": action, "rowid": rowid(rows), **values}
    return tab.post(f"{URL}/action/", data=data, htmx=not how["headers"], **how)


class TestRolePreview:
    def test_counts_those_who_change_are_so_and_are_refused(
        self, boss: SiteClient, owner: User
    ) -> None:
        change = [person(f"Member {n}") for n in range(37)]
        settled = [person(role="admin") for _ in range(3)]
        zoe = staff("support", "Zoe", user__role="user", status="suspended").user

        dialog = preview(boss, "make_admin", [*change, *settled, zoe, owner])

        told = said(dialog)
        assert "Make 37 users admin?" in told
        assert "37 change, 4 already so, 1 refused." in told
        assert "Zoe: Zoe has a staff record. Change their level or status there." in told

    def test_counts_oneself_as_refused(self, boss: SiteClient, owner: User) -> None:
        dialog = preview(boss, "make_user", [owner, person(role="admin")])

        assert "1 changes, 1 refused." in said(dialog)
        assert "Owner Person: Nobody changes their own role. Ask another owner." in said(dialog)

    def test_sends_on_those_who_change_only(self, boss: SiteClient, owner: User) -> None:
        mia, done = person("Mia"), person(role="admin")

        dialog = preview(boss, "make_admin", [mia, done, owner])

        assert hidden(dialog)["rowid"] == str(mia.id)

    def test_of_nothing_to_do_has_nothing_to_confirm(self, boss: SiteClient) -> None:
        dialog = preview(boss, "make_admin", [person(role="admin"), person(role="admin")])

        assert "Make admin: nothing to do" in said(dialog)
        assert "0 change, 2 already so." in said(dialog)
        assert "data-confirm" not in dialog.text

    def test_is_a_page_without_script(self, boss: SiteClient) -> None:
        page = preview(boss, "make_admin", [person("Mia")], htmx=False)

        assert "<h1>Make 1 user admin?</h1>" in page.text
        assert "They are signed out everywhere" in said(page)

    def test_names_at_most_five_of_those_refused(self, boss: SiteClient) -> None:
        people = [staff("support", f"Staff {n}").user for n in range(8)]

        dialog = preview(boss, "make_user", people)

        refused = dialog.text.split('<div class="notice">')[1].split("</div>")[0]
        assert refused.count("<strong>") == 5
        assert "and 3 more" in refused

    def test_costs_the_same_for_many(self, boss: SiteClient) -> None:
        few, many = [[UserFactory.build() for _ in range(n)] for n in (2, 80)]
        save(*few, *many)
        sent = [{"action": "make_admin", "rowid": rowid(people)} for people in (few, many)]
        costs = []

        for data in [sent[0], *sent]:
            with statements() as found:
                boss.post(f"{URL}/action/preview", data=data, htmx=True)
            costs.append(len(found))

        assert costs[2] == costs[1]


class TestRole:
    def test_changes_all_and_records_each(self, boss: SiteClient, session: Session) -> None:
        people = [person() for _ in range(3)]

        answer = run(boss, "make_admin", people)

        assert toast(answer) == "success: Changed 3 users."
        assert len(Listed(answer).keys) == 4
        made = events(session)
        assert [event.action for event in made] == ["user.role_changed"] * 3
        assert {event.request_id for event in made} == {answer.headers["X-Request-ID"]}

    def test_ends_their_sessions(
        self, boss: SiteClient, client_as: ClientAs, session: Session, member: User
    ) -> None:
        client_as("member")

        run(boss, "make_admin", [member])

        assert sessions_of(session, member.id) == 0

    def test_changes_nobody_when_one_is_refused(
        self, boss: SiteClient, session: Session, support: User
    ) -> None:
        mia = person("Mia", role="admin")

        answer = run(boss, "make_user", [mia, support], headers=JSON)

        assert answer.status_code == 400
        assert message(answer).startswith("Support Person: Support Person has a staff record.")
        assert message(answer).endswith("Nothing was changed.")
        assert session.get_one(User, mia.id).role == "admin"
        assert actions(session) == []

    @pytest.mark.parametrize("who", ["admin", "support"])
    def test_is_for_owners(self, client_as: ClientAs, session: Session, who: str) -> None:
        tab, mia = client_as(who), person()

        answers = [preview(tab, "make_admin", [mia]), run(tab, "make_admin", [mia])]

        refused = 400 if who == "admin" else 403  # an admin has other actions here
        assert [answer.status_code for answer in answers] == [refused, refused]
        assert 'value="make_admin"' not in tab.get(URL).text
        assert session.get_one(User, mia.id).role == "user"


class TestDelete:
    def test_asks_once_for_all_in_one_plan(self, tab: SiteClient) -> None:
        mia, bob = person("Mia", credits_balance=5), person("Bob", credits_balance=7)
        link(slug="a-mine", owner=mia)
        link(slug="b-between", owner=mia, co_owners=[bob])
        link(slug="c-shared", owner=bob, co_owners=[person()])

        dialog = preview(tab, "delete", [mia, bob])

        told = said(dialog)
        assert "Delete 2 users?" in told
        assert "2 links that nobody else owns are deleted." in told
        assert "a-mine b-between" in told
        assert "1 link goes to the longest-standing co-owner." in told
        assert "12 credits are lost" in told
        assert dialog.text.count('name="link_action"') == 2

    def test_leaves_staff_and_oneself_out(self, tab: SiteClient, admin: User) -> None:
        mia, zoe = person("Mia"), staff("support", "Zoe").user

        dialog = preview(tab, "delete", [mia, zoe, admin])

        assert "1 changes, 2 refused." in said(dialog)
        assert "Zoe: " in said(dialog)
        assert "Nobody deletes themselves" in said(dialog)
        assert hidden(dialog)["rowid"] == str(mia.id)

    @pytest.mark.parametrize("answer", ["reassign", "delete"])
    def test_does_what_was_answered_for_all(
        self, tab: SiteClient, session: Session, answer: str
    ) -> None:
        mia, bob = person("Mia"), person("Bob")
        alone, between = link(owner=mia), link(owner=bob, co_owners=[mia])
        keys, kept = [alone.id, between.id], link(owner=person("Zoe"), co_owners=[bob])
        sent = hidden(preview(tab, "delete", [mia, bob]))

        done = tab.post(f"{URL}/action/", data={**sent, "link_action": answer}, htmx=True)

        assert toast(done) == "success: Deleted 2 users."
        left = [session.get(Link, key) for key in keys]
        shares = [owners(session, row) for row in left if row]
        assert shares == ([[("Admin Person", True)]] * 2 if answer == "reassign" else [])
        assert owners(session, kept) == [("Zoe", True)]
        assert actions(session) == ["user.deleted"] * 2

    def test_deletes_nobody_without_an_answer(self, tab: SiteClient, session: Session) -> None:
        people = [person(), person()]

        answer = run(tab, "delete", people, headers=JSON)

        assert answer.status_code == 400
        assert "link_action is required" in message(answer)
        assert all(session.get(User, user.id) for user in people)

    def test_deletes_nobody_when_one_is_staff(self, tab: SiteClient, session: Session) -> None:
        mia, zoe = person("Mia"), staff("support", "Zoe").user

        answer = run(tab, "delete", [mia, zoe], link_action="delete", headers=JSON)

        assert answer.status_code == 400
        assert "is staff. Remove staff access first." in message(answer)
        assert session.get(User, mia.id) is not None

    @pytest.mark.parametrize("htmx", [True, False])
    def test_asks_again_when_the_facts_moved(
        self, tab: SiteClient, session: Session, *, htmx: bool
    ) -> None:
        mia, bob = person("Mia"), person("Bob")
        sent = hidden(preview(tab, "delete", [mia, bob]))
        link(slug="late", owner=mia)

        answer = tab.post(f"{URL}/action/", data={**sent, "link_action": "delete"}, htmx=htmx)

        assert answer.status_code == 409
        assert answer.headers.get("HX-Retarget") == ("#dialog" if htmx else None)
        assert "changed since you were asked. Nothing was deleted" in said(answer)
        assert "late" in said(answer)
        again = {**hidden(answer), "link_action": "delete"}
        assert tab.post(f"{URL}/action/", data=again, htmx=htmx).status_code in {200, 303}
        assert session.scalar(select(func.count()).select_from(Link)) == 0

    def test_tells_a_script_that_the_facts_moved(self, tab: SiteClient, session: Session) -> None:
        mia = person()

        answer = run(tab, "delete", [mia], link_action="delete", plan="0" * 32, headers=JSON)

        assert answer.status_code == 409
        assert session.get(User, mia.id) is not None

    def test_does_not_find_who_is_gone(self, tab: SiteClient, session: Session) -> None:
        mia, bob = person("Mia"), person("Bob")
        data = {"action": "delete", "rowid": rowid([mia, bob]), "link_action": "delete"}
        tab.delete(f"{URL}/{bob.id}?link_action=delete")

        answer = tab.post(f"{URL}/action/", data=data, headers=JSON)

        assert answer.status_code == 404
        assert session.get(User, mia.id) is not None
