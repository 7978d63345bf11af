"""The demo's members: what they subscribed to, what their credits came from and went to."""

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import cast

from sqlalchemy import Table, bindparam, update

from adminsite.audit import AUDITED_DML, record
from adminsite.db import db, utc_now
from adminsite.demo.members import MEMBERS, MONTHLY, USES
from adminsite.models import Subscription, User
from adminsite.operations import ledger, users
from adminsite.permissions import SYSTEM, Actor

SEED = 20  # the same people have the same past in every demo
LONGEST_DAYS = 540  # since the first of them joined
MONTH = timedelta(days=30)
MOST_ENTRIES_A_MONTH = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of somebody's ledger, before it is entered."""

    at: datetime
    user: User
    amount: int
    kind: str
    about: str
    reference: str = ""


@dataclass(slots=True)
class Past:
    """What is known of one member while their past is made up."""

    user: User
    joined: datetime
    balance: int = 0
    entries: list[Entry] = field(default_factory=list)

    def add(self, at: datetime, amount: int, kind: str, about: str, reference: str = "") -> None:
        """Note an entry, which comes after those before it."""
        if self.entries:
            at = max(at, self.entries[-1].at + timedelta(minutes=1))
        self.entries.append(Entry(at, self.user, amount, kind, about, reference))
        self.balance += amount


def load(member: User, owner: Actor, admin: Actor) -> None:
    """Add the members, their subscriptions and the ledger of the last 18 months.

    Args:
        member: who signs in as a member, and has a past as well.
        owner: one who adjusts credits.
        admin: another one.
    """
    rng = Random(SEED)  # noqa: S311 - made-up people, no secrets
    values = [{"email": email, "display_name": name} for name, email, *_plans in MEMBERS]
    people = users.create_many(values, by=SYSTEM)
    now = utc_now()
    pasts = [Past(user, _joined(place, now, rng)) for place, user in enumerate(people)]
    for past, (_name, _email, before, tier, status) in zip(pasts, MEMBERS, strict=True):
        _live(past, (before, tier, status), now, rng)
    mine = Past(member, now - timedelta(days=200))
    _live(mine, ("", "hobby", "active"), now, rng)
    pasts.append(mine)
    _mishaps({past.user.email: past for past in pasts}, now)
    _enter(pasts)
    _adjust({past.user.email: past.user for past in pasts}, owner, admin)
    _date(pasts)


def _joined(place: int, now: datetime, rng: Random) -> datetime:
    """More people joined lately than long ago."""
    share = 1 - place / len(MEMBERS)
    days = LONGEST_DAYS * share**1.4
    return now - timedelta(days=days + 1, minutes=rng.randrange(600))


def _live(past: Past, plans: tuple[str, str, str], now: datetime, rng: Random) -> None:
    """Give one member subscriptions and the credits that go with them."""
    before, tier, status = plans
    past.add(past.joined, 100, "bonus", "Welcome credits")
    began = past.joined + timedelta(days=rng.randrange(1, 4), hours=rng.randrange(24))
    ended = None
    if before:
        ended = past.joined + (now - past.joined) / 2
        _subscribe(past, before, "canceled", (began, ended), rng)
        _months(past, before, (began, ended), rng)
        began = ended + timedelta(days=rng.randrange(2, 9))
    if not tier:
        _browse(past, now, rng)
        return
    end = began + (now - began) * 0.6 if status == "canceled" else now
    began = min(began, now - timedelta(hours=20))
    _subscribe(past, tier, status, (began, end), rng)
    if status != "incomplete":
        _months(past, tier, (began, end), rng)


def _subscribe(
    past: Past, tier: str, status: str, span: tuple[datetime, datetime], rng: Random
) -> None:
    """Add one subscription; the member's row says the same."""
    began, end = span
    user, ended = past.user, status == "canceled"
    running = began + MONTH * ((end - began) // MONTH)
    subscription = Subscription(
        id=f"sub_{_code(rng, 14)}",
        user_id=user.id,
        status=status,
        tier=tier,
        price_id=f"price_{tier}_monthly",
        current_period_start=running,
        current_period_end=running + MONTH,
        cancel_at_period_end=ended or (status == "active" and rng.random() < 0.15),  # noqa: PLR2004
        canceled_at=end if ended else None,
        created_at=began,
        updated_at=running,
    )
    db.session.add(subscription)
    changes = {
        "subscription": [None, subscription.id],
        "subscription_tier": [user.subscription_tier, tier],
        "subscription_status": [user.subscription_status, status],
    }
    user.stripe_customer_id = user.stripe_customer_id or f"cus_{_code(rng, 14)}"
    user.subscription_tier, user.subscription_status = tier, status
    record("subscription.updated", user, changes, by=SYSTEM)


def _months(past: Past, tier: str, span: tuple[datetime, datetime], rng: Random) -> None:
    """Credits that come with each month of a plan, and their use."""
    start, end = span
    while start < end:
        about = f"{tier.capitalize()} plan, one month"
        past.add(start, MONTHLY[tier], "subscription", about, f"in_{_code(rng, 12)}")
        _use(past, start, min(start + MONTH, end), rng)
        if rng.random() < 0.08 and past.balance < MONTHLY[tier]:  # noqa: PLR2004
            _buy(past, start + MONTH * 0.9, end, rng)
        start += MONTH


def _browse(past: Past, now: datetime, rng: Random) -> None:
    """What somebody without a plan does."""
    _use(past, past.joined, min(past.joined + MONTH, now), rng)
    if rng.random() < 0.4:  # noqa: PLR2004
        _buy(past, past.joined + (now - past.joined) * 0.4, now, rng)
        _use(past, past.entries[-1].at, now, rng)


def _use(past: Past, start: datetime, end: datetime, rng: Random) -> None:
    """Some uses within this time, never of more than there is."""
    count = rng.randrange(1, MOST_ENTRIES_A_MONTH)
    for place in range(1, count + 1):
        amount = int(past.balance * rng.uniform(0.15, 0.55))
        at = start + (end - start) * (place / (count + 1)) * rng.uniform(0.9, 1.0)
        if amount > 0:
            past.add(at, -amount, "usage", rng.choice(USES))


def _buy(past: Past, at: datetime, end: datetime, rng: Random) -> None:
    if at < end:
        size = rng.choice((250, 500, 1_000, 2_500))
        past.add(at, size, "purchase", f"Pack of {size:,} credits", f"pi_{_code(rng, 12)}")


def _mishaps(pasts: dict[str, Past], now: datetime) -> None:
    """What happens now and then: refunds, credits that expire, a payment taken back."""
    past = pasts["ravi.menon@example.net"]
    past.add(now - timedelta(days=9, hours=3), 400, "refund", "Failed bulk redirects, credited")
    past = pasts["meiling.chen@example.net"]
    past.add(now - timedelta(days=17, hours=6), 150, "refund", "Reports that came out empty")
    for email in ("ingrid@example.org", "greta.lindqvist@example.net", "priya.r@example.net"):
        past = pasts[email]
        if past.balance > 0:
            past.add(now - timedelta(days=30), -past.balance, "expiration", "Plan ended")
    past = pasts["daniel.reyes@example.org"]
    at = now - timedelta(days=12)
    past.add(at, -(past.balance + 380), "clawback", "Payment taken back by the bank")
    past = pasts["amara.okafor@example.org"]
    past.add(now - timedelta(days=21), 2_000, "bonus", "A year with us")


def _enter(pasts: Sequence[Past]) -> None:
    """Enter everything in the order of time, so that numbers and times of entries agree."""
    now = utc_now()
    lines: Iterator[Entry] = (line for past in pasts for line in past.entries if line.at < now)
    for line in sorted(lines, key=lambda line: line.at):
        ledger.enter(
            line.user,
            line.amount,
            line.kind,
            by=SYSTEM,
            reference=line.reference,
            about=line.about,
            at=line.at,
        )


def _adjust(people: dict[str, User], owner: Actor, admin: Actor) -> None:
    """What staff did today: adjustments, a reversal, and requests for a second person."""

    def adjust(
        email: str, amount: int, why: str, by: Actor, cap: int | None = None
    ) -> ledger.Outcome:
        return ledger.adjust(people[email], {"amount": amount, "reason": why}, by=by, cap=cap)

    adjust("claire.dubois@example.org", 250, "Goodwill for the outage on Tuesday", admin)
    adjust("samuel.osei@example.org", -120, "Credited twice in the last import", owner)
    mistaken = adjust("marco.bianchi@example.org", 1_000, "Competition prize", admin).entry
    if mistaken is not None:
        ledger.reverse(mistaken, "The prize went to somebody else", by=admin, cap=None)
    big = adjust(
        "emilia.korhonen@example.net", 40_000, "Agreed in the yearly contract", admin, 5_000
    )
    if big.pending is not None:
        ledger.approve(big.pending, "Checked against the contract", by=owner)
    adjust("yuki.tanaka@example.net", 25_000, "Migration from the old service", admin, 5_000)


def _date(pasts: Sequence[Past]) -> None:
    """Let people have joined when their past begins."""
    table = cast("Table", User.__table__)
    statement = (
        update(table)
        .where(table.c.id == bindparam("key"))
        .values(created_at=bindparam("joined"), updated_at=bindparam("last"))
    )
    now = utc_now()
    moments = [
        {"key": past.user.id, "joined": past.joined, "last": min(past.entries[-1].at, now)}
        for past in pasts
    ]
    db.session.execute(statement, moments, execution_options={AUDITED_DML: True})
    db.session.expire_all()


def _code(rng: Random, length: int) -> str:
    """A name as a payment provider makes them up."""
    return "".join(rng.choices(string.ascii_letters + string.digits, k=length))
