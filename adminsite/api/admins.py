"""Admins over JSON: `/admin/api/admins`, for owners.

Source: contract, JSON; R-000-20 to R-000-27, R-000-41.
"""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from adminsite import auth, invitations, queries
from adminsite.api import envelope
from adminsite.audit import plain
from adminsite.db import db, folded
from adminsite.errors import MissingError
from adminsite.kit.listing import clean_term
from adminsite.kit.responses import accepted
from adminsite.models import Admin
from adminsite.operations import admins, credentials, rules
from adminsite.permissions import Permission, require

LIMIT, MOST = 50, 200
NEW = ("email", "full_name", "role")
SHOWN = ("id", "user_id", *admins.FIELDS, "last_login_at", "created_at", "updated_at")
UNKNOWN = "There is no such admin. They may have been removed."

blueprint = Blueprint("api_admins", __name__, url_prefix="/admin/api/admins")
envelope.refuse_with_400(blueprint)


@blueprint.before_request
def _owners_only() -> None:
    reads = request.method in auth.SAFE
    require(auth.current_person(), Permission.STAFF_READ if reads else Permission.STAFF_WRITE)


@blueprint.get("", strict_slashes=False)
def index() -> ResponseReturnValue:
    """One page of the staff, the newest first.

    Raises:
        InvalidError: there is no such role or status.
    """
    asked = {name: request.args[name] for name in admins.KEPT if request.args.get(name)}
    words = rules.check(asked, admins.RULES)
    term = folded(clean_term(request.args.get("search", "")))
    which = queries.people.staff_like(term, words.get("role"), words.get("status"))
    limit = envelope.count("limit", LIMIT, MOST) or LIMIT
    offset = envelope.count("offset", 0)
    found = queries.people.staff(db.session(), which, limit, offset)
    total = queries.people.count_staff(db.session(), which)
    page = {"admins": [_shown(staff) for staff in found], "total": total}
    return accepted({**page, "limit": limit, "offset": offset})


@blueprint.post("", strict_slashes=False)
def create() -> ResponseReturnValue:
    """Make somebody staff, with a one-time link to set a password."""
    values, by = envelope.texts(NEW), auth.current_person()
    with envelope.writing():
        staff = admins.create(values, by=by)
        token = credentials.issue_reset(staff.user, by=by)
    sent = invitations.deliver(staff.user, token)
    link = {"set_password_url": sent.url, "mailed": sent.mailed}
    return accepted(_shown(staff) | link, 201)


@blueprint.get("/<key>", strict_slashes=False)
def details(key: str) -> ResponseReturnValue:
    """One member of staff."""
    pk = envelope.key(key)
    rows = queries.people.staff(db.session(), [Admin.id == pk], 1, 0) if pk is not None else ()
    return accepted(_shown(_only(rows)))


@blueprint.put("/<key>", strict_slashes=False)
def update(key: str) -> ResponseReturnValue:
    """Change what is sent of address, name, level and status."""
    return _change(key, admins.FIELDS)


@blueprint.put("/<key>/role", strict_slashes=False)
def change_role(key: str) -> ResponseReturnValue:
    """Give another level."""
    return _change(key, ("role",))


@blueprint.put("/<key>/status", strict_slashes=False)
def change_status(key: str) -> ResponseReturnValue:
    """Suspend or reinstate."""
    return _change(key, ("status",))


@blueprint.delete("/<key>", strict_slashes=False)
def delete(key: str) -> ResponseReturnValue:
    """Remove the staff record; the person stays as a user (D-7)."""
    with envelope.writing():
        staff = _locked(key)
        admins.delete(staff, by=auth.current_person())
    return accepted({"id": staff.id})


def _change(key: str, known: tuple[str, ...]) -> ResponseReturnValue:
    values = envelope.texts(known)
    with envelope.writing():
        saved = admins.update(_locked(key), values, by=auth.current_person())
    return accepted(_shown(saved.row))


def _locked(key: str) -> Admin:
    pk = envelope.key(key)
    rows = admins.get_all_for_update([pk]) if pk is not None else ()
    return _only(rows)


def _only(rows: Sequence[Admin]) -> Admin:
    if not rows:
        raise MissingError(UNKNOWN)
    return rows[0]


def _shown(staff: Admin) -> dict[str, Any]:
    return {name: plain(getattr(staff, name)) for name in SHOWN}
