"""Headers: what browsers may do with an answer, and how long anybody may keep it."""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask, Response, request

from adminsite.config import Settings
from adminsite.web.asked import request_id
from adminsite.web.assets import is_current

MB = 1024 * 1024
BODY_LIMIT = 2 * MB
IMPORT_PATH = "/admin/import"
FOREVER = "public, max-age=31536000, immutable"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
REFERRER = "Referrer-Policy"
SECURITY = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # not no-referrer: the CSRF check over HTTPS reads the referrer
    (REFERRER, "same-origin"),
    (
        "Permissions-Policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
HSTS = ("Strict-Transport-Security", "max-age=31536000")
VARY = "Accept, Cookie, HX-Request, HX-Target"


def init_app(app: Flask, settings: Settings) -> None:
    """Set the headers on every answer, and the limits on every body."""
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    import_limit = settings.import_max_mb * MB
    always = (*SECURITY, HSTS) if settings.session_cookie_secure else SECURITY

    @app.before_request
    def drop_a_referrer_that_is_none() -> None:
        try:
            urlsplit(request.headers.get("Referer", ""))
        except ValueError:  # the CSRF check over HTTPS would fail on it instead of refusing
            del request.environ["HTTP_REFERER"]

    @app.before_request
    def allow_large_imports() -> None:
        if request.path.startswith(IMPORT_PATH):
            request.max_content_length = import_limit + BODY_LIMIT  # the file and its form

    app.after_request(_with(always))


def _with(always: tuple[tuple[str, str], ...]) -> Callable[[Response], Response]:
    def finish(answer: Response) -> Response:
        own = answer.headers.get(REFERRER)
        answer.headers.extend(always)
        if own:  # of a page whose address is a secret
            answer.headers[REFERRER] = own
        answer.headers["X-Request-ID"] = request_id()
        if request.endpoint == "static":
            if answer.status_code in {200, 206, 304} and is_current(request):
                answer.headers["Cache-Control"] = FOREVER
            return answer
        answer.headers.setdefault("Cache-Control", "no-store")
        answer.headers.setdefault("Vary", VARY)
        return answer

    return finish
