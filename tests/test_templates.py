"""The templates: what may not stand in them, and that what they name is there."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import html5lib
import pytest
from jinja2 import Environment, FileSystemLoader, nodes

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates" / "admin"
ASSETS = ROOT / "adminsite" / "assets"
STATIC = ROOT / "adminsite" / "static"
NAMES = sorted(str(path.relative_to(TEMPLATES).as_posix()) for path in TEMPLATES.rglob("*.html"))
MADE_SAFE: frozenset[str] = frozenset()  # templates that may use |safe, with the reason beside them
LONGEST = 120
JINJA = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL)
ICON_CALL = re.compile(r"""icon\(\s*["']([a-z0-9-]+)["']""")
ICON_NAMED = re.compile(r"""\bicon(?:: ClassVar\[str\])?\s*[=:]\s*["']([a-z0-9-]+)["']""")


@cache
def environment() -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)


@cache
def source(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def elements(name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every element written in a template, with its attributes; Jinja's own marks left out."""
    plain = JINJA.sub("", source(name))
    tree = html5lib.parseFragment(plain, namespaceHTMLElements=False, container="template")
    for element in tree.iter():
        if isinstance(element.tag, str):
            yield element.tag, dict(element.attrib)


def sprite() -> set[str]:
    return set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_parses(name: str) -> None:
    environment().parse(source(name))


@pytest.mark.parametrize("name", NAMES)
def test_names_templates_that_exist(name: str) -> None:
    tree = environment().parse(source(name))
    kinds = (nodes.Extends, nodes.Include, nodes.FromImport, nodes.Import)
    named = [getattr(node, "template", None) for kind in kinds for node in tree.find_all(kind)]
    assert {n.value for n in named if isinstance(n, nodes.Const)} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_holds_nothing_the_content_security_policy_refuses(name: str) -> None:
    for tag, attributes in elements(name):
        assert tag != "style"
        assert tag != "script" or "src" in attributes
        for attribute, value in attributes.items():
            assert not attribute.startswith(("on", "hx-on")), attribute
            assert attribute != "style"
            assert not value.strip().lower().startswith(("javascript:", "js:"))


@pytest.mark.parametrize("name", NAMES)
def test_loads_nothing_from_elsewhere(name: str) -> None:
    for tag, attributes in elements(name):
        for attribute in ("src", "href", "action"):
            if tag in {"script", "link", "img", "form"}:
                assert not attributes.get(attribute, "").startswith(("http:", "https:", "//"))


@pytest.mark.parametrize("name", NAMES)
def test_escapes_everything(name: str) -> None:
    tree = environment().parse(source(name))
    filters = {node.name for node in tree.find_all(nodes.Filter)}
    assert "safe" not in filters or name in MADE_SAFE
    assert not list(tree.find_all(nodes.MarkSafe))
    assert "autoescape" not in source(name)


@pytest.mark.parametrize("name", NAMES)
def test_is_short(name: str) -> None:
    assert len(source(name).splitlines()) <= LONGEST


@pytest.mark.parametrize("name", NAMES)
def test_gives_buttons_a_type_and_forms_an_action(name: str) -> None:
    for tag, attributes in elements(name):
        assert tag != "button" or "type" in attributes
        assert tag != "form" or {"method", "action"} <= attributes.keys()


@pytest.mark.parametrize("name", NAMES)
def test_posts_carry_the_token(name: str) -> None:
    posts = len(re.findall(r'<form[^>]*method="post"', source(name)))
    assert len(re.findall(r"\bcsrf\(\)", source(name))) >= posts


def test_rows_are_drawn_without_macros_or_includes() -> None:
    for path in (TEMPLATES / "cells").glob("*.html"):
        tree = environment().parse(path.read_text(encoding="utf-8"))
        heavy = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Macro)
        assert not list(tree.find_all(heavy)), path.name


def test_every_icon_is_in_the_sprite() -> None:
    texts = [source(name) for name in NAMES]
    used = {icon for text in texts for icon in ICON_CALL.findall(text)}
    for path in (ROOT / "adminsite").rglob("*.py"):
        used |= set(ICON_NAMED.findall(path.read_text(encoding="utf-8")))
    assert used <= sprite()


def test_the_sprite_holds_what_the_list_of_icons_says() -> None:
    assert sprite() == set((ASSETS / "icons.txt").read_text().split())


def test_what_a_browser_loads_stays_small() -> None:
    sizes = {path.name: path.stat().st_size for path in STATIC.iterdir() if path.is_file()}
    assert sizes["app.css"] <= 100_000
    assert sum(size for name, size in sizes.items() if name.endswith(".js")) <= 70_000


def test_built_files_name_no_place_of_the_builder() -> None:
    for path in (*ASSETS.glob("*.json"), *STATIC.glob("*.*")):
        text = path.read_text(encoding="utf-8")
        assert '"resolved"' not in text
        assert "/home/" not in text
        assert "/work/" not in text
        assert "sourceMappingURL" not in text
