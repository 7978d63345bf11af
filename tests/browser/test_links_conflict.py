"""Two people at one link: neither loses what they typed without being asked."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy.orm import Session

from adminsite.models import Link
from tests.browser.hands import Hand, Keyboard
from tests.browser.made import a_link
from tests.browser.watch import Watch


@pytest.fixture
def link(app: object) -> Link:
    return a_link(slug="jira", title="Old", url="https://old.example.com")


@pytest.fixture
def row(hand: Hand, link: Link) -> Locator:
    """The row, open for editing since before the other person's change."""
    hand.open("/admin/links")
    found = hand.named("link", link.id)
    hand.edit(found)
    return found


@pytest.fixture
def other(tab_as: Callable[..., Page], link: Link, row: Locator) -> Callable[[str, str], None]:
    """Another person changes a field in a browser of their own."""

    def change(label: str, text: str) -> None:
        tab = tab_as("owner")
        tab.goto("/admin/links")
        theirs = tab.locator(f"#link-{link.id}")
        theirs.hover()
        theirs.locator("[data-action=edit]").click()
        theirs.get_by_role("textbox", name=label).fill(text)
        theirs.locator("[data-action=save]").click()
        expect(tab.locator("#toasts")).to_contain_text("Saved jira.")

    return change


@pytest.fixture
def clash(hand: Hand, row: Locator, other: Callable[[str, str], None], watch: Watch) -> Locator:
    """Both changed the title."""
    watch.allow(409)
    other("Title", "Theirs")
    hand.fill(row.get_by_role("textbox", name="Title"), "Mine")
    hand.save(row)
    choice = row.locator("[data-clash]")
    expect(choice).to_be_visible()
    return choice


def take(hand: Hand, choice: Locator, value: str) -> None:
    option = choice.locator(f"input[value={value}]")
    if isinstance(hand, Keyboard):
        hand.reach(choice.locator("input:checked"))
        while not option.is_checked():
            hand.press("ArrowDown")
    else:
        option.check()


def saved_title(session: Session, link: Link) -> str | None:
    session.rollback()
    session.expire_all()
    return session.get_one(Link, link.id).title


def test_a_conflict_shows_both_values_and_who(clash: Locator) -> None:
    expect(clash).to_contain_text("Mine")
    expect(clash).to_contain_text("Theirs")
    expect(clash).to_contain_text("owner@example.com")


def test_a_conflict_gives_the_choice_the_focus(clash: Locator) -> None:
    expect(clash.locator(":focus")).to_have_count(1)


def test_keep_mine(hand: Hand, row: Locator, clash: Locator, link: Link, session: Session) -> None:
    take(hand, clash, "Mine")
    hand.save(row)
    expect(row.locator("form")).to_have_count(0)
    expect(row).to_contain_text("Mine")
    assert saved_title(session, link) == "Mine"


def test_take_theirs(
    hand: Hand, row: Locator, clash: Locator, link: Link, session: Session
) -> None:
    take(hand, clash, "Theirs")
    hand.save(row)
    expect(row.locator("form")).to_have_count(0)
    expect(row).to_contain_text("Theirs")
    assert saved_title(session, link) == "Theirs"


def test_a_conflict_can_be_left(hand: Hand, row: Locator, clash: Locator) -> None:
    expect(clash).to_be_visible()
    hand.cancel(row)
    expect(row.locator("form")).to_have_count(0)
    expect(row).to_contain_text("Theirs")


def test_changes_of_different_fields_are_both_kept(
    hand: Hand, row: Locator, other: Callable[[str, str], None]
) -> None:
    other("URL", "https://theirs.example.com")
    hand.fill(row.get_by_role("textbox", name="Title"), "Mine")
    hand.save(row)
    expect(row.locator("form")).to_have_count(0)
    expect(row).to_contain_text("Mine")
    expect(row).to_contain_text("theirs.example.com")
    expect(hand.toast).to_contain_text("owner@example.com changed url meanwhile; both are kept.")


def test_a_conflict_in_a_cell_asks_there(
    hand: Hand, link: Link, row: Locator, other: Callable[[str, str], None], watch: Watch
) -> None:
    watch.allow(409)
    hand.cancel(row)
    expect(row.locator("form")).to_have_count(0)
    hand.edit_cell(row, "title")
    other("Title", "Theirs")
    hand.page.keyboard.type("Mine")
    hand.page.keyboard.press("Enter")
    choice = row.locator("[data-clash]")
    expect(choice).to_contain_text("Theirs")
    take(hand, choice, "Theirs")
    hand.page.keyboard.press("Enter")
    expect(row.locator("form")).to_have_count(0)
    expect(row.locator("[data-label=Title]")).to_contain_text("Theirs")
