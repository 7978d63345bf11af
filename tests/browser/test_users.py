"""S1, "Admin User Deletion with Link Handling", and the list it starts from."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.models import Link, LinkOwner, User
from adminsite.operations import users
from tests.browser.hands import Hand, Keyboard, looking
from tests.browser.made import a_colleague, a_link, a_person, a_subscription
from tests.browser.watch import Watch
from tests.factories import save
from tests.people import acting

REASSIGN, DELETE = "Reassign links to me", "Delete all links"


@pytest.fixture
def ann(app: object) -> User:
    """Who shares links with Mia; the last of the list."""
    return a_person(display_name="Ann", email="ann@example.com")


@pytest.fixture
def mia(hand: Hand, ann: User) -> User:
    """Who leaves: 7 links alone, 2 shared with Ann, 1 of Ann's; Zoe stands above her."""
    made = a_person(display_name="Mia", email="mia@example.com", credits_balance=1234)
    a_subscription(made)
    for number in range(7):
        a_link(slug=f"sole-{number}", owner=made)
    for number in range(2):
        a_link(slug=f"shared-{number}", owner=made, co_owners=[ann])
    a_link(slug="anns", owner=ann, co_owners=[made])
    a_person(display_name="Zoe", email="zoe@example.com")
    hand.open("/admin/users")
    return made


def owners(session: Session) -> dict[str, list[str]]:
    """The e-mail addresses of each link's owners, the primary one first."""
    session.rollback()
    rows = session.execute(
        select(Link.slug, User.email)
        .join(LinkOwner, LinkOwner.link_id == Link.id)
        .join(User, User.id == LinkOwner.user_id)
        .order_by(Link.slug, LinkOwner.is_primary.desc(), User.email)
    )
    found: dict[str, list[str]] = {}
    for slug, email in rows:
        found.setdefault(slug, []).append(email)
    return found


# ---- deleting one person ----


def test_delete_asks_in_a_dialog_with_all_the_facts(hand: Hand, mia: User) -> None:
    hand.ask_delete(hand.named("user", mia.id))
    expect(hand.dialog).to_have_class("modal")
    expect(hand.dialog.get_by_role("heading")).to_have_text("Delete Mia?")
    facts = hand.dialog.locator("dd")
    expect(facts).to_have_text(
        ["mia@example.com", "Mia", "7 links", "2 links", "1 link", "1,234", "pro, active"]
    )
    expect(hand.dialog).to_contain_text("This is permanent.")


@looking
def test_both_answers_say_what_they_do_and_none_is_given(hand: Hand, mia: User) -> None:
    hand.ask_delete(hand.named("user", mia.id))
    expect(hand.dialog).to_contain_text("9 links become yours.")
    expect(hand.dialog).to_contain_text("7 links that nobody else owns are deleted.")
    expect(hand.dialog).to_contain_text("2 links go to the longest-standing co-owner.")
    expect(hand.dialog.locator("[name=link_action]:checked")).to_have_count(0)
    expect(hand.dialog.locator("[data-dismiss]")).to_be_focused()


def test_without_an_answer_nothing_is_sent_and_the_browser_says_so(
    hand: Hand, mia: User, watch: Watch
) -> None:
    hand.ask_delete(hand.named("user", mia.id))
    hand.confirm()
    asked = hand.dialog.locator("[name=link_action]").first
    expect(asked).to_be_focused()
    assert asked.evaluate("radio => radio.validationMessage")
    expect(hand.dialog).to_be_visible()
    assert watch.requests("DELETE") == []


def test_reassigning_gives_the_links_to_who_deletes(
    hand: Hand, mia: User, session: Session
) -> None:
    row = hand.named("user", mia.id)
    hand.ask_delete(row)
    hand.choose(REASSIGN)
    hand.confirm()
    expect(row).to_have_count(0)
    expect(hand.dialog).to_have_count(0)
    expect(hand.toast).to_have_text("Deleted Mia.")
    expect(hand.page.locator("#count")).to_have_text("3")
    assert owners(session) == {
        "anns": ["ann@example.com"],
        **{f"shared-{n}": ["admin@example.com", "ann@example.com"] for n in range(2)},
        **{f"sole-{n}": ["admin@example.com"] for n in range(7)},
    }


def test_deleting_the_links_shows_which_go_and_keeps_the_shared(
    hand: Hand, mia: User, session: Session, watch: Watch
) -> None:
    row = hand.named("user", mia.id)
    hand.ask_delete(row)
    sample = hand.dialog.locator(".sample")
    expect(sample).to_be_hidden()
    hand.choose(DELETE)
    expect(sample.locator("li")).to_have_text(
        [*(f"sole-{number}" for number in range(5)), "and 2 more"]
    )
    hand.confirm()
    expect(row).to_have_count(0)
    assert len(watch.requests("DELETE", f"/admin/users/{mia.id}")) == 1
    assert owners(session) == {
        "anns": ["ann@example.com"],
        **{f"shared-{n}": ["ann@example.com"] for n in range(2)},
    }


def test_dismissing_sends_nothing_and_keeps_the_person(hand: Hand, mia: User, watch: Watch) -> None:
    row = hand.named("user", mia.id)
    hand.ask_delete(row)
    hand.choose(DELETE)
    hand.dismiss()
    expect(hand.dialog).to_have_count(0)
    expect(hand.page.locator(f"#user-{mia.id}:focus-within")).to_have_count(1)
    assert watch.requests("DELETE") == []


def test_after_a_deletion_the_next_row_has_the_focus(hand: Hand, mia: User, ann: User) -> None:
    hand.ask_delete(hand.named("user", mia.id))
    hand.choose(REASSIGN)
    hand.confirm()
    expect(hand.page.locator(f"#user-{ann.id}:focus-within")).to_have_count(1)


@looking
def test_somebody_with_no_links_is_asked_about_all_the_same(
    hand: Hand, mia: User, session: Session
) -> None:
    hand.ask_delete(hand.row("Zoe"))
    expect(hand.dialog).to_contain_text("There are none to take.")
    expect(hand.dialog).to_contain_text("None is deleted.")
    hand.choose(DELETE)
    hand.confirm()
    expect(hand.row("Zoe")).to_have_count(0)
    assert len(owners(session)) == 10


def test_a_plan_that_moved_is_shown_anew_and_nothing_is_deleted(
    hand: Hand, mia: User, session: Session, watch: Watch
) -> None:
    watch.allow(409)
    row = hand.named("user", mia.id)
    hand.ask_delete(row)
    a_link(slug="late", owner=session.get(User, mia.id))
    hand.choose(DELETE)
    hand.confirm()
    expect(hand.dialog.get_by_role("alert").first).to_contain_text("Nothing was deleted")
    expect(hand.dialog.locator("dd").nth(2)).to_have_text("8 links")
    expect(hand.dialog.locator("[name=link_action]:checked")).to_have_count(0)
    expect(row).to_have_count(1)
    hand.choose(DELETE)
    hand.confirm()
    expect(row).to_have_count(0)
    assert "late" not in owners(session)


@looking
def test_a_person_deleted_meanwhile_is_said_to_be_gone(
    hand: Hand, mia: User, admin: User, watch: Watch
) -> None:
    watch.allow(404)
    hand.ask_delete(hand.named("user", mia.id))
    with transaction():
        users.delete(mia, link_action="reassign", by=acting(admin))
    hand.choose(DELETE)
    hand.confirm()
    expect(hand.toast).to_contain_text("User not found")
    expect(hand.dialog).to_have_count(0)


def test_the_whole_deletion_is_done_with_eight_keys(
    page_as: Callable[[str], Page], session: Session
) -> None:
    below = a_person(display_name="Below")
    mia = a_person(display_name="Mia")
    a_link(slug="jira", owner=mia)
    keyboard = Keyboard(page_as("admin"))
    keyboard.open("/admin/users")
    keyboard.press("j")  # the admin, who was made last
    keyboard.press("j")
    keyboard.press("#")
    expect(keyboard.dialog).to_be_visible()
    keyboard.press("Shift+Tab")
    keyboard.press("ArrowDown")
    expect(keyboard.dialog.get_by_role("radio", name=REASSIGN)).to_be_checked()
    keyboard.press("Enter")
    expect(keyboard.toast).to_have_text("Deleted Mia.")
    expect(keyboard.page.locator(f"#user-{below.id}")).to_be_focused()
    assert owners(session) == {"jira": ["admin@example.com"]}


# ---- who cannot be deleted ----


def test_ones_own_row_says_why_it_has_no_delete(hand: Hand, admin: User, watch: Watch) -> None:
    hand.open("/admin/users")
    row = hand.named("user", admin.id)
    if isinstance(hand, Keyboard):
        hand.go_to(row)
    else:
        row.hover()
    button = row.locator("[data-action=delete]")
    expect(button).to_have_attribute("aria-disabled", "true")
    hand.point_at(button)
    expect(hand.page.locator(".tip")).to_have_text("Nobody deletes themselves. Ask another admin.")
    if isinstance(hand, Keyboard):
        hand.press("Enter")
    else:
        button.click(force=True)
    hand.page.wait_for_timeout(200)
    expect(hand.dialog).to_have_count(0)
    assert watch.requests("GET", f"/admin/users/{admin.id}/delete") == []


def test_the_key_for_deleting_does_nothing_on_ones_own_row(
    page_as: Callable[[str], Page], admin: User, watch: Watch
) -> None:
    keyboard = Keyboard(page_as("admin"))
    keyboard.open("/admin/users")
    keyboard.go_to(keyboard.named("user", admin.id))
    keyboard.press("#")
    keyboard.page.wait_for_timeout(200)
    assert watch.requests("GET", f"/admin/users/{admin.id}/delete") == []


@looking
def test_staff_have_no_delete(hand: Hand) -> None:
    staff = [a_colleague(), a_colleague("support"), a_colleague("admin", "suspended")]
    by_hand = a_person(role="admin")
    hand.open("/admin/users")
    for person in (*(member.user for member in staff), by_hand):
        row = hand.named("user", person.id)
        expect(row).to_be_visible()
        expect(row.locator("[data-action=delete]")).to_have_count(0)


def test_support_sees_people_and_changes_nothing(page_as: Callable[[str], Page]) -> None:
    a_person()
    page = page_as("support")
    page.goto("/admin/users")
    expect(page.locator("#rows > tr")).to_have_count(2)
    changing = "[data-action=new], [data-action=edit], [data-action=delete], [data-cell], .pick"
    expect(page.locator(changing)).to_have_count(0)


# ---- many people at once ----


def test_two_people_are_deleted_with_one_answer(
    hand: Hand, mia: User, ann: User, session: Session
) -> None:
    hand.pick(hand.named("user", mia.id))
    hand.pick(hand.named("user", ann.id))
    hand.activate(hand.page.locator("#bulk").get_by_role("button", name="Delete"))
    expect(hand.dialog.get_by_role("heading")).to_have_text("Delete 2 users?")
    expect(hand.dialog.locator("dd").first).to_have_text("10 links")
    expect(hand.dialog.locator("fieldset")).to_have_count(1)
    hand.choose(REASSIGN)
    hand.confirm()
    expect(hand.toast).to_have_text("Deleted 2 users.")
    expect(hand.page.locator("#rows > tr")).to_have_count(2)
    expect(hand.page.locator("#count")).to_have_text("2")
    found = owners(session)
    assert len(found) == 10
    assert {owner for names in found.values() for owner in names} == {"admin@example.com"}


def test_many_are_not_deleted_without_an_answer(hand: Hand, mia: User, watch: Watch) -> None:
    hand.pick(hand.named("user", mia.id))
    hand.activate(hand.page.locator("#bulk").get_by_role("button", name="Delete"))
    hand.confirm()
    expect(hand.dialog.locator("[name=link_action]").first).to_be_focused()
    assert watch.requests("POST", "/admin/users/action/")[1:] == []


def test_the_preview_names_who_is_refused_and_why(hand: Hand, mia: User, admin: User) -> None:
    staff = a_colleague(display_name="Sam")
    hand.open("/admin/users")
    for person in (staff.user, mia, admin):
        hand.pick(hand.named("user", person.id))
    hand.activate(hand.page.locator("#bulk").get_by_role("button", name="Delete"))
    expect(hand.dialog.get_by_role("heading")).to_have_text("Delete 1 user?")
    expect(hand.dialog).to_contain_text("1 changes, 2 refused.")
    expect(hand.dialog).to_contain_text("Remove staff access first.")
    expect(hand.dialog).to_contain_text("Nobody deletes themselves.")
    hand.choose(DELETE)
    hand.confirm()
    expect(hand.toast).to_have_text("Deleted 1 user.")
    expect(hand.named("user", mia.id)).to_have_count(0)
    expect(hand.named("user", staff.user_id)).to_have_count(1)


@looking
def test_a_plan_for_many_that_moved_is_shown_anew(
    hand: Hand, mia: User, ann: User, session: Session, watch: Watch
) -> None:
    watch.allow(409)
    hand.pick(hand.named("user", mia.id))
    hand.pick(hand.named("user", ann.id))
    hand.activate(hand.page.locator("#bulk").get_by_role("button", name="Delete"))
    expect(hand.dialog).to_be_visible()
    a_link(slug="late", owner=session.get(User, mia.id))
    hand.choose(DELETE)
    hand.confirm()
    expect(hand.dialog.get_by_role("alert").first).to_contain_text("Nothing was deleted")
    expect(hand.dialog.locator("dd").first).to_have_text("11 links")
    hand.choose(DELETE)
    hand.confirm()
    expect(hand.toast).to_have_text("Deleted 2 users.")
    assert owners(session) == {}


def test_an_owner_makes_many_admins(boss: Hand, session: Session) -> None:
    suspended = a_colleague("admin", "suspended", display_name="Dan")
    already = a_person(display_name="Cyd", role="admin")
    people = [a_person(display_name=name) for name in ("Bob", "Ada")]
    boss.open("/admin/users")
    for person in (*reversed(people), already, suspended.user):
        boss.pick(boss.named("user", person.id))
    boss.activate(boss.page.locator("#bulk").get_by_role("button", name="Make admin"))
    expect(boss.dialog).to_contain_text("2 change, 1 already so, 1 refused.")
    boss.confirm()
    expect(boss.toast).to_have_text("Changed 2 users.")
    expect(boss.named("user", people[0].id).locator("[data-label=Role]")).to_have_text("admin")
    session.expire_all()
    assert [person.role for person in people] == ["admin", "admin"]


# ---- editing in the list ----


def test_a_name_is_edited_in_its_cell(hand: Hand, mia: User, session: Session) -> None:
    row = hand.named("user", mia.id)
    hand.edit_cell(row, "display_name")
    hand.fill(row.get_by_role("textbox", name="Name"), "Mia Maier")
    hand.page.keyboard.press("Enter")
    expect(row.locator("[data-label=Name]")).to_have_text("Mia Maier")
    session.expire_all()
    assert mia.display_name == "Mia Maier"


def test_leaving_a_cell_by_escape_keeps_the_name(hand: Hand, mia: User, watch: Watch) -> None:
    row = hand.named("user", mia.id)
    hand.edit_cell(row, "display_name")
    hand.fill(row.get_by_role("textbox", name="Name"), "Mistake")
    hand.page.keyboard.press("Escape")
    expect(row.locator("[data-label=Name]")).to_have_text("Mia")
    assert watch.requests("POST", "/admin/users/ajax") == []


def test_an_empty_name_is_refused_in_the_cell(hand: Hand, mia: User, watch: Watch) -> None:
    watch.allow(422)
    row = hand.named("user", mia.id)
    hand.edit_cell(row, "display_name")
    hand.fill(row.get_by_role("textbox", name="Name"), "")
    hand.page.keyboard.press("Enter")
    expect(row.locator("[aria-invalid=true]")).to_be_visible()
    expect(row.locator(".message")).to_be_visible()


def test_an_owner_edits_a_role_in_its_cell(boss: Hand, session: Session) -> None:
    person = a_person(display_name="Ada")
    boss.open("/admin/users")
    row = boss.named("user", person.id)
    boss.edit_cell(row, "role")
    boss.select(row.get_by_role("combobox", name="Role"), "Admin")
    if isinstance(boss, Keyboard):
        boss.press("Tab")
        boss.press("Enter")
    else:
        boss.save(row)
    expect(row.locator("[data-label=Role] .badge")).to_have_text("admin")
    expect(row.locator("[data-action=delete]")).to_have_count(0)
    session.expire_all()
    assert person.role == "admin"


@looking
def test_an_admin_does_not_change_roles(hand: Hand, mia: User) -> None:
    row = hand.named("user", mia.id)
    expect(row.locator("[data-cell=role]")).to_have_count(0)
    hand.edit(row)
    expect(row.locator("[name=role]")).to_have_count(0)


def test_a_row_is_edited_in_its_place(hand: Hand, mia: User, session: Session) -> None:
    row = hand.named("user", mia.id)
    hand.edit(row)
    hand.fill(row.get_by_role("textbox", name="E-mail"), "mia.maier@example.com")
    hand.save(row)
    expect(row.locator("[data-label=E-mail]")).to_have_text("mia.maier@example.com")
    expect(hand.toast).to_contain_text("Saved Mia")
    expect(hand.page.locator(f"#user-{mia.id}:focus-within")).to_have_count(1)
    session.expire_all()
    assert mia.email == "mia.maier@example.com"


def test_a_person_is_added_in_a_dialog(hand: Hand) -> None:
    hand.open("/admin/users")
    hand.activate(hand.page.locator("[data-action=new]").first)
    hand.fill(hand.dialog.get_by_role("textbox", name="E-mail"), "new@example.com")
    hand.fill(hand.dialog.get_by_role("textbox", name="Name"), "Newcomer")
    hand.save(hand.dialog)
    expect(hand.row("new@example.com")).to_be_visible()
    expect(hand.dialog).to_have_count(0)
    expect(hand.toast).to_contain_text("Created Newcomer")


def test_an_address_that_is_taken_is_refused_in_the_dialog(
    hand: Hand, mia: User, watch: Watch
) -> None:
    watch.allow(422)
    hand.activate(hand.page.locator("[data-action=new]").first)
    hand.fill(hand.dialog.get_by_role("textbox", name="E-mail"), "MIA@example.com")
    hand.fill(hand.dialog.get_by_role("textbox", name="Name"), "Other")
    hand.save(hand.dialog)
    expect(hand.dialog.get_by_role("textbox", name="E-mail")).to_have_attribute(
        "aria-invalid", "true"
    )
    expect(hand.page.locator("#rows > tr")).to_have_count(4)


# ---- the list ----


@looking
def test_a_row_shows_all_that_is_asked_for(hand: Hand) -> None:
    made = a_person(
        display_name="Ada",
        email="ada@example.com",
        credits_balance=-1500,
        subscription_tier="pro",
        subscription_status="active",
        created_at=datetime(2025, 1, 5, tzinfo=UTC),
    )
    for _ in range(3):
        a_link(owner=made)
    free = a_person()
    hand.open("/admin/users")
    cells = hand.named("user", made.id).locator("td[data-label]")
    expect(cells).to_have_text(
        ["ada@example.com", "Ada", "user", "−1,500", "pro", "3", "Jan 5, 2025"]
    )
    expect(hand.named("user", free.id).locator("[data-label=Subscription]")).to_have_text("Free")


@pytest.mark.parametrize("term", ["MIA@", "mia mai"])
def test_searching_by_address_and_by_name(hand: Hand, ann: User, term: str) -> None:
    a_person(display_name="Mia Maier", email="mia@example.com")
    hand.open("/admin/users")
    hand.search(term)
    expect(hand.page.locator("#rows > tr")).to_have_count(1)
    expect(hand.row("Mia Maier")).to_be_visible()
    expect(hand.page.locator("#count")).to_have_text("1")


@pytest.mark.parametrize(
    ("filtered", "word"), [("Plan", "Pro"), ("Status", "Past due"), ("Role", "Admin")]
)
@looking
def test_filtering_by_plan_status_and_role(hand: Hand, filtered: str, word: str) -> None:
    a_person(display_name="Found", subscription_tier="pro", subscription_status="past_due")
    a_person(display_name="Not found")
    hand.open("/admin/users")
    hand.activate(hand.page.locator("#add-filter"))
    hand.activate(hand.page.locator(".filter-panel summary").filter(has_text=filtered))
    hand.activate(hand.page.locator(".filter-panel details[open]").get_by_text(word, exact=True))
    expect(hand.page.locator("#rows > tr")).to_have_count(1)
    expect(hand.row("Admin Person" if word == "Admin" else "Found")).to_be_visible()
    expect(hand.page.locator(".chip")).to_contain_text(word)


def test_sorting_by_credits(hand: Hand) -> None:
    for number, name in enumerate(("Second", "First", "Third")):
        a_person(display_name=name, credits_balance=[10, -5, 300][number])
    hand.open("/admin/users?search=example.com&role=user")
    heading = hand.page.locator("th").filter(has_text="Credits")
    hand.activate(heading.get_by_role("link"))
    expect(heading).to_have_attribute("aria-sort", "ascending")
    names = hand.page.locator("#rows [data-label=Name]")
    expect(names).to_have_text(["First", "Second", "Third"])
    hand.activate(heading.get_by_role("link"))
    expect(names).to_have_text(["Third", "Second", "First"])


def test_turning_the_pages_says_where_one_is(hand: Hand, admin: User) -> None:
    start = datetime(2025, 1, 5, tzinfo=UTC)
    people = [
        User(
            email=f"reader{n}@example.com",
            display_name=f"Reader {n}",
            created_at=start + timedelta(hours=n),
        )
        for n in range(49)
    ]
    save(*people)
    hand.open("/admin/users?page_size=20")
    footer = hand.page.locator(".footer")
    expect(footer).to_contain_text("Showing 1 to 20 of 50")
    expect(footer).to_contain_text("Page 1 of 3")
    expect(hand.page.locator("#page-prev")).to_have_attribute("aria-disabled", "true")
    for first, page in (("21 to 40", 2), ("41 to 50", 3)):
        hand.activate_near_end(hand.page.locator("a#page-next"))
        expect(footer).to_contain_text(f"Showing {first} of 50")
        expect(footer).to_contain_text(f"Page {page} of 3")
    expect(hand.page.locator("#page-next")).to_have_attribute("aria-disabled", "true")
    hand.activate_near_end(hand.page.locator("a#page-prev"))
    expect(footer).to_contain_text("Page 2 of 3")


def test_typing_a_search_returns_to_the_first_page(hand: Hand) -> None:
    save(*(User(email=f"r{n}@example.com", display_name=f"Reader {n}") for n in range(45)))
    hand.open("/admin/users?page_size=20")
    hand.activate_near_end(hand.page.locator("a#page-next"))
    expect(hand.page.locator(".footer")).to_contain_text("Page 2 of 3")
    hand.search("reader")
    expect(hand.page.locator(".footer")).to_contain_text("Showing 1 to 20 of 45")
    expect(hand.page.locator(".footer")).to_contain_text("Page 1 of 3")


@looking
def test_one_page_has_no_pager(hand: Hand) -> None:
    a_person()
    hand.open("/admin/users")
    expect(hand.page.locator(".footer")).to_contain_text("Showing 1 to 2 of 2")
    expect(hand.page.locator(".pager")).to_have_count(0)


def test_nobody_found_offers_to_clear_the_search(hand: Hand) -> None:
    hand.open("/admin/users?search=nobody-at-all")
    expect(hand.list).to_contain_text("No user fits this search")
    hand.activate(hand.list.get_by_role("link", name="Clear the search"))
    expect(hand.page.locator("#rows > tr")).to_have_count(1)


def test_the_number_of_links_leads_to_them(hand: Hand, mia: User) -> None:
    count = hand.named("user", mia.id).locator("[data-label=Links] a")
    expect(count).to_have_text("10")
    hand.activate(count)
    expect(hand.page.get_by_role("heading", name="Links", level=1)).to_be_visible()
    expect(hand.page.locator("#rows > tr")).to_have_count(10)


# ---- on a phone ----


@pytest.fixture
def phone(tab_as: Callable[..., Page]) -> Page:
    """An admin's phone."""
    return tab_as("admin", viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)


def test_people_are_short_cards_on_a_phone(phone: Page) -> None:
    a_person(
        display_name="w" * 60,
        email=f"{'w' * 60}@{'w' * 28}.example.com",
        credits_balance=1500,
        subscription_tier="business",
    )
    phone.goto("/admin/users")
    heights = phone.evaluate(
        "[...document.querySelectorAll('#rows > tr')].map(r => r.offsetHeight)"
    )
    assert max(heights) <= 80


def test_a_person_is_deleted_by_touch(phone: Page) -> None:
    mia = a_person(display_name="Mia")
    for number in range(9):
        a_link(slug=f"sole-{number}", owner=mia)
    phone.goto("/admin/users")
    phone.locator(f"#user-{mia.id} [data-action=delete]").tap()
    dialog = phone.locator("#dialog dialog")
    expect(dialog.get_by_role("heading")).to_be_in_viewport()
    expect(dialog.locator("[data-confirm]")).to_be_in_viewport(ratio=1)
    dialog.get_by_text(DELETE).tap()
    expect(dialog.locator("[data-confirm]")).to_be_in_viewport(ratio=1)
    dialog.get_by_text("and 4 more").scroll_into_view_if_needed()
    dialog.locator("[data-confirm]").tap()
    expect(phone.locator("#toasts")).to_contain_text("Deleted Mia.")
