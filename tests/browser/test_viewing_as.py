"""Looking at the site as a user: asked with a reason, said on every page, left by one button."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.models import AuditEvent, User
from tests.browser.hands import Hand, looking
from tests.browser.made import a_link, a_person
from tests.browser.watch import Watch
from tests.people import acting

WHY = "Ticket 7: a link of theirs is gone"


@pytest.fixture
def mia(app: object) -> User:
    """A member with a link."""
    made = a_person(display_name="Mia", email="mia@example.com")
    a_link(slug="mias", owner=made)
    return made


def bar(page: Page) -> Locator:
    return page.get_by_role("region", name="Viewing as another person")


def begin(hand: Hand, user: User) -> None:
    """Ask to view as somebody from their page, say why, and see their own page."""
    hand.open(f"/admin/users/{user.id}")
    hand.activate(hand.page.get_by_role("link", name="View as this user"))
    expect(hand.dialog.get_by_role("heading")).to_have_text(
        f"View the site as {user.display_name}?"
    )
    hand.fill(hand.dialog.get_by_role("textbox", name="Reason"), WHY)
    hand.activate(hand.dialog.locator("[data-confirm]"))
    expect(hand.page).to_have_url(re.compile("/dashboard$"))


def test_it_is_begun_seen_everywhere_and_stopped(hand: Hand, mia: User, watch: Watch) -> None:
    watch.allow(403)
    begin(hand, mia)
    page = hand.page
    expect(bar(page)).to_contain_text(
        re.compile(r"You are viewing as Mia \(mia@example.com\), read only, until \d\d:\d\d UTC")
    )
    expect(page.locator("#main")).to_contain_text("mias")
    page.reload()
    expect(bar(page)).to_be_visible()
    hand.open("/admin/links")
    expect(page.get_by_role("heading", level=1)).to_have_text("You may not open this")
    expect(bar(page)).to_be_visible()
    hand.activate(bar(page).get_by_role("button", name="Stop"))
    expect(page).to_have_url(re.compile(f"/admin/users/{mia.id}$"))
    expect(hand.toast).to_have_text("You stopped viewing as Mia.")
    expect(bar(page)).to_have_count(0)


def test_the_dialog_wants_a_reason_and_can_be_left(hand: Hand, mia: User, watch: Watch) -> None:
    watch.allow(422)
    hand.open(f"/admin/users/{mia.id}")
    button = hand.page.get_by_role("link", name="View as this user")
    hand.activate(button)
    reason = hand.dialog.get_by_role("textbox", name="Reason")
    expect(reason).to_be_focused()
    hand.activate(hand.dialog.locator("[data-confirm]"))
    expect(hand.dialog.locator(".message:visible")).to_contain_text("Give a reason")
    hand.dismiss()
    expect(hand.dialog).to_have_count(0)
    expect(button).to_be_focused()


def test_a_reason_that_is_refused_says_why(hand: Hand, mia: User, watch: Watch) -> None:
    watch.allow(422)
    hand.open(f"/admin/users/{mia.id}")
    hand.activate(hand.page.get_by_role("link", name="View as this user"))
    hand.fill(hand.dialog.get_by_role("textbox", name="Reason"), "x" * 501)
    hand.activate(hand.dialog.locator("[data-confirm]"))
    field = hand.dialog.get_by_role("textbox", name="Reason")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("x" * 501)
    expect(hand.dialog.locator(".message:visible")).to_contain_text("500")


@looking
def test_the_forms_are_closed_and_say_why(hand: Hand, mia: User) -> None:
    begin(hand, mia)
    settings = hand.page.get_by_role("region", name="Settings")
    expect(settings).to_contain_text("You are viewing, so the forms are closed.")
    for control in settings.locator("input:visible, select, button").all():
        expect(control).to_be_disabled()


@looking
def test_the_menu_is_theirs(hand: Hand, mia: User) -> None:
    begin(hand, mia)
    menu = hand.page.get_by_role("navigation", name="Sections")
    expect(menu.get_by_role("link")).to_have_text(
        ["adminsite", "Dashboard", "Billing", "Settings", "Help"]
    )


def test_the_bar_comes_right_after_the_skip_link(hand: Hand, mia: User) -> None:
    begin(hand, mia)
    hand.page.reload()
    for _ in range(2):
        hand.page.keyboard.press("Tab")
    expect(bar(hand.page).get_by_role("button", name="Stop")).to_be_focused()


@looking
def test_a_form_of_another_tab_is_refused_with_a_toast(
    hand: Hand, mia: User, watch: Watch, session: Session
) -> None:
    watch.allow(403)
    other = hand.page.context.new_page()
    other.goto("/dashboard")
    begin(hand, mia)
    other.locator("#token-name").fill("mine")
    other.get_by_role("button", name="Create token").click()
    expect(other.locator("#toasts")).to_contain_text("You are viewing the site as mia@example.com")
    session.rollback()
    last = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert last is not None
    assert (last.action, last.viewing_as_email) == ("access.denied", "mia@example.com")


def test_it_works_without_script(tab_as: Callable[..., Page], mia: User, watch: Watch) -> None:
    watch.allow(422)
    page = tab_as("admin", java_script_enabled=False)
    page.goto(f"/admin/users/{mia.id}")
    page.get_by_role("link", name="View as this user").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("View the site as Mia?")
    page.get_by_role("textbox", name="Reason").fill(" ")
    page.get_by_role("button", name="View as this user").click()
    expect(page.locator("#view-reason-error")).to_be_visible()
    page.get_by_role("textbox", name="Reason").fill(WHY)
    page.get_by_role("button", name="View as this user").click()
    expect(bar(page)).to_contain_text("You are viewing as Mia")
    bar(page).get_by_role("button", name="Stop").click()
    expect(page).to_have_url(re.compile(f"/admin/users/{mia.id}$"))


@looking
def test_staff_say_why_they_are_not_viewed(hand: Hand, owner: User) -> None:
    hand.open(f"/admin/users/{acting(owner).id}")
    button = hand.page.locator("[data-action=view-as]")
    expect(button).to_have_attribute("aria-disabled", "true")
    hand.point_at(button)
    expect(hand.page.locator(".tip")).to_have_text(
        "owner@example.com is staff. Only members are viewed as."
    )
