"""The same work in a browser without JavaScript: forms and pages do it all."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from adminsite.models import Keyword, Link, User
from tests.browser.made import a_keyword, a_link
from tests.factories import PASSWORD


@pytest.fixture
def page(open_tab: Callable[..., Page]) -> Page:
    """A tab that runs no script."""
    return open_tab(java_script_enabled=False)


@pytest.fixture
def link(page_as: Callable[[str], Page]) -> Link:
    page_as("admin")
    a_link(slug="other")
    return a_link(slug="jira")


def test_signing_in(page: Page, admin: User) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill(admin.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()


def test_searching(page: Page, link: Link) -> None:
    page.goto("/admin/links")
    page.get_by_role("searchbox").fill("jira")
    page.keyboard.press("Enter")
    expect(page.locator("#rows > tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("search=jira"))


def test_creating_a_link(page: Page, link: Link) -> None:
    page.goto("/admin/links")
    page.locator("[data-action=new]").first.click()
    page.get_by_role("textbox", name="Slug").fill("wiki")
    page.get_by_role("textbox", name="URL").fill("https://wiki.example.com")
    page.locator("#form [type=submit]").click()
    expect(page.locator("#toasts")).to_contain_text("Created wiki.")
    expect(page.locator("#rows > tr")).to_have_count(3)


def test_editing_a_link(page: Page, link: Link) -> None:
    page.goto("/admin/links")
    page.locator(f"#link-{link.id} [data-action=edit]").click()
    page.get_by_role("textbox", name="Title").fill("New title")
    page.locator("#form [data-action=save]").click()
    expect(page.locator(f"#link-{link.id}")).to_contain_text("New title")


def test_deleting_a_link(page: Page, link: Link) -> None:
    page.goto("/admin/links")
    page.locator(f"#link-{link.id} [data-action=delete]").click()
    expect(page.get_by_role("heading", name="Delete jira?")).to_be_visible()
    page.locator("[data-confirm]").click()
    expect(page.locator("#toasts")).to_contain_text("Deleted jira.")
    expect(page.locator(f"#link-{link.id}")).to_have_count(0)


def test_creating_a_keyword(page: Page, link: Link) -> None:
    page.goto("/admin/keywords")
    page.locator("[data-action=new]").first.click()
    page.get_by_role("textbox", name="Keyword").fill("jira")
    page.get_by_role("textbox", name="URL template").fill("https://jira.example.com/{slug}")
    page.locator("#form [type=submit]").click()
    expect(page.locator("#toasts")).to_contain_text("Created jira.")


def test_deleting_a_keyword(page: Page, link: Link) -> None:
    keyword: Keyword = a_keyword(keyword="gh")
    page.goto("/admin/keywords")
    page.locator(f"#keyword-{keyword.id} [data-action=delete]").click()
    page.locator("[data-confirm]").click()
    expect(page.locator("#toasts")).to_contain_text("Deleted gh.")


def test_turning_the_page(page: Page, link: Link) -> None:
    for _ in range(20):
        a_link()
    page.goto("/admin/links?page_size=20")
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".footer")).to_contain_text("Showing 21–22")
