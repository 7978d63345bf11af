"""Every page, every state a page can be in, and what fills them."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from playwright.sync_api import Page, expect
from sqlalchemy import select

from adminsite.db import db, transaction, utc_now
from adminsite.models import Admin, PasswordReset, User
from adminsite.operations import admins, ledger
from adminsite.operations.sessions import digest
from adminsite.permissions import SYSTEM
from tests.browser.made import (
    a_colleague,
    a_keyword,
    a_link,
    a_person,
    a_subscription,
    a_tag,
)
from tests.factories import CreditTransactionFactory, save
from tests.people import acting
from tests.views.auditing import happened

WORST = "w" * 60
TOKEN = "of-a-one-time-link"
PERSON = UUID(int=7)
Step = Callable[[Page], object]


def press(*keys: str) -> Step:
    """Press keys, then wait for what they open."""

    def step(page: Page) -> None:
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator("#rows [data-editing], #dialog dialog").first).to_be_visible()

    return step


def use(selector: str, shows: str) -> Step:
    """Use a control, then wait for what it shows."""

    def step(page: Page) -> None:
        page.locator(selector).first.dispatch_event("click")
        expect(page.locator(shows).first).to_be_visible()

    return step


def clash(page: Page) -> None:
    """Send the row's form with a title that somebody else changed, too."""
    press("j", "e")(page)
    row = page.locator("#rows [data-editing]")
    version = row.locator("[name=row_version]")
    path = row.get_attribute("hx-put") or ""
    headers = {"X-CSRFToken": page.locator("meta[name=csrf-token]").get_attribute("content") or ""}
    page.request.put(path, form={"title": "Theirs"}, headers=headers)
    assert version.count() == 1
    row.locator("[name=title]").fill("Mine")
    page.keyboard.press("Enter")
    expect(page.locator("[data-clash]")).to_be_visible()


def refuse(page: Page) -> None:
    """Send the row's form with a URL that is refused."""
    press("j", "e")(page)
    page.locator("#rows [name=url]").fill("nonsense")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-invalid=true]")).to_be_visible()


def refuse_form(page: Page) -> None:
    """Send an empty form."""
    page.locator("#form [type=submit]").click()
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()


def check_file(page: Page) -> None:
    """Have a file with a new row and a wrong one checked."""
    text = f"slug,url,title,description,tags,owners\nnew,https://example.com,,,,\n{WORST},x,,,,\n"
    file = {"name": "links.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.locator("[type=file]").set_input_files(file)  # type: ignore[arg-type]
    page.locator("#main [type=submit]").click()
    expect(page.locator("#refused-title")).to_be_visible()


def refuse_password(page: Page) -> None:
    """Try to change the password without knowing it."""
    page.get_by_label("Current password").fill("not the password")
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("[aria-invalid=true]")).to_be_visible()


def make_token(page: Page) -> None:
    """Make a token with a long name."""
    page.locator("#token-name").fill(WORST)
    page.get_by_role("button", name="Create token").click()
    expect(page.locator("#tokens .secret")).to_be_visible()


def ask_about_person(page: Page) -> None:
    """Ask to delete the person who has the most, and choose that their links go, too."""
    use(f"#user-{PERSON} [data-action=delete]", "#dialog dialog")(page)
    page.locator("#dialog [value=delete]").check()


def ask_about_all(action: str) -> Step:
    """Ask for an action on everybody in the list: some of them are refused."""

    def step(page: Page) -> None:
        for box in page.locator("#rows .pick input").all():
            box.check()
        use(f"#bulk [value={action}]", "#dialog dialog")(page)

    return step


def choose(selector: str, value: str) -> Step:
    """Choose something that asks before it saves."""

    def step(page: Page) -> None:
        page.locator(selector).first.select_option(value)
        expect(page.locator("#dialog dialog")).to_be_visible()

    return step


def make_staff(page: Page) -> None:
    """Make somebody staff: the link to set a password is shown."""
    use("[data-action=new]", "#dialog dialog")(page)
    page.locator("#dialog [name=email]").fill("staff@example.com")
    page.locator("#dialog [name=full_name]").fill(WORST)
    page.keyboard.press("Enter")
    expect(page.locator("#dialog .secret")).to_be_visible()


def clash_of_levels(page: Page) -> None:
    """Change a level that somebody else has changed meanwhile."""
    page.locator("#rows select").first.select_option("owner")
    owner = db.session.scalars(select(User).where(User.email == "owner@example.com")).one()
    with transaction():
        colleague = db.session.scalars(select(Admin).where(Admin.role == "support")).one()
        admins.change_role(colleague, "admin", by=acting(owner))
    page.locator("#dialog [data-confirm]").click()
    expect(page.locator("[data-clash]")).to_be_visible()


def view_as(path: str) -> Step:
    """View the site as the person who has the most, then open a page."""

    def step(page: Page) -> None:
        use("[data-action=view-as]", "#dialog dialog")(page)
        page.locator("#dialog textarea").fill("Ticket 7")
        page.locator("#dialog [data-confirm]").click()
        page.wait_for_url("**/dashboard")
        page.goto(path)
        expect(page.locator(".viewing")).to_be_visible()

    return step


def refuse_view(page: Page) -> None:
    """Ask to view as somebody without a good reason."""
    use("[data-action=view-as]", "#dialog dialog")(page)
    page.locator("#dialog textarea").fill("x" * 501)
    page.locator("#dialog [data-confirm]").click()
    expect(page.locator("[aria-invalid=true]")).to_be_visible()


def added_up(page: Page) -> None:
    """Wait for the totals."""
    expect(page.locator("#totals dt").first).to_be_visible()


def foresee(page: Page) -> None:
    """Type an amount: what it would do is shown, with the newest entries."""
    use("[data-action=adjust]", "#dialog dialog")(page)
    page.locator("#dialog [name=amount]").fill("-1000000")
    expect(page.locator("#dialog .warned")).to_be_visible()
    page.locator("#dialog summary").click()


def refuse_credits(page: Page) -> None:
    """Send the dialog with an amount that is refused."""
    use("[data-action=adjust]", "#dialog dialog")(page)
    page.locator("#dialog [name=amount]").fill("1.5")
    page.locator("#dialog [data-confirm]").click()
    expect(page.locator("#dialog [aria-invalid=true]").first).to_be_visible()


def refuse_status(page: Page) -> None:
    """Send the dialog without an answer, and with too long a reason."""
    use("[data-action=status]", "#dialog dialog")(page)
    page.locator("#dialog textarea").fill("x" * 501)
    page.locator("#dialog [data-confirm]").click()
    expect(page.locator("#dialog [aria-invalid=true]").first).to_be_visible()


def check_lines(page: Page) -> None:
    """Have a line that can be applied checked, and a wrong one."""
    page.locator("#bulk-lines").fill(f"admin@example.com,5,{WORST}{WORST}\n{WORST}{WORST},1,x")
    page.locator("#main [type=submit]").click()
    expect(page.locator("#check-title")).to_be_visible()


def open_tables(page: Page) -> None:
    """Open the tables of the charts."""
    for summary in page.locator(".numbers summary").all():
        summary.click()
    expect(page.locator(".numbers table").first).to_be_visible()


def nothing(page: Page) -> None:
    """Look at the page as it came."""


# name: level, path, what to do there
PAGES: dict[str, tuple[str, str, Step]] = {
    "login": ("", "/login", nothing),
    "account": ("member", "/dashboard", nothing),
    "account of staff": ("owner", "/dashboard#billing", nothing),
    "account password refused": ("member", "/dashboard", refuse_password),
    "account token": ("member", "/dashboard", make_token),
    "set password": ("", f"/set-password/{TOKEN}", nothing),
    "set password signed in": ("member", f"/set-password/{TOKEN}", nothing),
    "set password too late": ("", "/set-password/used", nothing),
    "overview": ("admin", "/admin", nothing),
    "overview for support": ("support", "/admin?period=7d", nothing),
    "overview as a table": ("owner", "/admin?period=12m", open_tables),
    "links": ("admin", "/admin/links", nothing),
    "links for support": ("support", "/admin/links", nothing),
    "links found": ("admin", "/admin/links?search=example", nothing),
    "links not found": ("admin", "/admin/links?search=nowhere", nothing),
    "links filtered": ("admin", "/admin/links?created_at_from=2020-01-01", nothing),
    "link filters": (
        "admin",
        "/admin/links",
        use("#add-filter", ".filter-panel summary"),
    ),
    "link picked": ("admin", "/admin/links", use("#rows .pick input", "#bulk")),
    "links deleting": (
        "admin",
        "/admin/links",
        lambda page: [
            use("#rows .pick input", "#bulk")(page),
            use("#bulk .btn-error", "#dialog dialog")(page),
        ],
    ),
    "link row": ("admin", "/admin/links", press("j", "e")),
    "link row refused": ("admin", "/admin/links", refuse),
    "link conflict": ("admin", "/admin/links", clash),
    "link cell": ("admin", "/admin/links", use("[data-cell=title]", "[data-editing]")),
    "link deleting": ("admin", "/admin/links", press("j", "#")),
    "keys": ("admin", "/admin/links", press("?")),
    "link new": ("admin", "/admin/links/new/", nothing),
    "link new refused": ("admin", "/admin/links/new/", refuse_form),
    "link edit": ("admin", "/admin/links/edit/?id=1", nothing),
    "link details": ("support", "/admin/links/details/?id=1", nothing),
    "link delete page": ("admin", "/admin/links/1/delete", nothing),
    "keywords": ("admin", "/admin/keywords", nothing),
    "keyword new": ("admin", "/admin/keywords", use("[data-action=new]", "#dialog dialog")),
    "keyword edit": ("admin", "/admin/keywords/edit/?id=1", nothing),
    "tags": ("admin", "/admin/tags", nothing),
    "users": ("owner", "/admin/users", nothing),
    "users for support": ("support", "/admin/users", nothing),
    "users not found": ("admin", "/admin/users?search=nowhere", nothing),
    "users deleting": ("admin", "/admin/users", ask_about_all("delete")),
    "users changing": ("owner", "/admin/users", ask_about_all("make_admin")),
    "user row": ("owner", "/admin/users", press("j", "e")),
    "user cell": ("owner", "/admin/users", use("[data-cell=role]", "[data-editing]")),
    "user new": ("admin", "/admin/users", use("[data-action=new]", "#dialog dialog")),
    "user deleting": ("admin", "/admin/users", ask_about_person),
    "user page": ("owner", f"/admin/users/{PERSON}", nothing),
    "user page for support": ("support", f"/admin/users/{PERSON}", nothing),
    "user page asking": ("owner", f"/admin/users/{PERSON}", choose("#role", "admin")),
    "user view as": (
        "admin",
        f"/admin/users/{PERSON}",
        use("[data-action=view-as]", "#dialog dialog"),
    ),
    "user view as refused": ("admin", f"/admin/users/{PERSON}", refuse_view),
    "user view as page": ("admin", f"/admin/users/{PERSON}/impersonate", nothing),
    "viewing": ("admin", f"/admin/users/{PERSON}", view_as("/dashboard")),
    "viewing not allowed": ("admin", f"/admin/users/{PERSON}", view_as("/admin/links")),
    "viewing without the shell": ("admin", f"/admin/users/{PERSON}", view_as("/set-password/x")),
    "user edit": ("owner", f"/admin/users/edit/?id={PERSON}", nothing),
    "user delete page": ("admin", f"/admin/users/{PERSON}/delete", nothing),
    "admins": ("owner", "/admin/admins", nothing),
    "admin row": ("owner", "/admin/admins", press("j", "e")),
    "admin new": ("owner", "/admin/admins", use("[data-action=new]", "#dialog dialog")),
    "admin shown once": ("owner", "/admin/admins", make_staff),
    "admin asking": ("owner", "/admin/admins", choose("#rows select", "owner")),
    "admin conflict": ("owner", "/admin/admins", clash_of_levels),
    "admin reset": ("owner", "/admin/admins", use("[data-action=reset]", "#dialog dialog")),
    "admin deleting": ("owner", "/admin/admins?search=sam", press("j", "#")),
    "credits": ("admin", "/admin/credits", added_up),
    "credits for support": ("support", "/admin/credits?sign=negative", added_up),
    "credits not found": ("admin", "/admin/credits?search=nowhere", nothing),
    "credits totals": ("support", "/admin/credits/totals?type=clawback", nothing),
    "credit details": ("support", "/admin/credits/details/?id=1", nothing),
    "credits adjusting": (
        "admin",
        "/admin/credits",
        use("[data-action=adjust]", "#dialog dialog"),
    ),
    "credits foreseen": ("admin", f"/admin/users/{PERSON}", foresee),
    "credits refused": ("admin", f"/admin/users/{PERSON}", refuse_credits),
    "credits adjust page": ("admin", f"/admin/credits/adjust?user={PERSON}", nothing),
    "credits reversing": (
        "admin",
        "/admin/credits",
        use("#credit-1 [data-action=reverse]", "#dialog dialog"),
    ),
    "credits reverse page": ("admin", "/admin/credits/1/reverse", nothing),
    "credits approving": (
        "admin",
        "/admin/credits",
        use("[data-action=approve]", "#dialog dialog"),
    ),
    "credits bulk": ("admin", "/admin/credits/bulk", nothing),
    "credits bulk checked": ("admin", "/admin/credits/bulk", check_lines),
    "api docs": ("support", "/api/docs", nothing),
    "api docs signed out": ("", "/api/docs", nothing),
    "subscriptions": ("admin", "/admin/subscriptions", nothing),
    "subscriptions for support": ("support", "/admin/subscriptions?counts=no", nothing),
    "subscriptions not found": ("admin", "/admin/subscriptions?search=nowhere", nothing),
    "subscription page": ("admin", f"/admin/subscriptions/sub_{WORST}", nothing),
    "subscription replaced": ("admin", "/admin/subscriptions/sub_old", nothing),
    "subscription plan": (
        "admin",
        "/admin/subscriptions?counts=yes",
        use("[data-action=plan]", "#dialog dialog"),
    ),
    "subscription status": (
        "admin",
        f"/admin/users/{PERSON}",
        use("[data-action=status]", "#dialog dialog"),
    ),
    "subscription refused": ("admin", f"/admin/users/{PERSON}", refuse_status),
    "subscription plan page": ("admin", f"/admin/subscriptions/sub_{WORST}/plan", nothing),
    "audit": ("admin", "/admin/audit", nothing),
    "audit not found": ("admin", "/admin/audit?search=nowhere&actor=system", nothing),
    "audit filters": (
        "admin",
        "/admin/audit",
        lambda page: [
            use("#add-filter", ".filter-panel summary")(page),
            use(".filter-panel summary", "#filter-action")(page),
        ],
    ),
    "audit filtered": ("owner", "/admin/audit?subject_type=link&subject_id=1", nothing),
    "audit event": ("owner", "/admin/audit/1", nothing),
    "audit event missing": ("admin", "/admin/audit/99999", nothing),
    "import": ("admin", "/admin/import", nothing),
    "import checked": ("admin", "/admin/import", check_file),
    "not allowed": ("member", "/admin/links", nothing),
    "not found": ("admin", "/admin/links/edit/?id=99999", nothing),
    "not found at all": ("admin", "/nowhere", nothing),
}


def fill() -> None:
    """Rows for the pages, nastily long here and there; the first link has the key 1."""
    said = {"subject_type": "link", "subject_id": "1", "subject_label": f"{WORST} " * 4}
    long = {"title": [WORST * 3, f"{WORST} " * 9], "url": [None, ""], WORST: ["", {WORST: [WORST]}]}
    for _ in range(2):
        happened(
            **said,
            changes=long,
            actor_email=f"{WORST}@example.com",
            actor_level="owner",
            viewing_as_email=f"{WORST}@example.com",
            reason=f"{WORST} " * 8,
            request_id=WORST,
            user_agent=f"{WORST} " * 6,
            ip="2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        )
    owner = a_person(display_name=f"Nadia {WORST}"[:60])
    a_link(
        slug="s" * 100,
        title=f"{WORST} " * 3,
        url="https://example.com/" + "long/" * 200,
        owner=owner,
        co_owners=[a_person() for _ in range(3)],
        tags=[a_tag(f"tag {number} {WORST}"[:40]) for number in range(6)],
    )
    a_link(slug="empty", title=None)
    a_link(title="مرحبا بالعالم")
    person = a_person(
        id=PERSON,
        display_name=f"Wanda {WORST}"[:60],
        email=f"{WORST}@{WORST[:28]}.example.com",
        credits_balance=-1_234_567,
        stripe_customer_id=f"cus_{WORST}",
    )
    then, soon = utc_now() - timedelta(days=400), utc_now() + timedelta(days=9)
    a_subscription(person, id="sub_old", status="canceled", created_at=then, canceled_at=then)
    a_subscription(
        person,
        id=f"sub_{WORST}",
        status="past_due",
        cancel_at_period_end=True,
        current_period_end=soon,
    )
    CreditTransactionFactory(user=person, amount=-1_234_567, type="clawback", description=WORST)
    with transaction():
        asked = {"amount": 1_000_000, "reason": f"{WORST} " * 4}
        ledger.adjust(person, asked, by=SYSTEM, cap=0)
    for number in range(7):
        a_link(slug=f"{number}-{WORST}", owner=person)
    a_person(display_name="محمد بن عبد الله")
    a_colleague("support", display_name=f"Sam {WORST}"[:60])
    a_keyword(keyword="k" * 64, url_template=f"https://example.com/{WORST}{WORST}/{{slug}}")
    until = utc_now() + timedelta(hours=1)
    save(PasswordReset(user_id=owner.id, token_hash=digest(TOKEN), expires_at=until))
