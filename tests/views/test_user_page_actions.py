"""What is done from the page of one user, and what it keeps to itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite import audit
from adminsite.db import transaction, utc_now
from adminsite.models import CreditTransaction, User, UserSession
from adminsite.operations import credentials, users
from tests.client import SiteClient
from tests.factories import CreditTransactionFactory, password_hash, save
from tests.lists import text_of
from tests.people import acting
from tests.rows import person
from tests.views.reading import JSON, NOBODY, actions, message, sessions_of, toast
from tests.views.test_user_page import card, read_card

ClientAs = Callable[[str | User], SiteClient]
URL = "/admin/users"


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("support")


@pytest.fixture
def boss(client_as: ClientAs) -> SiteClient:
    return client_as("owner")


def browse(user: User, agent: str, **values: Any) -> UserSession:
    """A session in some browser."""
    row = UserSession(
        user_id=user.id,
        token_hash=f"{values.pop('n', 0):064}",
        user_agent=agent,
        ip="192.0.2.7",
        **{"expires_at": utc_now() + timedelta(hours=1), **values},
    )
    save(row)
    return row


class TestSessions:
    def test_names_the_browsers(self, tab: SiteClient) -> None:
        mia = person()
        browse(mia, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15) Gecko/2010 Firefox/128.0")
        browse(mia, "", n=1)
        browse(mia, "<script>alert(1)</script>", n=2)

        told = read_card(tab, mia, "sessions")

        assert told.startswith("Signed in 3")
        assert "Firefox on macOS 192.0.2.7" in told
        assert "Unknown browser 192.0.2.7" in told
        assert "<script>" not in card(tab, mia, "sessions")

    def test_leaves_out_those_that_are_over(self, tab: SiteClient) -> None:
        mia = person()
        browse(mia, "Old", expires_at=utc_now() - timedelta(minutes=1))

        assert "Not signed in anywhere" in read_card(tab, mia, "sessions")

    @pytest.mark.parametrize(("who", "there"), [("support", 0), ("admin", 0), ("owner", 1)])
    def test_can_be_ended_by_owners(self, client_as: ClientAs, who: str, there: int) -> None:
        tab, mia = client_as(who), person()
        browse(mia, "Any")

        page = tab.get(f"{URL}/{mia.id}").text

        assert page.count("Sign out everywhere") == there

    def test_end_everywhere(
        self, boss: SiteClient, client_as: ClientAs, session: Session, member: User
    ) -> None:
        theirs = client_as("member")
        browse(member, "Another")

        answer = boss.post(f"{URL}/{member.id}/sessions/revoke", htmx=True)

        assert toast(answer) == "success: Ended 2 sessions of Member Person."
        assert "Not signed in anywhere" in text_of(answer.text)
        assert (sessions_of(session, member.id), theirs.get("/dashboard").status_code) == (0, 302)

    @pytest.mark.parametrize("who", ["admin", "support", "member"])
    def test_end_by_nobody_else(self, client_as: ClientAs, session: Session, who: str) -> None:
        tab, mia = client_as(who), person()
        browse(mia, "Any")

        answer = tab.post(f"{URL}/{mia.id}/sessions/revoke")

        assert (answer.status_code, sessions_of(session, mia.id)) == (403, 1)


class TestRoleSelect:
    def test_saves_at_once_and_shows_the_cards_anew(
        self, boss: SiteClient, session: Session
    ) -> None:
        mia = person("Mia")
        page = boss.get(f"{URL}/{mia.id}").text
        assert f'hx-post="{URL}/{mia.id}/role"' in page
        assert 'hx-disabled-elt="this"' in page

        answer = boss.post(f"{URL}/{mia.id}/role", data={"role": "admin"}, htmx=True)

        assert toast(answer) == "success: Mia is admin now."
        assert '<div class="cards" id="person"' in answer.text
        assert '<option value="admin" selected>' in answer.text
        assert "<html" not in answer.text

    def test_works_without_script(self, boss: SiteClient) -> None:
        mia = person("Mia")

        answer = boss.post(f"{URL}/{mia.id}/role", data={"role": "admin"})

        assert (answer.status_code, answer.location) == (303, f"{URL}/{mia.id}")
        assert "Mia is admin now." in boss.get(answer.location).text

    @pytest.mark.parametrize("body", [{"data": {"role": "admin"}}, {"json": {"role": "admin"}}])
    def test_takes_a_form_or_json(
        self, boss: SiteClient, session: Session, body: dict[str, Any]
    ) -> None:
        mia = person("Mia")

        answer = boss.post(f"{URL}/{mia.id}/role", headers=JSON, **body)

        assert answer.json == {"success": True, "data": {"id": str(mia.id)}}
        assert session.get_one(User, mia.id).role == "admin"

    @pytest.mark.parametrize("how", [{}, {"htmx": True}, {"headers": JSON}])
    def test_needs_a_role(self, boss: SiteClient, session: Session, how: dict[str, Any]) -> None:
        mia = person(role="admin")

        answer = boss.post(f"{URL}/{mia.id}/role", **how)

        assert answer.status_code == 422
        assert "Say which role" in answer.text
        assert session.get_one(User, mia.id).role == "admin"

    def test_says_when_there_is_nothing_to_change(self, boss: SiteClient, session: Session) -> None:
        mia = person()

        answer = boss.post(f"{URL}/{mia.id}/role", data={"role": "user"}, htmx=True)

        assert toast(answer) == "success: Nothing to change."
        assert actions(session) == []

    @pytest.mark.parametrize(
        ("who", "why"),
        [
            ("support", "This needs an owner; you are signed in as support."),
            ("admin", "This needs an owner; you are signed in as admin."),
        ],
    )
    def test_is_disabled_with_the_reason(
        self, client_as: ClientAs, session: Session, who: str, why: str
    ) -> None:
        mia = person()

        markup = card(client_as(who), mia, "profile")

        assert 'disabled aria-describedby="role-why"' in markup
        assert f'id="role-why">{why}</p>' in markup

    def test_of_oneself_is_disabled_with_the_reason(self, boss: SiteClient, owner: User) -> None:
        markup = card(boss, owner, "profile")

        assert 'disabled aria-describedby="role-why"' in markup
        assert "Nobody changes their own role. Ask another owner." in markup

    def test_does_not_find_nobody(self, boss: SiteClient) -> None:
        answer = boss.post(f"{URL}/{NOBODY}/role", data={"role": "admin"}, headers=JSON)

        assert answer.status_code == 404
        assert message(answer) == "User not found. They may have been deleted."


class TestTimeline:
    @pytest.fixture
    def mia(self, session: Session, owner: User) -> User:
        """Somebody to whom something happened."""
        mia = person("Mia")
        with transaction():
            users.update(mia, {"role": "admin"}, by=acting(owner))
        with transaction():
            users.update(mia, {"display_name": "<b>Mia</b>"}, by=acting(owner))
        return mia

    @pytest.mark.parametrize("who", ["admin", "owner"])
    def test_tells_what_happened_the_newest_first(
        self, client_as: ClientAs, mia: User, who: str
    ) -> None:
        told = read_card(client_as(who), mia, "timeline")

        assert "owner@example.com changed the profile" in told
        assert "Name: Mia → <b>Mia</b>" in told
        assert "Role: user → admin" in told
        assert told.index("changed the profile") < told.index("changed the role")

    def test_is_not_for_support(self, tab: SiteClient, mia: User) -> None:
        page = tab.get(f"{URL}/{mia.id}").text

        assert "timeline" not in page
        assert "owner@example.com" not in page

    def test_tells_of_the_staff_record_too(self, boss: SiteClient, session: Session) -> None:
        boss.post(
            "/admin/admins",
            data={"email": "zoe@example.com", "full_name": "Zoe", "role": "support"},
            htmx=True,
        )
        zoe = session.scalars(select(User).where(User.email == "zoe@example.com")).one()

        told = read_card(boss, zoe, "timeline")

        assert "gave staff access" in told
        assert "added this person" in told
        assert "issued a link to set the password" in told

    def test_shows_a_reason(self, boss: SiteClient, session: Session, owner: User) -> None:
        mia = person()
        with transaction():
            audit.record("credits.adjusted", mia, {}, by=acting(owner), reason="Paid <twice>")

        assert "Reason: Paid <twice>" in read_card(boss, mia, "timeline")

    def test_says_when_nothing_happened(self, boss: SiteClient) -> None:
        assert "Nothing is on record yet" in read_card(boss, person(), "timeline")


@pytest.mark.parametrize("who", ["support", "admin", "owner"])
@pytest.mark.parametrize(
    "path", ["/{}", "/{}/edit", "/{}/delete", "/details/?id={}", "/edit/?id={}", "", "/new/"]
)
def test_no_page_holds_a_secret(  # noqa: PLR0913, PLR0917 - one for each fixture
    client_as: ClientAs, session: Session, owner: User, admin: User, who: str, path: str
) -> None:
    tab, mia = client_as(who), person()
    browse(mia, "Any", n=12345)
    with transaction():
        token = credentials.issue_reset(mia, by=acting(owner))
        credentials.set_password(mia, "a new and long passphrase", by=acting(owner))
    CreditTransactionFactory(user=mia, idempotency_key="secret-key")
    stored = session.scalars(select(User.password_hash).where(User.id == mia.id)).one()
    assert session.scalars(select(CreditTransaction)).one().idempotency_key

    for how in ({}, {"htmx": True}, {"headers": JSON}):
        text = tab.get(f"{URL}{path.format(mia.id)}", **how).text

        for secret in (stored, password_hash(), token, f"{12345:064}", "argon2", "token_hash"):
            assert secret is not None
            assert secret not in text
