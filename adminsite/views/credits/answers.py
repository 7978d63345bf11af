"""What a change of credits is answered with: the list, the new row, a page, or JSON."""

from typing import TYPE_CHECKING, Any

from flask import current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from adminsite import auth
from adminsite.config import Settings
from adminsite.errors import MissingError
from adminsite.kit import editing, pages, responses
from adminsite.kit.filters import FilterError
from adminsite.models import CreditTransaction, PendingAdjustment, User
from adminsite.operations.ledger import Outcome
from adminsite.views.credits import words
from adminsite.views.credits.waiting import waiting

if TYPE_CHECKING:
    from adminsite.kit import ResourceView

URL = "/admin/credits"
CHANGED = "credits"  # the event that other pages listen for
TO_LIST = {"HX-Retarget": "#list", "HX-Reswap": "outerHTML"}
TO_ROWS = {"HX-Retarget": "#rows", "HX-Reswap": "afterbegin"}
NOWHERE = {"HX-Reswap": "none"}
# Settled once the dialog is closed: behind it, nothing that asks for the focus gets it.
AFTER_DIALOG = {"HX-Reswap": "outerHTML settle:1ms"}


def cap() -> int | None:
    """How many credits the person adjusts alone; None for any."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings.adjust_cap(auth.current_person().level.label)


def outcome(view: "ResourceView", made: Outcome, user: User) -> ResponseReturnValue:
    """After an adjustment or a reversal: what became of it.

    Raises:
        MissingError: it was done before, and its request went with the person since.
    """
    if made.entry is not None:
        data = {"newBalance": made.entry.balance_after, "transaction": made.entry}
        return changed(view, words.entered(made.entry, user.display_name), data)
    if made.pending is None:
        message = "This was asked for before, and the request does not exist any more."
        raise MissingError(message)
    said = words.asked(made.pending, user.display_name)
    return changed(view, said, {"pending": made.pending}, status=202)


def changed(
    view: "ResourceView",
    message: str,
    data: dict[str, Any],
    *,
    status: int = 200,
    decided: bool = False,
) -> ResponseReturnValue:
    """The answer to a change: the list with the new row, wherever it was asked from.

    After a request was decided on, the focus goes to the next one that waits.
    """
    if responses.wants_json():
        return responses.accepted({name: _plain(value) for name, value in data.items()}, status)
    if not responses.is_fragment():
        back = auth.safe_next(request.form.get("return_to"))
        return responses.done(back or URL, message)
    answer = responses.toast(_shown(view, data.get("transaction"), decided=decided), message)
    return responses.telling(answer, CHANGED)


def _plain(value: Any) -> Any:
    if isinstance(value, CreditTransaction):
        return words.plain_entry(value)
    if isinstance(value, PendingAdjustment):
        return words.plain_request(value)
    return value


def _shown(
    view: "ResourceView", entry: CreditTransaction | None, *, decided: bool
) -> ResponseReturnValue:
    """What the page that htmx asks from shows differently now."""
    here = responses.asked_from()
    if here is None:
        row = str(editing.drawn_row(view, entry.id)) if entry is not None else ""
        return row, TO_ROWS if row else NOWHERE
    path, params = here
    if path != URL:
        return "", NOWHERE
    params.pop("cursor", None)  # what is new stands on the first page
    try:
        region = pages.listed(view, params, whole=False)
    except FilterError:
        region = pages.listed(view, MultiDict(), whole=False)
    panel = view.render(
        "credits/_pending.html", view=view, pending=waiting(), oob=True, decided=decided
    )
    return region + str(panel), TO_LIST | (AFTER_DIALOG if decided else {})
