"""What a test reads in an answer, and in the audit that the request left."""

import json
import re
from html import unescape
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.models import AuditEvent, UserSession
from tests.lists import text_of

JSON = {"Accept": "application/json"}
NOBODY = "00000000-0000-4000-8000-000000000000"
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
MAIN = re.compile(r"<main.*?</main>", re.DOTALL)


def toast(answer: TestResponse) -> str:
    """The sentence that the page shows for a moment."""
    said = json.loads(answer.headers["HX-Trigger"])["toast"]
    return f"{said['level']}: {said['message']}"


def message(answer: TestResponse) -> str:
    """The sentence of a refusal in JSON."""
    assert answer.json is not None
    assert answer.json["success"] is False
    return str(answer.json["error"]["message"])


def said(answer: TestResponse) -> str:
    """What the page or fragment says, without its frame."""
    found = MAIN.search(answer.text)
    return text_of(found[0] if found else answer.text)


def hidden(answer: TestResponse) -> dict[str, str]:
    """The hidden fields of the forms in an answer's dialog or page."""
    found = MAIN.search(answer.text)
    return {n: unescape(v) for n, v in HIDDEN.findall(found[0] if found else answer.text)}


def events(session: Session, key: Any = None) -> list[AuditEvent]:
    """What was recorded, of the record of this key or of all, but for who came and went."""
    wanted = select(AuditEvent).order_by(AuditEvent.id)
    if key is not None:
        wanted = wanted.where(AuditEvent.subject_id == str(key))
    return [event for event in session.scalars(wanted) if not event.action.startswith("session.")]


def actions(session: Session, key: Any = None) -> list[str]:
    """The words for what was recorded."""
    return [event.action for event in events(session, key)]


def sessions_of(session: Session, user_id: Any) -> int:
    """In how many browsers somebody is signed in."""
    wanted = select(func.count()).where(UserSession.user_id == user_id)
    return session.scalar(wanted) or 0
