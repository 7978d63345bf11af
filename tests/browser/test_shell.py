"""What surrounds every page: signing in and out, the theme, the menu, the end of a session."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect
from sqlalchemy import delete

from adminsite.db import db
from adminsite.models import User, UserSession
from tests.browser.hands import Hand, Keyboard
from tests.browser.made import a_link
from tests.browser.watch import Watch
from tests.factories import PASSWORD


def end_sessions() -> None:
    """End everybody's session behind their back."""
    db.session.execute(delete(UserSession.__table__))  # type: ignore[arg-type]
    db.session.commit()


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_signing_in_leads_back_to_the_page_asked_for(page: Page, admin: User) -> None:
    page.goto("/admin/keywords")
    expect(page).to_have_url(re.compile("/login"))
    sign_in(page, admin.email, PASSWORD)
    expect(page).to_have_url(re.compile("/admin/keywords$"))


def test_a_wrong_password_is_refused_in_the_form(page: Page, admin: User, watch: Watch) -> None:
    watch.allow(422)
    page.goto("/login")
    sign_in(page, admin.email, "not the password")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value(admin.email)


def test_signing_out_from_the_menu(hand: Hand) -> None:
    hand.open("/admin")
    hand.activate(hand.page.locator("summary.me"))
    hand.activate(hand.page.get_by_role("button", name="Sign out"))
    expect(hand.page).to_have_url(re.compile("/login"))


def test_the_chosen_theme_is_remembered(hand: Hand) -> None:
    hand.open("/admin")
    hand.activate(hand.page.locator("summary[aria-label=Theme]"))
    hand.activate(hand.page.get_by_role("button", name="Dark"))
    root = hand.page.locator("html")
    expect(root).to_have_attribute("data-theme", "adminsite-dark")
    hand.open("/admin/links")
    expect(root).to_have_attribute("data-theme", "adminsite-dark")


def test_a_system_in_dark_gets_the_dark_theme(tab_as: Callable[..., Page]) -> None:
    page = tab_as("admin", color_scheme="dark")
    page.goto("/admin")
    bright = "parseFloat(getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/)[0])"
    assert page.evaluate(bright) < 0.5


def test_a_folded_side_bar_is_remembered(hand: Hand) -> None:
    hand.open("/admin")
    hand.activate(hand.page.locator("[data-fold]"))
    hand.open("/admin/links")
    expect(hand.page.locator("[data-fold]")).to_have_attribute("aria-expanded", "false")


def test_a_session_that_ends_while_searching_leads_to_the_sign_in(hand: Hand, watch: Watch) -> None:
    watch.allow(401)
    a_link()
    hand.open("/admin/links")
    end_sessions()
    hand.search("jira")
    expect(hand.page).to_have_url(re.compile("/login"))


def test_a_session_that_ends_while_saving_leads_to_the_sign_in(hand: Hand, watch: Watch) -> None:
    watch.allow(401)
    link = a_link()
    hand.open("/admin/links")
    row = hand.named("link", link.id)
    hand.edit(row)
    hand.fill(row.get_by_role("textbox", name="Title"), "Typed")
    end_sessions()
    hand.save(row)
    expect(hand.page).to_have_url(re.compile("/login"))


def test_the_way_back_from_the_sign_in_is_the_list(hand: Hand, watch: Watch) -> None:
    watch.allow(401)
    a_link(slug="jira")
    hand.open("/admin/links")
    end_sessions()
    hand.search("jira")
    expect(hand.page).to_have_url(re.compile("/login"))
    sign_in(hand.page, "admin@example.com", PASSWORD)
    expect(hand.page).to_have_url(re.compile("/admin/links"))


def test_the_first_tab_skips_to_the_content(page_as: Callable[[str], Page]) -> None:
    keyboard = Keyboard(page_as("admin"))
    keyboard.open("/admin")
    keyboard.press("Tab")
    expect(keyboard.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keyboard.press("Enter")
    expect(keyboard.page.locator("#main")).to_be_focused()


def test_a_small_screen_has_the_menu_in_a_drawer(tab_as: Callable[..., Page]) -> None:
    page = tab_as("admin", viewport={"width": 360, "height": 740})
    page.goto("/admin")
    links = page.get_by_role("navigation", name="Sections").get_by_role("link", name="Links")
    expect(links).not_to_be_in_viewport()
    page.get_by_role("button", name="Open the menu").click()
    links.click()
    expect(page).to_have_url(re.compile("/admin/links$"))


def test_support_sees_no_controls_that_change(page_as: Callable[[str], Page]) -> None:
    a_link()
    page = page_as("support")
    page.goto("/admin/links")
    expect(page.locator("#rows > tr")).to_have_count(1)
    changing = "[data-action=new], [data-action=edit], [data-action=delete], [data-cell], .pick"
    expect(page.locator(changing)).to_have_count(0)
