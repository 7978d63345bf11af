"""Reversing an entry, and deciding on what somebody asked for: a question and its answer each."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from adminsite import auth
from adminsite.db import db, transaction
from adminsite.errors import InvalidError, MissingError, RuleError
from adminsite.kit import editing, responses
from adminsite.kit.columns import moment, signed
from adminsite.kit.forms import marked
from adminsite.models import CreditTransaction, PendingAdjustment, User
from adminsite.operations import ledger
from adminsite.operations.ledger import KeyReusedError
from adminsite.views.credits import answers, words
from adminsite.views.credits.adjusting import drawn
from adminsite.views.credits.forms import NoteForm, ReasonForm, new_key
from adminsite.views.credits.waiting import line

if TYPE_CHECKING:
    from adminsite.kit import ResourceView

LARGEST_KEY = 2**31
GONE = "This request does not exist any more. The account may have been deleted."


def ask_reverse(
    view: "ResourceView", pk: int, sent: Mapping[str, str], refusal: RuleError | None = None
) -> str:
    """What reversing would do, and the button for it.

    Raises:
        RuleError: it would be refused, whatever the reason.
        MissingError: there is no such entry.
    """
    entry = editing.record(view, pk)
    limit = answers.cap()
    seen = ledger.foresee_reversal(entry, by=auth.current_person(), cap=limit)
    name = db.session.get_one(User, entry.user_id).display_name
    return drawn(
        view,
        "credits/_reverse.html",
        f"Reverse {signed(entry.amount)} of {entry.user_email}?",
        form=_typed(ReasonForm(MultiDict(sent)), refusal),
        message=refusal.message if refusal else None,
        action_url=f"{answers.URL}/{entry.id}/reverse",
        cancel_url=answers.URL,
        facts=_facts(entry),
        seen=seen,
        will=words.will(seen, name),
        warnings=words.warnings(seen, name, limit),
        act="Ask for approval" if seen.waits else "Reverse entry",
    )


def _facts(entry: CreditTransaction) -> list[tuple[str, str]]:
    at = moment(entry.created_at)
    found = [("Entry", f"{words.label(entry.type)}, {at.text if at else ''}")]
    if reason := ledger.reason_of(entry.description):
        found.append(("Reason then", reason))
    return found


def reverse(view: "ResourceView", pk: int) -> ResponseReturnValue:
    """Reverse the entry; a reason that is refused is asked for again."""
    sent = responses.submitted_once()
    key = sent.get("idempotency_key") or None
    try:
        with transaction():
            entry = editing.record(view, pk)
            made = ledger.reverse(
                entry, sent.get("reason"), by=auth.current_person(), cap=answers.cap(), key=key
            )
            user = db.session.get_one(User, entry.user_id)
    except (InvalidError, KeyReusedError) as refusal:
        if responses.wants_json():
            raise
        again = MultiDict(sent)
        if isinstance(refusal, KeyReusedError):
            again["idempotency_key"] = new_key()
        return ask_reverse(view, pk, again, refusal), refusal.status
    return answers.outcome(view, made, user)


def ask_decision(
    view: "ResourceView",
    pending_id: int,
    verb: str,
    sent: Mapping[str, str],
    refusal: RuleError | None = None,
) -> str:
    """What approving or declining would do, and the button for it.

    Raises:
        RuleError: it was decided, or is the person's own request.
        MissingError: there is no such request.
    """
    pending = found(pending_id)
    if objection := ledger.decision_objection(pending, by=auth.current_person()):
        raise objection
    seen = ledger.Foreseen(pending.user.credits_balance, pending.amount, waits=False)
    name = pending.user.display_name
    return drawn(
        view,
        "credits/_decide.html",
        f"{verb.capitalize()} {signed(pending.amount)} for {name}?",
        form=_typed(NoteForm(MultiDict(sent)), refusal),
        message=refusal.message if refusal else None,
        action_url=f"{answers.URL}/pending/{pending.id}/{verb}",
        cancel_url=answers.URL,
        request_line=line(pending),
        approving=verb == "approve",
        will=words.will(seen, name),
        warnings=words.warnings(seen, name, None) if verb == "approve" else [],
        act=verb.capitalize(),
    )


def approve(view: "ResourceView", pending_id: int) -> ResponseReturnValue:
    """Do what somebody else asked for."""
    sent = responses.submitted_once()
    try:
        with transaction():
            pending = found(pending_id)
            entry = ledger.approve(pending, sent.get("note"), by=auth.current_person())
            name = pending.user.display_name
    except InvalidError as refusal:
        return _asked_again(view, pending_id, "approve", sent, refusal)
    data: dict[str, Any] = {"newBalance": entry.balance_after, "transaction": entry}
    return answers.changed(view, words.entered(entry, name), data, decided=True)


def decline(view: "ResourceView", pending_id: int) -> ResponseReturnValue:
    """Turn it down."""
    sent = responses.submitted_once()
    try:
        with transaction():
            pending = ledger.decline(found(pending_id), sent.get("note"), by=auth.current_person())
            name = pending.user.display_name
    except InvalidError as refusal:
        return _asked_again(view, pending_id, "decline", sent, refusal)
    message = f"Declined {signed(pending.amount)} for {name}. Nothing was changed."
    return answers.changed(view, message, {"pending": pending}, decided=True)


def found(pending_id: int) -> PendingAdjustment:
    """The request with this key.

    Raises:
        MissingError: there is none.
    """
    row = db.session.get(PendingAdjustment, pending_id) if pending_id < LARGEST_KEY else None
    if row is None:
        raise MissingError(GONE)
    return row


def _asked_again(
    view: "ResourceView",
    pending_id: int,
    verb: str,
    sent: Mapping[str, str],
    refusal: InvalidError,
) -> ResponseReturnValue:
    if responses.wants_json():
        raise refusal
    return ask_decision(view, pending_id, verb, sent, refusal), refusal.status


def _typed(form: Any, refusal: RuleError | None) -> Any:
    return marked(form, refusal.fields) if refusal else form
