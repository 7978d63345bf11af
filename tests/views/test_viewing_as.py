"""Viewing the site as a user: one looks, on record, and there is no way out of looking."""

import contextvars
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import delete, event, func, select, update
from sqlalchemy.orm import Session, undefer
from werkzeug.test import TestResponse

from adminsite import audit, overlay
from adminsite.db import db, transaction, utc_now
from adminsite.models import Admin, ApiToken, AuditEvent, Link, User, UserSession
from adminsite.operations import admins, tokens, users
from adminsite.overlay import Overlay
from tests.client import TOKEN, SiteClient
from tests.factories import PASSWORD
from tests.people import acting
from tests.rows import link, person, staff
from tests.views import access
from tests.views.reading import JSON, NOBODY, actions, events, message, said, toast

ClientAs = Callable[[str | User], SiteClient]
WHY = "Ticket 7: they see no links"
LOOKING = "You are viewing the site as {}, read only. Stop viewing first."
STALE = "This page is out of date."
BANNER = re.compile(r'<section class="viewing".*?</section>', re.DOTALL)


def start(tab: SiteClient, user: User, reason: str = WHY, **how: Any) -> TestResponse:
    """Begin to view as somebody, and go on with the forms that are drawn from then on."""
    answer = tab.post(f"/admin/users/{user.id}/impersonate", data={"reason": reason}, **how)
    tab.csrf_token = tab.read_token("/dashboard") or tab.csrf_token
    return answer


def stop(tab: SiteClient) -> TestResponse:
    answer = tab.post("/impersonation/stop")
    tab.csrf_token = tab.read_token("/dashboard") or tab.csrf_token
    return answer


def token_on(page: TestResponse) -> str:
    """The CSRF token of the forms on this page."""
    found = TOKEN.search(page.text)
    return found[1] if found else ""


def whose(tab: SiteClient) -> str:
    """Whose own page the tab shows."""
    found = re.search(r"<dt>E-mail</dt>\s*<dd>(.*?)</dd>", tab.get("/dashboard").text)
    return found[1] if found else "nobody"


def banner(answer: TestResponse) -> str:
    """What the bar above the page says."""
    found = BANNER.search(answer.text)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split()) if found else ""


def pass_time(session: Session) -> None:
    """Let the time be up."""
    session.execute(update(UserSession).values(viewing_until=utc_now() - timedelta(seconds=1)))
    session.commit()


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    seen: list[str] = []

    def note(*args: Any) -> None:
        seen.append(args[2])

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def another(app: Flask, tab: SiteClient) -> SiteClient:
    """Another tab of the same browser, with the forms it has open."""
    made = cast("SiteClient", app.test_client())
    made.adopt(tab.cookies(), tab.csrf_token)
    return made


@pytest.fixture
def tab(client_as: ClientAs, member: User) -> SiteClient:
    """An admin's browser, which views the site as the member."""
    opened = client_as("admin")
    assert start(opened, member).status_code == 303
    return opened


def assert_refused(answer: TestResponse, member: User, session: Session) -> None:
    """Refused with the reason, and on record with both identities."""
    assert answer.status_code == 403
    assert LOOKING.format(member.email) in said(answer)
    last = events(session)[-1]
    assert (last.action, last.actor_email, last.actor_level, last.viewing_as_email) == (
        "access.denied",
        "admin@example.com",
        "admin",
        member.email,
    )


class TestTwelveWaysOut:
    def test_writing_by_form(self, tab: SiteClient, member: User, session: Session) -> None:
        row = link(title="Before", owner=member)

        for path, values in (
            ("/admin/links/new/", {"slug": "new", "url": "https://example.com/"}),
            (f"/admin/links/edit/?id={row.id}", {"title": "After"}),
            ("/admin/links/delete/", {"id": row.id}),
            (f"/admin/users/{member.id}/role", {"role": "admin"}),
            ("/dashboard/nothing", {}),
            ("/login", {"email": "admin@example.com", "password": PASSWORD}),
        ):
            assert_refused(tab.post(path, data=values), member, session)

        assert session.scalars(select(Link.title)).all() == ["Before"]
        assert whose(tab) == member.email

    def test_writing_by_cell(self, tab: SiteClient, member: User, session: Session) -> None:
        row = link(title="Before")

        values = {"list_form_pk": row.id, "title": "After"}
        assert_refused(tab.post("/admin/links/ajax/update/", data=values), member, session)
        for verb in ("PUT", "PATCH", "DELETE"):
            answer = tab.open(f"/admin/links/{row.id}", method=verb, data={"title": "After"})
            assert_refused(answer, member, session)

        assert session.scalars(select(Link.title)).all() == ["Before"]

    def test_writing_by_bulk_action(self, tab: SiteClient, member: User, session: Session) -> None:
        row = link()

        values = {"action": "delete", "rowid": row.id}
        for path in ("/admin/links/action/", "/admin/links/action/preview"):
            assert_refused(tab.post(path, data=values), member, session)

        assert session.scalars(select(Link.id)).all() == [row.id]

    def test_writing_by_api(self, tab: SiteClient, member: User, session: Session) -> None:
        new = {"email": "new@example.com", "full_name": "New", "role": "support"}

        inner = tab.post("/admin/api/admins", json=new)
        outer = tab.patch(f"/api/admin/users/{member.id}", json={"role": "admin"})
        reading = tab.get("/admin/api/admins"), tab.get("/api/admin/users")

        assert message(inner) == message(reading[0]) == LOOKING.format(member.email)
        for answer in (outer, reading[1]):
            assert answer.json is not None
            assert answer.json["code"] == "NOT_ADMIN"
            assert answer.json["error"].endswith(LOOKING.format(member.email))
        assert {answer.status_code for answer in (inner, outer, *reading)} == {403}
        assert actions(session)[-4:] == ["access.denied"] * 4
        assert session.get_one(User, member.id).role == "user"

    def test_token_creation(self, tab: SiteClient, member: User, session: Session) -> None:
        assert_refused(tab.post("/dashboard/tokens", data={"name": "mine"}), member, session)

        assert session.scalars(select(ApiToken)).all() == []

    def test_password_change(
        self, tab: SiteClient, member: User, admin: User, session: Session
    ) -> None:
        stored = select(User).options(undefer(User.password_hash))
        before = {user.id: user.password_hash for user in session.scalars(stored)}

        values = {"current_password": PASSWORD, "new_password": "nine purple lampposts"}
        assert_refused(tab.post("/dashboard/password", data=values), member, session)

        session.expire_all()
        assert {user.id: user.password_hash for user in session.scalars(stored)} == before

    def test_entering_staff_pages(self, app: Flask, tab: SiteClient, member: User) -> None:
        routes = [route for route in access.routes(app) if route.rule.rule.startswith("/admin")]
        for route in (route for route in routes if route.safe):
            answer = tab.get(re.sub("<[^>]+>", "5", route.rule.rule.replace("<uuid:pk>", NOBODY)))

            assert answer.status_code == 403, route
            if not answer.is_json:
                assert LOOKING.format(member.email) in said(answer), route
                assert banner(answer), route
        assert tab.get("/dashboard/admin/users").location == "/dashboard"
        assert tab.get("/").location == "/dashboard"

    def test_nesting(self, tab: SiteClient, member: User, session: Session) -> None:
        other = person()

        for user in (other, member):
            assert_refused(start(tab, user), member, session)

        assert whose(tab) == member.email
        assert actions(session).count("impersonation.started") == 1

    def test_outliving_the_time(
        self, tab: SiteClient, admin: User, member: User, session: Session
    ) -> None:
        pass_time(session)

        answer = tab.post("/dashboard/tokens", data={"name": "mine"})

        assert answer.status_code == 400
        assert STALE in said(answer)
        assert "Viewing ended: the time is up." in answer.text
        assert session.scalars(select(ApiToken)).all() == []
        assert whose(tab) == admin.email

    def test_another_tab(
        self, app: Flask, client_as: ClientAs, member: User, session: Session
    ) -> None:
        first = client_as("admin")
        second = another(app, first)  # with a form that was drawn before
        start(first, member)

        assert_refused(second.post("/dashboard/tokens", data={"name": "x"}), member, session)
        assert whose(second) == member.email
        stop(first)
        late = second.post("/dashboard/tokens", data={"name": "x"})

        assert late.status_code == 400
        assert session.scalars(select(ApiToken)).all() == []

    def test_a_replayed_request(
        self, app: Flask, client_as: ClientAs, member: User, session: Session
    ) -> None:
        tab = client_as("admin")
        before = another(app, tab)  # the cookie and the token of a request, as they were recorded
        start(tab, member)
        during = another(app, tab)

        for recorded in (before, during):
            answer = another(app, recorded).post("/dashboard/tokens", data={"name": "x"})
            assert_refused(answer, member, session)
        stop(tab)
        for recorded in (before, during):
            answer = another(app, recorded).post("/dashboard/tokens", data={"name": "x"})
            assert answer.status_code == 400
            assert another(app, recorded).post("/impersonation/stop").status_code == 400
        assert session.scalars(select(ApiToken)).all() == []

    def test_a_request_replayed_the_next_time(
        self, app: Flask, client_as: ClientAs, member: User, session: Session
    ) -> None:
        tab = client_as("admin")
        start(tab, member)
        first = another(app, tab)
        stop(tab)
        between = another(app, tab)
        start(tab, member)

        for recorded in (first, between):
            assert another(app, recorded).post("/impersonation/stop").status_code == 400
        assert whose(tab) == member.email
        stop(tab)

        for recorded in (first, between):
            answer = another(app, recorded).post("/dashboard/tokens", data={"name": "x"})
            assert answer.status_code == 400
        assert session.scalars(select(ApiToken)).all() == []

    def test_a_changed_cookie(
        self, app: Flask, client_as: ClientAs, member: User, session: Session
    ) -> None:
        tab = client_as("admin")
        older = another(app, tab)
        start(tab, member)
        tampered = another(app, tab)
        for name, value in tab.cookies().items():
            tampered.set_cookie(
                name, ("b" if value[5] == "a" else "a").join((value[:5], value[6:]))
            )

        assert whose(older) == member.email
        assert_refused(older.post("/dashboard/tokens", data={"name": "x"}), member, session)
        assert tampered.get("/dashboard").location == "/login?next=/dashboard"
        assert tampered.post("/dashboard/tokens", data={"name": "x"}).status_code == 302
        assert session.scalars(select(ApiToken)).all() == []


class TestStart:
    def test_leads_to_the_persons_own_page(self, client_as: ClientAs, member: User) -> None:
        tab = client_as("admin")

        answer = start(tab, member)

        assert (answer.status_code, answer.location) == (303, "/dashboard")
        assert whose(tab) == member.email

    def test_is_open_to_owners(self, client_as: ClientAs, member: User) -> None:
        tab = client_as("owner")

        assert start(tab, member).status_code == 303
        assert whose(tab) == member.email

    def test_is_recorded_with_the_reason(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        start(client_as("admin"), member, f"  {WHY} ")

        [event] = events(session)
        row = session.scalars(select(UserSession)).one()
        assert (event.action, event.actor_email) == ("impersonation.started", "admin@example.com")
        assert (event.subject_type, event.subject_id) == ("user", str(member.id))
        assert (event.reason, event.viewing_as_id) == (WHY, None)
        assert event.changes == {"until": [None, audit.plain(row.viewing_until)]}

    def test_lasts_a_quarter_of_an_hour(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        start(client_as("admin"), member)

        until = session.scalars(select(UserSession.viewing_until)).one()
        assert until is not None
        assert timedelta(minutes=14) < until - utc_now() <= timedelta(minutes=15)

    def test_answers_htmx_with_the_way_on(self, client_as: ClientAs, member: User) -> None:
        answer = start(client_as("admin"), member, htmx=True)

        assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, "/dashboard")

    def test_answers_a_script_in_json(self, client_as: ClientAs, member: User) -> None:
        answer = start(client_as("admin"), member, headers=JSON)

        assert answer.json is not None
        assert answer.json["success"] is True
        assert answer.json["data"]["id"] == str(member.id)

    def test_asks_first_in_a_dialog_and_on_a_page(self, client_as: ClientAs, member: User) -> None:
        tab, path = client_as("admin"), f"/admin/users/{member.id}/impersonate"

        dialog, page = tab.get(path, htmx=True), tab.get(path)

        for answer in (dialog, page):
            assert "View the site as Member Person?" in said(answer)
            assert "read only" in said(answer)
            assert "15 minutes" in said(answer)
            assert "on record" in said(answer)
        assert "<html" not in dialog.text

    def test_is_offered_on_the_persons_page(self, client_as: ClientAs, member: User) -> None:
        path = f"/admin/users/{member.id}"

        assert f'href="{path}/impersonate"' in client_as("admin").get(path).text
        assert "impersonate" not in client_as("support").get(path).text

    def test_is_not_offered_of_staff_and_says_why(self, client_as: ClientAs, admin: User) -> None:
        page = client_as("owner").get(f"/admin/users/{admin.id}")

        assert "impersonate" not in page.text
        assert f"{admin.email} is staff. Only members are viewed as." in page.text

    def test_of_one_person_does_not_touch_another_session(
        self, client_as: ClientAs, member: User, owner: User
    ) -> None:
        start(client_as("admin"), member)

        assert whose(client_as("owner")) == owner.email
        assert whose(client_as("member")) == member.email


class TestRefusedStart:
    @pytest.mark.parametrize("reason", ["", "  \n", "x" * 501, "half\x00", None])
    def test_without_a_good_reason(
        self, client_as: ClientAs, member: User, session: Session, reason: str | None
    ) -> None:
        tab, path = client_as("admin"), f"/admin/users/{member.id}/impersonate"
        values = {} if reason is None else {"reason": reason}

        page, part = tab.post(path, data=values), tab.post(path, data=values, htmx=True)
        script = tab.post(path, data=values, headers=JSON)

        assert (page.status_code, part.status_code, script.status_code) == (422, 422, 422)
        assert 'id="view-reason-error"' in page.text
        assert "<dialog" in part.text
        assert script.json is not None
        assert list(script.json["error"]["fields"]) == ["reason"]
        assert actions(session) == []

    def test_takes_a_reason_of_500(self, client_as: ClientAs, member: User) -> None:
        assert start(client_as("admin"), member, "x" * 500).status_code == 303

    def test_by_support(self, client_as: ClientAs, member: User, session: Session) -> None:
        tab = client_as("support")

        answer = start(tab, member)

        assert answer.status_code == 403
        assert tab.get(f"/admin/users/{member.id}/impersonate").status_code == 403
        assert set(actions(session)) == {"access.denied"}

    def test_by_a_member(self, client_as: ClientAs, owner: User) -> None:
        assert start(client_as("member"), owner).status_code == 403

    @pytest.mark.parametrize("level", ["support", "admin", "owner"])
    @pytest.mark.parametrize("status", ["active", "suspended"])
    def test_of_staff(self, client_as: ClientAs, session: Session, level: str, status: str) -> None:
        colleague = staff(level, status=status, user__role="user").user
        tab = client_as("owner")

        answer = start(tab, colleague)

        assert answer.status_code == 400
        assert f"{colleague.email} is staff. Only members are viewed as." in said(answer)
        assert actions(session) == []

    def test_of_somebody_with_the_role_of_staff(self, client_as: ClientAs) -> None:
        assert start(client_as("owner"), person(role="admin")).status_code == 400

    def test_of_oneself(self, client_as: ClientAs, admin: User) -> None:
        tab = client_as("admin")

        answer = start(tab, admin)

        assert answer.status_code == 400
        assert "This is you." in said(answer)
        assert "This is you." in said(tab.get(f"/admin/users/{admin.id}/impersonate"))

    @pytest.mark.parametrize("key", [NOBODY, "nonsense", "5"])
    def test_of_an_unknown_person(self, client_as: ClientAs, key: str) -> None:
        tab, path = client_as("admin"), f"/admin/users/{key}/impersonate"

        assert tab.post(path, data={"reason": WHY}).status_code == 404
        assert tab.get(path).status_code == 404

    def test_by_an_api_token(
        self, client: SiteClient, client_as: ClientAs, admin: User, member: User, session: Session
    ) -> None:
        with transaction():
            _row, secret = tokens.create(admin, {"name": "script"}, by=acting(admin))
        bearer = {"Authorization": f"Bearer {secret}", **JSON}

        answer = start(client, member, headers=bearer)

        assert answer.status_code == 401
        assert "impersonation.started" not in actions(session)

    def test_by_reading(self, client_as: ClientAs, member: User, session: Session) -> None:
        tab = client_as("admin")

        tab.get(f"/admin/users/{member.id}/impersonate?reason=because")

        assert tab.get("/impersonation/stop").status_code == 405
        assert actions(session) == []

    def test_without_the_csrf_token(self, client_as: ClientAs, member: User) -> None:
        assert start(client_as("admin"), member, csrf=False).status_code == 400

    def test_from_two_tabs_at_once_begins_once(
        self, app: Flask, client_as: ClientAs, member: User, session: Session
    ) -> None:
        first = client_as("admin")
        pairs = [(first, member), (another(app, first), person())]
        answers, ready = [], Barrier(len(pairs))

        def press(tab: SiteClient, user: User, path: str) -> None:
            ready.wait()
            answers.append(tab.post(path, data={"reason": WHY}).status_code)

        threads = [
            Thread(
                target=contextvars.Context().run,
                args=(press, tab, user, f"/admin/users/{user.id}/impersonate"),
            )
            for tab, user in pairs
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        session.rollback()
        assert min(answers) == 303
        assert max(answers) in {403, 409}
        assert actions(session).count("impersonation.started") == 1


class TestWhileViewing:
    def test_the_page_is_the_other_persons(
        self, tab: SiteClient, member: User, admin: User
    ) -> None:
        link(slug="theirs", owner=member)
        link(slug="mine", owner=admin)

        page = tab.get("/dashboard").text

        assert ">theirs<" in page
        assert ">mine<" not in page
        assert ">Member<" in page.replace("\n", "")

    @pytest.mark.parametrize(
        "path", ["/dashboard", "/admin", "/admin/links", "/nowhere", "/dashboard/nowhere"]
    )
    def test_every_page_says_so_first(self, tab: SiteClient, session: Session, path: str) -> None:
        answer = tab.get(path)

        until = session.scalars(select(UserSession.viewing_until)).one()
        assert until is not None
        assert banner(answer) == (
            "You are viewing as Member Person (member@example.com), read only, "
            f"until {until:%H:%M} UTC Stop"
        )
        body = answer.text.partition("<body")[2]
        assert body.index('class="skip"') < body.index('class="viewing"') < body.index("<nav")

    def test_a_page_without_the_shell_says_so_too(self, tab: SiteClient) -> None:
        assert banner(tab.get("/set-password/unknown"))

    def test_a_page_of_an_error_of_ours_says_so_too(
        self, app: Flask, tab: SiteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", 0)
        monkeypatch.setitem(app.view_functions, "account.dashboard", lambda: 1 // 0)

        answer = tab.get("/dashboard")

        assert answer.status_code == 500
        assert banner(answer)

    def test_the_menu_is_the_other_persons(self, tab: SiteClient) -> None:
        menu = tab.get("/dashboard").text.partition("<nav")[2].partition("</nav>")[0]

        assert "/admin" not in menu
        assert "Billing" in menu

    def test_forms_are_closed_with_the_reason(self, tab: SiteClient, member: User) -> None:
        with transaction():
            tokens.create(member, {"name": "theirs"}, by=acting(member))

        page = tab.get("/dashboard").text

        main = page[page.index("<main") : page.index("</main>")]
        assert main.count("<form") == main.count("<fieldset") == 3
        assert main.count('<fieldset class="contents" disabled') == 3
        assert "You are viewing, so the forms are closed." in main

    def test_ones_own_forms_are_open(self, client_as: ClientAs) -> None:
        page = client_as("member").get("/dashboard").text

        assert "disabled" not in page[page.index("<main") : page.index("</main>")]
        assert "the forms are closed" not in page

    def test_htmx_is_told_in_a_toast(self, tab: SiteClient, member: User) -> None:
        answer = tab.post("/dashboard/tokens", data={"name": "x"}, htmx=True)

        assert answer.status_code == 403
        assert toast(answer) == f"error: {LOOKING.format(member.email)}"
        assert "<html" not in answer.text

    def test_a_script_is_told_in_json(self, tab: SiteClient, member: User) -> None:
        answer = tab.post("/dashboard/tokens", data={"name": "x"}, headers=JSON)

        assert answer.status_code == 403
        assert message(answer) == LOOKING.format(member.email)

    def test_a_refusal_tells_the_route_and_no_secret(
        self, tab: SiteClient, member: User, session: Session
    ) -> None:
        tab.post("/set-password/a-secret", data={"new_password": "nine purple lampposts"})
        tab.post("/nowhere")

        told = [event.changes for event in events(session, member.id)[1:]]
        assert told == [
            {"request": [None, "POST /set-password/<token>"]},
            {"request": [None, "POST an unknown address"]},
        ]

    def test_every_row_of_the_audit_has_both_and_the_chain_holds(
        self, tab: SiteClient, admin: User, member: User, session: Session
    ) -> None:
        tab.post("/dashboard/tokens", data={"name": "x"})
        tab.get("/admin/links")
        stop(tab)

        told = [
            (event.action, event.actor_id, event.viewing_as_id, event.viewing_as_email)
            for event in events(session)[1:]
        ]
        assert told == [
            (action, admin.id, member.id, member.email)
            for action in ("access.denied", "access.denied", "impersonation.stopped")
        ]
        assert audit.first_broken() is None

    def test_the_admins_own_token_is_the_admins(
        self, tab: SiteClient, client_as: ClientAs, session: Session
    ) -> None:
        boss = client_as("owner")
        owner = session.scalars(select(User).where(User.email == "owner@example.com")).one()
        start(boss, person())
        with transaction():
            _row, secret = tokens.create(owner, {"name": "script"}, by=acting(owner))

        answer = boss.get("/admin/api/admins", headers={"Authorization": f"Bearer {secret}"})

        assert answer.status_code == 200

    def test_signing_out_ends_the_session(
        self, tab: SiteClient, admin: User, member: User, session: Session
    ) -> None:
        answer = tab.post("/logout")

        assert answer.location == "/login"
        assert tab.get("/dashboard").location == "/login?next=/dashboard"
        assert session.scalars(select(UserSession)).all() == []
        last = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert last is not None
        assert (last.action, last.subject_id) == ("session.signed_out", str(admin.id))
        assert (last.actor_id, last.viewing_as_id) == (admin.id, member.id)

    def test_the_timeline_tells_of_it_in_words(self, tab: SiteClient, member: User) -> None:
        tab.post("/dashboard/tokens", data={"name": "x"})
        stop(tab)

        page = said(tab.get(f"/admin/users/{member.id}"))

        assert "began to view the site as this person" in page
        assert f"Reason: {WHY}" in page
        assert "POST /dashboard/tokens" in page
        assert "stopped viewing the site as this person" in page

    def test_costs_one_statement_more_and_otherwise_none(
        self, client_as: ClientAs, member: User
    ) -> None:
        tab, counts = client_as("admin"), []
        for act in (lambda: None, lambda: start(tab, member), lambda: stop(tab)):
            act()
            with statements() as seen:
                tab.get("/nowhere")
            counts.append(len([text for text in seen if "SELECT" in text]))

        told = 1 if db.engine.dialect.name == "postgresql" else 0  # whose rows may be seen (D-27)
        assert counts == [1, 2 + told, 1]


class TestStop:
    def test_leads_back_to_the_persons_page(
        self, tab: SiteClient, admin: User, member: User
    ) -> None:
        answer = stop(tab)

        assert (answer.status_code, answer.location) == (303, f"/admin/users/{member.id}")
        assert whose(tab) == admin.email
        assert tab.get("/admin/users").status_code == 200

    def test_says_so_on_the_next_page(self, tab: SiteClient, member: User) -> None:
        tab.post("/impersonation/stop")

        page = tab.get(f"/admin/users/{member.id}")

        assert "You stopped viewing as Member Person." in page.text
        assert banner(page) == ""

    def test_is_recorded(self, tab: SiteClient, member: User, session: Session) -> None:
        stop(tab)

        last = events(session)[-1]
        assert (last.action, last.subject_id) == ("impersonation.stopped", str(member.id))
        assert last.changes == {"how": [None, "stopped"]}

    def test_answers_a_script_in_json(self, tab: SiteClient) -> None:
        answer = tab.post("/impersonation/stop", headers=JSON)

        assert answer.json == {"success": True, "data": {}}

    def test_needs_the_csrf_token(self, tab: SiteClient, member: User) -> None:
        assert tab.post("/impersonation/stop", csrf=False).status_code == 400
        assert whose(tab) == member.email

    def test_twice_is_refused_and_changes_nothing(
        self, app: Flask, tab: SiteClient, session: Session
    ) -> None:
        other = another(app, tab)

        assert stop(tab).status_code == 303
        assert other.post("/impersonation/stop").status_code == 400
        assert stop(tab).location == "/"
        assert actions(session).count("impersonation.stopped") == 1

    def test_signed_out_leads_to_sign_in(self, client: SiteClient) -> None:
        client.csrf_token = client.read_token("/login")

        assert client.post("/impersonation/stop").location == "/login"

    def test_lets_one_view_again(self, tab: SiteClient, member: User) -> None:
        stop(tab)

        assert start(tab, member).status_code == 303
        assert whose(tab) == member.email


class TestEndsByItself:
    def over(self, tab: SiteClient, session: Session, why: str) -> None:
        """The first page says why, once; the end is on record, once."""
        first, second = tab.get("/dashboard"), tab.get("/dashboard")

        assert f"Viewing ended: {why}. You are yourself again." in first.text
        assert "Viewing ended" not in second.text
        assert banner(first) == ""
        ends = [event for event in events(session) if event.action == "impersonation.stopped"]
        assert [event.changes["how"] for event in ends] == [[None, why]]
        assert whose(tab) == "admin@example.com"
        assert tab.get("/admin/links").status_code == 200
        assert audit.first_broken() is None

    def test_when_the_time_is_up(self, tab: SiteClient, session: Session) -> None:
        pass_time(session)

        self.over(tab, session, "the time is up")

    def test_the_forms_of_the_page_that_says_so_are_good(
        self, tab: SiteClient, session: Session
    ) -> None:
        pass_time(session)
        first = tab.get("/admin/keywords")
        tab.csrf_token = token_on(first)
        new = {"keyword": "one", "url_template": "https://example.com/{slug}"}

        answer = tab.post("/admin/keywords", data=new)

        assert "Viewing ended" in first.text
        assert answer.status_code == 303

    def test_when_the_person_was_deleted(
        self, tab: SiteClient, member: User, owner: User, session: Session
    ) -> None:
        with transaction():
            users.delete(member, by=acting(owner), link_action="delete")

        self.over(tab, session, "the person was deleted or made staff")

    def test_when_the_person_was_promoted(
        self, tab: SiteClient, member: User, owner: User, session: Session
    ) -> None:
        with transaction():
            admins.create({"email": member.email, "role": "support"}, by=acting(owner))

        self.over(tab, session, "the person was deleted or made staff")

    def test_for_good_when_the_promotion_was_taken_back(
        self, tab: SiteClient, admin: User, member: User, session: Session
    ) -> None:
        session.execute(update(User).where(User.id == member.id).values(role="admin"), **by_sql())
        session.commit()
        tab.get("/dashboard")
        session.execute(update(User).where(User.id == member.id).values(role="user"), **by_sql())
        session.commit()

        assert whose(tab) == admin.email

    def test_when_the_admin_was_demoted(self, tab: SiteClient, admin: User, owner: User) -> None:
        with transaction():
            record = db.session.scalars(select(Admin).where(Admin.user_id == admin.id)).one()
            admins.change_role(record, "support", by=acting(owner))

        assert tab.get("/dashboard").location == "/login?next=/dashboard"

    def test_when_the_admin_was_demoted_past_the_rules(
        self, tab: SiteClient, admin: User, session: Session
    ) -> None:
        where = Admin.user_id == admin.id
        session.execute(update(Admin).where(where).values(role="support"), **by_sql())
        session.commit()

        self.over(tab, session, "the level of the viewer was changed")

    def test_when_the_admin_was_suspended(self, tab: SiteClient, admin: User, owner: User) -> None:
        with transaction():
            record = db.session.scalars(select(Admin).where(Admin.user_id == admin.id)).one()
            admins.change_status(record, "suspended", by=acting(owner))

        assert tab.get("/dashboard").location == "/login?next=/dashboard"

    def test_when_the_session_ends(self, tab: SiteClient, session: Session) -> None:
        session.execute(delete(UserSession))
        session.commit()

        assert tab.get("/dashboard").location == "/login?next=/dashboard"

    def test_stop_after_the_end_is_out_of_date(self, tab: SiteClient, session: Session) -> None:
        pass_time(session)

        answer = tab.post("/impersonation/stop")

        assert answer.status_code == 400
        assert "Viewing ended: the time is up." in answer.text

    def test_two_requests_settle_it_once(
        self, app: Flask, tab: SiteClient, session: Session
    ) -> None:
        pass_time(session)
        tabs = [another(app, tab) for _ in range(4)]
        threads = [
            Thread(target=contextvars.Context().run, args=(one.get, "/dashboard")) for one in tabs
        ]

        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        session.rollback()
        assert actions(session).count("impersonation.stopped") == 1

    def test_a_late_request_does_not_end_what_was_begun_since(
        self, app: Flask, tab: SiteClient, admin: User, member: User, session: Session
    ) -> None:
        row = session.scalars(select(UserSession)).one()
        before = utc_now() - timedelta(seconds=1)

        with app.test_request_context():
            overlay.settle(Overlay(row.id, acting(admin), None, before, "the time is up"))

        assert whose(tab) == member.email
        assert actions(session) == ["impersonation.started"]

    def test_a_refused_delete_of_the_viewed_person_is_none_of_theirs(
        self, tab: SiteClient, member: User, session: Session
    ) -> None:
        answer = tab.delete(f"/admin/users/{member.id}?link_action=delete")

        assert answer.status_code == 403
        assert session.scalar(select(func.count()).where(User.id == member.id)) == 1


def by_sql() -> dict[str, Any]:
    """As whoever holds the database could, past the rules."""
    return {"execution_options": {audit.AUDITED_DML: True}}
