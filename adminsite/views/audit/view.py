"""The audit screen: every event, found by who, what, when and on which record (D-20, D-26).

It only reads. The resource has no operations, so no route of the kit that writes finds one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy.orm import Session

from adminsite import audit, auth, queries
from adminsite.db import db
from adminsite.kit import (
    ChoiceFilter,
    DayFilter,
    Lookup,
    LookupFilter,
    ResourceView,
    TextFilter,
    editing,
    listing,
    pages,
)
from adminsite.kit.columns import ShortText
from adminsite.kit.filters import Active, Filter, FilterError
from adminsite.kit.forms import Option
from adminsite.kit.listing import Newest
from adminsite.models import AuditEvent
from adminsite.queries.audit import SUBJECT_TYPES
from adminsite.resources import AUDIT
from adminsite.views import subjects
from adminsite.views.audit import words
from adminsite.views.links import describe_person, find_people
from adminsite.views.timelines import SAID, called, recorded, said

SEARCHED = 100_000
REQUEST_SHOWN = 20
NO_PERSON = ("system", "nobody")  # who acts where no person does
KINDS = tuple((kind, called(kind)) for kind in SUBJECT_TYPES if kind in subjects.PAGES)
LONGEST_ID, LONGEST_REQUEST = 255, 64  # characters of the columns
COLUMNS = AuditEvent.__table__.c


def find_actors(session: Session, term: str, limit: int) -> list[Option]:
    """Who may have done something: people, and those that are none."""
    others = [Option(name, name.capitalize()) for name in NO_PERSON if term and term in name]
    return [*others, *find_people(session, term, limit)][:limit]


def describe_actor(text: str) -> tuple[UUID | str, str] | None:
    """Who did things: by id or e-mail, and by id also when they are gone."""
    if text in NO_PERSON:
        return text, text.capitalize()
    return describe_person(text, queries.audit.actor_email)


def subject_of(session: Session, ids: Sequence[int]) -> dict[int, ShortText]:
    """The records that events are about: a link where they have a page the person may see."""
    found = queries.audit.subjects(session, ids)
    named = [(told.kind, told.key) for told in found.values()]
    there = subjects.pages(session, named, auth.current_person())
    return {
        key: ShortText(told.label, told.label or "", there.get((told.kind, told.key)))
        for key, told in found.items()
        if told.label
    }


def summary_of(session: Session, ids: Sequence[int]) -> dict[int, words.Summary]:
    """What events changed, in a few words."""
    found = queries.audit.changes(session, ids, words.LONG)
    return {key: words.summary(told) for key, told in found.items()}


@dataclass(frozen=True, slots=True)
class ActionFilter(Filter):
    """One action: of those known here, or one that is on record all the same."""

    kind: ClassVar[str] = "grouped"

    @property
    def options(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        """The actions to choose from, by what they are about."""
        return words.grouped(queries.audit.actions(db.session()))

    def read(self, args: Mapping[str, str]) -> Active | None:
        """See `Filter.read`."""
        value = args.get(self.name, "")
        if not value:
            return None
        if value not in SAID and value not in queries.audit.actions(db.session()):
            message = f"The filter {self.label} does not know “{value[:40]}”."
            raise FilterError(message)
        return Active(AuditEvent.action == value, words.label(value))


@dataclass(frozen=True, slots=True)
class SubjectFilter(TextFilter):
    """The key of a record, together with its kind where that is filtered, too."""

    def read(self, args: Mapping[str, str]) -> Active | None:
        """See `Filter.read`."""
        found = TextFilter.read(self, args)
        kind = args.get("subject_type")
        if found is None:
            return None
        key = found.text.lower()  # ids of people are written in both cases
        return Active(queries.audit.about(kind, key), found.text)


class AuditView(ResourceView):
    """Who did what to which record."""

    resource = AUDIT
    section = "Record"
    icon = "history"
    about = (
        "Who did what, when and to which record, the newest first. Nobody can change or remove it."
    )
    label_column = "action"
    column_list = ("at", "actor_email", "action", "subject", "summary", "reason")
    column_details_list = AUDIT.fields
    column_export_list = ("id", *AUDIT.fields)
    column_labels = {
        "at": "When",
        "actor_email": "Who",
        "action": "What",
        "subject": "On what",
        "summary": "What changed",
    }
    column_kinds = {
        "at": "event",
        "actor_email": "who",
        "action": "told",
        "subject": "subject",
        "summary": "changes",
        "reason": "said",
    }
    column_shapes = {"at": words.stamped, "action": words.told}
    list_loaders = {"subject": subject_of, "summary": summary_of}
    row_also = ("actor_id", "actor_level", "viewing_as_email", "subject_type", "subject_id")
    column_searchable_list = ("actor_email", "subject_label", "reason")
    search_column = Newest(
        (COLUMNS.actor_email, COLUMNS.subject_label, COLUMNS.reason), among=SEARCHED
    )
    search_hint = "Search who, on what or reason"
    column_sortable_list = ("at",)
    column_default_sort = ("at", True)
    filters = (
        ActionFilter("action", "Action", "activity"),
        LookupFilter(
            "actor",
            "Who",
            "user-cog",
            "people",
            queries.audit.done_by,
            describe_actor,
            "actor_email",
        ),
        DayFilter("at", "When", "calendar", AuditEvent.at),
        ChoiceFilter("subject_type", "Kind of record", "table", AuditEvent.subject_type, KINDS),
        SubjectFilter(
            "subject_id",
            "Id of the record",
            "hash",
            lambda key: AuditEvent.subject_id == key,
            LONGEST_ID,
        ),
        TextFilter(
            "request_id",
            "Request",
            "link",
            lambda key: AuditEvent.request_id == key,
            LONGEST_REQUEST,
        ),
    )
    form_lookups = {"people": Lookup(find_actors)}
    list_part = "audit/_searched.html"
    record_template = "audit/record.html"
    missing_text = "There is no such event."

    def __init__(self) -> None:
        super().__init__()
        self.name = "Audit"
        self.singular, self.plural = "event", "events"

    def list_context(self, query: listing.Query, *, whole: bool) -> dict[str, Any]:  # noqa: ARG002
        """How far back a search looked, where that is not to the beginning."""
        session = db.session()
        cut = bool(query.search) and queries.audit.reaches(session, SEARCHED)
        return {"searched": f"{SEARCHED:,}" if cut else None}

    # ---- the page of one event -------------------------------------------------------------

    @expose("/details/")
    def details_view(self) -> ResponseReturnValue:
        """The page of one event, at Flask-Admin's address."""
        return pages.record(self, editing.record(self, request.args.get("id", "")))

    def record_context(self, row: AuditEvent) -> dict[str, Any]:
        """All that is known of an event, and where to go from it."""
        session, person = db.session(), auth.current_person()
        same = queries.audit.of_request(session, row, REQUEST_SHOWN + 1)
        subject = (row.subject_type, row.subject_id)
        who = ("user", str(row.actor_id)) if row.actor_id else ("user", None)
        viewed = ("user", str(row.viewing_as_id)) if row.viewing_as_id else ("user", None)
        named = [subject, who, viewed, *((e.subject_type, e.subject_id) for e in same)]
        there = subjects.pages(session, named, person)
        around = queries.audit.around(session, row)
        return {
            "page_title": f"{words.sentence(row)} · {self.name}",
            "sentence": words.sentence(row),
            "at": words.stamped(row.at),
            "subject_url": there.get(subject),
            "who_url": there.get(who),
            "viewed_url": there.get(viewed),
            "changes": list(recorded(row.changes)),
            "holds": audit.holds(row),
            "before_url": subjects.event_url(around.before) if around.before else None,
            "after_url": subjects.event_url(around.after) if around.after else None,
            "subject_events": subjects.events_url(
                subject_type=row.subject_type, subject_id=row.subject_id
            ),
            "same": [
                {
                    "url": subjects.event_url(e.id),
                    "said": said(e.action),
                    "subject": e.subject_label,
                    "subject_url": there.get((e.subject_type, e.subject_id)),
                    "at": words.stamped(e.at),
                }
                for e in same[:REQUEST_SHOWN]
            ],
            "more_same": len(same) > REQUEST_SHOWN,
            "request_events": subjects.events_url(request_id=row.request_id),
        }
