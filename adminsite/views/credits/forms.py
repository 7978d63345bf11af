"""The forms of the credits screen; the operation is what refuses, they show what it said."""

import secrets

from wtforms import Form, HiddenField, StringField, TextAreaField

from adminsite.kit import LookupField
from adminsite.kit.forms import Required

REASON = "Whoever reads the entry later sees it. At most 500 characters."


class AdjustForm(Form):
    """Adding credits, taking some, or setting a balance."""

    user_id = LookupField("Person", [Required()], id="adjust-user", lookup="people")
    amount = StringField(
        "Amount",
        id="adjust-amount",
        description="50 adds, −50 takes away.",
        render_kw={"autocomplete": "off"},
    )
    set_to = StringField(
        "Or set the balance to",
        id="adjust-set-to",
        description="Below zero is a debt.",
        render_kw={"autocomplete": "off"},
    )
    reason = TextAreaField("Reason", [Required()], id="adjust-reason", description=REASON)
    idempotency_key = HiddenField(id="adjust-key")


class ReasonForm(Form):
    """Why an entry is reversed."""

    reason = TextAreaField("Reason", [Required()], id="reverse-reason", description=REASON)
    idempotency_key = HiddenField(id="reverse-key")


class NoteForm(Form):
    """Why a request is approved or declined."""

    note = TextAreaField(
        "Note",
        [Required()],
        id="decide-note",
        description="Whoever asked sees it. At most 500 characters.",
    )


class BulkForm(Form):
    """Many adjustments at once."""

    lines = TextAreaField(
        "Lines",
        id="bulk-lines",
        description="One line for each adjustment: e-mail, amount, reason.",
        render_kw={"rows": "10", "spellcheck": "false", "autocomplete": "off"},
    )
    idempotency_key = HiddenField(id="bulk-key")


def new_key() -> str:
    """A word that names one form, so that sending it twice does it once."""
    return secrets.token_urlsafe(18)
