"""What a request asks for, and where it comes from."""

import re
import secrets

from flask import request

from adminsite.permissions import Origin

JSON_PATHS = ("/admin/api", "/api")
_ANSWERS = frozenset({"application/json", "text/html"})
REQUEST_ID = "adminsite.request_id"
_LOOKS_LIKE_AN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)
_IP_LENGTH, _AGENT_LENGTH = 45, 400  # what the audit has room for


def is_htmx() -> bool:
    """Whether htmx asks for a part of a page (when it restores history it wants the whole)."""
    sent = request.headers
    return sent.get("HX-Request") == "true" and sent.get("HX-History-Restore-Request") != "true"


def wants_json() -> bool:
    """Whether the answer is for a script: a JSON address, or JSON accepted first."""
    if under(request.path, JSON_PATHS):
        return True
    if is_htmx() or "json" not in request.headers.get("Accept", ""):
        return False
    liked = sorted(request.accept_mimetypes, key=lambda kind: -kind[1])  # stable: as listed
    first = next((kind for kind, quality in liked if quality and kind in _ANSWERS), "")
    return first == "application/json"


def under(path: str, roots: tuple[str, ...]) -> bool:
    """Whether the path is one of these, or lies below it."""
    return path.startswith(roots) and any(
        path == root or path.startswith(f"{root}/") for root in roots
    )


def request_id() -> str:
    """The request's name in the log and the audit; a proxy's own is kept if it looks like one."""
    found: str | None = request.environ.get(REQUEST_ID)
    if found is None:
        given = request.headers.get("X-Request-ID", "")
        found = given if _LOOKS_LIKE_AN_ID.fullmatch(given) else secrets.token_hex(16)
        request.environ[REQUEST_ID] = found
    return found


def origin() -> Origin:
    """Where the request comes from, for the audit."""
    ip, agent = request.remote_addr, request.headers.get("User-Agent")
    return Origin(
        request_id=request_id(),
        ip=ip[:_IP_LENGTH] if ip else None,
        user_agent=agent[:_AGENT_LENGTH] if agent else None,
    )
