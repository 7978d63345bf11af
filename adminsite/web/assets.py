"""Static files: each under an address that changes when its content does."""

import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import quote

from flask import Flask, Request, current_app, request

KEY = "adminsite_assets"
STATIC = "/static"


def init_app(app: Flask) -> None:
    """Read every static file once, and offer `asset()` to the templates."""
    folder = Path(app.static_folder or "")
    app.extensions[KEY] = {
        str(path.relative_to(folder).as_posix()): _digest(path)
        for path in folder.rglob("*")
        if path.is_file()
    }
    app.add_template_global(asset)


def asset(name: str) -> str:
    """The address of a static file, with a version that lets browsers keep it for good.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return f"{request.script_root}{_address(name, _version(name))}"


@cache
def _address(name: str, version: str | None) -> str:
    if version is None:
        raise FileNotFoundError(f"no static file is called {name!r}")
    return f"{STATIC}/{quote(name)}?v={version}"


def is_current(asked: Request) -> bool:
    """Whether a request for a static file names the version that is served."""
    version = asked.args.get("v")
    return version is not None and version == _version((asked.view_args or {}).get("filename", ""))


def _version(name: str) -> str | None:
    if current_app.debug:  # the file may just have been rebuilt
        path = Path(current_app.static_folder or "", name)
        return _digest(path) if path.is_file() else None
    versions: dict[str, str] = current_app.extensions[KEY]
    return versions.get(name)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
