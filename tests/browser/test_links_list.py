"""S1, "Admin Links Screen": all links, their owners, and finding one; by mouse and by keyboard."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hands import Hand, Keyboard
from tests.browser.made import a_link, a_person, a_tag
from tests.browser.watch import Watch
from tests.factories import save

SEARCH_REQUEST = re.compile(r"[?&]search=")


def searches(watch: Watch) -> list[str]:
    return [url for url in watch.requests("GET", "/admin/links") if SEARCH_REQUEST.search(url)]


def test_all_links_are_listed_whoever_owns_them(hand: Hand, admin: object) -> None:
    for slug, owner in (("mine", admin), ("alices", a_person()), ("bobs", a_person())):
        a_link(slug=slug, owner=owner)
    hand.open("/admin")
    hand.activate(
        hand.page.get_by_role("navigation", name="Sections").get_by_role("link", name="Links")
    )
    expect(hand.page.locator("#rows > tr")).to_have_count(3)
    expect(hand.page.locator("#count")).to_have_text("3")


def test_a_row_names_all_owners(hand: Hand) -> None:
    alice, bob = a_person(display_name="Alice"), a_person(display_name="Bob")
    link = a_link(owner=alice, co_owners=(bob,))
    hand.open("/admin/links")
    cell = hand.named("link", link.id).locator("[data-label=Owners]")
    expect(cell).to_have_text("Alice, Bob")


def test_a_long_url_is_cut_and_shown_whole_on_demand(hand: Hand) -> None:
    url = "https://example.com/" + "long/" * 40
    link = a_link(url=url)
    hand.open("/admin/links")
    shown = hand.named("link", link.id).locator("[data-label=URL] a")
    expect(shown).to_contain_text("…")
    if isinstance(hand, Keyboard):
        hand.reach(shown)
    else:
        shown.hover()
    expect(hand.page.locator(".tip")).to_have_text(url)


def test_typing_shows_what_matches_in_any_of_four_columns(hand: Hand) -> None:
    a_link(slug="jira")
    a_link(slug="board", url="https://jira.example.com")
    a_link(slug="bugs", title="Our Jira project")
    a_link(slug="rota", owner=a_person(display_name="Jirayu"))
    a_link(slug="wiki")
    hand.open("/admin/links")
    hand.search("jira")
    expect(hand.page.locator("#rows > tr")).to_have_count(4)
    expect(hand.row("wiki")).to_have_count(0)
    expect(hand.page.locator("#count")).to_have_text("4")


def test_quick_typing_sends_one_request(hand: Hand, watch: Watch) -> None:
    a_link(slug="jira")
    a_link(slug="wiki")
    hand.page.clock.install()
    hand.open("/admin/links")
    hand.page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))  # no time between the keys
    hand.search("jira")
    assert searches(watch) == []
    hand.page.clock.resume()
    expect(hand.row("wiki")).to_have_count(0)
    assert len(searches(watch)) == 1


def test_typing_keeps_the_caret_and_the_text(hand: Hand) -> None:
    a_link(slug="jira")
    a_link(slug="wiki")
    hand.open("/admin/links")
    hand.search("ji")
    expect(hand.row("wiki")).to_have_count(0)
    hand.page.keyboard.type("ra")
    expect(hand.page.get_by_role("searchbox")).to_be_focused()
    expect(hand.page.get_by_role("searchbox")).to_have_value("jira")
    expect(hand.page).to_have_url(re.compile("search=jira"))


def test_matches_are_marked(hand: Hand) -> None:
    a_link(slug="jira")
    hand.open("/admin/links")
    hand.search("ir")
    expect(hand.row("jira").locator("mark").first).to_have_text("ir")


def test_a_search_without_a_match_offers_to_clear_it(hand: Hand) -> None:
    a_link(slug="wiki")
    hand.open("/admin/links")
    hand.search("nothing like it")
    expect(hand.list).to_contain_text("Nothing matches")
    hand.activate(hand.list.get_by_role("link", name="Clear the search"))
    expect(hand.row("wiki")).to_be_visible()
    expect(hand.page.get_by_role("searchbox")).to_have_value("")


def test_back_shows_the_list_as_it_was_before_the_search(hand: Hand) -> None:
    a_link(slug="jira")
    a_link(slug="wiki")
    hand.open("/admin/links")
    hand.search("j")
    expect(hand.row("wiki")).to_have_count(0)
    expect(hand.page).to_have_url(re.compile("search=j"))
    hand.page.go_back()
    expect(hand.row("wiki")).to_be_visible()
    expect(hand.page.get_by_role("searchbox")).to_have_value("")


def test_a_member_is_refused(page_as: Callable[[str], Page], watch: Watch) -> None:
    watch.allow(403)
    page = page_as("member")
    answer = page.goto("/admin/links")
    assert answer is not None
    assert answer.status == 403
    expect(page.locator("#list")).to_have_count(0)


def test_the_head_of_a_column_sorts(hand: Hand) -> None:
    for slug in ("bravo", "alpha", "charlie"):
        a_link(slug=slug)
    hand.open("/admin/links")
    hand.activate(hand.page.get_by_role("link", name="Slug"))
    slugs = hand.page.locator("#rows .cell-code")
    expect(slugs).to_have_text(["alpha", "bravo", "charlie"])
    hand.activate(hand.page.get_by_role("link", name="Slug"))
    expect(slugs).to_have_text(["charlie", "bravo", "alpha"])
    expect(hand.page.get_by_role("link", name="Slug")).to_be_focused()


def test_pages_turn_forth_and_back(hand: Hand) -> None:
    for number in range(25):
        a_link(slug=f"n{number:02}")
    hand.open("/admin/links?page_size=20&sort=slug&desc=0")
    hand.activate_near_end(hand.page.get_by_role("link", name="Next"))
    expect(hand.page.locator(".footer")).to_contain_text("Showing 21–25")
    expect(hand.row("n24")).to_be_visible()
    hand.activate_near_end(hand.page.get_by_role("link", name="Previous"))
    expect(hand.page.locator(".footer")).to_contain_text("Showing 1–20")
    expect(hand.row("n00")).to_be_visible()


def test_back_returns_to_the_page_before(hand: Hand) -> None:
    for number in range(25):
        a_link(slug=f"n{number:02}")
    hand.open("/admin/links?page_size=20&sort=slug&desc=0")
    hand.activate_near_end(hand.page.get_by_role("link", name="Next"))
    expect(hand.row("n24")).to_be_visible()
    hand.page.go_back()
    expect(hand.row("n00")).to_be_visible()


def test_the_page_size_can_be_chosen(hand: Hand) -> None:
    for _ in range(25):
        a_link()
    hand.open("/admin/links")
    hand.activate_near_end(hand.page.get_by_role("link", name="20 rows a page"))
    expect(hand.page.locator("#rows > tr")).to_have_count(20)
    expect(hand.page).to_have_url(re.compile("page_size=20"))


# ---- filters ----


def add_filter(hand: Hand, label: str) -> None:
    hand.activate(hand.page.locator("#add-filter"))
    hand.activate(hand.page.locator(".filter-panel summary").filter(has_text=label))


def test_a_filter_by_owner_is_found_by_searching(hand: Hand) -> None:
    a_link(slug="alices", owner=a_person(display_name="Alice Adams"))
    a_link(slug="bobs", owner=a_person(display_name="Bob"))
    hand.open("/admin/links")
    add_filter(hand, "Owner")
    choose(hand, "#filter-owner", "adams", "Alice Adams")
    expect(hand.row("bobs")).to_have_count(0)
    expect(hand.row("alices")).to_be_visible()
    expect(hand.page.locator(".chip")).to_contain_text("Alice Adams")


def choose(hand: Hand, field: str, typed: str, option: str) -> None:
    """Find a record in a picker by typing, and take it."""
    hand.enter(hand.page.locator(field))
    hand.page.keyboard.type(typed, delay=10)
    found = hand.page.get_by_role("option")
    expect(found).to_have_count(1)
    expect(found).to_contain_text(option)
    if isinstance(hand, Keyboard):
        hand.press("ArrowDown")
        hand.press("Enter")
    else:
        found.click()


def test_a_filter_can_be_removed(hand: Hand) -> None:
    alice = a_person(display_name="Alice Adams")
    a_link(slug="alices", owner=alice)
    a_link(slug="bobs")
    hand.open(f"/admin/links?owner={alice.id}")
    expect(hand.row("bobs")).to_have_count(0)
    hand.activate(hand.page.get_by_role("link", name="Remove the filter Owner"))
    expect(hand.row("bobs")).to_be_visible()
    expect(hand.page.locator(".chip")).to_have_count(0)


def test_a_tag_in_a_row_filters_by_it(hand: Hand) -> None:
    a_link(slug="tagged", tags=[a_tag("ops")])
    a_link(slug="plain")
    hand.open("/admin/links")
    hand.activate(hand.row("tagged").get_by_role("link", name="ops", exact=True))
    expect(hand.row("plain")).to_have_count(0)
    expect(hand.page.locator(".chip")).to_contain_text("ops")


def test_a_filter_by_day_narrows_the_list(hand: Hand) -> None:
    old = a_link(slug="old")
    old.created_at = old.created_at.replace(year=2020)
    save(old)
    a_link(slug="new")
    hand.open("/admin/links")
    add_filter(hand, "Created")
    day = hand.page.get_by_label("From")
    hand.enter(day)
    day.fill("2021-01-01")  # how a day is typed depends on the reader's language
    hand.activate(hand.page.get_by_role("button", name="Apply"))
    expect(hand.row("old")).to_have_count(0)
    expect(hand.row("new")).to_be_visible()
    expect(hand.page.locator(".chip")).to_contain_text("from 2021-01-01")


@pytest.mark.parametrize("key", ["Escape", "Tab"])
def test_the_filter_menu_gives_the_keyboard_back(page_as: Callable[[str], Page], key: str) -> None:
    keyboard = Keyboard(page_as("admin"))
    a_link()
    keyboard.open("/admin/links")
    add_filter(keyboard, "Created")
    keyboard.press(key)
    assert keyboard.page.evaluate("document.activeElement !== document.body")
