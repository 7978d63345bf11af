"""S1, "Admin Keywords Screen": made, tried out, edited and deleted, by mouse and by keyboard."""

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.models import Keyword
from tests.browser.hands import Hand
from tests.browser.made import a_keyword
from tests.browser.watch import Watch

TEMPLATE = "https://tracker.example.com/{slug}"


@pytest.fixture
def keyword(hand: Hand) -> Keyword:
    made: Keyword = a_keyword(keyword="gh", description="Code host")
    hand.open("/admin/keywords")
    return made


@pytest.fixture
def form(hand: Hand, keyword: Keyword) -> Locator:
    """The form of a new keyword, over the list that has `gh`."""
    hand.activate(hand.page.locator("[data-action=new]").first)
    expect(hand.dialog).to_be_visible()
    return hand.dialog


def fill(hand: Hand, form: Locator, keyword: str, template: str) -> None:
    hand.fill(box(form, "Keyword"), keyword)
    hand.fill(box(form, "URL template"), template)


def box(form: Locator, label: str) -> Locator:
    return form.get_by_role("textbox", name=label)


def words(session: Session) -> set[str]:
    session.rollback()
    return set(session.scalars(select(Keyword.keyword)))


def test_all_keywords_are_listed_with_what_they_are(hand: Hand, keyword: Keyword) -> None:
    row = hand.named("keyword", keyword.id)
    expect(row.locator("[data-label=Keyword]")).to_have_text("gh")
    expect(row.locator("[data-label='URL template']")).to_contain_text(keyword.url_template)
    expect(row.locator("[data-label=Description]")).to_contain_text("Code host")
    created = f"{keyword.created_at:%b} {keyword.created_at.day}, {keyword.created_at.year}"
    expect(row.locator("[data-label=Created]")).to_have_text(created)


def test_a_new_keyword_appears_in_the_list(hand: Hand, form: Locator, watch: Watch) -> None:
    fill(hand, form, "jira", TEMPLATE)
    hand.save(form)
    expect(form).to_have_count(0)
    expect(hand.row("jira")).to_be_visible()
    expect(hand.toast).to_have_text("Created jira.")
    expect(hand.page.locator("#count")).to_have_text("2")
    assert len(watch.requests("POST", "/admin/keywords")) == 1


def test_after_creating_the_focus_is_not_lost(hand: Hand, form: Locator) -> None:
    fill(hand, form, "jira", TEMPLATE)
    hand.save(form)
    expect(hand.row("jira")).to_be_visible()
    expect(hand.page.locator("body > :focus, body > * :focus")).to_have_count(1)


def test_a_taken_keyword_is_refused_in_the_form(
    hand: Hand, form: Locator, watch: Watch, session: Session
) -> None:
    watch.allow(422)
    fill(hand, form, "gh", TEMPLATE)
    hand.save(form)
    expect(box(form, "Keyword")).to_have_attribute("aria-invalid", "true")
    expect(box(form, "Keyword")).to_be_focused()
    expect(form).to_contain_text("A keyword called `gh` exists.")
    expect(box(form, "URL template")).to_have_value(TEMPLATE)
    assert words(session) == {"gh"}


def test_a_template_without_slug_is_refused(
    hand: Hand, form: Locator, watch: Watch, session: Session
) -> None:
    watch.allow(422)
    fill(hand, form, "jira", "https://tracker.example.com/")
    hand.save(form)
    expect(box(form, "URL template")).to_have_attribute("aria-invalid", "true")
    expect(box(form, "URL template")).to_be_focused()
    expect(form).to_contain_text("must contain {slug}")
    assert words(session) == {"gh"}


def test_a_refused_keyword_can_be_put_right(hand: Hand, form: Locator, watch: Watch) -> None:
    watch.allow(422)
    fill(hand, form, "gh", TEMPLATE)
    hand.save(form)
    expect(box(form, "Keyword")).to_have_attribute("aria-invalid", "true")
    hand.fill(box(form, "Keyword"), "jira")
    hand.save(form)
    expect(form).to_have_count(0)
    expect(hand.row("jira")).to_be_visible()


def test_the_preview_follows_the_typing(hand: Hand, form: Locator) -> None:
    hand.fill(box(form, "URL template"), TEMPLATE)
    hand.fill(box(form, "Try it with"), "open bugs")
    expect(form.locator("#preview")).to_contain_text("https://tracker.example.com/open%20bugs")


def test_the_preview_says_what_is_missing(hand: Hand, form: Locator) -> None:
    hand.fill(box(form, "URL template"), "https://tracker.example.com/")
    expect(form.locator("#preview")).to_contain_text("must contain {slug}")


def test_leaving_the_form_makes_nothing(hand: Hand, form: Locator, watch: Watch) -> None:
    hand.dismiss()
    expect(form).to_have_count(0)
    expect(hand.page.locator("[data-action=new]").first).to_be_focused()
    assert watch.requests("POST") == []


def test_a_keyword_is_edited_in_its_row(hand: Hand, keyword: Keyword, watch: Watch) -> None:
    row = hand.named("keyword", keyword.id)
    hand.edit(row)
    expect(row.locator("[name=keyword]")).to_have_count(0)
    hand.fill(box(row, "URL template"), TEMPLATE)
    hand.save(row)
    expect(row.locator("form")).to_have_count(0)
    expect(row).to_contain_text(TEMPLATE)
    expect(row).to_be_focused()
    assert len(watch.requests("PUT", "/admin/keywords")) == 1


def test_an_edited_template_needs_its_slug_too(hand: Hand, keyword: Keyword, watch: Watch) -> None:
    watch.allow(422)
    row = hand.named("keyword", keyword.id)
    hand.edit(row)
    hand.fill(box(row, "URL template"), "https://tracker.example.com/")
    hand.save(row)
    expect(box(row, "URL template")).to_have_attribute("aria-invalid", "true")
    expect(row).to_contain_text("must contain {slug}")


def test_a_description_is_edited_in_its_cell(hand: Hand, keyword: Keyword) -> None:
    row = hand.named("keyword", keyword.id)
    hand.edit_cell(row, "description")
    hand.page.keyboard.type("Where code lives")
    hand.page.keyboard.press("Enter")
    expect(row.locator("form")).to_have_count(0)
    expect(row.locator("[data-label=Description]")).to_contain_text("Where code lives")


def test_deleting_asks_and_removes_the_row(
    hand: Hand, keyword: Keyword, watch: Watch, session: Session
) -> None:
    row = hand.named("keyword", keyword.id)
    hand.ask_delete(row)
    expect(hand.dialog.get_by_role("heading")).to_have_text("Delete gh?")
    hand.confirm()
    expect(row).to_have_count(0)
    expect(hand.toast).to_have_text("Deleted gh.")
    assert len(watch.requests("DELETE", f"/admin/keywords/{keyword.id}")) == 1
    assert words(session) == set()


def test_deleting_the_only_keyword_leaves_an_empty_list_with_a_way_on(
    hand: Hand, keyword: Keyword
) -> None:
    hand.ask_delete(hand.named("keyword", keyword.id))
    hand.confirm()
    expect(hand.list).to_contain_text("No keywords yet")
    expect(hand.list.get_by_role("link", name="New keyword")).to_be_visible()
    assert hand.page.evaluate("document.activeElement !== document.body")


def test_dismissing_keeps_the_keyword(hand: Hand, keyword: Keyword, watch: Watch) -> None:
    hand.ask_delete(hand.named("keyword", keyword.id))
    hand.dismiss()
    expect(hand.dialog).to_have_count(0)
    expect(hand.named("keyword", keyword.id)).to_be_visible()
    assert watch.requests("DELETE") == []
