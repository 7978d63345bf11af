"""Browsers as people call them."""

from collections.abc import Iterable

BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
LONGEST = 60


def browser_name(agent: str | None) -> str:
    """A browser as people call it ("Firefox on macOS"), from what it calls itself."""
    agent = agent or ""
    name, system = _first(agent, BROWSERS), _first(agent, SYSTEMS)
    return f"{name} on {system}" if name and system else agent[:LONGEST]


def _first(agent: str, marks: Iterable[tuple[str, str]]) -> str | None:
    return next((name for mark, name in marks if mark in agent), None)
