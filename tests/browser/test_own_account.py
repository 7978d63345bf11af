"""One's own account in a browser: password, tokens, the side bar; with script and without."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from adminsite.db import transaction
from adminsite.models import User
from adminsite.operations import credentials
from tests.browser.watch import Watch
from tests.factories import PASSWORD
from tests.people import acting

NEW = "nine purple lampposts"
SCRIPT = ("script", "no script")


@pytest.fixture(params=[True, False], ids=SCRIPT)
def account(request: pytest.FixtureRequest, tab_as: Callable[..., Page]) -> Page:
    """A member's own page."""
    page = tab_as("member", java_script_enabled=request.param)
    page.goto("/dashboard")
    return page


def change_password(page: Page, current: str, new: str) -> None:
    page.get_by_label("Current password").fill(current)
    page.get_by_label("New password").fill(new)
    page.get_by_role("button", name="Change password").click()


def token_field(page: Page) -> str:
    return page.get_by_role("textbox", name="The new token").input_value()


def test_the_password_is_changed(account: Page) -> None:
    change_password(account, PASSWORD, NEW)

    expect(account.locator("#toasts")).to_contain_text("Your password is changed.")
    expect(account.get_by_label("Current password")).to_have_value("")


def test_a_wrong_password_is_said_at_its_field(account: Page, watch: Watch) -> None:
    watch.allow(422)

    change_password(account, "not the password", NEW)

    field = account.get_by_label("Current password")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(re.compile("This is not your current password."))


def test_a_token_is_shown_once_and_revoked(account: Page) -> None:
    account.get_by_label("Name").fill("Nightly")
    account.get_by_role("button", name="Create token").click()

    expect(account.get_by_text("Copy it now: it is not shown again.")).to_be_in_viewport()
    assert token_field(account).startswith("adm_")
    account.goto("/dashboard")
    expect(account.locator("#tokens .secret")).to_have_count(0)
    account.get_by_role("button", name="Revoke Nightly").click()
    expect(account.locator("#toasts")).to_contain_text("Revoked the token “Nightly”.")
    expect(account.locator("#tokens")).to_contain_text("No tokens.")


def test_a_refused_token_keeps_what_was_typed(account: Page, watch: Watch) -> None:
    watch.allow(422)

    account.get_by_label("Name").fill("Nightly")
    account.get_by_label("Scope").select_option("write")
    account.get_by_label("Valid for days").fill("soon")
    account.get_by_role("button", name="Create token").click()

    expect(account.get_by_label("Valid for days")).to_be_focused()
    expect(account.get_by_label("Name")).to_have_value("Nightly")
    expect(account.get_by_label("Scope")).to_have_value("write")


def test_a_token_is_copied(tab_as: Callable[..., Page]) -> None:
    page = tab_as("member", permissions=["clipboard-read", "clipboard-write"])
    page.goto("/dashboard")
    page.get_by_label("Name").fill("Nightly")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copy").click()

    expect(page.locator("#toasts")).to_contain_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == token_field(page)


def test_the_side_bar_leads_to_the_parts(page_as: Callable[[str], Page]) -> None:
    page = page_as("member")
    page.goto("/dashboard")

    for name in ("Billing", "Settings", "Help"):
        page.get_by_role("navigation", name="Sections").get_by_role("link", name=name).click()
        expect(page).to_have_url(re.compile(f"/dashboard#{name.lower()}$"))
        expect(page.get_by_role("heading", name=name, level=2)).to_be_in_viewport()


def test_the_side_bar_leads_staff_to_the_panel(page_as: Callable[[str], Page]) -> None:
    page = page_as("support")
    page.goto("/dashboard")

    sections = page.get_by_role("navigation", name="Sections")
    sections.get_by_role("link", name="Admin", exact=True).click()

    expect(page).to_have_url(re.compile("/admin$"))


def test_the_drawer_closes_when_it_leads_to_a_part(tab_as: Callable[..., Page]) -> None:
    page = tab_as("member", viewport={"width": 360, "height": 740})
    page.goto("/dashboard")
    settings = page.get_by_role("navigation", name="Sections").get_by_role("link", name="Settings")

    page.get_by_role("button", name="Open the menu").click()
    settings.click()

    expect(settings).not_to_be_in_viewport()
    expect(page.get_by_role("heading", name="Settings")).to_be_in_viewport()


def test_the_help_shows_the_keys(page_as: Callable[[str], Page]) -> None:
    page = page_as("member")
    page.goto("/dashboard")

    page.get_by_role("button", name="Show the keyboard shortcuts").click()

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=SCRIPT)
def test_a_one_time_link_sets_the_password(
    open_tab: Callable[..., Page],
    owner: User,
    member: User,
    watch: Watch,
    options: dict[str, object],
) -> None:
    watch.allow(404, 422)
    page = open_tab(**options)
    with transaction():
        path = f"/set-password/{credentials.issue_reset(member, by=acting(owner))}"

    page.goto(path)
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_label("New password")).to_be_focused()
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Set password").click()
    expect(page.locator("#toasts")).to_contain_text("Your password is set. Sign in.")

    page.get_by_label("E-mail").fill(member.email)
    page.get_by_label("Password").fill(NEW)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    page.goto(path)
    expect(page.get_by_role("heading", name="This link has ended")).to_be_visible()
