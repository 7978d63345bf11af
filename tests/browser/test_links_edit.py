"""S1, "Admin Inline Link Editing": rows and cells, edited in place, by mouse and by keyboard."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.models import Link, User
from adminsite.operations import links
from tests.browser.hands import Hand, Keyboard
from tests.browser.made import a_link
from tests.browser.watch import Watch
from tests.people import acting

BAD_URL = "ftp://example.com"
WHY = re.compile("Only http and https lead somewhere")


def box(row: Locator, label: str) -> Locator:
    """The field of this name in the row."""
    return row.get_by_role("textbox", name=label)


@pytest.fixture
def link(hand: Hand) -> Link:
    a_link(slug="other")
    made: Link = a_link(slug="jira", url="https://old.example.com", title="Old")
    hand.open("/admin/links")
    return made


@pytest.fixture
def row(hand: Hand, link: Link) -> Locator:
    return hand.named("link", link.id)


@pytest.fixture
def stored(link: Link, session: Session) -> Callable[[], Link]:
    """The link as the database has it now."""

    def read() -> Link:
        session.expire_all()
        session.rollback()
        return session.get_one(Link, link.id)

    return read


# ---- the row ----


def test_edit_turns_the_row_into_a_form_with_its_values(hand: Hand, row: Locator) -> None:
    hand.edit(row)
    expect(box(row, "URL")).to_have_value("https://old.example.com")
    expect(box(row, "Title")).to_have_value("Old")
    expect(box(row, "Description")).to_be_editable()
    expect(box(row, "URL")).to_be_focused()


def test_the_slug_can_be_read_and_not_changed(hand: Hand, row: Locator) -> None:
    hand.edit(row)
    slug = row.get_by_text("jira", exact=True)
    expect(slug).to_be_visible()
    assert slug.evaluate("element => element.tagName") not in {"INPUT", "TEXTAREA"}
    expect(row.locator("[name=slug]")).to_have_count(0)


def test_saving_puts_the_link_and_draws_the_row_anew(
    hand: Hand, row: Locator, link: Link, watch: Watch
) -> None:
    hand.edit(row)
    hand.fill(box(row, "Title"), "New title")
    hand.fill(box(row, "URL"), "https://new.example.com")
    hand.save(row)
    expect(row.locator("form")).to_have_count(0)
    expect(row).to_contain_text("New title")
    expect(row).to_contain_text("new.example.com")
    assert [url.rpartition("/")[2] for url in watch.requests("PUT")] == [str(link.id)]


def test_saving_says_so_and_returns_the_focus_to_the_row(hand: Hand, row: Locator) -> None:
    hand.edit(row)
    hand.fill(box(row, "Title"), "New title")
    hand.save(row)
    expect(hand.toast).to_have_text("Saved jira.")
    expect(row).to_be_focused()


def test_a_refused_value_is_shown_with_its_message(
    hand: Hand, row: Locator, watch: Watch, stored: Callable[[], Link]
) -> None:
    watch.allow(422)
    hand.edit(row)
    hand.fill(box(row, "URL"), BAD_URL)
    hand.save(row)
    field = box(row, "URL")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value(BAD_URL)
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(WHY)
    assert stored().url == "https://old.example.com"


def test_the_refused_field_has_the_focus(hand: Hand, row: Locator, watch: Watch) -> None:
    watch.allow(422)
    hand.edit(row)
    hand.fill(box(row, "Title"), "a bell\x07")
    hand.save(row)
    expect(box(row, "Title")).to_have_attribute("aria-invalid", "true")
    expect(box(row, "Title")).to_be_focused()


def test_a_refused_row_can_be_put_right(hand: Hand, row: Locator, watch: Watch) -> None:
    watch.allow(422)
    hand.edit(row)
    hand.fill(box(row, "URL"), BAD_URL)
    hand.save(row)
    expect(box(row, "URL")).to_have_attribute("aria-invalid", "true")
    hand.fill(box(row, "URL"), "https://right.example.com")
    hand.save(row)
    expect(row.locator("form")).to_have_count(0)
    expect(row).to_contain_text("right.example.com")


def test_cancelling_restores_the_row(
    hand: Hand, row: Locator, watch: Watch, stored: Callable[[], Link]
) -> None:
    hand.edit(row)
    hand.fill(box(row, "Title"), "Never mind")
    hand.cancel(row)
    expect(row.locator("form")).to_have_count(0)
    expect(row).to_contain_text("Old")
    expect(row).to_be_focused()
    assert watch.requests("PUT") == []
    assert stored().title == "Old"


def test_a_row_deleted_meanwhile_says_so(
    hand: Hand, row: Locator, link: Link, owner: User, watch: Watch
) -> None:
    watch.allow(404)
    hand.edit(row)
    with transaction():
        links.delete(link, by=acting(owner))
    hand.fill(box(row, "Title"), "Too late")
    hand.save(row)
    expect(hand.toast).to_contain_text("does not exist")
    expect(box(row, "Title")).to_have_value("Too late")


# ---- the cell ----


def test_a_cell_opens_with_its_value_selected(hand: Hand, row: Locator) -> None:
    hand.edit_cell(row, "title")
    field = box(row, "Title")
    expect(field).to_be_focused()
    expect(field).to_have_value("Old")
    hand.page.keyboard.type("Typed over")
    expect(field).to_have_value("Typed over")


def test_enter_saves_a_cell(hand: Hand, row: Locator) -> None:
    hand.edit_cell(row, "title")
    hand.page.keyboard.type("By cell")
    hand.page.keyboard.press("Enter")
    expect(row.locator("[data-label=Title]")).to_contain_text("By cell")
    expect(row.locator("form")).to_have_count(0)
    expect(hand.toast).to_have_text("Saved jira.")


def test_a_saved_cell_has_the_focus(hand: Hand, row: Locator) -> None:
    hand.edit_cell(row, "title")
    hand.page.keyboard.type("By cell")
    hand.page.keyboard.press("Enter")
    expect(row.locator("form")).to_have_count(0)
    expect(row.locator("[data-label=Title] :focus")).to_have_count(1)


def test_escape_leaves_a_cell_as_it_was(hand: Hand, row: Locator, watch: Watch) -> None:
    hand.edit_cell(row, "title")
    hand.page.keyboard.type("Never mind")
    hand.page.keyboard.press("Escape")
    expect(row.locator("[data-label=Title]")).to_contain_text("Old")
    expect(row.locator("[data-label=Title] :focus")).to_have_count(1)
    assert watch.requests("POST") == []


def test_tab_saves_a_cell_and_opens_the_next(hand: Hand, row: Locator) -> None:
    hand.edit_cell(row, "url")
    hand.page.keyboard.type("https://tabbed.example.com")
    hand.page.keyboard.press("Tab")
    expect(box(row, "Title")).to_be_focused()
    expect(row.locator("[data-label=URL]")).to_contain_text("tabbed.example.com")


def test_tab_leaves_an_unchanged_cell_without_saving(
    hand: Hand, row: Locator, watch: Watch
) -> None:
    hand.edit_cell(row, "url")
    hand.page.keyboard.press("Tab")
    expect(box(row, "Title")).to_be_focused()
    assert watch.requests("POST") == []


def test_a_refused_cell_keeps_what_was_typed(hand: Hand, row: Locator, watch: Watch) -> None:
    watch.allow(422)
    hand.edit_cell(row, "url")
    hand.page.keyboard.type(BAD_URL)
    hand.page.keyboard.press("Enter")
    field = box(row, "URL")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value(BAD_URL)
    expect(field).to_be_focused()
    expect(row.get_by_text(WHY)).to_be_visible()


def test_a_cell_that_gives_way_to_another_keeps_no_second_form(hand: Hand, row: Locator) -> None:
    hand.edit_cell(row, "title")
    hand.page.keyboard.press("Escape")
    hand.edit_cell(row, "url")
    expect(hand.page.locator("#rows [data-editing]")).to_have_count(1)


# ---- keys of the list ----


@pytest.fixture
def keyboard(page_as: Callable[[str], Page]) -> Keyboard:
    return Keyboard(page_as("admin"))


def test_three_keys_lead_to_the_first_rows_form(keyboard: Keyboard) -> None:
    a_link()
    keyboard.open("/admin/links")
    keyboard.press("j")
    keyboard.press("e")
    expect(keyboard.page.locator("#rows [data-editing]")).to_be_visible()


def test_enter_on_a_row_edits_it(keyboard: Keyboard) -> None:
    a_link()
    keyboard.open("/admin/links")
    keyboard.press("j")
    keyboard.press("Enter")
    expect(keyboard.page.locator("#rows [data-editing]")).to_be_visible()


def test_j_and_k_step_through_the_rows(keyboard: Keyboard) -> None:
    a_link(slug="second")
    a_link(slug="first")  # the newest stands first
    keyboard.open("/admin/links")
    keyboard.press("j")
    expect(keyboard.row("first")).to_be_focused()
    keyboard.press("j")
    expect(keyboard.row("second")).to_be_focused()
    keyboard.press("k")
    expect(keyboard.row("first")).to_be_focused()


def test_letters_typed_into_a_field_are_no_commands(keyboard: Keyboard) -> None:
    a_link()
    keyboard.open("/admin/links")
    keyboard.press("j")
    keyboard.press("e")
    title = box(keyboard.page.locator("#rows"), "Title")
    keyboard.fill(title, "")
    keyboard.page.keyboard.type("jk#x/e?")
    expect(title).to_have_value("jk#x/e?")


def test_a_question_mark_shows_the_keys(keyboard: Keyboard) -> None:
    a_link()
    keyboard.open("/admin/links")
    keyboard.press("?")
    expect(keyboard.dialog).to_contain_text("Keyboard shortcuts")
    keyboard.press("Escape")
    expect(keyboard.dialog).to_have_count(0)
