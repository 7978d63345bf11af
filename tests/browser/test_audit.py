"""The audit in the browser: an event is found, read and left again, by mouse and by keyboard."""

import re

import pytest
from playwright.sync_api import Locator, expect

from adminsite.db import transaction
from adminsite.operations import keywords
from adminsite.permissions import SYSTEM
from tests.browser.hands import Hand, looking
from tests.browser.made import a_link
from tests.views.auditing import URL, happened

JIRA = {"subject_type": "link", "subject_id": "7", "subject_label": "jira"}


@pytest.fixture
def key(app: object) -> int:
    """An event about a link, among others."""
    with transaction():
        keywords.create({"keyword": "gh", "url_template": "https://x.example/{slug}"}, by=SYSTEM)
    happened("link.created", **JIRA)
    return happened(**JIRA, changes={"title": ["Old", "New"]}, reason="It moved", request_id="r")


def heading(hand: Hand) -> Locator:
    return hand.page.get_by_role("heading", level=1)


def open_filter(hand: Hand, name: str) -> Locator:
    """Open one of the filters to add; its form."""
    hand.activate(hand.page.locator("#add-filter"))
    box = hand.page.locator(".filter-panel > details").filter(
        has=hand.page.locator("summary", has_text=re.compile(f"^\\s*{name}"))
    )
    hand.activate(box.locator("summary"))
    return box


def test_an_event_is_found_by_its_action(hand: Hand, key: int) -> None:
    hand.open(URL)
    box = open_filter(hand, "Action")
    hand.select(box.locator("select"), "Link updated")
    hand.activate(box.get_by_role("button", name="Apply"))
    expect(hand.page.locator("#rows > tr")).to_have_count(1)
    expect(hand.page.locator(".chip")).to_contain_text("Link updated")
    expect(hand.page).to_have_url(re.compile("action=link.updated"))

    hand.activate(hand.named("audit", key).locator("a").first)
    expect(heading(hand)).to_have_text("Somebody changed the link")
    expect(hand.page.locator("table")).to_contain_text("Old")
    hand.page.go_back()
    expect(hand.page.locator("#rows > tr")).to_have_count(1)
    expect(hand.page.locator(".chip")).to_contain_text("Link updated")


def test_an_event_is_found_by_its_record(hand: Hand, key: int) -> None:
    hand.open(URL)
    box = open_filter(hand, "Id of the record")
    hand.fill(box.locator("input[name=subject_id]"), "7")
    hand.activate(box.get_by_role("button", name="Apply"))
    expect(hand.page.locator("#rows > tr")).to_have_count(2)
    hand.activate(hand.page.get_by_role("link", name="Remove the filter Id of the record"))
    expect(hand.row("gh")).to_have_count(1)
    expect(hand.named("audit", key)).to_be_visible()


def test_an_event_is_found_by_typing(hand: Hand, key: int) -> None:
    hand.open(URL)
    hand.search("it moved")
    expect(hand.page.locator("#rows > tr")).to_have_count(1)
    expect(hand.named("audit", key).locator("mark")).to_have_text("It moved")


@looking
def test_enter_opens_the_event_of_a_row(hand: Hand, key: int) -> None:
    hand.open(f"{URL}?action=link.updated")
    hand.page.keyboard.press("j")
    expect(hand.named("audit", key)).to_be_focused()
    hand.page.keyboard.press("Enter")
    expect(hand.page).to_have_url(re.compile(f"{URL}/{key}$"))


def test_one_walks_along_the_events_of_a_record(hand: Hand, key: int) -> None:
    hand.open(f"{URL}/{key}")
    hand.activate(hand.page.get_by_role("link", name="Earlier"))
    expect(heading(hand)).to_have_text("Somebody created the link")
    hand.activate(hand.page.get_by_role("link", name="Later"))
    expect(heading(hand)).to_have_text("Somebody changed the link")
    hand.activate(hand.page.get_by_role("link", name="All of this record"))
    expect(hand.page.locator("#rows > tr")).to_have_count(2)


def test_a_record_leads_to_its_events(hand: Hand) -> None:
    row = a_link(slug="wiki")
    key = happened(subject_type="link", subject_id=str(row.id), subject_label="wiki")
    hand.open(f"/admin/links/edit/?id={row.id}")
    hand.activate(hand.page.get_by_role("link", name="All events"))
    expect(hand.named("audit", key)).to_be_visible()
    hand.activate(hand.named("audit", key).get_by_role("link", name="wiki"))
    expect(heading(hand)).to_have_text("wiki")
