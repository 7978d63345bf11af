"""People over JSON: `/api/admin/users`.

Source: contract, JSON; R-002-21 to R-002-30.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from adminsite import auth, queries
from adminsite.api import contracts, envelope
from adminsite.api.describe import Operation, described
from adminsite.db import db
from adminsite.errors import InvalidError, MissingError
from adminsite.kit.responses import accepted
from adminsite.models import User
from adminsite.operations import rules, subscriptions, users
from adminsite.permissions import Actor, Permission

PAGE_SIZE, RECENT = 20, 20
FILTERS: dict[str, rules.Rule] = {
    "role": rules.role,
    "subscription_status": rules.subscription_status,
}
PLAN = {"subscription_tier": "tier", "subscription_status": "status"}  # as the operation says it
NOTHING = "No valid fields to update"
PROFILE, PAGE, DETAILS = contracts.UserAnswer(), contracts.UserPage(), contracts.UserDetails()
CHANGE = contracts.UserChange()
TAG = "Users"

blueprint = Blueprint("api_users", __name__, url_prefix="/api/admin/users")
envelope.refuse_with_400(blueprint)
envelope.guard(blueprint, read=Permission.USERS_READ, write=Permission.USERS_WRITE)


@blueprint.get("", strict_slashes=False)
@described(Operation(TAG, {200: contracts.UserPage}, asks=contracts.UserQuery))
def index() -> ResponseReturnValue:
    """One page of the people, the newest first.

    Raises:
        InvalidError: there is no such role or status.

    Source: R-002-21 to R-002-24, D-10.
    """
    words = envelope.filters(FILTERS)
    which = queries.people.people_like(
        envelope.term(), words.get("role"), words.get("subscription_status")
    )
    page = envelope.count("page", 1) or 1
    limit = envelope.count("limit", PAGE_SIZE, contracts.MANY) or PAGE_SIZE
    total = queries.people.count_people(db.session(), which)
    found = queries.people.people(db.session(), which, limit, (page - 1) * limit)
    return accepted(PAGE.dump({"users": found, "total": total, "page": page, "limit": limit}))


@blueprint.get("/<user_id>", strict_slashes=False)
@described(Operation(TAG, {200: contracts.UserDetails}))
def details(user_id: str) -> ResponseReturnValue:
    """One person, with their subscription and newest ledger entries."""
    pk, session = contracts.person_key(user_id), db.session()
    user = session.get(User, pk) if pk else None
    if user is None:
        raise MissingError(contracts.NOBODY)
    told = {
        "profile": user,
        "subscription": queries.people.newest_subscription(session, user.id),
        "recentTransactions": queries.people.recent_transactions(session, user.id, RECENT),
    }
    return accepted(DETAILS.dump(told))


@blueprint.patch("/<user_id>", strict_slashes=False)
@described(Operation(TAG, {200: contracts.UserAnswer}, takes=contracts.UserChange))
def change(user_id: str) -> ResponseReturnValue:
    """Change somebody's role, plan or subscription status: all that is sent, or nothing."""
    values, by = envelope.sent(CHANGE, NOTHING), auth.current_person()
    with envelope.writing():
        user = envelope.locked_person(contracts.person_key(user_id))
        if "role" in values:
            users.update(user, {"role": values["role"]}, by=by)
        _change_plan(user, {k: v for k, v in values.items() if k in PLAN}, by)
    return accepted(PROFILE.dump(user))


def _change_plan(user: User, values: Mapping[str, Any], by: Actor) -> None:
    if not values:
        return
    try:
        subscriptions.update_of(user, {PLAN[k]: v for k, v in values.items()}, by=by)
    except InvalidError as refusal:
        named = {k: refusal.fields[v] for k, v in PLAN.items() if v in refusal.fields}
        raise InvalidError(named) from refusal
