"""Idempotency keys: what a caller asked for under a key is done once.

Source: issue "Money", 1; contract, JSON (`Idempotency-Key`).
"""

import hashlib
import json

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from adminsite.db import db, utc_now
from adminsite.errors import RuleError
from adminsite.models import IdempotencyKey
from adminsite.operations import rules
from adminsite.permissions import Actor


class KeyReusedError(RuleError):
    """The caller used this idempotency key for something else; nothing was changed."""

    status = 409
    code = "CONFLICT"


def of_caller(key: str | None, by: Actor) -> str | None:
    """The key as it is stored: nobody meets the keys of somebody else.

    Raises:
        InvalidError: the key breaks its rule.
    """
    if key is None:
        return None
    rules.check({"idempotency_key": key}, {"idempotency_key": rules.idempotency_key})
    return f"{by.id or 'system'}:{key}"


def claim(stored: str | None, what: object) -> bool:
    """Whether this is the key's first use; somebody at work under it is waited for.

    A transaction that is rolled back gives the key back.

    Args:
        stored: see `of_caller`; None is always new.
        what: all that the caller asked for, as JSON takes it.

    Raises:
        KeyReusedError: it was used for something else.
    """
    if stored is None:
        return True
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    session = db.session()
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    row = dialect.insert(IdempotencyKey).values(key=stored, digest=digest, created_at=utc_now())
    mine = row.on_conflict_do_nothing().returning(IdempotencyKey.key)
    if session.connection().scalar(mine) is not None:
        return True
    first = select(IdempotencyKey.digest).where(IdempotencyKey.key == stored)
    if session.scalar(first) != digest:
        raise KeyReusedError(
            "This idempotency key was used for another request. Nothing was changed; use a new key."
        )
    return False
