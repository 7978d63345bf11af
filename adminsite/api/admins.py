"""Admins over JSON: `/admin/api/admins`, for owners.

Source: contract, JSON; R-000-20 to R-000-27, R-000-41.
"""

from collections.abc import Sequence

from flask import Blueprint
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from adminsite import auth, invitations, queries
from adminsite.api import contracts, envelope
from adminsite.api.describe import Operation, described
from adminsite.db import db
from adminsite.errors import MissingError
from adminsite.kit.responses import accepted
from adminsite.models import Admin
from adminsite.operations import admins, credentials
from adminsite.permissions import Permission

LIMIT = 50
ADMIN, PAGE = contracts.AdminAnswer(), contracts.AdminPage()
NEW, CHANGE = contracts.NewAdmin(), contracts.AdminChange()
LEVEL, STATUS = contracts.LevelChange(), contracts.StatusChange()
TAG = "Admins"
UNKNOWN = "There is no such admin. They may have been removed."

blueprint = Blueprint("api_admins", __name__, url_prefix="/admin/api/admins")
envelope.refuse_with_400(blueprint)
envelope.guard(blueprint, read=Permission.STAFF_READ, write=Permission.STAFF_WRITE)


@blueprint.get("", strict_slashes=False)
@described(Operation(TAG, {200: contracts.AdminPage}, asks=contracts.AdminQuery))
def index() -> ResponseReturnValue:
    """One page of the staff, the newest first.

    Raises:
        InvalidError: there is no such role or status.
    """
    words = envelope.filters({name: admins.RULES[name] for name in admins.KEPT})
    which = queries.people.staff_like(envelope.term(), words.get("role"), words.get("status"))
    limit = envelope.count("limit", LIMIT, contracts.MANY_ADMINS) or LIMIT
    offset = envelope.count("offset", 0)
    found = queries.people.staff(db.session(), which, limit, offset)
    total = queries.people.count_staff(db.session(), which)
    page = {"admins": found, "total": total, "limit": limit, "offset": offset}
    return accepted(PAGE.dump(page))


@blueprint.post("", strict_slashes=False)
@described(Operation(TAG, {201: contracts.NewAdminAnswer}, takes=contracts.NewAdmin))
def create() -> ResponseReturnValue:
    """Make somebody staff, with a one-time link to set a password."""
    values, by = envelope.sent(NEW), auth.current_person()
    with envelope.writing():
        staff = admins.create(values, by=by)
        token = credentials.issue_reset(staff.user, by=by)
    sent = invitations.deliver(staff.user, token)
    link = {"set_password_url": sent.url, "mailed": sent.mailed}
    return accepted(ADMIN.dump(staff) | link, 201)


@blueprint.get("/<key>", strict_slashes=False)
@described(Operation(TAG, {200: contracts.AdminAnswer}))
def details(key: str) -> ResponseReturnValue:
    """One member of staff."""
    pk = envelope.key(key)
    rows = queries.people.staff(db.session(), [Admin.id == pk], 1, 0) if pk is not None else ()
    return accepted(ADMIN.dump(_only(rows)))


@blueprint.put("/<key>", strict_slashes=False)
@described(Operation(TAG, {200: contracts.AdminAnswer}, takes=contracts.AdminChange))
def update(key: str) -> ResponseReturnValue:
    """Change what is sent of address, name, level and status."""
    return _change(key, CHANGE)


@blueprint.put("/<key>/role", strict_slashes=False)
@described(Operation(TAG, {200: contracts.AdminAnswer}, takes=contracts.LevelChange))
def change_role(key: str) -> ResponseReturnValue:
    """Give another level."""
    return _change(key, LEVEL)


@blueprint.put("/<key>/status", strict_slashes=False)
@described(Operation(TAG, {200: contracts.AdminAnswer}, takes=contracts.StatusChange))
def change_status(key: str) -> ResponseReturnValue:
    """Suspend or reinstate."""
    return _change(key, STATUS)


@blueprint.delete("/<key>", strict_slashes=False)
@described(Operation(TAG, {200: contracts.RemovedAdmin}))
def delete(key: str) -> ResponseReturnValue:
    """Remove the staff record; the person stays as a user.

    Source: D-7.
    """
    with envelope.writing():
        staff = _locked(key)
        admins.delete(staff, by=auth.current_person())
    return accepted({"id": staff.id})


def _change(key: str, contract: Schema) -> ResponseReturnValue:
    values = envelope.sent(contract)
    with envelope.writing():
        saved = admins.update(_locked(key), values, by=auth.current_person())
    return accepted(ADMIN.dump(saved.row))


def _locked(key: str) -> Admin:
    pk = envelope.key(key)
    rows = admins.get_all_for_update([pk]) if pk is not None else ()
    return _only(rows)


def _only(rows: Sequence[Admin]) -> Admin:
    if not rows:
        raise MissingError(UNKNOWN)
    return rows[0]
