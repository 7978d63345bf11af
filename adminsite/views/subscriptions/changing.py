"""Changing a subscription: the question with what it can become, and the request that does it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from wtforms import Form, TextAreaField

from adminsite import auth
from adminsite.db import transaction
from adminsite.errors import InvalidError, RuleError
from adminsite.kit import editing, pages, responses
from adminsite.kit.forms import Required
from adminsite.kit.responses import IN_DIALOG, SHOWN_AGAIN
from adminsite.models import Subscription
from adminsite.operations import subscriptions
from adminsite.views.subscriptions.words import (
    OWN_RECORD,
    TIERS,
    URL,
    facts,
    path,
    plan_word,
    price,
    status_word,
)

if TYPE_CHECKING:
    from adminsite.kit import ResourceView

CHANGED = "subscription"  # the event that other parts of the page listen for
MEANS = {
    "active": "It counts among the active subscriptions and in the revenue.",
    "trialing": "It is tried out, and does not count as active yet.",
    "past_due": "A payment is late. It does not count as active until it is paid.",
    "unpaid": "Nothing was paid in time. It does not count as active.",
    "canceled": "It ends now, on the plan it has. It can be made active again.",
}
OLD_ENDS = "It ends now, for good. The newer one stays as it is."


class Choice(NamedTuple):
    """Something a subscription can become.

    Attributes:
        label: what it is now, and what it would be.
        about: what that means.
    """

    value: str
    label: str
    about: str


@dataclass(frozen=True, slots=True)
class Change:
    """One of the two things that staff changes of a subscription.

    Attributes:
        name: in addresses and on controls.
        field: the column, and the name of the answer in requests.
        apply: the operation.
        choices: what it can become.
        refused: (subscription) to why it cannot become anything.
        said: what it has become, in a sentence.
    """

    name: str
    field: str
    apply: Callable[..., Subscription]
    choices: Callable[[Subscription], list[Choice]]
    refused: Callable[[Subscription], RuleError | None]
    said: Callable[[Subscription], str]


class ReasonForm(Form):
    """Why a subscription is changed."""

    reason = TextAreaField(
        "Reason",
        [Required()],
        id="change-reason",
        description="Whoever reads the history later sees it. At most 500 characters.",
    )


def plans(row: Subscription) -> list[Choice]:
    """The plans that a subscription is not on."""
    now, costs = plan_word(row.tier), price(row.tier)
    return [
        Choice(tier, f"{now} → {label}", _costs(price(tier), costs))
        for tier, label in TIERS
        if tier != row.tier
    ]


def moves(row: Subscription) -> list[Choice]:
    """The statuses that a subscription goes to from where it is."""
    now = status_word(row.status)
    means = MEANS if counts(row) else {subscriptions.ENDED: OLD_ENDS}
    return [
        Choice(status, f"{now} → {status_word(status)}", means[status])
        for status in subscriptions.moves(row)
    ]


def counts(row: Subscription) -> bool:
    """Whether it is the one of its person that the person's page repeats."""
    return subscriptions.objection(row) is None


def plan_refused(row: Subscription) -> RuleError | None:
    """Why a subscription stays on its plan; None when it need not."""
    return subscriptions.objection(row) or subscriptions.plan_objection(row.status)


def status_refused(row: Subscription) -> RuleError | None:
    """Why a subscription keeps its status; None when it need not."""
    return None if subscriptions.moves(row) else subscriptions.objection(row)


PLAN = Change(
    name="plan",
    field="tier",
    apply=subscriptions.change_plan,
    choices=plans,
    refused=plan_refused,
    said=lambda row: f"{_whose(row)} is on the plan {plan_word(row.tier)} now.",
)
STATUS = Change(
    name="status",
    field="status",
    apply=subscriptions.change_status,
    choices=moves,
    refused=status_refused,
    said=lambda row: f"{_whose(row)} is {subscriptions.word(row.status)} now.",
)


def ask(view: "ResourceView", pk: str, change: Change) -> ResponseReturnValue:
    """What it can become, and why it should.

    Raises:
        RuleError: it cannot become anything.
    """
    row = editing.record(view, pk)
    if refusal := change.refused(row):
        raise refusal
    return _question(view, row, change, request.args)


def apply(view: "ResourceView", pk: str, change: Change) -> ResponseReturnValue:
    """Change it; a refusal is the question again, with everything that was typed."""
    data = responses.submitted_once()
    try:
        with transaction():
            row = editing.locked(view, "edit", pk)
            before = getattr(row, change.field)
            asked = (data.get(change.field), data.get("reason"))
            change.apply(row, *asked, by=auth.current_person(), seen=data.get("was"))
    except RuleError as refusal:
        return _refused(view, pk, change, data, refusal)
    changed = getattr(row, change.field) != before
    return _done(view, row, change.said(row) if changed else "Nothing to change.")


def _refused(
    view: "ResourceView", pk: str, change: Change, data: MultiDict[str, str], refusal: RuleError
) -> ResponseReturnValue:
    fragment = responses.is_fragment()
    if responses.wants_json() or refusal.status not in SHOWN_AGAIN:
        raise refusal
    row = editing.record(view, pk)
    again = _question(view, row, change, data, refusal)
    return again, refusal.status, IN_DIALOG if fragment else {}


def _question(
    view: "ResourceView",
    row: Subscription,
    change: Change,
    data: Mapping[str, str],
    refusal: RuleError | None = None,
) -> str:
    fields = refusal.fields if refusal else {}
    form = ReasonForm(MultiDict({"reason": data.get("reason", "")}))
    form.reason.errors = [fields["reason"]] if "reason" in fields else []
    refused = change.refused(row)
    title = f"Change the {change.name} of {row.user.display_name}?"
    return_to = auth.safe_next(data.get("return_to"))
    context: dict[str, Any] = {
        "view": view,
        "page_title": title,
        "breadcrumb": [(view.name, URL), (title, None)],
        "change": change,
        "action_url": f"{path(row)}/{change.name}",
        "in_dialog": responses.is_fragment(),
        "target": None if return_to else _selector(f"{view.row_prefix}-{row.id}"),
        "return_to": return_to,
        "cancel_url": return_to or URL,
        "facts": facts(row),
        "own_record": OWN_RECORD,
        "counts": counts(row),
        "choices": [] if refused else change.choices(row),
        "chosen": data.get(change.field),
        "was": getattr(row, change.field) or "",
        "form": form,
        "wrong": fields.get(change.field),
        "message": _told_of_all(refusal) or _told_of_all(refused),
    }
    name = "_change" if responses.is_fragment() else "change"
    return str(view.render(f"subscriptions/{name}.html", **context))


def _done(view: "ResourceView", row: Subscription, message: str) -> ResponseReturnValue:
    if responses.wants_json():
        return responses.accepted(pages.plain_record(view, row))
    if not responses.is_fragment():
        return responses.done(auth.safe_next(request.form.get("return_to")) or URL, message)
    row_again = responses.toast(editing.drawn_row(view, row.id), message)
    return responses.telling(row_again, CHANGED)


def _told_of_all(refusal: RuleError | None) -> str | None:
    """What stands in the way, unless it is said beside a field."""
    return None if refusal is None or isinstance(refusal, InvalidError) else refusal.message


def _selector(dom_id: str) -> str:
    """The selector of the element with this id, whatever characters it holds."""
    escaped = dom_id.replace("\\", "\\\\").replace('"', '\\"')
    return f'[id="{escaped}"]'


def _costs(now: str, before: str) -> str:
    if not now:
        return "Its price is not set."
    return f"{now} a month instead of {before}." if before else f"{now} a month."


def _whose(row: Subscription) -> str:
    return f"The subscription of {row.user.display_name}"
