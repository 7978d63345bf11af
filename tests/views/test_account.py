"""Signing in and out, and one's own page."""

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Thread
from typing import Any, cast

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite import audit, passwords
from adminsite.db import db, transaction
from adminsite.models import Admin, AuditEvent, User, UserSession
from adminsite.operations import admins, credentials
from adminsite.permissions import SYSTEM
from tests.client import SiteClient
from tests.factories import (
    PASSWORD,
    CreditTransactionFactory,
    LinkFactory,
    SubscriptionFactory,
    UserFactory,
)
from tests.test_auth import SAFE, UNSAFE

ClientAs = Callable[[str | User], SiteClient]
WRONG = "The e-mail address or the password is wrong."


def browser(app: Flask) -> SiteClient:
    return cast("SiteClient", app.test_client())


def try_to_sign_in(client: SiteClient, **values: str) -> TestResponse:
    client.csrf_token = client.read_token("/login")
    return client.post("/login", data={"email": "", "password": "", **values})


def events(session: Session) -> list[AuditEvent]:
    return list(session.scalars(select(AuditEvent).order_by(AuditEvent.id)))


class TestSignIn:
    def test_leads_staff_to_the_panel(self, client: SiteClient, admin: User) -> None:
        answer = client.sign_in(admin.email, PASSWORD)

        assert answer.status_code == 303
        assert answer.location == "/admin"

    def test_leads_members_to_their_own_page(self, client: SiteClient, member: User) -> None:
        assert client.sign_in(member.email, PASSWORD).location == "/dashboard"

    def test_takes_the_address_in_any_case(self, client: SiteClient, member: User) -> None:
        assert client.sign_in(" MEMBER@Example.COM ", PASSWORD).status_code == 303

    @pytest.mark.parametrize("path", SAFE)
    def test_goes_on_to_a_page_of_ours(self, client: SiteClient, member: User, path: str) -> None:
        answer = try_to_sign_in(client, email=member.email, password=PASSWORD, next=path)

        assert answer.location == path

    @pytest.mark.parametrize("path", [path for path in UNSAFE if path])
    def test_goes_nowhere_else(self, client: SiteClient, member: User, path: str) -> None:
        answer = try_to_sign_in(client, email=member.email, password=PASSWORD, next=path)

        assert answer.location == "/dashboard"

    def test_is_recorded_with_the_time_on_the_staff_record(
        self, client: SiteClient, admin: User, session: Session
    ) -> None:
        client.sign_in(admin.email, PASSWORD)

        [event] = events(session)
        staff = session.scalars(select(Admin)).one()
        assert (event.action, event.actor_email, event.subject_id) == (
            "session.signed_in",
            admin.email,
            str(admin.id),
        )
        assert event.changes["last_login_at"] == [None, audit.plain(staff.last_login_at)]
        assert staff.version == 1

    def test_begins_a_new_session_and_ends_the_one_before(
        self, client: SiteClient, member: User, session: Session
    ) -> None:
        client.sign_in(member.email, PASSWORD)
        before, row = client.cookies(), session.scalars(select(UserSession.token_hash)).one()
        with client.session_transaction() as held:
            token = held["csrf_token"]
        client.post(
            "/login",
            data={"email": member.email, "password": PASSWORD, "csrf_token": client.csrf_token},
        )

        with client.session_transaction() as held:
            assert held.get("csrf_token") != token
        assert client.cookies() != before
        assert session.scalars(select(UserSession.token_hash)).one() != row

    def test_drops_what_the_cookie_held(self, client: SiteClient, member: User) -> None:
        with client.session_transaction() as held:
            held["planted"] = "by somebody else"
        client.sign_in(member.email, PASSWORD)

        with client.session_transaction() as held:
            assert "planted" not in held

    def test_refuses_the_form_of_before(self, client: SiteClient, member: User) -> None:
        before = client.read_token("/login")
        client.sign_in(member.email, PASSWORD)

        assert client.post("/logout", data={"csrf_token": before}, csrf=False).status_code == 400

    def test_stores_the_password_anew_when_parameters_changed(
        self, client: SiteClient, session: Session
    ) -> None:
        old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        person = cast("User", UserFactory(password_hash=old))

        assert client.sign_in(person.email, PASSWORD).status_code == 303
        session.refresh(person, ["password_hash", "version"])
        assert person.password_hash is not None
        assert passwords.matches(person.password_hash, PASSWORD)
        assert not passwords.is_outdated(person.password_hash)
        assert person.version == 1

    def test_page_leads_on_whoever_is_signed_in(self, client_as: ClientAs) -> None:
        client = client_as("support")

        assert client.get("/login").location == "/admin"
        assert client.get("/login?next=/admin/links").location == "/admin/links"
        assert client.get("/login?next=//evil.example").location == "/admin"

    def test_start_page_leads_to_where_one_belongs(
        self, client: SiteClient, client_as: ClientAs
    ) -> None:
        assert client.get("/").location == "/login"
        assert client_as("member").get("/").location == "/dashboard"
        assert client_as("owner").get("/").location == "/admin"

    @pytest.mark.parametrize("path", ["/login", "/login/"])
    def test_page_answers_with_and_without_slash(self, client: SiteClient, path: str) -> None:
        assert client.get(path).status_code == 200


class TestRefusedSignIn:
    def test_says_the_same_of_unknown_people_and_wrong_passwords(
        self, client: SiteClient, member: User
    ) -> None:
        wrong = try_to_sign_in(client, email=member.email, password="not-the-password")
        unknown = try_to_sign_in(client, email="nobodyx@example.com", password="not-the-password")

        assert wrong.status_code == unknown.status_code == 422
        assert WRONG in wrong.text
        assert strip(wrong.text, member.email) == strip(unknown.text, "nobodyx@example.com")

    @pytest.mark.parametrize("case", ["right", "wrong", "unknown", "without", "endless"])
    def test_takes_one_verification_whoever_asks(
        self, client: SiteClient, member: User, monkeypatch: pytest.MonkeyPatch, case: str
    ) -> None:
        without = cast("User", UserFactory(password_hash=None))
        email = {"unknown": "nobody@example.com", "without": without.email}.get(case, member.email)
        password = {"right": PASSWORD, "endless": "x" * 100_000}.get(case, "not-the-password")
        seen: list[str] = []
        verify = PasswordHasher.verify

        def count(hasher: PasswordHasher, stored: str, *args: Any) -> bool:
            seen.append(stored)
            return verify(hasher, stored, *args)

        monkeypatch.setattr(PasswordHasher, "verify", count)

        try_to_sign_in(client, email=email, password=password)

        assert len(seen) == 1

    def test_is_of_a_password_that_changed_meanwhile(
        self,
        client: SiteClient,
        member: User,
        session: Session,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def change(_stored: str | None, _password: str) -> bool:
            with db.engine.begin() as connection:
                connection.execute(update(User).values(password_hash="another"))
            return True

        monkeypatch.setattr(passwords, "matches", change)

        answer = try_to_sign_in(client, email=member.email, password=PASSWORD)

        assert answer.status_code == 422
        assert session.scalar(select(func.count()).select_from(UserSession)) == 0

    def test_keeps_address_and_way_on(self, client: SiteClient) -> None:
        answer = try_to_sign_in(client, email="a<b@example.com", password="x", next="/admin/links")

        assert 'value="a&lt;b@example.com"' in answer.text
        assert 'value="/admin/links"' in answer.text

    def test_is_recorded_without_the_password(self, client: SiteClient, session: Session) -> None:
        try_to_sign_in(client, email="who@example.com" + "m" * 400, password="my-secret-words")

        [event] = events(session)
        assert event.action == "session.sign_in_failed"
        assert len(event.changes["email"][1]) == 254
        assert "my-secret-words" not in str(vars(event))

    def test_is_recorded_without_what_may_be_a_password(
        self, client: SiteClient, session: Session
    ) -> None:
        try_to_sign_in(client, email="my-secret-words", password="")

        [event] = events(session)
        assert event.changes == {"email": [None, "(no e-mail address)"]}

    def test_names_the_person_it_was_tried_on(
        self, client: SiteClient, member: User, session: Session
    ) -> None:
        try_to_sign_in(client, email=member.email, password="not-the-password")

        [event] = events(session)
        assert event.subject_id == str(member.id)
        assert (event.actor_id, event.actor_email) == (None, "nobody")

    @pytest.mark.parametrize("text", ["\x00", "a\x00@example.com", "\ud7ff", "😀" * 500])
    def test_survives_odd_input(self, client: SiteClient, text: str) -> None:
        assert try_to_sign_in(client, email=text, password=text).status_code == 422

    def test_tells_a_script_in_json(self, client: SiteClient) -> None:
        client.csrf_token = client.read_token("/login")

        answer = client.post("/login", data={}, headers={"Accept": "application/json"})

        assert answer.status_code == 422
        assert answer.json == {"success": False, "error": {"message": WRONG, "fields": {}}}

    def test_needs_the_forms_token(self, client: SiteClient, member: User) -> None:
        values = {"email": member.email, "password": PASSWORD}

        assert client.post("/login", data=values).status_code == 400


class TestOvertaking:
    """Somebody signs in with a password that is being taken from them at this moment."""

    def sign_in_during(
        self, client: SiteClient, member: User, change: Callable[[], object]
    ) -> TestResponse:
        client.csrf_token = client.read_token("/login")
        answers: list[TestResponse] = []
        values = {"email": member.email, "password": PASSWORD}
        thread = Thread(target=lambda: answers.append(client.post("/login", data=values)))
        with transaction():
            change()
            thread.start()
            thread.join(0.5)  # long enough, were there nothing to wait for
            assert thread.is_alive()
        thread.join(30)
        return answers[0]

    def test_is_refused_once_the_password_is_another(
        self, client: SiteClient, member: User, session: Session
    ) -> None:
        def change() -> None:
            credentials.set_password(member, "nine purple lampposts", by=SYSTEM)

        answer = self.sign_in_during(client, member, change)

        session.rollback()
        assert answer.status_code == 422
        assert session.scalar(select(func.count()).select_from(UserSession)) == 0

    def test_has_the_level_of_afterwards(
        self, client: SiteClient, owner: User, admin: User, session: Session
    ) -> None:
        def change() -> None:
            admins.change_status(
                session.scalars(select(Admin).where(Admin.user == admin)).one(),
                "suspended",
                by=SYSTEM,
            )

        answer = self.sign_in_during(client, admin, change)

        session.rollback()
        assert answer.location == "/dashboard"
        assert events(session)[-1].actor_level == "none"


class TestLimit:
    def test_refuses_the_eleventh_failure_of_an_address(self, client: SiteClient) -> None:
        answers = [try_to_sign_in(client, email=f"p{n}@example.com") for n in range(11)]

        assert [answer.status_code for answer in answers] == [422] * 10 + [429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        assert "Too many tries to sign in. Wait" in answers[-1].text

    def test_refuses_the_eleventh_failure_on_an_account(
        self, client: SiteClient, member: User
    ) -> None:
        client.csrf_token = client.read_token("/login")
        spellings = itertools.cycle([member.email, member.email.upper()])

        answers = [
            client.post(
                "/login", data={"email": email}, environ_base={"REMOTE_ADDR": f"10.0.0.{n}"}
            )
            for n, email in zip(range(11), spellings, strict=False)
        ]

        assert [answer.status_code for answer in answers] == [422] * 10 + [429]

    def test_says_the_same_of_known_and_unknown_accounts(
        self, client: SiteClient, member: User
    ) -> None:
        for n in range(10):
            try_to_sign_in(client, email=f"p{n}@example.com")

        known = try_to_sign_in(client, email=member.email, password=PASSWORD)
        unknown = try_to_sign_in(client, email="unknown@example.com", password=PASSWORD)

        assert known.status_code == unknown.status_code == 429
        assert strip(known.text, member.email) == strip(unknown.text, "unknown@example.com")

    def test_does_not_count_what_succeeds(self, app: Flask, member: User) -> None:
        answers = [browser(app).sign_in(member.email, PASSWORD) for _ in range(12)]

        assert {answer.status_code for answer in answers} == {303}

    def test_is_told_to_a_script_in_json(self, client: SiteClient) -> None:
        for n in range(10):
            try_to_sign_in(client, email=f"p{n}@example.com")

        answer = client.post("/login", data={}, headers={"Accept": "application/json"})

        assert answer.status_code == 429
        assert answer.json is not None
        assert answer.json["success"] is False
        assert answer.headers["Retry-After"].isdecimal()


class TestSignOut:
    def test_ends_the_session_in_browser_and_table(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        client = client_as("member")
        stolen = client.cookies()
        answer = client.post("/logout")

        assert (answer.status_code, answer.location) == (303, "/login")
        assert session.scalar(select(func.count()).select_from(UserSession)) == 0
        client.adopt(stolen, "")
        assert client.get("/dashboard").status_code == 302

    def test_is_recorded(self, client_as: ClientAs, member: User, session: Session) -> None:
        client_as("member").post("/logout")

        [event] = events(session)
        assert (event.action, event.actor_id) == ("session.signed_out", member.id)

    def test_is_fine_when_signed_out_already(self, client: SiteClient) -> None:
        client.csrf_token = client.read_token("/login")

        assert client.post("/logout").location == "/login"

    def test_needs_a_token(self, client_as: ClientAs) -> None:
        client = client_as("member")

        assert client.post("/logout", csrf=False).status_code == 400
        assert client.get("/dashboard").status_code == 200

    def test_does_not_happen_by_following_a_link(self, client_as: ClientAs) -> None:
        answer = client_as("member").get("/logout")

        assert answer.status_code == 405
        assert "POST" in answer.headers["Allow"]


class TestOwnPage:
    @pytest.mark.parametrize("level", ["owner", "admin", "support", "member"])
    @pytest.mark.parametrize("path", ["/dashboard", "/dashboard/"])
    def test_is_everybodys(self, client_as: ClientAs, level: str, path: str) -> None:
        page = client_as(level).get(path)

        assert page.status_code == 200
        assert f"{level}@example.com" in page.text
        assert '<meta name="csrf-token"' in page.text

    def test_shows_own_links_and_nobody_elses(
        self, client_as: ClientAs, member: User, admin: User
    ) -> None:
        client = client_as("member")
        for n in range(21):
            LinkFactory(slug=f"mine-{n:02}", owner=member)
        LinkFactory(slug="theirs", owner=admin)

        page = client.get("/dashboard").text

        assert "mine-20" in page
        assert "mine-00" not in page
        assert "<summary>13 more</summary>" in page
        assert "and 1 more, not listed here" in page
        assert "theirs" not in page

    def test_shows_where_one_is_signed_in(
        self, client_as: ClientAs, app: Flask, member: User
    ) -> None:
        firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        other = browser(app)
        other.environ_base["HTTP_USER_AGENT"] = firefox
        other.sign_in(member.email, PASSWORD)

        page = client_as("member").get("/dashboard").text

        assert "Firefox on Linux" in page
        assert page.count("this browser") == 1
        assert page.count("Sign out there") == 1


class TestBilling:
    def test_shows_credits_and_the_newest_entries(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        for amount in range(1, 12):
            CreditTransactionFactory(user=member, amount=amount * 1000, type="purchase")
        CreditTransactionFactory(user=member, amount=-20, type="admin_adjustment")
        balance(session, member, 65_980)

        page = part(client_as("member"), "credits")

        assert "65,980" in page
        assert page.index("−20") < page.index("+11,000") < page.index("+3,000")
        assert "Admin adjustment" in page
        assert "+2,000" not in page

    def test_shows_a_debt(self, client_as: ClientAs, member: User, session: Session) -> None:
        balance(session, member, -1_500)

        assert "−1,500" in part(client_as("member"), "credits")

    def test_says_when_there_is_nothing(self, client_as: ClientAs) -> None:
        client = client_as("member")

        assert "No transactions" in part(client, "credits")
        assert "No active subscription" in part(client, "subscription")

    def test_shows_nobody_elses(self, client_as: ClientAs, admin: User) -> None:
        CreditTransactionFactory(user=admin, amount=77_777)
        SubscriptionFactory(user=admin)

        page = client_as("member").get("/dashboard").text

        assert "77,777" not in page
        assert "No active subscription" in page

    @pytest.mark.parametrize(
        ("status", "word", "colour"),
        [("active", "Active", "badge-success"), ("past_due", "Past due", "badge-warning")],
    )
    def test_shows_the_subscription(
        self, client_as: ClientAs, member: User, status: str, word: str, colour: str
    ) -> None:
        ends = datetime(2027, 1, 5, tzinfo=UTC)
        SubscriptionFactory(user=member, status=status, tier="pro", current_period_end=ends)

        page = part(client_as("member"), "subscription")

        assert f'{colour}">{word}<' in page
        assert "Pro" in page
        assert "Jan 5, 2027" in page

    def test_shows_the_newest_subscription(self, client_as: ClientAs, member: User) -> None:
        SubscriptionFactory(user=member, tier="pro")
        SubscriptionFactory(user=member, tier=None, cancel_at_period_end=True)

        assert "Unknown" in part(client_as("member"), "subscription")


class TestSideBar:
    OWN = ("Dashboard", "Billing", "Settings", "Help")

    @pytest.mark.parametrize("level", ["owner", "admin", "support", "member"])
    def test_leads_to_the_parts_of_ones_own_page(self, client_as: ClientAs, level: str) -> None:
        page = client_as(level).get("/dashboard").text

        items = [name for name in side_bar(page) if name != "Admin"]
        assert items == list(self.OWN)
        for anchor in ("billing", "settings", "help"):
            assert f'href="/dashboard#{anchor}"' in page
            assert f'id="{anchor}"' in page

    @pytest.mark.parametrize("level", ["owner", "admin", "support"])
    def test_has_the_panel_for_staff(self, client_as: ClientAs, level: str) -> None:
        page = client_as(level).get("/dashboard").text

        assert side_bar(page)[-1] == "Admin"
        assert "#shield" in page
        assert '<a href="/admin">' in page

    def test_has_no_panel_for_members(self, client_as: ClientAs) -> None:
        page = client_as("member").get("/dashboard").text

        assert "Admin" not in side_bar(page)
        assert '"/admin"' not in page

    def test_is_the_panels_own_there(self, client_as: ClientAs) -> None:
        page = client_as("support").get("/admin").text

        assert "Billing" not in side_bar(page)
        assert "Links" in side_bar(page)

    def test_is_there_when_a_member_is_refused(self, client_as: ClientAs) -> None:
        page = client_as("member").get("/admin/links")

        assert page.status_code == 403
        assert side_bar(page.text) == list(self.OWN)

    def test_is_not_shown_to_the_signed_out(self, client: SiteClient) -> None:
        assert "Billing" not in client.get("/nowhere").text


class TestRevokeSession:
    def other_session(self, session: Session, member: User, app: Flask) -> UserSession:
        known = set(session.scalars(select(UserSession.id)))
        browser(app).sign_in(member.email, PASSWORD)
        query = select(UserSession).where(UserSession.id.not_in(known))
        return session.scalars(query).one()

    def test_ends_it(self, client_as: ClientAs, member: User, session: Session, app: Flask) -> None:
        client = client_as("member")
        row = self.other_session(session, member, app)

        answer = client.post(f"/dashboard/sessions/{row.id}/revoke")

        assert (answer.status_code, answer.location) == (303, "/dashboard")
        assert session.scalar(select(func.count()).select_from(UserSession)) == 1
        assert events(session)[-1].action == "session.revoked"

    def test_answers_htmx_with_the_list(
        self, client_as: ClientAs, member: User, session: Session, app: Flask
    ) -> None:
        client = client_as("member")
        row = self.other_session(session, member, app)

        answer = client.post(f"/dashboard/sessions/{row.id}/revoke", htmx=True)

        assert answer.status_code == 200
        assert answer.text.lstrip().startswith('<section class="panel" id="sessions"')
        assert "Signed out there." in answer.headers["HX-Trigger"]

    def test_of_this_browser_signs_out(self, client_as: ClientAs, session: Session) -> None:
        client = client_as("member")
        own = session.scalars(select(UserSession.id)).one()

        assert client.post(f"/dashboard/sessions/{own}/revoke").location == "/login"

    @pytest.mark.parametrize("number", ["0", "99999", "99999999999999999999", "x", "-1"])
    def test_is_not_found_when_there_is_none(self, client_as: ClientAs, number: str) -> None:
        answer = client_as("member").post(f"/dashboard/sessions/{number}/revoke")

        assert answer.status_code == 404

    def test_is_not_found_when_it_is_somebody_elses(
        self, client_as: ClientAs, session: Session, member: User, app: Flask
    ) -> None:
        client = client_as("owner")
        row = self.other_session(session, member, app)

        assert client.post(f"/dashboard/sessions/{row.id}/revoke").status_code == 404
        assert session.get(UserSession, row.id) is not None


def balance(session: Session, user: User, credits_balance: int) -> None:
    """Move the balance without an entry."""
    session.execute(
        update(User).where(User.id == user.id).values(credits_balance=credits_balance),
        execution_options={audit.AUDITED_DML: True},
    )
    session.commit()


def part(client: SiteClient, name: str) -> str:
    """That panel of one's own page."""
    page = client.get("/dashboard").text
    return page.partition(f'aria-labelledby="{name}-title"')[2].partition("</section>")[0]


def side_bar(page: str) -> list[str]:
    """The items of the side bar."""
    bar = page.partition('<div class="nav">')[2].partition("</div>")[0]
    return re.findall(r"<span>(\w+)</span></a>", bar)


def strip(page: str, email: str) -> str:
    """The page without what differs by the address typed, the token and the moment."""
    lines = [line for line in page.replace(email, "").splitlines() if "csrf" not in line]
    return "\n".join(line for line in lines if "Wait" not in line)
