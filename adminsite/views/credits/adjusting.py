"""Adjusting one person's credits: the dialog, its preview, and the request that does it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from adminsite import auth, queries
from adminsite.db import db, transaction
from adminsite.errors import InvalidError, MissingError, RuleError
from adminsite.kit import responses
from adminsite.kit.forms import marked
from adminsite.models import User
from adminsite.operations import ledger
from adminsite.views.credits import answers, words
from adminsite.views.credits.forms import AdjustForm, new_key
from adminsite.views.links import describe_person

if TYPE_CHECKING:
    from adminsite.kit import ResourceView

RECENT = 5
GONE = "User not found. They may have been deleted."
NOBODY = "Choose a person from the list, or type their e-mail."
AMOUNTS = ("amount", "set_to")
SHOWN_AGAIN = frozenset({400, 409, 422})


def form(view: "ResourceView") -> ResponseReturnValue:
    """The empty dialog; `?user=` chooses the person.

    Raises:
        MissingError: there is no such person.
    """
    chosen = request.args.get("user", "")
    user = find(chosen, strict=True) if chosen else None
    sent = MultiDict({"idempotency_key": new_key(), "fixed": "1" if user else ""})
    sent["return_to"] = request.args.get("return_to", "")
    return shown(view, AdjustForm(sent), user, sent)


def preview(view: "ResourceView") -> ResponseReturnValue:
    """What the amounts typed so far would do; for htmx, while somebody types."""
    user = find(request.args.get("user_id", ""), strict=False)
    fixed = bool(request.args.get("fixed"))
    told = foreseen(user, request.args)
    return str(view.render("credits/_preview.html", **told, fixed=fixed, late=True))


def adjust(view: "ResourceView") -> ResponseReturnValue:
    """Do it; a refusal shows the dialog again with everything that was typed.

    Raises:
        MissingError: there is no such person.
    """
    sent = responses.submitted_once(AMOUNTS)
    user = None
    try:
        user = chosen_user(sent.get("user_id", ""))
        if sent.get("preview"):  # without script: the form again, with what it would do
            return shown(view, AdjustForm(sent), user, sent)
        with transaction():
            values = {name: sent.get(name) for name in (*AMOUNTS, "reason")}
            key = sent.get("idempotency_key") or None
            person = auth.current_person()
            made = ledger.adjust(user, values, by=person, cap=answers.cap(), key=key)
    except RuleError as refusal:
        return _refused(view, sent, user, refusal)
    return answers.outcome(view, made, user)


def _refused(
    view: "ResourceView", sent: MultiDict[str, str], user: User | None, refusal: RuleError
) -> ResponseReturnValue:
    if refusal.status not in SHOWN_AGAIN or responses.wants_json():
        raise refusal
    again = MultiDict(sent)
    if isinstance(refusal, ledger.KeyReusedError):  # sent before with other values
        again["idempotency_key"] = new_key()
    typed = marked(AdjustForm(again), refusal.fields)
    return shown(view, typed, user, again, refusal.message), refusal.status


def shown(
    view: "ResourceView",
    typed: AdjustForm,
    user: User | None,
    sent: Mapping[str, str],
    message: str | None = None,
) -> str:
    """The dialog over a page, or a page of its own without htmx."""
    back = auth.safe_next(sent.get("return_to"))
    fixed = user if sent.get("fixed") else None  # else they may still choose another person
    if user is not None:
        typed.user_id.data, typed.user_id.text = str(user.id), user.email
    context = {
        "form": typed,
        "fixed": fixed,
        "message": message,
        "return_to": back,
        "cancel_url": back or answers.URL,
        "lookup_url": f"{answers.URL}/ajax/lookup/?name=people",
        **foreseen(user, sent),
    }
    title = f"Adjust the credits of {fixed.display_name}" if fixed else "Adjust credits"
    return drawn(view, "credits/_adjust.html", title, **context)


def drawn(view: "ResourceView", part: str, title: str, **context: Any) -> str:
    """A part in a dialog when htmx asks, else on a page."""
    fragment = responses.is_fragment()
    return str(
        view.render(
            "credits/_dialog.html" if fragment else "credits/page.html",
            view=view,
            part=part,
            title=title,
            in_dialog=fragment,
            page_title=title,
            breadcrumb=[(view.name, answers.URL), (title, None)],
            **context,
        )
    )


def foreseen(user: User | None, sent: Mapping[str, str]) -> dict[str, Any]:
    """What is known of the person, and what the amounts would do to their balance."""
    told: dict[str, Any] = {"user": user, "seen": None, "problem": None, "act": words.act(None)}
    if user is None:
        return told
    told["recent"] = recent(user)
    values = {name: sent.get(name) for name in AMOUNTS if sent.get(name)}
    if not values:
        return told
    limit = answers.cap()
    try:
        seen = ledger.foresee(user, values, by=auth.current_person(), cap=limit)
    except RuleError as refusal:
        return told | {"problem": refusal.message}
    return told | {
        "seen": seen,
        "will": words.will(seen, user.display_name),
        "warnings": words.warnings(seen, user.display_name, limit),
        "act": words.act(seen),
    }


def recent(user: User) -> list[dict[str, Any]]:
    """The person's newest entries, as lines."""
    found = queries.people.recent_transactions(db.session(), user.id, RECENT)
    return [words.line(entry) for entry in found]


def find(text: str, *, strict: bool) -> User | None:
    """The person with this id or e-mail.

    Raises:
        MissingError: there is none, and there must be.
    """
    found = describe_person(text.strip())
    user = db.session.get(User, found[0]) if found else None
    if user is None and strict:
        raise MissingError(GONE)
    return user


def chosen_user(text: str) -> User:
    """The person whose id was sent, or whose e-mail was typed.

    Raises:
        MissingError: nobody has the id.
        InvalidError: it is no id, and nobody has the e-mail.
    """
    user = find(text, strict=_is_id(text.strip()))
    if user is None:
        raise InvalidError({"user_id": NOBODY})
    return user


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
