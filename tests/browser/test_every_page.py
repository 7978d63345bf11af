"""Every page, and every state a page can be in: no rule of axe-core broken, nothing too wide."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from adminsite.db import utc_now
from adminsite.models import Link, PasswordReset
from adminsite.operations.sessions import digest
from tests.browser.made import a_keyword, a_link, a_person, a_tag
from tests.browser.watch import Watch
from tests.factories import save

THEMES = ("light", "dark")
SIZES = ((1280, 800), (360, 740))
WORST = "w" * 60
TOKEN = "of-a-one-time-link"
RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
    `${id}: ${target.join(" ")}: ${failureSummary.replaceAll(/\\s+/g, " ")}`));
}"""
TOO_WIDE = """() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
    .map((element) => `${element.tagName}.${element.className}`).slice(0, 5);
}"""
SHOW = """async (theme) => {
  const still = new CSSStyleSheet();
  still.replaceSync("*, ::before, ::after { transition: none !important }");
  document.adoptedStyleSheets = [still];  // half a change of colour is no colour to judge
  document.documentElement.dataset.theme = `adminsite-${theme}`;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
Step = Callable[[Page], object]


@cache
def axe() -> str:
    """The source of axe-core."""
    found = files("axe_playwright_python").joinpath("axe.min.js")
    return found.read_text(encoding="utf-8")


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
    "import": ("admin", "/admin/import", nothing),
    "import checked": ("admin", "/admin/import", check_file),
    "not allowed": ("member", "/admin/links", nothing),
    "not found": ("admin", "/admin/links/edit/?id=99999", nothing),
    "not found at all": ("admin", "/nowhere", nothing),
}


@pytest.fixture
def rows(app: object) -> Link:
    """What fills the pages, nastily long here and there; the link has the key 1."""
    owner = a_person(display_name=f"Nadia {WORST}"[:60])
    first: Link = a_link(
        slug="s" * 100,
        title=f"{WORST} " * 3,
        url="https://example.com/" + "long/" * 200,
        owner=owner,
        co_owners=[a_person() for _ in range(3)],
        tags=[a_tag(f"tag {number} {WORST}"[:40]) for number in range(6)],
    )
    a_link(slug="empty", title=None)
    a_link(title="مرحبا بالعالم")
    a_keyword(keyword="k" * 64, url_template=f"https://example.com/{WORST}{WORST}/{{slug}}")
    until = utc_now() + timedelta(hours=1)
    save(PasswordReset(user_id=owner.id, token_hash=digest(TOKEN), expires_at=until))
    return first


@pytest.fixture(params=PAGES)
def visit(
    request: pytest.FixtureRequest,
    rows: Link,
    page: Page,
    page_as: Callable[[str], Page],
    watch: Watch,
) -> Callable[[], Page]:
    """A function that opens one of the pages, in one of its states."""
    level, path, act = PAGES[request.param]
    watch.allow(403, 404, 409, 422)
    if level:
        page_as(level)

    def open_it() -> Page:
        page.goto(path)
        act(page)
        return page

    return open_it


def broken(page: Page) -> list[str]:
    """The rules of axe-core that the page breaks, with the places."""
    page.evaluate(axe())
    found: Any = page.evaluate(RUN)
    return list(found)


def seen_in_all_ways(page: Page, judge: Callable[[Page], list[str]]) -> list[str]:
    """What is wrong with the page: light and dark, wide and narrow."""
    found = []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.evaluate(SHOW, theme)
            found += [f"{theme}, {width} px: {problem}" for problem in judge(page)]
    return found


def test_axe_says_what_is_wrong(page: Page) -> None:
    page.goto("/login")
    page.evaluate("document.querySelector('label').remove()")
    assert any(problem.startswith("label: ") for problem in broken(page))


def test_no_rule_of_axe_is_broken(visit: Callable[[], Page]) -> None:
    assert seen_in_all_ways(visit(), broken) == []


def test_nothing_is_wider_than_the_screen(page: Page, visit: Callable[[], Page]) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    assert visit().evaluate(TOO_WIDE) == []
