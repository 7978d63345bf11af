"""Every page, and every state a page can be in: no rule of axe-core broken, nothing too wide."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.states import PAGES, fill
from tests.browser.watch import Watch

THEMES = ("light", "dark")
SIZES = ((1280, 800), (360, 740))
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


@cache
def axe() -> str:
    """The source of axe-core."""
    found = files("axe_playwright_python").joinpath("axe.min.js")
    return found.read_text(encoding="utf-8")


@pytest.fixture(params=PAGES)
def visit(
    request: pytest.FixtureRequest,
    app: object,
    page: Page,
    page_as: Callable[[str], Page],
    watch: Watch,
) -> Callable[[], Page]:
    """A function that opens one of the pages, in one of its states."""
    level, path, act = PAGES[request.param]
    fill()
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
    if page.evaluate("!window.axe"):
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
