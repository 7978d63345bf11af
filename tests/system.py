"""Programs from outside Python that the tests start, and what Debian calls them."""

import os
import shutil
import subprocess
from pathlib import Path


class MissingProgramError(RuntimeError):
    """A program that the tests need is not installed."""


def postgres_binaries() -> Path:
    """The folder with `initdb` and `postgres`, the newest version first.

    Raises:
        MissingProgramError: there is none.
    """
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    if found := shutil.which("pg_config"):
        answer = subprocess.run([found, "--bindir"], capture_output=True, text=True, check=False)
        candidates.append(Path(answer.stdout.strip()))
    if found := shutil.which("postgres"):
        candidates.append(Path(found).resolve().parent)
    for folder in candidates:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise MissingProgramError(
        "The tests need a PostgreSQL server: install it (on Debian: apt-get install postgresql)."
    )


def chromium() -> str:
    """The browser's program; the environment variable CHROMIUM names another one.

    Raises:
        MissingProgramError: there is none.
    """
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    raise MissingProgramError(
        "The tests need Chromium: install it (on Debian: apt-get install chromium), "
        "or name another one in the environment variable CHROMIUM."
    )


def missing_packages() -> list[str]:
    """The Debian packages that would have to be installed."""
    missing = []
    for find, package in ((postgres_binaries, "postgresql"), (chromium, "chromium")):
        try:
            find()
        except MissingProgramError:
            missing.append(package)
    return missing


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())


if __name__ == "__main__":
    print(*missing_packages())
