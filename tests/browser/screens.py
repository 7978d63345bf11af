"""Pictures of the site for the documentation, taken from the demo.

    python -m tests.browser.screens OUTDIR [NAME ...]

makes a demo of its own in a temporary folder, serves it, and writes one PNG for each entry of
`SCREENS`, or for those named, to OUTDIR. Look at them before they are committed.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.server import ROOT, browsing, environment, serving

PASSWORD = "demo-password"
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 360, "height": 740}
PREPARE = (["db", "upgrade"], ["demo", "load"])
FILE = """slug,url,title,description,tags,owners
handbook-2027,https://example.com/handbook/2027,The handbook,,people;handbook,admin@example.com
Quarter 4,https://example.com/q4,,,,admin@example.com
rota-night,http://,,,,admin@example.com
oncall-night,https://example.com/oncall/night,Night shift,,ops,nobody@example.com
"""
STAFF = {
    "Nora Lind": "support",
    "Jonas Weber": "admin",
    "Aiko Sato": "owner",
    "Omar Haddad": "admin",
}


def look(_page: Page) -> None:
    """Take the page as it came."""


def edit_row(page: Page) -> None:
    """Open the third row for editing."""
    for key in ("j", "j", "j", "e"):
        page.keyboard.press(key)
    expect(page.locator("#rows [data-editing]")).to_be_visible()


def ask_delete(page: Page) -> None:
    """Ask to delete the second row."""
    for key in ("j", "j", "#"):
        page.keyboard.press(key)
    expect(page.locator("#dialog dialog")).to_be_visible()


def clash(page: Page) -> None:
    """Change the title of the second row, while somebody else does."""
    for key in ("j", "j", "e"):
        page.keyboard.press(key)
    form = page.locator("#rows [data-editing]")
    browser = page.context.browser
    assert browser is not None
    other = signed_in(browser, page.url.partition("/admin")[0], "owner")
    other.goto("/admin")
    token = other.locator("meta[name=csrf-token]").get_attribute("content")
    other.request.put(
        form.get_attribute("hx-put") or "",
        form={"title": "Ask us about security"},
        headers={"X-CSRFToken": token or ""},
    )
    other.context.close()
    form.locator("[name=title]").fill("Security questions and answers")
    page.keyboard.press("Enter")
    expect(page.locator("[data-clash]")).to_be_visible()


def new_keyword(page: Page) -> None:
    """Try a template out."""
    page.locator("[data-action=new]").first.click()
    page.locator("#dialog [name=keyword]").fill("bugs")
    page.locator("#dialog [name=url_template]").fill("https://tracker.example.com/search?q={slug}")
    page.locator("#dialog [name=sample]").fill("login page")
    expect(page.locator("#preview")).to_contain_text("login%20page")


def edit_page(page: Page) -> None:
    """Go on to the page of the first link that has two owners."""
    owned = page.locator("#rows > tr").filter(has=page.locator(".cell-owners a:nth-of-type(2)"))
    page.goto(owned.first.locator("[data-action=edit]").get_attribute("href") or "")


def check_file(page: Page) -> None:
    """Have a file of links checked."""
    file: Any = {"name": "links.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    page.locator("[type=file]").set_input_files(file)
    page.locator("#main [type=submit]").click()
    expect(page.locator("#refused-title")).to_be_visible()


def most_links(page: Page) -> Locator:
    """The row of a member who owns many links."""
    page.goto("/admin/users?role=user&page_size=200")
    rows = page.locator("#rows > tr")
    counts = rows.locator(".cell-count").all_inner_texts()
    return rows.nth(max(range(len(counts)), key=lambda at: int(counts[at].replace(",", "") or 0)))


def ask_about_links(page: Page) -> None:
    """Ask to delete somebody with all their links."""
    most_links(page).locator("[data-action=delete]").dispatch_event("click")
    page.locator("#dialog [value=delete]").check()


def open_person(page: Page) -> None:
    """Go on to the page of somebody with links."""
    most_links(page).locator("td.cell-record a").click()
    expect(page.locator("#person")).to_be_visible()


def make_staff(page: Page) -> None:
    """Make people staff: the link for the last one to set a password is shown, once."""
    for name, level in STAFF.items():
        page.locator("[data-action=new]").first.click()
        page.locator("#dialog [name=email]").fill(f"{name.lower().replace(' ', '.')}@example.com")
        page.locator("#dialog [name=full_name]").fill(name)
        page.locator("#dialog [name=role]").select_option(level)
        page.locator("#dialog [type=submit]").click()
        expect(page.locator("#dialog .secret")).to_be_visible()
        if name != list(STAFF)[-1]:
            page.locator("#dialog [data-dismiss]").click()


def suspend(page: Page) -> None:
    """Turn the switch of the newest member of staff off."""
    page.locator("#rows [role=switch]").first.click()
    page.locator("#dialog [data-confirm]").click()
    expect(page.locator("#toasts")).to_contain_text("Saved")
    page.reload()
    page.locator("#rows > tr").nth(3).hover()


def adjust(page: Page) -> None:
    """See what an adjustment would do, on the page of somebody with credits."""
    page.locator("#rows td.cell-record a").first.click()
    page.locator("[data-action=adjust]").click()
    page.locator("#dialog [name=amount]").fill("-98000")
    page.locator("#dialog [name=reason]").fill("Charged back by the card company")
    expect(page.locator("#dialog")).to_contain_text("\u2192")


def open_event(page: Page) -> None:
    """Go on to the page of the newest event."""
    page.locator("#rows a").first.click()
    expect(page.locator("#changes-title")).to_be_visible()


# name: level, theme, size, path, what to do there
SCREENS: dict[str, tuple[str, str, dict[str, int], str, Callable[[Page], None]]] = {
    "overview": ("admin", "light", {**WIDE, "height": 1180}, "/admin", look),
    "overview-dark": ("admin", "dark", {**WIDE, "height": 1180}, "/admin", look),
    "credits": ("owner", "light", WIDE, "/admin/credits", look),
    "credits-adjust": ("owner", "light", WIDE, "/admin/users?search=emilia", adjust),
    "subscriptions": ("owner", "light", WIDE, "/admin/subscriptions", look),
    "api": ("owner", "light", WIDE, "/api/docs", look),
    "audit": ("owner", "light", WIDE, "/admin/audit", look),
    "audit-event": ("owner", "light", WIDE, "/admin/audit?action=link.updated", open_event),
    "links": ("admin", "light", WIDE, "/admin/links", look),
    "links-dark": ("admin", "dark", WIDE, "/admin/links", look),
    "links-narrow": ("admin", "light", NARROW, "/admin/links", look),
    "link-row": ("admin", "light", WIDE, "/admin/links", edit_row),
    "link-delete": ("admin", "light", WIDE, "/admin/links", ask_delete),
    "link-conflict": ("admin", "light", WIDE, "/admin/links", clash),
    "link-page": ("admin", "light", WIDE, "/admin/links", edit_page),
    "keywords": ("admin", "light", WIDE, "/admin/keywords", new_keyword),
    "import": ("admin", "light", WIDE, "/admin/import?kind=links", check_file),
    "users": ("owner", "light", WIDE, "/admin/users", look),
    "user-delete": ("owner", "light", WIDE, "/admin/users", ask_about_links),
    "user-page": ("owner", "light", WIDE, "/admin/users", open_person),
    "admin-link": ("owner", "light", WIDE, "/admin/admins", make_staff),
    "admins": ("owner", "light", WIDE, "/admin/admins", suspend),
    "users-narrow": ("owner", "light", NARROW, "/admin/users", look),
}


def signed_in(browser: Browser, url: str, level: str, **options: Any) -> Page:
    """A browser of that person's own, past the sign-in."""
    context = browser.new_context(
        base_url=url, locale="en-GB", timezone_id="UTC", reduced_motion="reduce", **options
    )
    page = context.new_page()
    page.goto("/login")
    page.locator("#email").fill(f"{level}@example.com")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin")
    return page


def take(browser: Browser, url: str, name: str, folder: Path) -> None:
    """Write one picture."""
    level, theme, size, path, act = SCREENS[name]
    page = signed_in(browser, url, level, color_scheme=theme, viewport=size)
    page.goto(path)
    act(page)
    page.evaluate("document.fonts.ready")
    page.screenshot(path=folder / f"{name}.png")
    page.context.close()


def main(target: Path) -> None:
    """Write all pictures to a folder."""
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        settings = {
            "DEMO": "1",
            "DATABASE_URL": f"sqlite:///{folder}/demo.db",
            "LOGIN_RATE_LIMIT": "1000 per minute",
            "PRICES": "starter=900,hobby=1900,pro=4900,business=14900",
        }
        for command in PREPARE:
            program = [sys.executable, "-m", "flask", "--app", "app", *command]
            subprocess.run(program, cwd=ROOT, env=environment(settings), check=True)
        with serving(settings, Path(folder) / "log") as url, browsing() as browser:
            for name in sys.argv[2:] or SCREENS:
                take(browser, url, name, target)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m tests.browser.screens OUTDIR [NAME ...]")
    main(Path(sys.argv[1]))
