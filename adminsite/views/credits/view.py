"""The credits screen: every entry of the ledger, and the acts that add one."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import expose

from adminsite import auth, queries
from adminsite.db import db
from adminsite.kit import (
    CaseFilter,
    ChoiceFilter,
    DayFilter,
    Lookup,
    LookupFilter,
    ResourceView,
    listing,
    responses,
)
from adminsite.models import CreditTransaction
from adminsite.operations import ledger
from adminsite.permissions import Actor, Permission, may
from adminsite.queries.ledger import Totals
from adminsite.resources import CREDITS
from adminsite.views.credits import adjusting, answers, batches, reversing, words
from adminsite.views.credits.forms import new_key
from adminsite.views.credits.waiting import waiting
from adminsite.views.links import describe_person, find_people

TYPES = tuple((kind, words.label(kind)) for kind in CreditTransaction.TYPES)
DAYS = DayFilter("created_at", "Date", "calendar", CreditTransaction.created_at)
SUMMED = frozenset({"type", "created_at"})  # filters whose totals are kept day by day
WRITES = (
    "adjust_form",
    "adjust_preview",
    "adjust",
    "ask_reverse",
    "reverse",
    "ask_approve",
    "approve",
    "ask_decline",
    "decline",
    "bulk_form",
    "bulk",
)


def describe_holder(text: str) -> tuple[UUID | str, str] | None:
    """The person with this id or e-mail; one who was deleted by the address that was kept."""
    person = describe_person(text)
    if person is None and text.isprintable() and queries.ledger.has_left(db.session(), text):
        return text, f"{text} (deleted)"
    return person


def describe_actor(text: str) -> tuple[UUID, str] | None:
    """Who made entries: by id or e-mail, and by id also when they are gone."""
    return describe_person(text, queries.ledger.actor_email)


class CreditView(ResourceView):
    """A change of somebody's credits."""

    resource = CREDITS
    section = "Money"
    icon = "coins"
    about = "Every change of a balance, the newest first. Entries are never changed or deleted."
    label_column = "user_email"
    column_list = (
        "created_at",
        "user_email",
        "type",
        "amount",
        "balance_after",
        "description",
        "actor_email",
    )
    column_details_list = (
        "created_at",
        "user_email",
        "type",
        "amount",
        "balance_after",
        "description",
        "actor_email",
        "approved_by",
        "reference_id",
        "reverses_id",
    )
    column_export_list = (
        "created_at",
        "user_email",
        "type",
        "amount",
        "balance_after",
        "description",
        "actor_email",
        "approved_by",
        "reference_id",
        "id",
        "reverses_id",
    )
    column_labels = {
        "created_at": "Date",
        "user_email": "User",
        "balance_after": "Balance",
        "description": "Reason",
        "actor_email": "By",
        "approved_by": "Approved by",
        "reference_id": "Reference",
        "reverses_id": "Reverses entry",
    }
    column_kinds = {
        "user_email": "holder",
        "type": "word",
        "amount": "amount",
        "description": "said",
        "actor_email": "actor",
        "reverses_id": "key",
    }
    column_shapes = {"type": words.label, "description": ledger.reason_of}
    column_searchable_list = ("user_email",)
    search_also = {"user_email": queries.ledger.holder_like}
    column_sortable_list = ("created_at",)
    row_also = ("user_id", "actor_id", "approved_by")
    row_actions = "entry_actions"
    filters = (
        LookupFilter(
            "user", "User", "user", "people", queries.ledger.held_by, describe_holder, "user_email"
        ),
        ChoiceFilter("type", "Type", "tag", CreditTransaction.type, TYPES),
        LookupFilter(
            "actor",
            "By",
            "user-cog",
            "people",
            lambda key: CreditTransaction.actor_id == key,
            describe_actor,
            "actor_email",
        ),
        DAYS,
        CaseFilter(
            "sign",
            "Amount",
            "coins",
            {
                "positive": ("Added", CreditTransaction.amount > 0),
                "negative": ("Taken away", CreditTransaction.amount < 0),
            },
        ),
    )
    form_lookups = {"people": Lookup(find_people)}
    list_template = "credits/list.html"
    list_part = "credits/_totals_later.html"
    route_permissions = {
        "totals": Permission.CREDITS_READ,
        **dict.fromkeys(WRITES, Permission.CREDITS_WRITE),
    }

    def __init__(self) -> None:
        super().__init__()
        self.singular, self.plural = "entry", "entries"

    @cached_property
    def search_hint(self) -> str | None:
        """What the search box says it searches."""
        return "Search e-mail or name"

    @property
    def acts_on_rows(self) -> bool:
        """Entries are reversed by those who may adjust credits."""
        person = auth.current_actor()
        return person is not None and may(person, Permission.CREDITS_WRITE)

    def refusals(
        self,
        records: Sequence[Any],
        person: Actor,  # noqa: ARG002 - nobody may more than another
    ) -> Mapping[Any, Mapping[str, str]]:
        """Which entries cannot be reversed, and why."""
        found = ledger.reversal_objections(records)
        return {key: {"reverse": refusal.message} for key, refusal in found.items()}

    def list_context(self, query: listing.Query, *, whole: bool) -> dict[str, Any]:
        """Where the totals are, and what waits for a second person."""
        context: dict[str, Any] = {"totals_url": query.url(f"{answers.URL}/totals")}
        return context | {"waiting": waiting()} if whole else context

    # ---- totals ----------------------------------------------------------------------------

    @expose("/totals")
    def totals(self) -> ResponseReturnValue:
        """What the list adds up to, as it is filtered; fetched after the list is on the screen."""
        query = listing.read(self, request.args)
        found = add_up(self, query)
        if responses.wants_json():
            return responses.accepted({**found._asdict(), "net": found.net})
        figures = [
            ("Entries", f"{found.entries:,}", ""),
            ("Added", words.moved(found.added), "gain" if found.added else ""),
            ("Taken", words.moved(-found.taken), "loss" if found.taken else ""),
            ("Net", words.moved(found.net), ""),
        ]
        if responses.is_fragment():
            return self.render("credits/_totals.html", figures=figures)
        return self.render(
            "credits/totals.html",
            view=self,
            figures=figures,
            chips=[
                (flt.label, query.filters[flt.name].text)
                for flt in self.filters
                if flt.name in query.filters
            ],
            search=query.search,
            list_url=query.url(answers.URL),
            page_title="Totals",
            breadcrumb=[(self.name, answers.URL), ("Totals", None)],
        )

    # ---- adjusting -------------------------------------------------------------------------

    @expose("/adjust")
    def adjust_form(self) -> ResponseReturnValue:
        """The dialog that adjusts somebody's credits."""
        return adjusting.form(self)

    @expose("/adjust/preview")
    def adjust_preview(self) -> ResponseReturnValue:
        """What the amount typed so far would do."""
        return adjusting.preview(self)

    @expose("/adjust", methods=("POST",))
    def adjust(self) -> ResponseReturnValue:
        """Adjust somebody's credits."""
        return adjusting.adjust(self)

    @expose("/bulk")
    def bulk_form(self) -> ResponseReturnValue:
        """The page that adjusts many."""
        return batches.form(self)

    @expose("/bulk", methods=("POST",))
    def bulk(self) -> ResponseReturnValue:
        """Check many adjustments, or make them all."""
        return batches.submit(self)

    # ---- reversing and deciding ------------------------------------------------------------

    @expose("/<pk>/reverse")
    def ask_reverse(self, pk: int) -> ResponseReturnValue:
        """What reversing an entry would do."""
        return reversing.ask_reverse(self, pk, {"idempotency_key": new_key()})

    @expose("/<pk>/reverse", methods=("POST",))
    def reverse(self, pk: int) -> ResponseReturnValue:
        """Reverse an entry."""
        return reversing.reverse(self, pk)

    @expose("/pending/<int:pending_id>/approve")
    def ask_approve(self, pending_id: int) -> ResponseReturnValue:
        """What approving a request would do."""
        return reversing.ask_decision(self, pending_id, "approve", {})

    @expose("/pending/<int:pending_id>/approve", methods=("POST",))
    def approve(self, pending_id: int) -> ResponseReturnValue:
        """Approve a request."""
        return reversing.approve(self, pending_id)

    @expose("/pending/<int:pending_id>/decline")
    def ask_decline(self, pending_id: int) -> ResponseReturnValue:
        """What declining a request would do."""
        return reversing.ask_decision(self, pending_id, "decline", {})

    @expose("/pending/<int:pending_id>/decline", methods=("POST",))
    def decline(self, pending_id: int) -> ResponseReturnValue:
        """Decline a request."""
        return reversing.decline(self, pending_id)


def add_up(view: ResourceView, query: listing.Query) -> Totals:
    """The totals of what a list shows: of whole days where that is all, else entry by entry."""
    session = db.session()
    if query.search or set(query.filters) - SUMMED:
        return queries.ledger.totals(session, *listing.conditions(view, session, query))
    first, last = DAYS.period(query.params)
    return queries.ledger.totals_of_days(
        session, first and first.date(), last and last.date(), query.params.get("type")
    )
