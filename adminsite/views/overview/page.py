"""The panel's first page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, redirect, request
from flask.typing import ResponseReturnValue
from flask_admin import expose

from adminsite import auth
from adminsite.config import Settings
from adminsite.db import db, utc_now
from adminsite.kit.panel import IndexView
from adminsite.permissions import Actor, Permission, may
from adminsite.views.overview import activity, cards, charts
from adminsite.views.overview.kept import Kept
from adminsite.views.overview.periods import PERIODS, Period, chosen
from adminsite.views.overview.read import numbers
from adminsite.web import is_htmx

KEPT = "overview"
ACTIONS = (
    (
        Permission.USERS_READ,
        "Manage Users",
        "Find somebody, and see what is theirs.",
        "/admin/users",
        "users",
    ),
    (
        Permission.SUBSCRIPTIONS_READ,
        "Manage Subscriptions",
        "Who pays for which plan, and until when.",
        "/admin/subscriptions",
        "credit-card",
    ),
    (
        Permission.CREDITS_READ,
        "Credit Operations",
        "Balances and every entry that led to them.",
        "/admin/credits",
        "coins",
    ),
    (
        Permission.LINKS_WRITE,
        "New Link",
        "Give a long address a short name.",
        "/admin/links/new/",
        "plus",
    ),
    (
        Permission.DATA_IMPORT,
        "Import",
        "Links, keywords or users from a CSV file.",
        "/admin/import",
        "upload",
    ),
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one level of person sees of a period, counted at one moment."""

    period: Period
    at: datetime
    cards: tuple[cards.Card, ...]
    charts: tuple[charts.Chart, ...]
    events: tuple[activity.Line, ...] | None
    links: tuple[activity.ChangedLink, ...] | None


class Overview(IndexView):
    """Figures that lead to their lists, how they came to be, and what happened last."""

    permission = Permission.PANEL_READ
    icon = "layout-dashboard"

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """The overview of a period; `fresh=1` counts anew.

        Source: issue "Money", 4; R-002-38 to R-002-45, D-10.
        """
        person, anew = auth.current_person(), request.args.get("fresh") == "1"
        period = chosen(request.args.get("period", ""), utc_now().date())
        # what somebody of one level was shown is never shown to another
        key = (period.key, period.days, person.level)
        seen = kept().get(key, lambda: _count(period, person), anew=anew)
        here = _address(period.key)
        if anew and not is_htmx():
            return redirect(here, 303)  # so that loading the page again counts nothing
        return self.render(
            "overview/_overview.html" if is_htmx() else "overview/index.html",
            seen=seen,
            kept_for_s=kept().for_s,
            periods=_periods(period),
            refresh_url=f"{here}&fresh=1",
            here=here,
            actions=_actions(person),
            page_title="Overview",
            breadcrumb=[("Overview", None)],
        )


def kept() -> Kept:
    """What this application, on its database, counted a moment ago."""
    found: Kept = current_app.extensions.setdefault(KEPT, Kept(_settings().overview_cache_s))
    return found


def _count(period: Period, person: Actor) -> Snapshot:
    session, now = db.session(), utc_now()
    found = numbers(session, period, dict(_settings().prices), now)
    audited = may(person, Permission.AUDIT_READ)
    return Snapshot(
        period=period,
        at=now,
        cards=tuple(card for card in cards.of(found) if may(person, card.permission)),
        charts=tuple(chart for chart in charts.of(found) if may(person, chart.permission)),
        events=activity.events(session, person, now) if audited else None,
        links=None if audited else activity.links(session, now),
    )


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found


def _address(period: str) -> str:
    return f"/admin?period={period}"


def _periods(period: Period) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "label": make(period.days.last).label,
            "url": _address(key),
            "current": key == period.key,
        }
        for key, make in PERIODS.items()
    ]


def _actions(person: Actor) -> list[dict[str, str]]:
    return [
        {"label": label, "about": about, "url": url, "icon": icon}
        for permission, label, about, url, icon in ACTIONS
        if may(person, permission)
    ]
