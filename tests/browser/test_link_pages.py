"""A link's own pages: made, edited, its tags and owners, by mouse and by keyboard."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy.orm import Session

from adminsite.models import Link, User
from tests.browser.hands import Hand, Keyboard
from tests.browser.made import a_link, a_person, a_tag
from tests.browser.watch import Watch


@pytest.fixture
def bob(app: object) -> User:
    return a_person(display_name="Bob Baker", email="bob@example.com")


@pytest.fixture
def link(hand: Hand, bob: User) -> Link:
    """A link that Alice owns, open on its page."""
    alice = a_person(display_name="Alice Adams")
    made: Link = a_link(slug="jira", title="Old", owner=alice, tags=[a_tag("ops")])
    hand.open(f"/admin/links/edit/?id={made.id}")
    return made


@pytest.fixture
def owners(hand: Hand, link: Link) -> Locator:
    return hand.page.locator("#owners")


def box(hand: Hand, label: str) -> Locator:
    return hand.page.locator("#form").get_by_role("textbox", name=label)


def choose(hand: Hand, field: Locator, typed: str, option: str) -> None:
    """Find a record in a picker by typing, and take it."""
    hand.enter(field)
    hand.page.keyboard.type(typed, delay=10)
    found = hand.page.get_by_role("option")
    expect(found).to_have_count(1)
    expect(found).to_contain_text(option)
    if isinstance(hand, Keyboard):
        hand.press("ArrowDown")
        hand.press("Enter")
    else:
        found.click()


def test_a_new_link_is_made(hand: Hand, admin: User) -> None:
    hand.open("/admin/links")
    hand.activate(hand.page.locator("[data-action=new]").first)
    hand.fill(box(hand, "Slug"), "jira")
    hand.fill(box(hand, "URL"), "https://jira.example.com")
    hand.save(hand.page.locator("#form"))
    expect(hand.toast).to_have_text("Created jira.")
    expect(hand.row("jira").locator("[data-label=Owners]")).to_have_text("Admin Person")


def test_a_refused_link_keeps_what_was_typed(hand: Hand, watch: Watch) -> None:
    watch.allow(422)
    hand.open("/admin/links/new/")
    hand.fill(box(hand, "Slug"), "Not A Slug")
    hand.fill(box(hand, "URL"), "https://jira.example.com")
    hand.save(hand.page.locator("#form"))
    expect(box(hand, "Slug")).to_have_attribute("aria-invalid", "true")
    expect(box(hand, "Slug")).to_have_value("Not A Slug")
    expect(box(hand, "URL")).to_have_value("https://jira.example.com")


def test_the_page_saves_all_fields(hand: Hand, link: Link) -> None:
    hand.fill(box(hand, "Title"), "New title")
    hand.save(hand.page.locator("#form"))
    expect(hand.toast).to_have_text("Saved jira.")
    expect(hand.row("jira")).to_contain_text("New title")


def test_the_slug_of_a_link_is_fixed(hand: Hand, link: Link) -> None:
    expect(hand.page.locator("#main").get_by_text("jira", exact=True).first).to_be_visible()
    expect(hand.page.locator("[name=slug]")).to_have_count(0)


def test_tags_are_added_and_removed_as_chips(hand: Hand, link: Link) -> None:
    tags = hand.page.get_by_role("combobox", name="Tags")
    hand.enter(tags)
    hand.page.keyboard.type("urgent", delay=10)
    hand.page.keyboard.press("Enter")
    hand.activate(hand.page.get_by_role("button", name="Remove ops"))
    hand.enter(box(hand, "Title"))
    hand.save(hand.page.locator("#form"))
    expect(hand.row("jira").locator("[data-label=Tags]")).to_have_text("urgent")


def test_the_page_says_what_is_unsaved(hand: Hand, link: Link) -> None:
    hand.fill(box(hand, "Title"), "New title")
    expect(hand.page.locator("[data-unsaved]")).to_have_text("Unsaved: Title")


def test_leaving_unsaved_work_asks(hand: Hand, link: Link, watch: Watch) -> None:
    hand.fill(box(hand, "Title"), "New title")
    hand.activate(hand.page.get_by_role("link", name="adminsite"))
    expect(hand.page).to_have_url(re.compile("/admin/?$"))
    assert watch.asked_before_leaving == 1


def test_an_owner_is_found_by_searching_and_added(hand: Hand, owners: Locator) -> None:
    choose(hand, owners.get_by_role("combobox"), "baker", "bob@example.com")
    hand.activate(owners.get_by_role("button", name="Add"))
    expect(hand.toast).to_have_text("Bob Baker is now an owner.")
    expect(owners.get_by_role("listitem")).to_have_count(2)


def test_a_co_owner_becomes_the_primary_owner(
    hand: Hand, link: Link, bob: User, owners: Locator
) -> None:
    with_co_owner(hand, link, bob)
    hand.activate(owners.get_by_role("button", name="Make primary: Bob Baker"))
    expect(hand.toast).to_have_text("Bob Baker is now the primary owner.")
    expect(owners.get_by_role("listitem").first).to_contain_text("Bob Baker")


def test_a_co_owner_is_removed(hand: Hand, link: Link, bob: User, owners: Locator) -> None:
    with_co_owner(hand, link, bob)
    hand.activate(owners.get_by_role("button", name="Remove: Bob Baker"))
    expect(hand.toast).to_have_text("Bob Baker is no longer an owner.")
    expect(owners.get_by_role("listitem")).to_have_count(1)


def test_after_a_change_of_owners_the_focus_is_not_lost(
    hand: Hand, link: Link, bob: User, owners: Locator
) -> None:
    with_co_owner(hand, link, bob)
    hand.activate(owners.get_by_role("button", name="Remove: Bob Baker"))
    expect(owners.get_by_role("listitem")).to_have_count(1)
    expect(hand.page.locator("#owners:focus-within, #owners:focus")).to_have_count(1)


def with_co_owner(hand: Hand, link: Link, bob: User) -> None:
    """The page, with Bob as a second owner."""
    path = f"/admin/links/{link.id}/owners"
    token = hand.page.locator("meta[name=csrf-token]").get_attribute("content")
    hand.page.request.post(path, form={"user": str(bob.id), "csrf_token": token or ""})
    hand.page.reload()
    expect(hand.page.locator("#owners").get_by_role("listitem")).to_have_count(2)


def test_somebody_unknown_is_refused_in_the_panel(
    hand: Hand, owners: Locator, watch: Watch
) -> None:
    watch.allow(422)
    hand.enter(owners.get_by_role("combobox"))
    hand.page.keyboard.type("nobody@example.com")
    hand.activate(owners.get_by_role("button", name="Add"))
    expect(hand.page.get_by_text("Choose a person from the list").first).to_be_visible()
    expect(owners.get_by_role("listitem")).to_have_count(1)


def test_a_conflict_on_the_page_asks_per_field(
    hand: Hand, link: Link, tab_as: Callable[..., Page], watch: Watch, session: Session
) -> None:
    watch.allow(409)
    other = tab_as("owner")
    other.goto(f"/admin/links/edit/?id={link.id}")
    other.locator("#form").get_by_role("textbox", name="Title").fill("Theirs")
    other.locator("#form [data-action=save]").click()
    expect(other.locator("#toasts")).to_contain_text("Saved jira.")
    hand.fill(box(hand, "Title"), "Mine")
    hand.save(hand.page.locator("#form"))
    choice = hand.page.locator("[data-clash]")
    expect(choice).to_contain_text("Theirs")
    hand.enter(choice.locator("input:checked"))
    hand.save(hand.page.locator("#form"))
    expect(hand.toast).to_have_text("Saved jira.")
    session.rollback()
    session.expire_all()
    assert session.get_one(Link, link.id).title == "Mine"
