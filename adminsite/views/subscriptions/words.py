"""Subscriptions in words: plans with their price, statuses, and what one of them is now."""

from typing import Any, NamedTuple
from urllib.parse import quote

from flask import current_app

from adminsite.config import Settings
from adminsite.kit.columns import moment
from adminsite.models import Subscription, User
from adminsite.operations import subscriptions
from adminsite.views.overview.numbers import money

URL = "/admin/subscriptions"
OWN_RECORD = "This is the company's own record. Changing it calls no payment provider."
TIERS = tuple((tier, tier.capitalize()) for tier in User.TIERS)
STATUSES = tuple((status, subscriptions.word(status).capitalize()) for status in User.STATUSES)
TONES = {"active": "success", "canceled": ""}  # the others ask for attention


class Plan(NamedTuple):
    """A plan with its price a month, in words; empty where nobody said."""

    tier: str | None
    price: str


def price(tier: str | None) -> str:
    """What a plan costs a month, in words; empty where nobody said."""
    settings: Settings = current_app.config["SETTINGS"]
    cents = settings.price(tier)
    return money(cents) if cents is not None else ""


def plan(tier: str | None) -> Plan:
    """A plan as a cell shows it."""
    return Plan(tier, price(tier))


def plan_word(tier: str | None) -> str:
    """A plan by its name."""
    return dict(TIERS).get(tier or "", "Unknown")


def status_word(status: str) -> str:
    """A status by its name."""
    return dict(STATUSES)[status]


def path(row: Subscription) -> str:
    """The address of a subscription."""
    return f"{URL}/{quote(row.id, safe='')}"


def facts(row: Subscription) -> list[tuple[str, str]]:
    """What a subscription is now, by label."""
    costs, ends = price(row.tier), moment(row.current_period_end)
    return [
        ("Person", row.user.email),
        ("Subscription", row.id),
        ("Plan now", f"{plan_word(row.tier)}, {costs} a month" if costs else plan_word(row.tier)),
        ("Status now", status_word(row.status)),
        (
            "Period ends",
            f"{ends.text}{'; it ends then' if ends_then(row) else ''}" if ends else "–",
        ),
    ]


def history(row: Subscription) -> list[tuple[str, str]]:
    """How it came about, and its end, by label."""
    dates = {"Since": row.created_at, "Changed": row.updated_at, "Ended": row.canceled_at}
    told = [(label, moment(at)) for label, at in dates.items()]
    return [(label, at.text) for label, at in told if at] + [
        ("Price at the provider", row.price_id or "–")
    ]


def card(row: Subscription) -> dict[str, Any]:
    """A subscription as a card or a line shows it (R-002-53)."""
    return {
        "id": row.id,
        "path": path(row),
        "status": subscriptions.word(row.status),
        "active": row.status == "active",
        "tone": TONES.get(row.status, "warning"),
        "tier": plan_word(row.tier),
        "price": price(row.tier),
        "ends": moment(row.current_period_end),
        "ends_then": ends_then(row),
        "since": moment(row.created_at),
        "ended": moment(row.canceled_at),
        "plan_refusal": subscriptions.plan_objection(row.status),
    }


def ends_then(row: Subscription) -> bool:
    """Whether it is to end with its period, and has not ended yet."""
    return row.cancel_at_period_end and row.status != subscriptions.ENDED
