"""Bulk actions: the preview of one, and doing it."""

from typing import TYPE_CHECKING, Any

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from adminsite.errors import OutdatedError
from adminsite.kit import bulk, listing
from adminsite.kit.responses import IN_DIALOG, accepted, done, is_fragment, toast, wants_json
from adminsite.kit.routes import deletions, lists

if TYPE_CHECKING:
    from adminsite.kit.view import ResourceView


def preview(view: "ResourceView") -> ResponseReturnValue:
    """What a bulk action would do, and the button for it."""
    return _previewed(view, _asked(view), bulk.chosen(view))


def run(view: "ResourceView") -> ResponseReturnValue:
    """Do a bulk action: all of it, or nothing and the name of the row that stands in the way."""
    action = _asked(view)
    keys = bulk.named(view)
    listing.read(view, request.form)  # refused before anything is done, not after
    try:
        message = bulk.run(view, action, keys, deletions.answers(view) if action.asks else {})
    except OutdatedError as refusal:
        if wants_json():
            raise
        again = _previewed(view, action, keys, refusal.message)
        return again, refusal.status, IN_DIALOG if is_fragment() else {}
    if wants_json():
        return accepted({"count": len(keys)})
    if is_fragment():
        return toast(lists.after_change(view, request.form), message)
    return done(str(view.url), message)


def _asked(view: "ResourceView") -> bulk.BulkAction:
    name = request.form.get("action", "")
    for action in view.allowed_actions():
        if action.name == name:
            return action
    message = f"There is no action called “{name[:40]}” here."
    raise BadRequest(message)


def _previewed(
    view: "ResourceView", action: bulk.BulkAction, keys: list[Any], message: str = ""
) -> str:
    context = bulk.preview(view, action, keys, message)
    return str(view.render("model/_bulk.html" if is_fragment() else "model/bulk.html", **context))
