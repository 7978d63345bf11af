"""The list of subscriptions, and the page of one (issue "Money", 3)."""

from collections.abc import Mapping, Sequence
from typing import Any

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
    editing,
    pages,
)
from adminsite.kit.columns import moment
from adminsite.models import Subscription, User
from adminsite.operations import subscriptions
from adminsite.permissions import Actor, Permission, may
from adminsite.queries.subscriptions import replaced, with_id_like
from adminsite.resources import SUBSCRIPTIONS
from adminsite.views.links import describe_person, find_people
from adminsite.views.subscriptions import changing
from adminsite.views.subscriptions.words import (
    OWN_RECORD,
    STATUSES,
    TIERS,
    card,
    facts,
    history,
    path,
    plan,
)

UNKNOWN = ("unknown", "Unknown")
COUNTS = {
    "yes": ("Newest of its person", ~replaced()),
    "no": ("Replaced by a newer one", replaced()),
}
OTHERS_SHOWN = 20
PEOPLE = User.__table__.c


class SubscriptionView(ResourceView):
    """What a person pays for, as the company records it."""

    resource = SUBSCRIPTIONS
    section = "Money"
    icon = "credit-card"
    about = f"Who is on which plan. {OWN_RECORD}"
    column_list = ("email", "tier", "status", "current_period_end", "created_at")
    column_export_list = (
        "id",
        "email",
        "tier",
        "status",
        "price_id",
        "current_period_start",
        "current_period_end",
        "cancel_at_period_end",
        "canceled_at",
        "created_at",
    )
    column_labels = {
        "email": "Person",
        "tier": "Plan",
        "current_period_end": "Period ends",
        "created_at": "Since",
    }
    column_kinds = {
        "email": "subscriber",
        "tier": "subscribed",
        "status": "standing",
        "current_period_end": "period_end",
    }
    column_shapes = {"tier": plan, "current_period_end": moment}
    row_also = ("user_id", "display_name", "cancel_at_period_end", "replaced")
    list_joins = (User,)
    list_columns = {
        "email": PEOPLE.email,
        "display_name": PEOPLE.display_name,
        "email_key": PEOPLE.email_key,
        "replaced": replaced(),
    }
    label_column = "email"
    column_searchable_list = ("email", "display_name", "id")
    search_column = PEOPLE.search_text
    search_also = {"id": with_id_like}
    search_hint = "Search e-mail, name or id"
    column_sortable_list = ("email", "created_at")
    sort_columns = {"email": "email_key"}
    filters = (
        ChoiceFilter("status", "Status", "credit-card", Subscription.status, STATUSES),
        ChoiceFilter(
            "tier", "Plan", "badge-check", Subscription.tier, (*TIERS, UNKNOWN), none=UNKNOWN[0]
        ),
        DayFilter("current_period_end", "Period ends", "calendar", Subscription.current_period_end),
        DayFilter("created_at", "Since", "clock", Subscription.created_at),
        CaseFilter("counts", "Counts", "circle-check", COUNTS),
        LookupFilter(
            "user",
            "Person",
            "user",
            "people",
            Subscription.user_id.__eq__,
            describe_person,
            "email",
        ),
    )
    form_lookups = {"people": Lookup(find_people)}
    row_actions = "subscription_actions"
    record_template = "subscriptions/record.html"
    counts_pages = True
    route_permissions = dict.fromkeys(
        ("ask_plan", "change_plan", "ask_status", "change_status"), Permission.SUBSCRIPTIONS_WRITE
    )

    @property
    def acts_on_rows(self) -> bool:
        """Whether the person may change a subscription."""
        person = auth.current_actor()
        return person is not None and may(person, self.resource.write)

    def refusals(self, records: Sequence[Any], person: Actor) -> Mapping[Any, Mapping[str, str]]:  # noqa: ARG002
        """What has ended stays on its plan."""
        why = {record.id: subscriptions.plan_objection(record.status) for record in records}
        return {key: {"plan": reason.message} for key, reason in why.items() if reason}

    # ---- the page of one subscription ------------------------------------------------------

    @expose("/details/")
    def details_view(self) -> ResponseReturnValue:
        """The page of one subscription, at Flask-Admin's address."""
        return pages.record(self, editing.record(self, request.args.get("id", "")))

    def record_context(self, row: Subscription) -> dict[str, Any]:
        """What it is, what can be changed of it, and what else the person had."""
        newer = subscriptions.objection(row)
        found = queries.subscriptions.of_person(db.session(), row.user_id, OTHERS_SHOWN)
        return {
            "page_title": f"Subscription of {row.user.display_name} · {self.name}",
            "path": path(row),
            "facts": facts(row) + history(row),
            "own_record": OWN_RECORD,
            "replaced": newer.message if newer else None,
            "plan_refusal": newer or subscriptions.plan_objection(row.status),
            "may_change": self.acts_on_rows,
            "others": [{"here": other.id == row.id, **card(other)} for other in found],
        }

    # ---- changing it -----------------------------------------------------------------------

    @expose("/<pk>/plan")
    def ask_plan(self, pk: str) -> ResponseReturnValue:
        """Which plan instead, and why."""
        return changing.ask(self, pk, changing.PLAN)

    @expose("/<pk>/plan", methods=("POST",))
    def change_plan(self, pk: str) -> ResponseReturnValue:
        """Put it on another plan (R-002-76)."""
        return changing.apply(self, pk, changing.PLAN)

    @expose("/<pk>/status")
    def ask_status(self, pk: str) -> ResponseReturnValue:
        """Which status instead, and why."""
        return changing.ask(self, pk, changing.STATUS)

    @expose("/<pk>/status", methods=("POST",))
    def change_status(self, pk: str) -> ResponseReturnValue:
        """Move it to another status."""
        return changing.apply(self, pk, changing.STATUS)
