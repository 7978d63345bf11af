"""API tokens: keys for scripts, shown once; told of by events about their person."""

import secrets
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import func, or_, select

from adminsite.audit import record
from adminsite.db import db, utc_now
from adminsite.errors import MissingError, RuleError
from adminsite.models import ApiToken, User
from adminsite.operations import rules
from adminsite.operations.sessions import digest
from adminsite.operations.versions import key_of, lock
from adminsite.permissions import Actor, Permission, require

PREFIX = "adm_"
SHOWN = len(PREFIX) + 6
LIVE_TOKENS = 50
RULES: dict[str, rules.Rule] = {
    "name": rules.token_name,
    "scope": rules.scope,
    "days": rules.days,
}


class TooManyTokensError(RuleError):
    """A person holds no more tokens than anybody can keep an eye on."""


def create(user: User, values: Mapping[str, object], *, by: Actor) -> tuple[ApiToken, str]:
    """Make a token for a person; the second part of the answer is the token itself, shown once.

    Args:
        values: `name`; `scope` ("read" or "write", by default "write"); `days` until it
            expires, none for never.

    Raises:
        ForbiddenError: it is for somebody else, and the actor may not manage staff.
        InvalidError: a field breaks its rule.
        TooManyTokensError: the person has as many as they may.
        MissingError: the person was deleted meanwhile.

    Source: contract, Commands (tokens create) and Pages (POST /dashboard/tokens).
    """
    lock(user)
    _require(user, by)
    clean = rules.complete(values, RULES)
    now = utc_now()
    if _count_live(user) >= LIVE_TOKENS:
        raise TooManyTokensError(f"{LIVE_TOKENS} tokens are the limit. Revoke one first.")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        user_id=user.id,
        name=clean["name"],
        scopes=clean["scope"],
        token_hash=digest(secret),
        prefix=secret[:SHOWN],
        created_at=now,
        expires_at=now + timedelta(days=clean["days"]) if clean["days"] else None,
    )
    db.session.add(token)
    told: dict[str, object] = {"name": token.name, "prefix": token.prefix, "scope": token.scopes}
    told |= {"expires_at": token.expires_at} if token.expires_at else {}
    record("token.created", user, {k: [None, v] for k, v in told.items()}, by=by)
    db.session.flush()
    return token, secret


def revoke(token: ApiToken, *, by: Actor) -> None:
    """End a token at once; one that has ended already is fine.

    Raises:
        ForbiddenError: it is somebody else's, and the actor may not manage staff.
        MissingError: the person was deleted meanwhile.
    """
    whose = select(User).join(ApiToken).where(ApiToken.id == key_of(token))
    user = db.session.scalar(whose)
    if user is None:
        raise MissingError("This token was deleted meanwhile.")
    _require(user, by)
    lock(user)
    db.session.refresh(token)
    if token.revoked_at is None:
        token.revoked_at = utc_now()
        told: dict[str, object] = {"name": [token.name, None], "prefix": [token.prefix, None]}
        record("token.revoked", user, told, by=by)
        db.session.flush()


def _require(user: User, by: Actor) -> None:
    if user.id != by.id:
        require(by, Permission.STAFF_WRITE)


def _count_live(user: User) -> int:
    live = select(func.count()).where(
        ApiToken.user_id == user.id,
        ApiToken.revoked_at.is_(None),
        or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > utc_now()),
    )
    return db.session.scalar(live) or 0
