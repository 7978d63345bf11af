"""The sidebar of one's own account, and of pages that a member meets elsewhere (R-002-16, 17)."""

from typing import Any

from flask import request

from adminsite import auth
from adminsite.permissions import Permission, may
from adminsite.views.account.blueprint import blueprint
from adminsite.web.asked import under

ROOT = "/dashboard"
ITEMS = (
    ("Dashboard", ROOT, "layout-dashboard"),
    ("Billing", f"{ROOT}#billing", "credit-card"),
    ("Settings", f"{ROOT}#settings", "settings"),
    ("Help", f"{ROOT}#help", "circle-help"),
)
ADMIN = ("Admin", "/admin", "shield")


@blueprint.app_context_processor
def own_menu() -> dict[str, Any]:
    """The sections of the sidebar; none where the panel's own are shown."""
    actor = auth.current_actor()
    if actor is None:
        return {"own_menu": []}
    staff = may(actor, Permission.PANEL_READ)
    if staff and not under(request.path, (ROOT,)):
        return {"own_menu": []}
    sections = [{"title": "", "items": [_item(*item) for item in ITEMS]}]
    if staff:
        sections.append({"title": "Staff", "items": [_item(*ADMIN)]})
    return {"own_menu": sections}


def _item(label: str, path: str, icon: str) -> dict[str, Any]:
    here = request.path.rstrip("/") == path
    return {"label": label, "url": request.script_root + path, "icon": icon, "active": here}
