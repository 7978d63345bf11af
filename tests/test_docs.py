"""The README tells of every setting and command, and of nothing that is not there."""

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest
from flask import Flask

from adminsite.config import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "bench").glob("*.md")])
FLASKS_OWN = {"run", "shell", "routes", "db"}


def test_readme_names_every_setting() -> None:
    settings = {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}

    named = set(re.findall(rf"`({PREFIX}[A-Z_]+)`", README))

    assert named == settings


def test_readme_names_every_command(app: Flask) -> None:
    groups = {n: c for n, c in app.cli.commands.items() if n not in FLASKS_OWN}
    commands = {
        f"{name} {part}" for name, group in groups.items() for part in group_commands(group)
    }

    missing = {command for command in commands if f"`{command}" not in README}

    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.name}")
def test_links_lead_to_files_that_exist(page: Path) -> None:
    prose = re.sub(r"`[^`]*`", "", page.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)#:]+)\)", prose)

    missing = [target for target in targets if not (page.parent / target).exists()]

    assert not missing


def group_commands(command: click.Command) -> list[str]:
    """The names of a group's commands."""
    return list(command.commands) if isinstance(command, click.Group) else []
