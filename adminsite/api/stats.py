"""The totals over JSON: `/api/admin/stats`.

Source: contract, JSON; R-002-38 to R-002-42.
"""

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue

from adminsite import queries
from adminsite.api import contracts, envelope
from adminsite.api.describe import Operation, described
from adminsite.config import Settings
from adminsite.db import db
from adminsite.kit.responses import accepted
from adminsite.permissions import Permission

STATS = contracts.StatsAnswer()

blueprint = Blueprint("api_stats", __name__, url_prefix="/api/admin/stats")
envelope.guard(blueprint, read=Permission.PANEL_READ, write=Permission.PANEL_READ)


@blueprint.get("", strict_slashes=False)
@described(Operation("Stats", {200: contracts.StatsAnswer}))
def index() -> ResponseReturnValue:
    """How many people and subscriptions there are, what credits came and went, and revenue."""
    settings: Settings = current_app.config["SETTINGS"]
    found = queries.overview.stats(db.session(), dict(settings.prices))
    told = {
        "totalUsers": found.total_users,
        "activeSubscriptions": found.active_subscriptions,
        "totalCreditsIssued": found.credits_issued,
        "totalCreditsUsed": found.credits_used,
        "revenueThisMonth": found.revenue_this_month,
    }
    return accepted(STATS.dump(told))
