"""Who gets what from every route: the requests that the access table is made of.

`python -m tests.views.access --write` writes the table anew; read the difference before you
commit it.
"""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from adminsite.db import db, transaction, utc_now
from adminsite.exchange import importing, uploads
from adminsite.models import Admin, ApiToken, AuditEvent, PendingAdjustment, User, UserSession
from adminsite.operations import credentials, ledger, tokens
from adminsite.operations.sessions import digest
from adminsite.permissions import SYSTEM
from adminsite.views import imports
from adminsite.web.asked import JSON_PATHS, under
from tests.client import SAFE, SiteClient
from tests.factories import (
    PASSWORD,
    AdminFactory,
    CreditTransactionFactory,
    KeywordFactory,
    LinkFactory,
    SubscriptionFactory,
    TagFactory,
    UserFactory,
    save,
)
from tests.people import acting
from tests.views.auditing import happened

TABLE = Path(__file__).with_name("access.txt")
PART = re.compile(r"<(?:\w+:)?(\w+)>")
WRITE = "WRITE_ACCESS_TABLE"
PEOPLE = ("anonymous", "member", "support", "admin", "owner")
NEW_PASSWORD = "nine purple lampposts"
PEOPLE_FILE = b"email,display_name,role\n"
HEAD = f"""\
# What every route answers to whom; written by `python -m tests.views.access --write`.
# Each route gets what it needs of rows that exist. "303/400": with and without the CSRF token.
# A route with a slash at its end answers the same and has no line of its own.
{"":67} {" ".join(f"{who:9}" for who in PEOPLE).rstrip()}
"""
Cells = dict[str, str]
Table = dict[tuple[str, str], Cells]


@dataclass(frozen=True)
class Kind:
    """What a screen's routes take.

    Attributes:
        make: a record.
        field: a cell that is edited in its place.
        new: the form of a new record, from a word that nobody has used.
    """

    make: Callable[[], Any]
    field: str
    new: Callable[[str], dict[str, str]]


def an_event() -> AuditEvent:
    """An event on record."""
    return db.session.get_one(AuditEvent, happened())


TEMPLATE = "https://example.com/{slug}"
KINDS = {
    "links": Kind(LinkFactory, "title", lambda w: {"slug": w, "url": "https://example.com/"}),
    "keywords": Kind(
        KeywordFactory, "description", lambda w: {"keyword": w, "url_template": TEMPLATE}
    ),
    "tags": Kind(TagFactory, "name", lambda w: {"name": w}),
    "users": Kind(
        UserFactory, "display_name", lambda w: {"email": f"{w}@example.com", "display_name": w}
    ),
    "admins": Kind(
        AdminFactory,
        "full_name",
        lambda w: {"email": f"{w}@example.com", "full_name": w, "role": "support"},
    ),
    "credits": Kind(CreditTransactionFactory, "description", lambda w: {"description": w}),
    "audit": Kind(an_event, "reason", lambda w: {"reason": w}),
    "subscriptions": Kind(SubscriptionFactory, "tier", lambda _w: {"tier": "hobby"}),
}


@dataclass(frozen=True)
class Route:
    """One rule of the URL map with one of its methods."""

    rule: Rule
    method: str

    @property
    def name(self) -> tuple[str, str]:
        """What the table calls it."""
        return self.rule.rule.rstrip("/") or "/", self.method

    @property
    def safe(self) -> bool:
        """Whether it needs no CSRF token."""
        return self.method in SAFE

    @property
    def verb(self) -> str:
        """The method of the view that answers."""
        return str(self.rule.endpoint).rpartition(".")[2]


class Rows:
    """Rows for a request by one person; each is made when it is first asked for."""

    def __init__(self, who: str, kind: str) -> None:
        self.who = who
        self.kind = kind if kind in KINDS else "links"
        self.word = f"w{uuid4().hex}"

    @cached_property
    def record(self) -> Any:
        """A record of that kind; a link has a co-owner."""
        if self.kind == "links":
            return LinkFactory(slug=self.word, co_owners=[self.other])
        return KINDS[self.kind].make()

    @cached_property
    def other(self) -> User:
        """Somebody else."""
        return cast("User", UserFactory())

    @cached_property
    def person(self) -> User:
        """The one who asks, or somebody else when nobody is signed in."""
        wanted = select(User).where(User.email == f"{self.who}@example.com")
        return db.session.scalars(wanted).one_or_none() or self.other

    @cached_property
    def staff(self) -> Admin:
        """The staff record of somebody else."""
        return cast("Admin", AdminFactory())

    @cached_property
    def upload(self) -> str:
        """The token of a file that the person sent to be imported."""
        stream, person = io.BytesIO(PEOPLE_FILE), acting(self.person)
        kept = uploads.keep(imports.folder(), stream, "users", update=False, by=person)
        with uploads.ordered(kept, max_mb=1, by=SYSTEM) as order:
            uploads.remember(kept, importing.preview(order), applied=False)
        return kept.token

    @cached_property
    def session(self) -> UserSession:
        """A session of the person in another browser."""
        row = UserSession(
            user_id=self.person.id,
            token_hash=digest(self.word),
            expires_at=utc_now() + timedelta(hours=1),
        )
        save(row)
        return row

    @cached_property
    def token(self) -> ApiToken:
        """An API token of the person."""
        with transaction():
            made, _secret = tokens.create(self.person, {"name": self.word}, by=SYSTEM)
        return made

    @cached_property
    def waiting(self) -> PendingAdjustment:
        """A change of credits that the system asked for, and somebody has to approve."""
        values = {"amount": 5, "reason": self.word}
        with transaction():
            made = ledger.adjust(self.other, values, by=SYSTEM, cap=0)
        return cast("PendingAdjustment", made.pending)

    @cached_property
    def one_time(self) -> str:
        """A one-time link to set the password of somebody else."""
        with transaction():
            return credentials.issue_reset(self.other, by=SYSTEM)


def routes(app: Flask) -> list[Route]:
    """Every route of the application; HEAD and OPTIONS follow from the others."""
    found = [
        Route(rule, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    return sorted(found, key=lambda route: (route.name, route.rule.rule))


def url(route: Route, rows: Rows) -> str:
    """The address of the route with what it takes of these rows."""
    known: dict[str, Callable[[], Any]] = {
        "pk": lambda: rows.record.id,
        "key": lambda: rows.staff.id,
        "field": lambda: KINDS[rows.kind].field,
        "export_type": lambda: "csv",
        "user_id": lambda: rows.other.id if rows.record else None,
        "session_id": lambda: rows.session.id,
        "token": lambda: rows.one_time if route.verb == "set_password" else rows.upload,
        "token_id": lambda: rows.token.id,
        "pending_id": lambda: rows.waiting.id,
        "filename": lambda: "app.css",
        "_page": lambda: "links",
    }
    path = PART.sub(lambda part: str(known[part[1]]()), route.rule.rule)
    if route.verb in {"edit_view", "details_view"}:
        path += f"?id={rows.record.id}"
    return path + ("?name=people&query=a" if route.verb == "ajax_lookup" else "")


def body(route: Route, rows: Rows) -> dict[str, Any]:
    """A form that the route takes."""
    kind = KINDS[rows.kind]
    change = {kind.field: rows.word}
    answer = {"link_action": "reassign"} if rows.kind == "users" else {}
    chosen = {"action": "delete", "rowid": rows.record.id}
    forms: dict[str, Callable[[], dict[str, Any]]] = {
        "rest_create": lambda: kind.new(f"{rows.word}-new"),
        "create_view": lambda: kind.new(f"{rows.word}-new"),
        "rest_update": lambda: change,
        "edit_view": lambda: change,
        "ajax_update": lambda: {"list_form_pk": rows.record.id, **change},
        "rest_delete": lambda: answer,
        "delete_view": lambda: {"id": rows.record.id, **answer},
        "preview_action": lambda: chosen,
        "action_view": lambda: {**chosen, **answer},
        "change_role": lambda: {"role": "admin"},
        "change_plan": lambda: {"tier": "hobby", "reason": "Asked for it"},
        "change_status": lambda: {"status": "canceled", "reason": "Asked for it"},
        "view_as": lambda: {"reason": rows.word},
        "adjust": lambda: {"user_id": rows.other.id, "amount": "5", "reason": rows.word},
        "reverse": lambda: {"reason": rows.word},
        "approve": lambda: {"note": rows.word},
        "decline": lambda: {"note": rows.word},
        "bulk": lambda: {"lines": f"{rows.other.email},5,{rows.word}"},
        "add_owner": lambda: {"user": UserFactory().email},
        "upload": lambda: {"kind": "users", "file": (io.BytesIO(PEOPLE_FILE), "people.csv")},
        "sign_in": lambda: {"email": rows.other.email, "password": PASSWORD},
        "change_password": lambda: {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        "set_password": lambda: {"new_password": NEW_PASSWORD},
        "create_token": lambda: {"name": rows.word},
    }
    return forms.get(route.verb, dict)()


def json_body(route: Route, rows: Rows) -> dict[str, Any]:
    """A JSON object that the route takes."""
    bodies: dict[str, dict[str, Any]] = {
        "create": {"email": f"{rows.word}@example.com", "full_name": "New", "role": "support"},
        "update": {"full_name": "Changed"},
        "change_role": {"role": "support"},
        "change_status": {"status": "suspended"},
        "change": {"subscription_tier": "pro"},
        "adjust": {"userId": str(rows.other.id), "amount": 5, "reason": "Goodwill"},
    }
    return bodies.get(route.verb, {})


def send(client: SiteClient, route: Route, rows: Rows, **how: Any) -> Any:
    """Ask for the route as somebody who has all it needs."""
    sent: dict[str, Any] = {}
    if not route.safe:
        json = under(route.rule.rule, JSON_PATHS)
        sent = {"json": json_body(route, rows)} if json else {"data": body(route, rows)}
    return client.open(url(route, rows), method=route.method, **sent, **how)


def read() -> Table:
    """The committed table."""
    lines = TABLE.read_text().splitlines()
    rows = [line.split() for line in lines if line and line[0] not in "# "]
    return {(path, method): dict(zip(PEOPLE, cells, strict=True)) for method, path, *cells in rows}


def write(table: Table) -> None:
    """Commit to this table."""
    lines = [
        f"{method:6} {path:60} {' '.join(f'{cells[who]:9}' for who in PEOPLE)}".rstrip()
        for (path, method), cells in table.items()
    ]
    TABLE.write_text(HEAD + "\n".join(lines) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    tests = ("-m", "pytest", "-q", "tests/views/test_access.py", "-k", "sqlite and table")
    done = subprocess.run([sys.executable, *tests], env={**os.environ, WRITE: "1"}, check=False)
    sys.exit(done.returncode)
