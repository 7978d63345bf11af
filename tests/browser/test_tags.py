"""Tags: named anew, never merged by accident, deleted without their links."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.models import Link, Tag
from tests.browser.hands import Hand
from tests.browser.made import a_link, a_tag
from tests.browser.watch import Watch


@pytest.fixture
def ops(hand: Hand) -> Tag:
    """The tag `ops`, on one link, beside the tag `finance`."""
    made: Tag = a_tag("ops")
    a_tag("finance")
    a_link(slug="rota", tags=[made])
    hand.open("/admin/tags")
    return made


def rename(hand: Hand, tag: Tag, name: str) -> None:
    hand.edit_cell(hand.named("tag", tag.id), "name")
    hand.page.keyboard.type(name)
    hand.page.keyboard.press("Enter")


def test_a_renamed_tag_is_renamed_on_its_links(hand: Hand, ops: Tag) -> None:
    rename(hand, ops, "on call")
    expect(hand.toast).to_have_text("Saved on call.")
    hand.open("/admin/links")
    expect(hand.row("rota").locator("[data-label=Tags]")).to_have_text("on call")


def test_a_name_that_exists_is_refused_not_merged(
    hand: Hand, ops: Tag, watch: Watch, session: Session
) -> None:
    watch.allow(422)
    rename(hand, ops, "finance")
    row = hand.named("tag", ops.id)
    expect(row.get_by_role("textbox", name="Name")).to_have_attribute("aria-invalid", "true")
    expect(row).to_contain_text("A tag called `finance` exists")
    session.rollback()
    assert set(session.scalars(select(Tag.name))) == {"ops", "finance"}


def test_a_new_tag_appears_in_the_list(hand: Hand, ops: Tag) -> None:
    hand.activate(hand.page.locator("[data-action=new]").first)
    hand.fill(hand.dialog.get_by_role("textbox", name="Name"), "legal")
    hand.save(hand.dialog)
    expect(hand.row("legal")).to_be_visible()
    expect(hand.page.locator("#count")).to_have_text("3")


def test_a_deleted_tag_leaves_its_links(hand: Hand, ops: Tag, session: Session) -> None:
    hand.ask_delete(hand.named("tag", ops.id))
    expect(hand.dialog).to_contain_text("The links stay")
    hand.confirm()
    expect(hand.named("tag", ops.id)).to_have_count(0)
    session.rollback()
    assert list(session.scalars(select(Link.slug))) == ["rota"]


def test_a_tags_count_leads_to_its_links(hand: Hand, ops: Tag) -> None:
    a_link(slug="plain")
    hand.activate(hand.named("tag", ops.id).get_by_role("link", name="1"))
    expect(hand.row("rota")).to_be_visible()
    expect(hand.row("plain")).to_have_count(0)
