"""The overview: another period in place, the numbers as a table, figures that lead on."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from adminsite.db import transaction
from adminsite.models import User
from adminsite.operations import ledger
from tests.browser.hands import Hand
from tests.browser.made import a_link, a_person
from tests.browser.watch import Watch
from tests.people import acting

CREDITS = "#chart-credits"


@pytest.fixture
def business(admin: User) -> User:
    """A member with credits, and a link."""
    alice = a_person(display_name="Alice")
    with transaction():
        ledger.enter(alice, 1200, "purchase", by=acting(admin))
        ledger.enter(alice, -250, "usage", by=acting(admin))
    a_link(slug="jira")
    return alice


def test_another_period_is_shown_in_place(hand: Hand, business: User, watch: Watch) -> None:
    hand.open("/admin")
    hand.activate(hand.page.get_by_role("link", name="7 days"))
    expect(hand.page.locator(f"{CREDITS} .plot-hit")).to_have_count(7)
    expect(hand.page).to_have_url(re.compile(r"/admin\?period=7d$"))
    expect(hand.page.locator("#period-7d")).to_have_attribute("aria-current", "true")
    expect(hand.page.locator("#period-7d")).to_be_focused()
    assert [url for url in watch.requests("GET") if url.endswith("/admin")] != []


def test_going_back_shows_the_period_before(hand: Hand, business: User) -> None:
    hand.open("/admin")
    hand.activate(hand.page.get_by_role("link", name="90 days"))
    expect(hand.page.locator(f"{CREDITS} .plot-hit")).to_have_count(90)
    hand.page.go_back()
    expect(hand.page.locator(f"{CREDITS} .plot-hit")).to_have_count(30)


def test_the_numbers_open_as_a_table(hand: Hand, business: User) -> None:
    hand.open("/admin?period=7d")
    table = hand.page.locator(f"{CREDITS} table")
    expect(table).to_be_hidden()
    hand.activate(hand.page.locator(f"{CREDITS} summary"))
    expect(table.locator("tbody tr")).to_have_count(7)
    expect(table.locator("tbody tr").last).to_contain_text("1,200")


def test_refreshing_counts_anew_and_keeps_the_address(hand: Hand, business: User) -> None:
    hand.open("/admin?period=7d")
    expect(hand.page.locator("#stat-links .stat-value")).to_have_text("1")
    a_link(slug="wiki")
    hand.activate(hand.page.get_by_role("link", name="Refresh"))
    expect(hand.page.locator("#stat-links .stat-value")).to_have_text("2")
    expect(hand.page).to_have_url(re.compile(r"/admin\?period=7d$"))


def test_a_figure_leads_to_its_list(hand: Hand, business: User) -> None:
    hand.open("/admin")
    hand.activate(hand.page.locator("#stat-credits-used .stat-value"))
    expect(hand.page).to_have_url(re.compile(r"/admin/credits\?type=usage$"))
    expect(hand.page.locator("#totals")).to_contain_text("250")


def test_a_picture_has_a_name_and_a_description(
    page_as: Callable[[str], Page], business: User
) -> None:
    page = page_as("admin")
    page.goto("/admin")
    picture = page.get_by_role("img", name="Credits")
    expect(picture).to_have_accessible_description(re.compile("Most was issued on"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(
    tab_as: Callable[..., Page], business: User, scheme: str
) -> None:
    page = tab_as("admin", viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page.goto("/admin?period=90d")
    for summary in page.locator("summary:visible").all():
        if "table" in summary.inner_text():
            summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_works_without_script(tab_as: Callable[..., Page], business: User) -> None:
    page = tab_as("admin", java_script_enabled=False)
    page.goto("/admin")
    page.get_by_role("link", name="12 months").click()
    expect(page.locator(f"{CREDITS} .plot-hit")).to_have_count(12)
    page.get_by_role("link", name="Refresh").click()
    expect(page).to_have_url(re.compile(r"/admin\?period=12m$"))
