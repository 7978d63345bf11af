"""What tests of the audit screen share: events on record, chained as the audit chains them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from adminsite import audit
from adminsite.db import db, utc_now
from adminsite.models import AuditEvent, AuditHead, User
from tests.lists import Listed

URL = "/admin/audit"
THEN = datetime(2025, 3, 1, 12, tzinfo=UTC)
NOTHING = dict.fromkeys(column.name for column in AuditEvent.__table__.c if column.name != "id")


def happened(action: str = "link.updated", **values: Any) -> int:
    """Put an event on record, as if it had been recorded; its id."""
    session = db.session()
    last_id, last_hash = session.execute(select(AuditHead.event_id, AuditHead.hash)).one()
    told = {**NOTHING, "at": utc_now(), "changes": {}, "action": action, **values}
    told["prev_hash"] = last_hash
    told["hash"] = audit.digest(last_hash, told)
    session.execute(insert(AuditEvent).values(id=last_id + 1, **told))
    session.execute(update(AuditHead).values(event_id=last_id + 1, hash=told["hash"]))
    session.commit()
    return int(last_id + 1)


def by(user: User, level: str = "admin") -> dict[str, Any]:
    """The values of an event that say who acted."""
    return {"actor_id": user.id, "actor_email": user.email, "actor_level": level}


def about(record: Any) -> dict[str, Any]:
    """The values of an event that say which record it is about."""
    return {
        "subject_type": record.__tablename__.removesuffix("s"),
        "subject_id": str(record.id),
        "subject_label": str(record),
    }


def events(session: Session, *, action: str) -> list[AuditEvent]:
    """The events of an action."""
    session.rollback()
    return list(session.scalars(select(AuditEvent).where(AuditEvent.action == action)))


def shown(page: Listed) -> list[int]:
    """The listed events but for those of signing in, oldest first."""
    return sorted(key for key in page.ids if "session." not in page.row(key))
