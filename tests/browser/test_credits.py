"""S2's credits in the browser: adjusting by mouse and by keyboard, a second person, many at once.

R-002-37, R-002-55, R-002-58, R-002-61.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.models import CreditTransaction, User
from adminsite.operations import ledger
from adminsite.permissions import SYSTEM
from tests.browser.hands import Hand, Keyboard, looking
from tests.browser.made import a_person
from tests.browser.watch import Watch
from tests.people import acting

URL = "/admin/credits"


@pytest.fixture
def mia(app: object) -> User:
    """A person with 120 credits."""
    made = a_person(display_name="Mia Ash", email="mia@example.com")
    with transaction():
        ledger.enter(made, 120, "bonus", by=SYSTEM, about="Welcome")
    return made


def open_dialog(hand: Hand, path: str = URL) -> Locator:
    hand.open(path)
    hand.activate(hand.page.locator("[data-action=adjust]"))
    expect(hand.dialog).to_be_visible()
    return hand.dialog


def choose_person(hand: Hand, name: str) -> None:
    """Find somebody by searching, and take the first who is found."""
    hand.enter(hand.dialog.get_by_label("Person"))
    hand.page.keyboard.type(name, delay=20)
    expect(hand.dialog.get_by_role("option")).to_have_count(1)
    if isinstance(hand, Keyboard):
        hand.press("ArrowDown")
        hand.press("Enter")
    else:
        hand.dialog.get_by_role("option").click()


def field(hand: Hand, label: str) -> Locator:
    return hand.dialog.get_by_label(label)


def preview(hand: Hand) -> Locator:
    return hand.dialog.get_by_role("status")


def stored(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(CreditTransaction)) or 0


def balance(session: Session, user: User) -> int:
    session.rollback()
    return session.scalars(select(User.credits_balance).where(User.id == user.id)).one()


# ---- one person ----


def test_credits_are_adjusted_and_the_entry_appears(
    hand: Hand, mia: User, session: Session
) -> None:
    open_dialog(hand)
    choose_person(hand, "mia")
    expect(hand.dialog.locator("#adjust-person")).to_contain_text("Balance 120")
    hand.fill(field(hand, "Amount"), "50")
    expect(preview(hand)).to_contain_text(re.compile(r"Current 120\s+→\s+New 170"))
    expect(preview(hand)).to_contain_text("50 credits are added to Mia Ash")
    hand.fill(field(hand, "Reason"), "For the outage")
    expect(hand.dialog.locator("[data-confirm]")).to_have_text(re.compile("Add 50 credits"))
    hand.confirm()
    expect(hand.toast).to_have_text("Added 50 credits to Mia Ash: 120 → 170.")
    expect(hand.dialog).to_have_count(0)
    row = hand.page.locator("#rows > tr").first
    expect(row).to_contain_text("For the outage")
    expect(row.locator(".gain")).to_have_text("+50")
    expect(hand.page.locator("#totals")).to_contain_text("+170")
    expect(hand.page.locator("#adjust-credits")).to_be_focused()
    assert (stored(session), balance(session, mia)) == (2, 170)


def test_a_debt_is_warned_of_and_marked(hand: Hand, mia: User, session: Session) -> None:
    open_dialog(hand, f"/admin/users/{mia.id}")
    expect(field(hand, "Amount")).to_be_focused()
    hand.fill(field(hand, "Amount"), "-200")
    expect(preview(hand)).to_contain_text("Mia Ash is then in debt by 80 credits.")
    hand.fill(field(hand, "Reason"), "Charged back")
    hand.confirm()
    expect(hand.toast).to_have_text("Took 200 credits from Mia Ash: 120 → −80.")
    credits_card = hand.page.get_by_role("region", name="Credits")
    expect(credits_card).to_contain_text("−80 credits, in debt")
    expect(credits_card.get_by_role("listitem").first).to_contain_text("Charged back")
    expect(hand.page.get_by_role("region", name="What happened")).to_contain_text("Charged back")
    expect(hand.page.locator("#adjust-credits")).to_be_focused()
    assert balance(session, mia) == -80


def test_a_balance_is_set(hand: Hand, mia: User, session: Session) -> None:
    open_dialog(hand, f"/admin/users/{mia.id}")
    hand.fill(field(hand, "Or set the balance to"), "0")
    expect(preview(hand)).to_contain_text("120 credits are taken from Mia Ash")
    hand.fill(field(hand, "Reason"), "Closed")
    hand.confirm()
    expect(hand.toast).to_contain_text("120 → 0.")
    assert balance(session, mia) == 0


def test_a_refusal_keeps_what_was_typed(
    hand: Hand, mia: User, session: Session, watch: Watch
) -> None:
    watch.allow(422)
    open_dialog(hand, f"/admin/users/{mia.id}")
    hand.fill(field(hand, "Amount"), "1.5")
    expect(preview(hand)).to_contain_text("The amount is a whole number")
    hand.confirm()
    expect(hand.dialog.locator("#adjust-amount-error")).to_contain_text("a whole number")
    expect(hand.dialog.locator("#adjust-reason-error")).to_contain_text("Give a reason")
    expect(field(hand, "Amount")).to_have_value("1.5")
    hand.fill(field(hand, "Amount"), "2")
    hand.fill(field(hand, "Reason"), "Rounded up")
    hand.confirm()
    expect(hand.toast).to_contain_text("120 → 122.")
    assert stored(session) == 2


def test_the_person_can_be_corrected_after_a_refusal(
    hand: Hand, mia: User, session: Session, watch: Watch
) -> None:
    watch.allow(422)
    ben = a_person(display_name="Ben Oak", email="ben@example.com")
    open_dialog(hand)
    choose_person(hand, "mia")
    hand.fill(field(hand, "Amount"), "x")
    hand.confirm()
    expect(hand.dialog.locator("[data-summary] li")).to_have_count(2)
    expect(field(hand, "Amount")).to_be_focused()
    hand.fill(field(hand, "Person"), "")
    choose_person(hand, "ben")
    hand.fill(field(hand, "Amount"), "5")
    hand.fill(field(hand, "Reason"), "The right one")
    hand.confirm()
    expect(hand.toast).to_have_text("Added 5 credits to Ben Oak: 0 → 5.")
    assert (balance(session, mia), balance(session, ben)) == (120, 5)


@looking
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (700, 700), (360, 740)])
def test_a_debt_of_billions_is_shown_whole(hand: Hand, mia: User, width: int, height: int) -> None:
    with transaction():
        ledger.enter(mia, -2_000_000_120, "clawback", by=SYSTEM, about="Charged back")
    hand.page.set_viewport_size({"width": width, "height": height})
    hand.open(URL)
    amounts = hand.page.locator("#rows > tr").first.locator(".cell-amount, .cell-number")
    expect(amounts).to_have_count(2)
    cut = "cells => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).length"
    assert amounts.evaluate_all(cut) == 0


@looking
def test_looking_ahead_leaves_what_was_typed_guarded(hand: Hand, mia: User) -> None:
    open_dialog(hand, f"/admin/users/{mia.id}")
    hand.fill(field(hand, "Amount"), "50")
    expect(preview(hand)).to_contain_text("New 170")
    hand.page.keyboard.press("Escape")
    expect(field(hand, "Amount")).to_have_value("50")
    expect(hand.dialog).to_be_visible()
    expect(hand.dialog.get_by_role("alert")).to_have_text(
        "Not closed: Cancel drops what you typed."
    )


@looking
def test_a_newer_look_ahead_ends_the_older(hand: Hand, mia: User) -> None:
    held: list[Route] = []
    open_dialog(hand, f"/admin/users/{mia.id}")
    of_five = re.compile(r"/adjust/preview\?.*amount=5$")
    hand.page.route(of_five, lambda route: held.append(route))  # noqa: PLW0108
    with hand.page.expect_request(of_five):
        hand.fill(field(hand, "Amount"), "5")
    hand.fill(field(hand, "Amount"), "50")
    expect(preview(hand)).to_contain_text("New 170")
    assert len(held) == 1


@looking
def test_a_look_ahead_that_comes_after_the_save_is_dropped(hand: Hand, mia: User) -> None:
    held: list[Route] = []
    open_dialog(hand, f"/admin/users/{mia.id}")
    hand.page.route("**/adjust/preview?*", lambda route: held.append(route))  # noqa: PLW0108
    hand.fill(field(hand, "Reason"), "Quick")
    with hand.page.expect_request("**/adjust/preview?*"):
        hand.fill(field(hand, "Amount"), "5")
    hand.confirm()
    expect(hand.toast).to_contain_text("120 → 125.")
    with hand.page.expect_response("**/adjust/preview?*"):
        held[0].continue_()
    expect(hand.dialog).to_have_count(0)


def test_cancelling_changes_nothing(hand: Hand, mia: User, session: Session) -> None:
    open_dialog(hand, f"/admin/users/{mia.id}")
    if isinstance(hand, Keyboard):
        hand.press("Escape")
    else:
        hand.dismiss()
    expect(hand.dialog).to_have_count(0)
    expect(hand.page.locator("#adjust-credits")).to_be_focused()
    assert stored(session) == 1


@looking
def test_the_button_says_that_it_saves_and_takes_no_second_click(
    hand: Hand, mia: User, session: Session
) -> None:
    held: list[Route] = []
    open_dialog(hand, f"/admin/users/{mia.id}")
    hand.page.route("**/credits/adjust", lambda route: held.append(route))  # noqa: PLW0108
    hand.fill(field(hand, "Amount"), "5")
    hand.fill(field(hand, "Reason"), "Once")
    expect(preview(hand)).to_contain_text("New 125")
    confirm = hand.dialog.locator("[data-confirm]")
    confirm.dblclick()
    expect(confirm).to_be_disabled()
    expect(confirm.get_by_text("Saving…")).to_be_visible()
    assert len(held) == 1
    held[0].continue_()
    expect(hand.toast).to_contain_text("120 → 125.")
    assert (stored(session), balance(session, mia)) == (2, 125)


def test_sending_it_twice_without_script_makes_one_entry(
    tab_as: Callable[..., Page], mia: User, session: Session
) -> None:
    page = tab_as("admin", java_script_enabled=False)
    page.goto(f"/admin/users/{mia.id}")
    page.locator("[data-action=adjust]").click()
    page.get_by_label("Amount").fill("5")
    page.get_by_label("Reason").fill("Once")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#adjust-preview")).to_contain_text("New 125")
    page.locator("[data-confirm]").dblclick()
    expect(page).to_have_url(re.compile(f"/admin/users/{mia.id}$"))
    expect(page.locator("#toasts")).to_contain_text("120 → 125.")
    assert (stored(session), balance(session, mia)) == (2, 125)


@looking
def test_support_reads_and_changes_nothing(
    hand: Hand, tab_as: Callable[..., Page], mia: User
) -> None:
    page = tab_as("support")
    page.goto(URL)
    expect(page.locator("#rows > tr")).to_have_count(1)
    expect(page.locator("#totals")).to_contain_text("+120")
    expect(page.locator("[data-action=adjust], [data-action=reverse]")).to_have_count(0)


# ---- reversing, and a second person ----


def test_an_entry_is_reversed_once(hand: Hand, mia: User, session: Session) -> None:
    hand.open(URL)
    row = hand.row("Welcome")
    hand.point_at(row.locator("[data-action=reverse]")) if isinstance(
        hand, Keyboard
    ) else row.hover()
    hand.activate(row.locator("[data-action=reverse]"))
    expect(hand.dialog).to_contain_text(re.compile(r"Current 120\s+→\s+New 0"))
    hand.fill(field(hand, "Reason"), "Not a newcomer")
    hand.confirm()
    expect(hand.toast).to_have_text("Took 120 credits from Mia Ash: 120 → 0.")
    refused = hand.row("Welcome").locator("[data-action=reverse]")
    expect(refused).to_have_attribute("aria-disabled", "true")
    expect(refused).to_have_attribute("data-tip", "This entry was reversed already.")
    assert balance(session, mia) == 0


@pytest.mark.parametrize(
    ("word", "told", "after"),
    [
        ("Approve", "Added 5,000 credits to Mia Ash: 120 → 5,120.", 5120),
        ("Decline", "Declined +5,000 for Mia Ash. Nothing was changed.", 120),
    ],
)
def test_a_second_admin_decides(  # noqa: PLR0913, PLR0917 - fixtures
    hand: Hand, mia: User, owner: User, session: Session, word: str, told: str, after: int
) -> None:
    with transaction():
        asked = {"amount": 5000, "reason": "Yearly contract"}
        ledger.adjust(mia, asked, by=acting(owner), cap=100)
    hand.open(URL)
    panel = hand.page.get_by_role("region", name="Waiting for a second person")
    expect(panel).to_contain_text("Yearly contract")
    hand.activate(panel.get_by_role("button", name=word).or_(panel.get_by_role("link", name=word)))
    expect(hand.dialog).to_contain_text("Asked by")
    hand.fill(field(hand, "Note"), "Checked with sales")
    hand.confirm()
    expect(hand.toast).to_have_text(told)
    expect(panel).to_have_count(0)
    assert balance(session, mia) == after


@pytest.mark.parametrize("word", ["Approve", "Decline"])
def test_the_focus_goes_to_the_next_request_once_one_is_decided(
    hand: Hand, mia: User, owner: User, word: str
) -> None:
    for amount in (5000, 6000):
        with transaction():
            asked = {"amount": amount, "reason": f"Contract for {amount}"}
            ledger.adjust(mia, asked, by=acting(owner), cap=100)
    hand.open(URL)
    waiting = hand.page.locator("#pending li")
    expect(waiting).to_have_count(2)

    hand.activate(waiting.first.get_by_role("link", name=word))
    hand.fill(field(hand, "Note"), "Checked with sales")
    hand.confirm()
    expect(waiting).to_have_count(1)
    expect(waiting.first).to_be_focused()

    hand.activate(waiting.first.get_by_role("link", name=word))
    hand.fill(field(hand, "Note"), "Checked with sales")
    hand.confirm()
    expect(waiting).to_have_count(0)
    left = hand.page.get_by_text("Nothing else waits for a second person.")
    expect(left).to_be_focused()


# ---- many at once ----


def test_pasted_lines_are_checked_and_applied(hand: Hand, mia: User, session: Session) -> None:
    hand.open(f"{URL}/bulk")
    lines = hand.page.get_by_label("Lines", exact=True)
    hand.fill(lines, "mia@example.com,50,For the outage\nnobody@example.com,1,Typo")
    hand.activate(hand.page.get_by_role("button", name="Check the lines"))
    expect(hand.page.get_by_text("Nobody has the address nobody@example.com.")).to_be_visible()
    expect(hand.page.get_by_text("1 line is refused")).to_be_focused()
    expect(hand.page.locator("[data-confirm]:visible")).to_have_count(0)
    hand.fill(lines, "mia@example.com,50,For the outage\nmia@example.com,-20,Charged twice")
    hand.activate_near_end(hand.page.get_by_role("button", name="Check again"))
    expect(hand.page.get_by_text("−20: 170 → 150")).to_be_visible()
    expect(hand.page.get_by_text("All 2 lines can be applied.")).to_be_focused()
    hand.activate(hand.page.get_by_role("button", name="Apply all 2 lines"))
    expect(hand.toast).to_have_text("Made 2 adjustments for 1 person.")
    expect(hand.page.locator("#rows > tr")).to_have_count(3)
    assert balance(session, mia) == 150


# ---- the list ----


@looking
def test_totals_follow_the_filters(hand: Hand, mia: User) -> None:
    with transaction():
        ledger.enter(mia, -30, "usage", by=SYSTEM)
    hand.open(URL)
    expect(hand.page.locator("#totals")).to_contain_text("+90")
    hand.page.locator("#add-filter").click()
    hand.page.locator(".filter-panel").get_by_text("Type", exact=True).click()
    hand.page.get_by_role("button", name="Usage").click()
    expect(hand.page.locator("#rows > tr")).to_have_count(1)
    expect(hand.page.locator("#totals")).to_contain_text("Taken −30")
    expect(hand.page).to_have_url(re.compile("type=usage"))
