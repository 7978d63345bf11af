"""Credits at random: whatever staff do, in whatever order, the ledger adds up and says so.

A model in Python follows every step: after each the balances, the entries and the requests are
what the model says, nothing is reversed twice, the days add up and the audit's chain holds. A
step that is refused changes nothing and uses no key up.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias, TypeVar
from uuid import UUID

from flask import Flask
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from adminsite.db import db, transaction
from adminsite.errors import InvalidError, LevelError, RuleError, UnfitError
from adminsite.models import CreditTransaction, PendingAdjustment, User
from adminsite.operations import ledger, users
from adminsite.permissions import SYSTEM, Actor
from tests.database import Database
from tests.operations.money import REASON, assert_it_adds_up
from tests.operations.stored import actions, staff
from tests.people import acting
from tests.rows import person

Kind: TypeAlias = type[RuleError]
Made = TypeVar("Made")
MOST = 2**31 - 1
PICK = st.integers(0, 10**6)  # one of those there are at the time
# Mostly somebody who may, so that most steps do something.
BY = st.sampled_from(("admin", "owner", "admin", "owner", "system", "support"))
AMOUNTS = st.one_of(st.integers(-120, 120), st.sampled_from([MOST, -MOST, 1, -1]))
CAPS = st.sampled_from([None, None, 100, 0])
KEYS = st.sampled_from([None, None, "a", "b", "c"])
KINDS = st.sampled_from([*ledger.TYPES_ENTERED, "usage", "usage", "admin_adjustment"])
LINES = st.lists(st.tuples(PICK, AMOUNTS), min_size=1, max_size=4)
LIMITS = settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "25")), stateful_step_count=20)


@dataclass
class Entry:
    """One of the ledger; the user is None once they are gone."""

    user: UUID | None
    email: str
    amount: int
    after: int
    type: str
    reverses: int | None = None  # its place in the ledger


@dataclass
class Request:
    """Something that waits, or was decided on."""

    user: UUID
    amount: int
    by: UUID | None
    status: str = "pending"
    reverses: int | None = None


@dataclass
class World:
    """All that should be stored.

    Attributes:
        people: their balances.
        emails: their addresses.
        keys: what each caller asked for under a key.
    """

    people: dict[UUID, int] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    emails: dict[UUID, str] = field(default_factory=dict, compare=False)
    keys: dict[tuple[UUID | None, str], object] = field(default_factory=dict, compare=False)

    def enter(self, who: UUID, amount: int, kind: str, reverses: int | None = None) -> None:
        self.people[who] += amount
        self.entries.append(Entry(who, self.emails[who], amount, self.people[who], kind, reverses))

    def fulfil(self, request: Request) -> None:
        kind = "admin_adjustment" if request.reverses is None else "reversal"
        self.enter(request.user, request.amount, kind, request.reverses)

    def leave(self, who: UUID) -> None:
        del self.people[who]
        self.requests = [one for one in self.requests if one.user != who]
        self.entries = [replace(one, user=None) if one.user == who else one for one in self.entries]

    def fits(self, who: UUID, amount: int) -> bool:
        return max(abs(amount), abs(self.people[who] + amount)) <= MOST

    def reversal_refused(self, place: int) -> Kind | None:
        entry = self.entries[place]
        waits = any(one.reverses == place and one.status == "pending" for one in self.requests)
        return first(
            (UnfitError, entry.type == "reversal" or entry.user is None),
            (ledger.ReversedError, waits or any(one.reverses == place for one in self.entries)),
        )


def stored_entries() -> list[Any]:
    """The entries as they are stored, the first one first."""
    return list(db.session.scalars(select(CreditTransaction).order_by(CreditTransaction.id)))


def stored_requests() -> list[Any]:
    """The requests as they are stored, the first one first."""
    return list(db.session.scalars(select(PendingAdjustment).order_by(PendingAdjustment.id)))


def stored() -> World:
    """What is stored, in the form of the model."""
    db.session.expire_all()
    found = stored_entries()
    places: dict[int | None, int | None] = {one.id: place for place, one in enumerate(found)}
    places[None] = None
    members = select(User.id, User.credits_balance).where(User.role == "user")
    return World(
        people={row[0]: row[1] for row in db.session.execute(members)},
        entries=[
            Entry(
                one.user_id,
                one.user_email,
                one.amount,
                one.balance_after,
                one.type,
                places[one.reverses_id],
            )
            for one in found
        ],
        requests=[
            Request(one.user_id, one.amount, one.requested_by, one.status, places[one.reverses_id])
            for one in stored_requests()
        ],
    )


def first(*refusals: tuple[Kind, bool]) -> Kind | None:
    """The first refusal that applies."""
    return next((kind for kind, applies in refusals if applies), None)


class Credits(RuleBasedStateMachine):
    """Staff at work on credits, in a world of their own for each run."""

    database: ClassVar[Database]

    def __init__(self) -> None:
        super().__init__()
        db.session.remove()
        self.database.reset()
        self.staff: dict[str, Actor] = {"system": SYSTEM}
        for level in ("owner", "admin"):
            self.staff[level] = acting(staff(level).user)
        self.staff["support"] = acting(staff("support").user)
        self.number = 0
        self.world = World()
        for _ in range(3):
            self.add_person()

    # ---- who and what ----------------------------------------------------------------------

    def somebody(self, number: int) -> UUID:
        people = list(self.world.people)
        return people[number % len(people)]

    def user(self, who: UUID) -> User:
        return db.session.get_one(User, who)

    def attempt(self, expected: Kind | None, act: Callable[[], Made]) -> Made | None:
        """What it gave; None when it was refused as expected, without an event."""
        told = actions()
        made, refusal = None, None
        try:
            with transaction():
                made = act()
        except RuleError as error:
            refusal = error
        assert expected is (refusal and type(refusal)), refusal
        assert refusal is None or actions() == told
        return made

    def used(self, by: Actor, key: str | None, what: object) -> tuple[bool, bool]:
        """Whether the caller used the key for this, or for something else."""
        if key is None or (by.id, key) not in self.world.keys:
            return False, False
        same = self.world.keys[by.id, key] == what
        return same, not same

    def use(self, by: Actor, key: str | None, what: object) -> None:
        if key is not None:
            self.world.keys[by.id, key] = what

    # ---- what is done ----------------------------------------------------------------------

    @rule()
    def add_person(self) -> None:
        self.number += 1
        made = person(email=f"person-{self.number}@example.com")
        self.world.people[made.id], self.world.emails[made.id] = 0, made.email

    @rule(
        by=BY,
        who=PICK,
        name=st.sampled_from(["amount", "set_to"]),
        number=AMOUNTS,
        cap=CAPS,
        key=KEYS,
    )
    def adjust(  # noqa: PLR0913 - an adjustment has that many parts
        self, *, by: str, who: int, name: str, number: int, cap: int | None, key: str | None
    ) -> None:
        actor, whom = self.staff[by], self.somebody(who)
        what = ("adjust", whom, name, number)
        again, reused = self.used(actor, key, what)
        amount = number if name == "amount" else number - self.world.people[whom]

        made = self.attempt(
            first(
                (LevelError, by == "support"),
                (InvalidError, name == "amount" and number == 0),
                (ledger.KeyReusedError, reused),
                (InvalidError, not again and amount == 0),
                (ledger.BalanceError, not again and not self.world.fits(whom, amount)),
            ),
            lambda: ledger.adjust(
                self.user(whom), {name: number, "reason": REASON}, by=actor, cap=cap, key=key
            ),
        )

        if made is None:
            return
        assert made.again is again
        if not again:
            self.use(actor, key, what)
            self.follow(Request(whom, amount, actor.id), cap, made)

    def follow(self, request: Request, cap: int | None, made: ledger.Outcome) -> None:
        """Enter what was asked for in the model, or let it wait there."""
        waits = cap is not None and abs(request.amount) > cap
        assert (made.pending is not None, made.entry is None) == (waits, waits)
        if waits:
            self.world.requests.append(request)
        else:
            self.world.fulfil(request)

    @rule(by=BY, who=PICK, amount=AMOUNTS, kind=KINDS)
    def enter(self, by: str, who: int, amount: int, kind: str) -> None:
        actor, whom = self.staff[by], self.somebody(who)
        usage, after = kind == "usage", self.world.people[whom] + amount

        made = self.attempt(
            first(
                (LevelError, by == "support"),
                (InvalidError, amount == 0 or kind == "admin_adjustment"),
                (InvalidError, usage and amount > 0),
                (ledger.BalanceError, not self.world.fits(whom, amount) or (usage and after < 0)),
            ),
            lambda: ledger.enter(self.user(whom), amount, kind, by=actor),
        )

        if made is not None:
            self.world.enter(whom, amount, kind)

    @precondition(lambda self: self.world.entries)
    @rule(by=BY, which=PICK, cap=CAPS, key=KEYS)
    def reverse(self, by: str, which: int, cap: int | None, key: str | None) -> None:
        actor, place = self.staff[by], which % len(self.world.entries)
        entry, what = self.world.entries[place], ("reverse", place)
        again, reused = self.used(actor, key, what)
        whom, gone = entry.user, entry.user is None
        beyond = whom is not None and not self.world.fits(whom, -entry.amount)
        objection = self.world.reversal_refused(place)

        made = self.attempt(
            first(
                (LevelError, by == "support"),
                (UnfitError, gone),
                (ledger.KeyReusedError, reused),
                (objection or RuleError, objection is not None and not again),
                (ledger.BalanceError, beyond and not again),
            ),
            lambda: ledger.reverse(stored_entries()[place], REASON, by=actor, cap=cap, key=key),
        )

        if made is None or whom is None:
            return
        assert made.again is again
        if not again:
            self.use(actor, key, what)
            self.follow(Request(whom, -entry.amount, actor.id, reverses=place), cap, made)

    @precondition(lambda self: self.world.requests)
    @rule(by=BY, which=PICK, open_one=st.booleans(), yes=st.sampled_from([True, True, False]))
    def decide(self, *, by: str, which: int, open_one: bool, yes: bool) -> None:
        waiting = [
            place
            for place, one in enumerate(self.world.requests)
            if one.status == "pending" or not open_one
        ] or [0]
        actor, place = self.staff[by], waiting[which % len(waiting)]
        request = self.world.requests[place]
        decide = ledger.approve if yes else ledger.decline
        fits = self.world.fits(request.user, request.amount)

        made = self.attempt(
            first(
                (LevelError, by == "support"),
                (ledger.DecidedError, request.status != "pending"),
                (ledger.OwnRequestError, actor.id in {request.by, request.user}),
                (ledger.BalanceError, yes and not fits),
            ),
            lambda: decide(stored_requests()[place], "So be it.", by=actor),
        )

        if made is not None:
            request.status = "approved" if yes else "declined"
            if yes:
                self.world.fulfil(request)

    @rule(by=BY, lines=LINES, cap=CAPS, key=KEYS)
    def batch(
        self, by: str, lines: list[tuple[int, int]], cap: int | None, key: str | None
    ) -> None:
        self.number += 1
        actor, key = self.staff[by], key or f"batch-{self.number}"
        moves = [(self.somebody(who), amount) for who, amount in lines]
        what = ("batch", moves)
        again, reused = self.used(actor, key, what)
        after = self.world_after(moves, cap)
        rows = [ledger.Row(self.world.emails[whom], amount, REASON) for whom, amount in moves]

        made = self.attempt(
            first(
                (LevelError, by == "support"),
                (ledger.KeyReusedError, reused),
                (InvalidError, not again and not after),
            ),
            lambda: ledger.adjust_batch(rows, by=actor, cap=cap, key=key),
        )

        if made is None:
            return
        assert (made.again, made.entries) == (again, len(moves))
        if not again:
            self.use(actor, key, what)
            for whom, amount in moves:
                self.world.enter(whom, amount, "admin_adjustment")

    def world_after(self, moves: list[tuple[UUID, int]], cap: int | None) -> bool:
        """Whether all of these can be applied, one after another."""
        sums: dict[UUID, int] = {}
        for whom, amount in moves:
            before = sums.get(whom, 0)
            sums[whom] = before + amount
            within = cap is None or max(abs(amount), abs(sums[whom])) <= cap
            holds = abs(self.world.people[whom] + sums[whom]) <= MOST
            if not (amount and within and holds):
                return False
        return True

    @precondition(lambda self: len(self.world.people) > 1)
    @rule(by=st.sampled_from(["owner", "admin", "support"]), who=PICK)
    def delete_person(self, by: str, who: int) -> None:
        actor, whom = self.staff[by], self.somebody(who)

        made = self.attempt(
            first((LevelError, by == "support")),
            lambda: users.delete(self.user(whom), by=actor, link_action="delete"),
        )

        if made is not None:
            self.world.leave(whom)

    # ---- what is always so -----------------------------------------------------------------

    @invariant()
    def nothing_else_changed(self) -> None:
        assert stored() == self.world

    @invariant()
    def balances_are_the_sums_of_entries(self) -> None:
        sums = dict.fromkeys(self.world.people, 0)
        for entry in stored_entries():
            if entry.user_id is not None:
                sums[entry.user_id] += entry.amount
        assert sums == self.world.people

    @invariant()
    def it_adds_up(self) -> None:
        assert_it_adds_up()

    @invariant()
    def nothing_is_reversed_twice(self) -> None:
        undone = [one.reverses_id for one in stored_entries() if one.reverses_id is not None]
        assert len(undone) == len(set(undone))


def test_credits_at_random(app: Flask, database: Database) -> None:
    class Here(Credits): ...

    Here.database = database
    run_state_machine_as_test(Here, settings=LIMITS)
