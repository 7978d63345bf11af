"""The same work in a browser without JavaScript: forms and pages do it all."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from adminsite.models import Keyword, Link, User
from tests.browser.made import a_colleague, a_keyword, a_link, a_person
from tests.browser.watch import Watch
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


def test_deleting_a_person_with_an_answer(page: Page, page_as: Callable[[str], Page]) -> None:
    page_as("admin")
    person = a_person(display_name="Mia")
    a_link(slug="mias", owner=person)
    page.goto("/admin/users")
    page.locator(f"#user-{person.id} [data-action=delete]").click()
    expect(page.get_by_role("heading", name="Delete Mia?")).to_be_visible()
    page.locator("[data-confirm]").click()
    expect(page.get_by_role("heading", name="Delete Mia?")).to_be_visible()  # no answer yet
    page.get_by_text("Reassign links to me").click()
    page.locator("[data-confirm]").click()
    expect(page.locator("#toasts")).to_contain_text("Deleted Mia.")
    page.goto("/admin/links")
    expect(page.locator("#rows [data-label=Owners]")).to_have_text("Admin Person")


def test_a_plan_that_moved_is_shown_anew(
    page: Page, page_as: Callable[[str], Page], watch: Watch
) -> None:
    watch.allow(409)
    page_as("admin")
    person = a_person(display_name="Mia")
    page.goto(f"/admin/users/{person.id}/delete")
    a_link(slug="late", owner=person)
    page.get_by_text("Delete all links").click()
    page.locator("[data-confirm]").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was deleted")
    expect(page.locator("#main")).to_contain_text("late")
    page.get_by_text("Delete all links").click()
    page.locator("[data-confirm]").click()
    expect(page.locator("#toasts")).to_contain_text("Deleted Mia.")


def test_changing_a_role_on_the_page_of_a_person(
    page: Page, page_as: Callable[[str], Page]
) -> None:
    page_as("owner")
    person = a_person(display_name="Mia")
    page.goto(f"/admin/users/{person.id}")
    page.get_by_label("Role").select_option("admin")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Mia is admin now.")


def test_making_somebody_staff_shows_the_link_once(
    page: Page, page_as: Callable[[str], Page]
) -> None:
    page_as("owner")
    page.goto("/admin/admins")
    page.locator("[data-action=new]").first.click()
    page.get_by_role("textbox", name="E-mail").fill("uma@example.com")
    page.get_by_role("textbox", name="Name").fill("Uma")
    page.locator("#form [type=submit]").click()
    expect(page.locator(".secret input")).to_have_value(re.compile("/set-password/"))
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("#rows")).to_contain_text("uma@example.com")
    assert "/set-password/" not in page.content()


def test_changing_a_level_on_its_page(page: Page, page_as: Callable[[str], Page]) -> None:
    page_as("owner")
    colleague = a_colleague("admin", display_name="Sam")
    page.goto("/admin/admins")
    page.locator(f"#admin-{colleague.id} [data-action=edit]").click()
    page.get_by_label("Level").select_option("support")
    page.locator("#form [data-action=save]").click()
    expect(page.locator("#toasts")).to_contain_text("Saved Sam")
    page.goto("/admin/admins?role=support")
    expect(page.locator("#rows > tr")).to_have_count(1)


def test_resetting_a_password(page: Page, page_as: Callable[[str], Page]) -> None:
    page_as("owner")
    colleague = a_colleague(display_name="Sam")
    page.goto("/admin/admins")
    page.locator(f"#admin-{colleague.id} [data-action=reset]").click()
    page.locator("[data-confirm]").click()
    expect(page.locator(".secret input")).to_have_value(re.compile("/set-password/"))
