"""S2's user detail: its cards, the role that saves at once, deleting and signing out from it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.models import Link, User, UserSession
from adminsite.operations import admins, users
from tests.browser.hands import Hand, looking, looking_as_owner
from tests.browser.made import a_colleague, a_link, a_person, a_subscription
from tests.browser.watch import Watch
from tests.factories import CreditTransactionFactory
from tests.people import acting


@pytest.fixture
def mia(app: object) -> User:
    """A person with something on every card."""
    made = a_person(
        display_name="Mia",
        email="mia@example.com",
        credits_balance=-250,
        created_at=datetime(2025, 1, 5, tzinfo=UTC),
    )
    a_subscription(made, id="sub_1", current_period_end=datetime(2030, 2, 1, tzinfo=UTC))
    CreditTransactionFactory(user=made, amount=50, type="bonus", description="Welcome")
    CreditTransactionFactory(user=made, amount=-300, type="usage")
    for number in range(11):
        a_link(slug=f"sole-{number}", owner=made)
    a_link(slug="anns", co_owners=[made])
    return made


def open_page(hand: Hand, user: User) -> None:
    hand.open(f"/admin/users/{user.id}")


def card(hand: Hand, name: str) -> Locator:
    return hand.page.get_by_role("region", name=name)


def role(hand: Hand) -> Locator:
    return hand.page.get_by_role("combobox", name="Role")


# ---- what it shows ----


def test_the_list_leads_to_the_page_and_back(hand: Hand, mia: User) -> None:
    hand.open("/admin/users")
    hand.activate(hand.named("user", mia.id).locator("td.cell-record a"))
    expect(hand.page.get_by_role("heading", name="Mia", level=1)).to_be_visible()
    expect(hand.page).to_have_title(re.compile("^Mia"))
    hand.activate(hand.page.get_by_role("link", name="All users"))
    expect(hand.page).to_have_url(re.compile("/admin/users$"))


@looking
def test_the_profile_shows_who_it_is(hand: Hand, mia: User) -> None:
    open_page(hand, mia)
    profile = card(hand, "Profile")
    expect(profile.locator("dd").first).to_have_text(str(mia.id))
    expect(profile).to_contain_text("Not connected")
    expect(profile).to_contain_text("Jan 5, 2025")
    expect(hand.page.locator("#main")).to_contain_text("mia@example.com")


@looking
def test_the_credits_show_the_balance_and_the_entries(hand: Hand, mia: User) -> None:
    open_page(hand, mia)
    money = card(hand, "Credits")
    expect(money.locator(".balance")).to_have_text(re.compile(r"−250\s+credits, in debt"))
    entries = money.locator("li")
    expect(entries).to_have_count(2)
    expect(entries.filter(has_text="Bonus").locator(".gain")).to_have_text("+50")
    expect(entries.filter(has_text="Usage").locator(".loss")).to_have_text("−300")
    expect(entries.filter(has_text="Bonus")).to_contain_text("Welcome")


@looking
def test_the_subscription_shows_its_state(hand: Hand, mia: User) -> None:
    open_page(hand, mia)
    subscription = card(hand, "Subscription")
    expect(subscription.locator(".badge-success")).to_have_text("active")
    for text in ("Pro", "Feb 1, 2030", "sub_1"):
        expect(subscription).to_contain_text(text)


def test_the_links_show_the_first_and_lead_to_all(hand: Hand, mia: User) -> None:
    open_page(hand, mia)
    links = card(hand, "Links")
    expect(links.get_by_role("heading")).to_contain_text("12")
    expect(links.get_by_role("listitem")).to_have_count(10)
    hand.activate(links.get_by_role("link", name="See all"))
    expect(hand.page.locator("#rows > tr")).to_have_count(12)


@looking
def test_a_person_without_anything_has_words_for_it(hand: Hand) -> None:
    open_page(hand, a_person())
    for name, words in (
        ("Credits", "No transactions"),
        ("Subscription", "No active subscription"),
        ("Links", "Owns no links"),
        ("Signed in", "Not signed in anywhere"),
    ):
        expect(card(hand, name)).to_contain_text(words)


def test_the_timeline_tells_who_changed_what(
    page_as: Callable[[str], Page], mia: User, owner: User
) -> None:
    with transaction():
        users.update(mia, {"display_name": "Mia Maier"}, by=acting(owner))
    page = page_as("admin")
    page.goto(f"/admin/users/{mia.id}")
    timeline = page.get_by_role("region", name="What happened")
    expect(timeline).to_contain_text("owner@example.com changed the profile")
    expect(timeline.locator("del")).to_have_text("Mia")
    expect(timeline.locator("ins")).to_have_text("Mia Maier")


@looking
def test_an_unknown_person_is_said_not_to_be_found(hand: Hand, watch: Watch) -> None:
    watch.allow(404)
    hand.open("/admin/users/00000000-0000-0000-0000-000000000000")
    expect(hand.page.locator("#main")).to_contain_text("User not found")


# ---- the role ----


def test_a_role_asks_and_then_saves_at_once(boss: Hand, mia: User, session: Session) -> None:
    open_page(boss, mia)
    boss.select(role(boss), "Admin")
    expect(boss.dialog.get_by_role("heading")).to_have_text("Change the role of Mia?")
    expect(boss.dialog).to_contain_text("They are signed out everywhere.")
    expect(boss.dialog.locator("[data-dismiss]")).to_be_focused()
    boss.confirm()
    expect(boss.toast).to_have_text("Mia is admin now.")
    expect(role(boss)).to_have_value("admin")
    expect(role(boss)).to_be_focused()
    expect(card(boss, "What happened")).to_contain_text("changed the role")
    session.expire_all()
    assert mia.role == "admin"


@looking_as_owner
def test_the_question_has_the_whole_name(boss: Hand) -> None:
    open_page(boss, a_person(display_name="Who? <Me>"))
    boss.select(role(boss), "Admin")
    expect(boss.dialog.get_by_role("heading")).to_have_text("Change the role of Who? <Me>?")
    expect(boss.dialog.locator("p")).to_have_text("They are signed out everywhere.")


def test_saying_no_puts_the_role_back(boss: Hand, mia: User, watch: Watch) -> None:
    open_page(boss, mia)
    boss.select(role(boss), "Admin")
    expect(boss.dialog).to_be_visible()
    boss.dismiss()
    expect(boss.dialog).to_have_count(0)
    expect(role(boss)).to_have_value("user")
    expect(role(boss)).to_be_focused()
    assert watch.requests("POST") == []


def test_a_role_is_disabled_while_it_is_saved(page_as: Callable[[str], Page], mia: User) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page = page_as("owner")
    page.route("**/role", hold)
    page.goto(f"/admin/users/{mia.id}")
    box = page.get_by_role("combobox", name="Role")
    box.select_option("admin")
    page.locator("#dialog [data-confirm]").click()
    expect(box).to_be_disabled()
    for _ in range(100):  # the control closes before the request has reached us
        if held:
            break
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator("#toasts")).to_contain_text("Mia is admin now.")
    expect(box).to_be_enabled()


def test_a_refused_role_goes_back_and_says_why(boss: Hand, owner: User, watch: Watch) -> None:
    watch.allow(400)
    person = a_person(role="admin")
    open_page(boss, person)
    with transaction():
        admins.create({"email": person.email, "role": "support"}, by=acting(owner))
    boss.select(role(boss), "User")
    boss.confirm()
    expect(boss.toast).to_contain_text("staff")
    expect(role(boss)).to_have_value("admin")
    expect(role(boss)).to_be_enabled()


@looking
def test_an_admin_reads_why_the_role_stays(hand: Hand, mia: User) -> None:
    open_page(hand, mia)
    expect(role(hand)).to_be_disabled()
    expect(role(hand)).to_have_accessible_description(
        "This needs an owner; you are signed in as admin."
    )


@looking_as_owner
def test_staff_show_their_level_beside_the_role(boss: Hand) -> None:
    staff = a_colleague("support", "suspended")
    open_page(boss, staff.user)
    profile = card(boss, "Profile")
    expect(profile.locator(".badge")).to_have_text(["support", "suspended"])
    expect(role(boss)).to_be_disabled()


# ---- deleting ----


def test_deleting_leads_back_to_the_list_which_says_so(
    hand: Hand, mia: User, session: Session, watch: Watch
) -> None:
    open_page(hand, mia)
    hand.activate(hand.page.locator("[data-action=delete]"))
    expect(hand.dialog.get_by_role("heading")).to_have_text("Delete Mia?")
    hand.choose("Delete all links")
    hand.confirm()
    expect(hand.page).to_have_url(re.compile("/admin/users$"))
    expect(hand.page.locator("#toasts")).to_contain_text("Deleted Mia.")
    expect(hand.named("user", mia.id)).to_have_count(0)
    session.rollback()
    assert list(session.scalars(select(Link.slug))) == ["anns"]
    assert len(watch.requests("DELETE")) == 1


def test_dismissing_stays_on_the_page(hand: Hand, mia: User, watch: Watch) -> None:
    open_page(hand, mia)
    button = hand.page.locator("[data-action=delete]")
    hand.activate(button)
    expect(hand.dialog).to_be_visible()
    hand.dismiss()
    expect(hand.dialog).to_have_count(0)
    expect(button).to_be_focused()
    assert watch.requests("DELETE") == []


def test_a_plan_that_moved_is_shown_anew_on_the_page(
    hand: Hand, mia: User, session: Session, watch: Watch
) -> None:
    watch.allow(409)
    open_page(hand, mia)
    hand.activate(hand.page.locator("[data-action=delete]"))
    expect(hand.dialog).to_be_visible()
    a_link(slug="late", owner=session.get(User, mia.id))
    hand.choose("Reassign links to me")
    hand.confirm()
    expect(hand.dialog).to_contain_text("12 links become yours.")
    expect(hand.dialog.get_by_role("alert").first).to_contain_text("Nothing was deleted")
    hand.choose("Reassign links to me")
    hand.confirm()
    expect(hand.page.locator("#toasts")).to_contain_text("Deleted Mia.")


def test_ones_own_page_says_why_it_has_no_delete(boss: Hand, owner: User) -> None:
    open_page(boss, owner)
    button = boss.page.locator("[data-action=delete]")
    expect(button).to_have_attribute("aria-disabled", "true")
    boss.point_at(button)
    expect(boss.page.locator(".tip")).to_have_text("Nobody deletes themselves. Ask another admin.")
    expect(role(boss)).to_be_disabled()
    expect(card(boss, "Profile")).to_contain_text("Nobody changes their own role.")


# ---- signing out ----


def test_an_owner_signs_somebody_out_everywhere(
    boss: Hand, tab_as: Callable[..., Page], session: Session, watch: Watch
) -> None:
    watch.allow(401)
    theirs = tab_as("support")
    theirs.goto("/admin/links")
    support = session.scalar(select(User).where(User.email == "support@example.com"))
    assert support
    open_page(boss, support)
    signed_in = card(boss, "Signed in")
    expect(signed_in.get_by_role("listitem")).to_have_count(1)
    boss.activate(signed_in.get_by_role("button", name="Sign out everywhere"))
    expect(boss.toast).to_have_text("Ended 1 session of Support Person.")
    expect(signed_in).to_contain_text("Not signed in anywhere")
    expect(boss.page.locator("#person")).to_be_focused()
    session.rollback()
    assert list(session.scalars(select(UserSession).where(UserSession.user_id == support.id))) == []
    theirs.goto("/admin/links")
    expect(theirs).to_have_url(re.compile("/login"))


@looking
def test_an_admin_cannot_sign_others_out(hand: Hand, owner: User) -> None:
    open_page(hand, owner)
    expect(hand.page.get_by_role("button", name="Sign out everywhere")).to_have_count(0)
