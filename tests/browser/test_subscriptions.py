"""Subscriptions in the browser: plan and status, by mouse and by keyboard (R-002-76)."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy.orm import Session

from adminsite.db import transaction, utc_now
from adminsite.models import Subscription, User
from adminsite.operations import subscriptions, users
from adminsite.permissions import SYSTEM
from tests.browser.hands import Hand, looking
from tests.browser.made import a_person, a_subscription
from tests.browser.watch import Watch

URL = "/admin/subscriptions"
WHY = "asked for it on the phone"


@pytest.fixture
def mia(app: object) -> User:
    """A person on a plan, who had another before."""
    made = a_person(
        display_name="Mia Ash",
        email="mia@example.com",
        subscription_tier="starter",
        subscription_status="active",
    )
    then = utc_now() - timedelta(days=90)
    a_subscription(made, id="sub_old", tier="hobby", status="canceled", created_at=then)
    a_subscription(made, id="sub_1", tier="starter")
    return made


@pytest.fixture
def row(session: Session, mia: User) -> Subscription:
    """What counts of it."""
    return session.get_one(Subscription, "sub_1")


def line(hand: Hand, key: str = "sub_1") -> Locator:
    return hand.named("subscription", key)


def card(hand: Hand) -> Locator:
    return hand.page.get_by_role("region", name="Subscription", exact=True)


def ask(hand: Hand, what: str, where: Locator | None = None) -> None:
    """Open the question from a row of the list, or from a part of another page."""
    if where is None:
        hand.open(URL)
        where = line(hand)
        where.hover()
    hand.activate(where.locator(f"[data-action={what}]"))
    expect(hand.dialog).to_be_visible()


def reason(hand: Hand) -> Locator:
    return hand.dialog.get_by_label("Reason")


def answer(hand: Hand, choice: str, why: str = WHY) -> None:
    hand.choose(choice)
    hand.fill(reason(hand), why)
    hand.confirm()


def stored(session: Session) -> tuple[str | None, str]:
    """What the subscription is now."""
    session.rollback()
    session.expire_all()
    row = session.get_one(Subscription, "sub_1")
    return row.tier, row.status


# ---- from the list ----


def test_a_status_changes_from_the_list(hand: Hand, session: Session, mia: User) -> None:
    ask(hand, "status")
    answer(hand, "Active → Canceled")
    expect(hand.dialog).to_have_count(0)
    expect(hand.toast).to_contain_text("The subscription of Mia Ash is canceled now.")
    expect(line(hand).locator(".cell-standing .badge")).to_have_text("canceled")
    expect(line(hand)).to_be_focused()
    assert stored(session) == ("starter", "canceled")


def test_a_plan_changes_from_the_list(hand: Hand, session: Session, mia: User) -> None:
    ask(hand, "plan")
    answer(hand, "Starter → Business")
    expect(hand.toast).to_contain_text("The subscription of Mia Ash is on the plan Business now.")
    expect(line(hand).locator(".cell-subscribed .badge")).to_have_text("business")
    assert stored(session) == ("business", "active")


@looking
def test_the_list_marks_what_was_replaced_and_offers_nothing(hand: Hand, mia: User) -> None:
    hand.open(URL)
    old = line(hand, "sub_old")
    expect(old).to_contain_text("replaced by a newer one")
    expect(old.locator(".actions [data-action]")).to_have_count(1)
    expect(line(hand).locator(".actions [data-action]")).to_have_count(3)


@looking
def test_an_ended_one_says_why_its_plan_stays(
    hand: Hand, session: Session, row: Subscription
) -> None:
    with transaction():
        subscriptions.change_status(row, "canceled", WHY, by=SYSTEM)
    hand.open(URL)
    line(hand).hover()
    hand.point_at(line(hand).locator("[data-action=plan]"))
    expect(hand.page.locator(".tip")).to_contain_text("Make it active again")


def test_no_is_an_answer(hand: Hand, session: Session, mia: User) -> None:
    ask(hand, "status")
    hand.dismiss()
    expect(hand.dialog).to_have_count(0)
    expect(line(hand).locator("[data-action=status]")).to_be_focused()
    assert stored(session) == ("starter", "active")


def test_the_list_leads_to_the_person(hand: Hand, mia: User) -> None:
    hand.open(URL)
    hand.activate(line(hand).get_by_role("link", name="Mia Ash"))
    expect(hand.page.get_by_role("heading", name="Mia Ash", level=1)).to_be_visible()


def test_the_list_finds_by_name(hand: Hand, mia: User) -> None:
    a_subscription(a_person(display_name="Bob"), id="sub_bob")
    hand.open(URL)
    hand.search("ash")
    expect(hand.page.locator("#rows > tr")).to_have_count(2)
    expect(hand.row("Bob")).to_have_count(0)


# ---- refused: the dialog stays, with what was typed ----


def test_without_a_reason_it_says_what_is_missing(
    hand: Hand, session: Session, watch: Watch, mia: User
) -> None:
    watch.allow(422)
    ask(hand, "status")
    hand.choose("Active → Unpaid")
    hand.confirm()
    expect(hand.dialog).to_contain_text("Give a reason: whoever reads this later will ask.")
    expect(hand.dialog.get_by_role("radio", name="Unpaid")).to_be_checked()
    expect(reason(hand)).to_be_focused()
    hand.fill(reason(hand), WHY)
    hand.confirm()
    expect(line(hand).locator(".cell-standing .badge")).to_have_text("unpaid")


def test_without_an_answer_it_says_what_is_missing(hand: Hand, watch: Watch, mia: User) -> None:
    watch.allow(422)
    ask(hand, "plan")
    hand.fill(reason(hand), WHY)
    hand.confirm()
    expect(hand.dialog).to_contain_text("Choose a plan.")
    expect(reason(hand)).to_have_value(WHY)


def test_the_second_of_two_sees_what_the_first_stored(
    hand: Hand, session: Session, watch: Watch, row: Subscription
) -> None:
    watch.allow(409)
    ask(hand, "status")
    with transaction():
        subscriptions.change_status(row, "past_due", WHY, by=SYSTEM)
    answer(hand, "Active → Unpaid")
    expect(hand.dialog).to_contain_text("Somebody changed the status meanwhile: it is past due now")
    expect(hand.dialog).to_contain_text("Past due → Unpaid")
    expect(reason(hand)).to_have_value(WHY)
    assert stored(session) == ("starter", "past_due")
    hand.confirm()
    expect(line(hand).locator(".cell-standing .badge")).to_have_text("unpaid")


def test_one_that_a_newer_replaced_meanwhile_says_so_in_the_dialog(
    hand: Hand, session: Session, watch: Watch, mia: User
) -> None:
    watch.allow(422)
    ask(hand, "plan")
    a_subscription(mia, id="sub_new", created_at=utc_now() + timedelta(minutes=1))
    answer(hand, "Starter → Pro")
    said = hand.dialog.get_by_role("alert").filter(visible=True)
    expect(said).to_contain_text("A newer subscription of this person counts: sub_new.")
    expect(hand.dialog.get_by_role("radio")).to_have_count(0)  # nothing is left to choose
    expect(hand.dialog.get_by_role("button", name="Close")).to_be_focused()
    assert stored(session) == ("starter", "active")


def test_one_that_went_with_its_person_is_gone(
    hand: Hand, session: Session, watch: Watch, mia: User
) -> None:
    watch.allow(404)
    ask(hand, "plan")
    with transaction():
        users.delete(mia, by=SYSTEM, link_action="delete")
    answer(hand, "Starter → Pro")
    expect(hand.toast).to_contain_text("This subscription does not exist any more.")
    expect(hand.dialog).to_have_count(0)


# ---- from the pages of the person and of the subscription ----


def test_a_plan_changes_from_the_persons_page(hand: Hand, session: Session, mia: User) -> None:
    hand.open(f"/admin/users/{mia.id}")
    ask(hand, "plan", card(hand))
    answer(hand, "Starter → Pro")
    expect(hand.toast).to_contain_text("is on the plan Pro now.")
    expect(card(hand)).to_contain_text(re.compile("Plan\\s*Pro"))
    expect(hand.page.locator(".timeline")).to_contain_text(WHY)
    expect(card(hand).locator("[data-action=plan]")).to_be_focused()
    assert stored(session) == ("pro", "active")


def test_a_status_changes_from_the_persons_page(hand: Hand, session: Session, mia: User) -> None:
    hand.open(f"/admin/users/{mia.id}")
    ask(hand, "status", card(hand))
    answer(hand, "Active → Past due")
    expect(card(hand).locator(".badge-warning")).to_have_text("past due")
    expect(card(hand).locator("[data-action=status]")).to_be_focused()


def test_its_own_page_follows(hand: Hand, session: Session, mia: User) -> None:
    hand.open(f"{URL}/sub_1")
    ask(hand, "status", hand.page.locator("#main"))
    answer(hand, "Active → Canceled")
    expect(hand.page.locator("#subscription .facts")).to_contain_text("Canceled")
    expect(hand.page.locator("[data-action=plan]")).to_have_attribute("aria-disabled", "true")
    expect(hand.page.locator("[data-action=status]")).to_be_focused()


def test_its_own_page_leads_to_the_others(hand: Hand, mia: User) -> None:
    hand.open(f"{URL}/sub_1")
    hand.activate(hand.page.get_by_role("link", name="sub_old"))
    expect(hand.page.locator("#main")).to_contain_text("counts: sub_1. Change that one.")
    expect(hand.page.locator("[data-action=plan]")).to_have_count(0)


@looking
def test_on_a_telephone_everything_is_reached(hand: Hand, session: Session, mia: User) -> None:
    hand.page.set_viewport_size({"width": 360, "height": 640})
    ask(hand, "plan")
    answer(hand, "Starter → Pro")
    expect(line(hand).locator(".cell-subscribed .badge")).to_have_text("pro")


def test_without_script_pages_do_it_all(
    open_tab: Callable[..., Page], tab_as: Callable[..., Page], watch: Watch, mia: User
) -> None:
    watch.allow(422)
    page = tab_as("admin", open_tab(java_script_enabled=False))
    page.goto(f"/admin/users/{mia.id}")
    page.get_by_role("link", name="Change status").click()
    page.get_by_role("radio", name="Canceled").check()
    page.get_by_role("button", name="Change the status").click()
    expect(page.locator("#main")).to_contain_text("Give a reason")
    expect(page.get_by_role("radio", name="Canceled")).to_be_checked()
    page.get_by_label("Reason").fill(WHY)
    page.get_by_role("button", name="Change the status").click()
    expect(page).to_have_url(re.compile(f"/admin/users/{mia.id}$"))
    expect(page.locator("#toasts")).to_contain_text("The subscription of Mia Ash is canceled now.")
