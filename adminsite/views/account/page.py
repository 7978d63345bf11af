"""The page of one's own account, whole or a part of it."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from adminsite import auth
from adminsite.errors import InvalidError
from adminsite.kit import responses
from adminsite.permissions import Permission, may
from adminsite.views.account import panels
from adminsite.views.account.blueprint import blueprint


@blueprint.get("/dashboard", strict_slashes=False)
def dashboard() -> ResponseReturnValue:
    """One's own account: profile, links, credits, subscription and settings (D-27)."""
    return show()


@blueprint.get("/dashboard/admin", strict_slashes=False)
@blueprint.get("/dashboard/admin/<path:_page>", strict_slashes=False)
def panel(_page: str = "") -> ResponseReturnValue:
    """The panel under its other name (D-8)."""
    if not may(auth.current_person(), Permission.PANEL_READ):
        return redirect(url_for("account.dashboard"))
    path = request.full_path.rstrip("?").removeprefix("/dashboard")
    return redirect(request.script_root + path)


def show(**changed: Any) -> str:
    """The whole page; `changed` are parts that differ from what a visit shows."""
    return render_template(
        "dashboard/index.html",
        page_title="Your account",
        breadcrumb=[("Your account", None)],
        **panels.every() | changed,
    )


def done(message: str) -> ResponseReturnValue:
    """After a change by a plain form: back to the page, which says what happened."""
    return responses.done(url_for("account.dashboard"), message)


def refused(refusal: InvalidError, part: str, **context: Any) -> ResponseReturnValue:
    """The part with messages at its fields: alone for htmx, else on the whole page."""
    if responses.wants_json():
        return responses.refused(refusal.message, refusal.fields, refusal.status)
    if responses.is_fragment():
        return render_template(f"dashboard/_{part}.html", **context), refusal.status
    return show(**context), refusal.status
