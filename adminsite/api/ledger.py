"""Credits over JSON: `/api/admin/credits`.

Source: contract, JSON; R-002-31 to R-002-36; D-13, D-14.
"""

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from adminsite import auth
from adminsite.api import contracts, envelope
from adminsite.api.describe import Operation, described
from adminsite.config import Settings
from adminsite.errors import InvalidError
from adminsite.kit.responses import accepted
from adminsite.operations import ledger
from adminsite.permissions import Permission

KEY = "Idempotency-Key"
ADJUSTMENT = contracts.Adjustment()
ADJUSTED, ASKED = contracts.AdjustedAnswer(), contracts.AskedAnswer()

blueprint = Blueprint("api_ledger", __name__, url_prefix="/api/admin/credits")
envelope.refuse_with_400(blueprint)
envelope.guard(blueprint, read=Permission.CREDITS_READ, write=Permission.CREDITS_WRITE)


@blueprint.post("/adjust", strict_slashes=False)
@described(
    Operation(
        "Credits",
        {200: contracts.AdjustedAnswer, 202: contracts.AskedAnswer},
        takes=contracts.Adjustment,
        keyed=True,
    )
)
def adjust() -> ResponseReturnValue:
    """Add credits to somebody or take some away; beyond `ADJUST_LIMIT` a second person decides."""
    values, by = envelope.sent(ADJUSTMENT), auth.current_person()
    if "userId" not in values:
        raise InvalidError({"userId": "Say whose credits: give the id of a person."})
    settings: Settings = current_app.config["SETTINGS"]
    with envelope.writing():
        outcome = ledger.adjust(
            envelope.locked_person(values.pop("userId")),
            values,
            by=by,
            cap=settings.adjust_cap(by.level.label),
            key=request.headers.get(KEY),
        )
    if outcome.entry is None:
        return accepted(ASKED.dump({"pending": outcome.pending}), 202)
    told = {"newBalance": outcome.entry.balance_after, "transaction": outcome.entry}
    return accepted(ADJUSTED.dump(told))
