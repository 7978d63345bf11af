"""S1, "Admin Link Deletion": the question, yes and no, one link and many."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.models import Link, LinkOwner, LinkTag, User
from adminsite.operations import links
from tests.browser.hands import Hand
from tests.browser.made import a_link, a_tag
from tests.browser.watch import Watch
from tests.people import acting


@pytest.fixture
def three(hand: Hand) -> dict[str, Link]:
    """The links c, b and a, in the order of the list."""
    made = {slug: a_link(slug=slug, tags=[a_tag(f"of {slug}")]) for slug in ("a", "b", "c")}
    hand.open("/admin/links")
    return made


def test_delete_asks_with_slug_url_and_warning(hand: Hand, three: dict[str, Link]) -> None:
    hand.ask_delete(hand.named("link", three["b"].id))
    expect(hand.dialog).to_have_class("modal")
    expect(hand.dialog.get_by_role("heading")).to_have_text("Delete b?")
    expect(hand.dialog).to_contain_text("https://example.com/b")
    expect(hand.dialog).to_contain_text("This is permanent")
    expect(hand.dialog).to_contain_text("ownership and tag associations")


def test_the_safe_choice_has_the_focus(hand: Hand, three: dict[str, Link]) -> None:
    hand.ask_delete(hand.named("link", three["b"].id))
    expect(hand.dialog.locator("[data-dismiss]")).to_be_focused()


def test_confirming_removes_the_row_and_says_so(
    hand: Hand, three: dict[str, Link], watch: Watch
) -> None:
    row = hand.named("link", three["b"].id)
    hand.ask_delete(row)
    hand.confirm()
    expect(row).to_have_count(0)
    expect(hand.dialog).to_have_count(0)
    expect(hand.toast).to_have_text("Deleted b.")
    expect(hand.page.locator("#count")).to_have_text("2")
    assert [url.rpartition("/")[2] for url in watch.requests("DELETE")] == [str(three["b"].id)]


def test_confirming_deletes_owners_and_tags_along(
    hand: Hand, three: dict[str, Link], session: Session
) -> None:
    hand.ask_delete(hand.named("link", three["b"].id))
    hand.confirm()
    expect(hand.page.locator("#rows > tr")).to_have_count(2)
    session.rollback()
    left = [session.scalar(select(func.count()).select_from(m)) for m in (Link, LinkOwner, LinkTag)]
    assert left == [2, 2, 2]


def test_after_a_deletion_the_next_row_has_the_focus(hand: Hand, three: dict[str, Link]) -> None:
    hand.ask_delete(hand.named("link", three["b"].id))
    hand.confirm()
    expect(hand.named("link", three["b"].id)).to_have_count(0)
    expect(hand.page.locator(f"#link-{three['a'].id}:focus-within")).to_have_count(1)


def test_after_deleting_the_last_row_the_one_before_has_the_focus(
    hand: Hand, three: dict[str, Link]
) -> None:
    hand.ask_delete(hand.named("link", three["a"].id))
    hand.confirm()
    expect(hand.named("link", three["a"].id)).to_have_count(0)
    expect(hand.page.locator(f"#link-{three['b'].id}:focus-within")).to_have_count(1)


def test_dismissing_sends_nothing_and_keeps_the_row(
    hand: Hand, three: dict[str, Link], watch: Watch
) -> None:
    row = hand.named("link", three["b"].id)
    hand.ask_delete(row)
    hand.dismiss()
    expect(hand.dialog).to_have_count(0)
    expect(row).to_be_visible()
    expect(hand.page.locator(f"#link-{three['b'].id}:focus-within")).to_have_count(1)
    assert watch.requests("DELETE") == []


def test_a_click_beside_the_dialog_dismisses_it(page_as: Callable[[str], Page]) -> None:
    link = a_link()
    page = page_as("admin")
    page.goto("/admin/links")
    page.locator("#rows > tr").hover()
    page.locator("[data-action=delete]").click()
    expect(page.locator("#dialog dialog")).to_be_visible()
    page.mouse.click(5, 5)
    expect(page.locator("#dialog dialog")).to_have_count(0)
    expect(page.locator(f"#link-{link.id}")).to_be_visible()


def test_a_link_deleted_meanwhile_is_said_to_be_gone(
    hand: Hand, three: dict[str, Link], owner: User, watch: Watch
) -> None:
    watch.allow(404)
    hand.ask_delete(hand.named("link", three["b"].id))
    with transaction():
        links.delete(three["b"], by=acting(owner))
    hand.confirm()
    expect(hand.toast).to_contain_text("does not exist")
    expect(hand.dialog).to_have_count(0)
    assert hand.page.evaluate("document.activeElement !== document.body")


# ---- many at once ----


def test_picking_rows_lights_up_the_bar(hand: Hand, three: dict[str, Link]) -> None:
    bar = hand.page.locator("#bulk")
    expect(bar).to_be_hidden()
    hand.pick(hand.named("link", three["c"].id))
    hand.pick(hand.named("link", three["b"].id))
    expect(bar).to_contain_text("2 selected")


def test_picked_rows_are_deleted_together(
    hand: Hand, three: dict[str, Link], session: Session
) -> None:
    hand.pick(hand.named("link", three["c"].id))
    hand.pick(hand.named("link", three["b"].id))
    bar = hand.page.locator("#bulk")
    hand.activate(bar.get_by_role("button", name="Delete"))
    expect(hand.dialog.get_by_role("heading")).to_have_text("Delete 2 links?")
    hand.confirm()
    expect(hand.page.locator("#rows > tr")).to_have_count(1)
    expect(hand.toast).to_have_text("Deleted 2 links.")
    expect(hand.page.locator("#count")).to_have_text("1")
    expect(bar).to_be_hidden()
    session.rollback()
    assert list(session.scalars(select(Link.slug))) == ["a"]


def test_dismissing_the_bulk_question_keeps_the_rows_picked(
    hand: Hand, three: dict[str, Link]
) -> None:
    hand.pick(hand.named("link", three["c"].id))
    hand.activate(hand.page.locator("#bulk").get_by_role("button", name="Delete"))
    expect(hand.dialog).to_be_visible()
    hand.dismiss()
    expect(hand.dialog).to_have_count(0)
    expect(hand.page.locator("#bulk")).to_contain_text("1 selected")
    expect(hand.page.locator("#rows > tr")).to_have_count(3)


def test_clear_lets_go_of_all_rows(hand: Hand, three: dict[str, Link]) -> None:
    hand.pick(hand.named("link", three["c"].id))
    hand.activate(hand.page.locator("#bulk").get_by_role("button", name="Clear"))
    expect(hand.page.locator("#bulk")).to_be_hidden()
    expect(hand.named("link", three["c"].id).get_by_role("checkbox")).not_to_be_checked()


def test_all_that_match_can_be_picked(hand: Hand, session: Session) -> None:
    for number in range(25):
        a_link(slug=f"batch-{number}")
    a_link(slug="kept")
    hand.open("/admin/links?page_size=20&search=batch")
    everything = hand.page.get_by_label("Select all on this page")
    hand.tick(everything)
    hand.activate_near_end(hand.page.get_by_role("button", name="Select all 25 that match"))
    hand.activate(hand.page.locator("#bulk").get_by_role("button", name="Delete"))
    expect(hand.dialog.get_by_role("heading")).to_have_text("Delete 25 links?")
    hand.confirm()
    expect(hand.toast).to_have_text("Deleted 25 links.")
    session.rollback()
    assert list(session.scalars(select(Link.slug))) == ["kept"]
