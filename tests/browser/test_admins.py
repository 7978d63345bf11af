"""S0's checklist for the Admins screen: who sees it, what it shows, and what it does."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.models import Admin, User
from adminsite.operations import admins
from tests.browser.hands import Hand, Keyboard, looking_as_owner
from tests.browser.made import a_colleague, a_person
from tests.browser.watch import Watch
from tests.people import acting

PASSWORD = "nine purple lampposts"


@pytest.fixture
def sam(boss: Hand) -> Admin:
    """An admin in the list, between Tess and Rick."""
    a_colleague("support", display_name="Rick", email="rick@example.com")
    made = a_colleague("admin", display_name="Sam", email="sam@example.com")
    a_colleague("owner", display_name="Tess", email="tess@example.com")
    boss.open("/admin/admins")
    return made


def level(boss: Hand, admin: Admin) -> Locator:
    """The drop-down with an admin's level."""
    return boss.named("admin", admin.id).get_by_role("combobox")


def status(boss: Hand, admin: Admin) -> Locator:
    """The switch of an admin."""
    return boss.named("admin", admin.id).get_by_role("switch")


def cell(boss: Hand, admin: Admin, label: str) -> Locator:
    return boss.named("admin", admin.id).locator(f"[data-label='{label}']")


def by_email(session: Session, email: str) -> Admin:
    session.expire_all()
    found = session.scalar(select(Admin).join(User).where(User.email == email))
    assert found
    return found


# ---- who sees it ----


@pytest.mark.parametrize(("who", "count"), [("owner", 1), ("admin", 0), ("support", 0)])
def test_only_owners_see_the_screen_in_the_side_bar(
    page_as: Callable[[str], Page], watch: Watch, who: str, count: int
) -> None:
    watch.allow(403)
    page = page_as(who)
    page.goto("/admin/users")
    sections = page.get_by_role("navigation", name="Sections")
    expect(sections.get_by_role("link", name="Admins", exact=True)).to_have_count(count)
    page.goto("/admin/admins")
    expect(page.locator("#rows")).to_have_count(count)


def test_its_icon_is_not_the_one_of_users(page_as: Callable[[str], Page]) -> None:
    page = page_as("owner")
    page.goto("/admin")
    sections = page.get_by_role("navigation", name="Sections")
    icons = [
        sections.get_by_role("link", name=name, exact=True).locator("use").get_attribute("href")
        or ""
        for name in ("Admins", "Users")
    ]
    assert [icon.rpartition("#")[2] for icon in icons] == ["user-cog", "users"]


# ---- what it shows ----


@looking_as_owner
def test_all_staff_are_listed_with_level_and_status(boss: Hand, sam: Admin) -> None:
    out = a_colleague("support", "suspended", display_name="Uma")
    boss.open("/admin/admins")
    expect(boss.page.locator("#rows > tr")).to_have_count(5)
    expect(boss.page.locator("#count")).to_have_text("5")
    expect(cell(boss, sam, "Id")).to_have_text(str(sam.id))
    expect(cell(boss, sam, "E-mail")).to_have_text("sam@example.com")
    expect(cell(boss, sam, "Name")).to_have_text("Sam")
    expect(level(boss, sam)).to_have_value("admin")
    expect(status(boss, sam)).to_be_checked()
    expect(status(boss, sam)).to_have_text("Active")
    expect(cell(boss, sam, "Last sign-in")).to_have_text("–")
    expect(level(boss, out)).to_have_value("support")
    expect(status(boss, out)).not_to_be_checked()
    expect(status(boss, out)).to_have_text("Suspended")


def test_ones_own_row_shows_badges_that_say_why(
    boss: Hand, sam: Admin, owner: User, watch: Watch
) -> None:
    own = owner.staff
    assert own
    row = boss.named("admin", own.id)
    expect(cell(boss, own, "Level").locator(".badge")).to_have_text("owner")
    expect(cell(boss, own, "Status").locator(".badge")).to_have_text("active")
    if isinstance(boss, Keyboard):
        boss.go_to(row)
    else:
        row.hover()
    tip = boss.page.locator(".tip")
    boss.point_at(cell(boss, own, "Level").locator(".refused"))
    expect(tip).to_have_text("Nobody changes their own level. Ask another owner.")
    boss.point_at(cell(boss, own, "Status").locator(".refused"))
    expect(tip).to_have_text("Nobody suspends or reinstates themselves. Ask another owner.")
    boss.point_at(row.locator("[data-action=delete]"))
    expect(tip).to_contain_text("Ask another owner.")
    assert watch.requests("GET", f"/admin/admins/{own.id}/delete") == []


@looking_as_owner
def test_the_last_owner_has_nothing_to_lose_the_panel_by(
    boss: Hand, owner: User, session: Session
) -> None:
    suspended = a_colleague("owner", "suspended")
    boss.open("/admin/admins")
    own = owner.staff
    assert own
    expect(boss.named("admin", own.id).get_by_role("combobox")).to_have_count(0)
    expect(boss.named("admin", own.id).get_by_role("switch")).to_have_count(0)
    expect(level(boss, suspended)).to_be_enabled()


@looking_as_owner
def test_searching_and_filtering_the_staff(boss: Hand, sam: Admin) -> None:
    boss.search("SAM@")
    expect(boss.page.locator("#rows > tr")).to_have_count(1)
    expect(cell(boss, sam, "Name")).to_have_text("Sam")
    boss.open("/admin/admins?role=support")
    expect(cell(boss, sam, "Name")).to_have_count(0)
    expect(boss.row("Rick")).to_be_visible()


# ---- making somebody staff ----


def create(boss: Hand, email: str, name: str, role: str) -> None:
    boss.activate(boss.page.locator("[data-action=new]").first)
    boss.fill(boss.dialog.get_by_role("textbox", name="E-mail"), email)
    boss.fill(boss.dialog.get_by_role("textbox", name="Name"), name)
    boss.select(boss.dialog.get_by_role("combobox", name="Level"), role)
    boss.activate(boss.dialog.locator("[type=submit]"))


def test_a_new_admin_comes_with_a_link_that_is_shown_once(
    boss: Hand, sam: Admin, session: Session
) -> None:
    create(boss, "uma@example.com", "Uma", "Admin")
    expect(boss.dialog.get_by_role("heading")).to_have_text("A link for Uma to set a password")
    link = boss.dialog.get_by_role("textbox").input_value()
    assert re.search(r"/set-password/[\w-]{20,}$", link)
    expect(boss.toast).to_have_text("Created Uma (admin).")
    boss.activate(boss.dialog.get_by_role("button", name="Done"))
    expect(boss.dialog).to_have_count(0)
    made = by_email(session, "uma@example.com")
    expect(level(boss, made)).to_have_value("admin")
    assert link.rpartition("/")[2] not in boss.page.content()
    boss.open("/admin/admins")
    assert link.rpartition("/")[2] not in boss.page.content()


def test_the_link_is_copied(tab_as: Callable[..., Page]) -> None:
    page = tab_as("owner", permissions=["clipboard-read", "clipboard-write"])
    page.goto("/admin/admins")
    page.locator("[data-action=new]").first.click()
    page.get_by_role("textbox", name="E-mail").fill("uma@example.com")
    page.get_by_role("textbox", name="Name").fill("Uma")
    page.keyboard.press("Enter")
    shown = page.locator("#dialog .secret input")
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#toasts")).to_contain_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == shown.input_value()


def test_the_link_sets_the_password_once_in_their_own_browser(
    page_as: Callable[[str], Page], open_tab: Callable[..., Page], watch: Watch
) -> None:
    watch.allow(404)
    keyboard = Keyboard(page_as("owner"))
    keyboard.open("/admin/admins")
    create(keyboard, "uma@example.com", "Uma", "Support")
    link = keyboard.dialog.locator(".secret input").input_value()
    theirs = open_tab(reduced_motion="reduce")
    theirs.goto(link)
    theirs.get_by_label("New password").fill(PASSWORD)
    theirs.keyboard.press("Enter")
    theirs.get_by_label("E-mail").fill("uma@example.com")
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.keyboard.press("Enter")
    expect(theirs.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    theirs.goto(link)
    expect(theirs.get_by_role("heading", name="This link has ended")).to_be_visible()


@looking_as_owner
def test_a_person_who_is_there_becomes_staff_with_their_own_name(
    boss: Hand, session: Session
) -> None:
    person = a_person(email="ada@example.com", display_name="Ada")
    boss.open("/admin/admins")
    create(boss, "ADA@example.com", "Other", "Support")
    expect(boss.dialog.get_by_role("heading")).to_contain_text("Ada")
    made = by_email(session, "ada@example.com")
    assert (made.user_id, made.role, made.full_name) == (person.id, "support", "Ada")


def test_somebody_who_is_staff_is_refused_in_the_dialog(
    boss: Hand, sam: Admin, watch: Watch
) -> None:
    watch.allow(422)
    create(boss, "sam@example.com", "", "Owner")
    field = boss.dialog.get_by_role("textbox", name="E-mail")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("staff already"))
    expect(boss.dialog.get_by_role("combobox", name="Level")).to_have_value("owner")
    expect(boss.page.locator("#rows > tr")).to_have_count(4)


# ---- level and status ----


def test_a_level_asks_and_then_saves(boss: Hand, sam: Admin, session: Session) -> None:
    boss.select(level(boss, sam), "Support")
    expect(boss.dialog.get_by_role("heading")).to_have_text("Change the level of Sam?")
    expect(boss.dialog.locator("[data-dismiss]")).to_be_focused()
    boss.confirm()
    expect(boss.toast).to_contain_text("Saved Sam")
    expect(level(boss, sam)).to_have_value("support")
    expect(boss.page.locator(f"#admin-{sam.id}:focus-within")).to_have_count(1)
    session.expire_all()
    assert (sam.role, sam.user.role) == ("support", "admin")


def test_saying_no_puts_the_level_back(boss: Hand, sam: Admin, watch: Watch) -> None:
    boss.select(level(boss, sam), "Owner")
    expect(boss.dialog).to_be_visible()
    boss.dismiss()
    expect(boss.dialog).to_have_count(0)
    expect(level(boss, sam)).to_have_value("admin")
    expect(boss.page.locator(f"#admin-{sam.id}:focus-within")).to_have_count(1)
    assert watch.requests("POST") == []


@looking_as_owner
def test_a_refused_level_goes_back_and_says_why(
    boss: Hand, sam: Admin, owner: User, watch: Watch
) -> None:
    watch.allow(404)
    boss.select(level(boss, sam), "Owner")
    with transaction():
        admins.delete(sam, by=acting(owner))
    boss.confirm()
    expect(boss.toast).to_contain_text("does not exist any more")
    expect(level(boss, sam)).to_have_value("admin")
    expect(level(boss, sam)).to_be_enabled()


@looking_as_owner
def test_a_level_that_somebody_changed_meanwhile_is_not_overwritten(
    boss: Hand, sam: Admin, owner: User, session: Session, watch: Watch
) -> None:
    watch.allow(409)
    boss.select(level(boss, sam), "Owner")
    with transaction():
        admins.change_role(sam, "support", by=acting(owner))
    boss.confirm()
    clash = cell(boss, sam, "Level").locator("[data-clash]")
    expect(clash).to_be_visible()
    session.expire_all()
    assert sam.role == "support"


def test_suspending_asks_and_then_saves(boss: Hand, sam: Admin, session: Session) -> None:
    boss.activate(status(boss, sam))
    expect(boss.dialog.get_by_role("heading")).to_have_text("Suspend Sam?")
    boss.confirm()
    expect(boss.toast).to_contain_text("Saved Sam")
    expect(status(boss, sam)).not_to_be_checked()
    expect(status(boss, sam)).to_have_text("Suspended")
    session.expire_all()
    assert (sam.status, sam.user.role) == ("suspended", "user")


def test_saying_no_leaves_the_switch_on(boss: Hand, sam: Admin, watch: Watch) -> None:
    boss.activate(status(boss, sam))
    expect(boss.dialog).to_be_visible()
    boss.dismiss()
    expect(status(boss, sam)).to_be_checked()
    assert watch.requests("POST") == []


def test_reinstating_needs_no_question(boss: Hand, session: Session) -> None:
    out = a_colleague("support", "suspended", display_name="Uma")
    boss.open("/admin/admins")
    boss.activate(status(boss, out))
    expect(boss.toast).to_contain_text("Saved Uma")
    expect(status(boss, out)).to_be_checked()
    session.expire_all()
    assert out.status == "active"


# ---- passwords ----


def ask_reset(boss: Hand, admin: Admin) -> None:
    row = boss.named("admin", admin.id)
    if isinstance(boss, Keyboard):
        boss.go_to(row)
    else:
        row.hover()
    boss.activate(row.locator("[data-action=reset]"))
    expect(boss.dialog).to_be_visible()


def test_resetting_a_password_shows_a_link_once(boss: Hand, sam: Admin) -> None:
    ask_reset(boss, sam)
    expect(boss.dialog.get_by_role("heading")).to_have_text("Reset the password of Sam?")
    expect(boss.dialog).to_contain_text("sam@example.com")
    boss.confirm()
    shown = boss.dialog.locator(".secret input")
    expect(shown).to_have_value(re.compile("/set-password/"))
    boss.activate(boss.dialog.get_by_role("button", name="Done"))
    expect(boss.dialog).to_have_count(0)
    expect(boss.page.locator(f"#admin-{sam.id}:focus-within")).to_have_count(1)


def test_dismissing_issues_no_link(boss: Hand, sam: Admin, watch: Watch) -> None:
    ask_reset(boss, sam)
    boss.dismiss()
    expect(boss.dialog).to_have_count(0)
    assert watch.requests("POST") == []


def test_ones_own_password_is_changed_in_the_account(boss: Hand, sam: Admin, owner: User) -> None:
    assert owner.staff
    ask_reset(boss, owner.staff)
    expect(boss.dialog.locator("[data-confirm]")).to_have_count(0)
    boss.activate(boss.dialog.get_by_role("link"))
    expect(boss.page).to_have_url(re.compile("/dashboard#password$"))


# ---- editing and deleting ----


def test_a_row_is_edited_in_its_place(boss: Hand, sam: Admin, session: Session) -> None:
    row = boss.named("admin", sam.id)
    boss.edit(row)
    boss.fill(row.get_by_role("textbox", name="Name"), "Samuel")
    boss.fill(row.get_by_role("textbox", name="E-mail"), "samuel@example.com")
    boss.save(row)
    expect(cell(boss, sam, "Name")).to_have_text("Samuel")
    expect(cell(boss, sam, "E-mail")).to_have_text("samuel@example.com")
    session.expire_all()
    assert (sam.full_name, sam.email) == ("Samuel", "samuel@example.com")


@looking_as_owner
def test_ones_own_row_keeps_level_and_status_while_edited(
    boss: Hand, sam: Admin, owner: User
) -> None:
    assert owner.staff
    row = boss.named("admin", owner.staff.id)
    boss.edit(row)
    for name in ("Level", "Status"):
        expect(row.get_by_role("combobox", name=name)).to_be_disabled()


def test_a_name_is_edited_in_its_cell(boss: Hand, sam: Admin, session: Session) -> None:
    row = boss.named("admin", sam.id)
    boss.edit_cell(row, "full_name")
    boss.fill(row.get_by_role("textbox", name="Name"), "Samuel")
    boss.page.keyboard.press("Enter")
    expect(cell(boss, sam, "Name")).to_have_text("Samuel")
    session.expire_all()
    assert sam.user.display_name == "Samuel"


def test_deleting_takes_the_access_and_leaves_the_person(
    boss: Hand, sam: Admin, session: Session
) -> None:
    boss.ask_delete(boss.named("admin", sam.id))
    expect(boss.dialog.get_by_role("heading")).to_contain_text("Sam")
    expect(boss.dialog.locator("dd")).to_have_text(["sam@example.com", "Sam", "admin"])
    expect(boss.dialog).to_contain_text("The person stays as a user")
    boss.confirm()
    expect(boss.named("admin", sam.id)).to_have_count(0)
    expect(boss.page.locator("#count")).to_have_text("3")
    expect(boss.page.locator("#rows > tr:focus")).to_contain_text("Rick")
    session.expire_all()
    person = session.scalar(select(User).where(User.email == "sam@example.com"))
    assert person
    assert (person.staff, person.role) == (None, "user")


def test_dismissing_a_deletion_sends_nothing(boss: Hand, sam: Admin, watch: Watch) -> None:
    boss.ask_delete(boss.named("admin", sam.id))
    boss.dismiss()
    expect(boss.dialog).to_have_count(0)
    expect(boss.page.locator(f"#admin-{sam.id}:focus-within")).to_have_count(1)
    assert watch.requests("DELETE") == []


def test_many_are_deleted_and_oneself_is_refused(
    boss: Hand, sam: Admin, owner: User, session: Session
) -> None:
    assert owner.staff
    boss.pick(boss.named("admin", sam.id))
    boss.pick(boss.named("admin", owner.staff.id))
    boss.activate(boss.page.locator("#bulk").get_by_role("button", name="Delete"))
    expect(boss.dialog).to_contain_text("1 changes, 1 refused.")
    boss.confirm()
    expect(boss.toast).to_have_text("Deleted 1 admin.")
    expect(boss.page.locator("#rows > tr")).to_have_count(3)


def test_a_phone_has_cards_with_the_same_controls(
    tab_as: Callable[..., Page], session: Session
) -> None:
    colleague = a_colleague("support", display_name="w" * 60)
    phone = tab_as("owner", viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    phone.goto("/admin/admins")
    heights = phone.evaluate(
        "[...document.querySelectorAll('#rows > tr')].map(r => r.offsetHeight)"
    )
    assert max(heights) <= 80
    phone.locator(f"#admin-{colleague.id} [role=switch]").tap()
    phone.locator("#dialog [data-confirm]").tap()
    expect(phone.locator(f"#admin-{colleague.id} [role=switch]")).not_to_be_checked()
    session.expire_all()
    assert colleague.status == "suspended"
