"""Uploaded files between preview and import: private, and for an hour at most.

Each lies in a folder of its own whose name nobody can guess, and only its sender finds it.

Source: docs/rules.md.
"""

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from adminsite.errors import MissingError
from adminsite.exchange.importing import Order, Report
from adminsite.exchange.reading import Upload
from adminsite.permissions import Actor

LIFETIME_S = 3600
PRIVATE = 0o700
GONE = "This upload is gone: imported, discarded, or older than an hour. Send the file again."
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True, slots=True)
class Kept:
    """An uploaded file, and what its sender asked for."""

    folder: Path
    kind: str
    update: bool

    @property
    def token(self) -> str:
        """What its sender finds it by."""
        return self.folder.name

    @property
    def file(self) -> Path:
        """The upload itself, until it is imported."""
        return self.folder / "file.csv"

    @property
    def refused(self) -> Path:
        """The rows that were refused, with the reason."""
        return self.folder / "refused.csv"


def keep(root: Path, stream: IO[bytes], kind: str, *, update: bool, by: Actor) -> Kept:
    """Put an upload away, and delete those that are too old."""
    _sweep(root)
    kept = Kept(root / secrets.token_urlsafe(24), kind, update)
    kept.folder.mkdir(mode=PRIVATE, parents=True)
    root.chmod(PRIVATE)
    asked = {"person": str(by.id), "kind": kind, "update": update}
    (kept.folder / "asked.json").write_text(json.dumps(asked))
    with kept.file.open("wb") as file:
        shutil.copyfileobj(stream, file)
    return kept


def find(root: Path, token: str, *, by: Actor) -> Kept:
    """The person's own upload.

    Raises:
        MissingError: there is none of that token, it is somebody else's, or too old.
    """
    _sweep(root)
    asked = _read(root / token / "asked.json") if _TOKEN.fullmatch(token) else None
    if asked is None or asked["person"] != str(by.id):
        raise MissingError(GONE)
    return Kept(root / token, asked["kind"], asked["update"])


@contextmanager
def ordered(kept: Kept, *, max_mb: int, by: Actor) -> Iterator[Order]:
    """The upload as an order to preview or import it; refused rows are kept beside it.

    Raises:
        MissingError: it was imported already.
    """
    if not kept.file.exists():
        raise MissingError(GONE)
    with (
        kept.file.open("rb") as stream,
        kept.refused.open("w", encoding="utf-8", newline="") as refused,
    ):
        yield Order(kept.kind, Upload(stream, max_mb), by, update=kept.update, refused=refused)


def remember(kept: Kept, report: Report, *, applied: bool) -> None:
    """Keep what the preview or the import came to; after an import the file goes."""
    text = json.dumps(asdict(report) | {"applied": applied})
    (kept.folder / "report.json").write_text(text)
    if applied:
        kept.file.unlink(missing_ok=True)


def recall(kept: Kept) -> dict[str, Any]:
    """What the preview or the import came to.

    Raises:
        MissingError: nothing yet.
    """
    report = _read(kept.folder / "report.json")
    if report is None:
        raise MissingError(GONE)
    return report


def discard(kept: Kept) -> None:
    """Delete the upload and all about it."""
    shutil.rmtree(kept.folder, ignore_errors=True)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return found


def _sweep(root: Path) -> None:
    """Delete what was sent more than an hour ago."""
    for folder in root.glob("*/"):
        try:
            age_s = time.time() - folder.stat().st_mtime
        except FileNotFoundError:  # another process was first
            continue
        if age_s > LIFETIME_S:
            shutil.rmtree(folder, ignore_errors=True)
