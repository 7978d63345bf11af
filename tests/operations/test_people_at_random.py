"""People at random: whatever staff do, in whatever order, only that happens, and is told.

A model in Python follows every step: after each the whole database is what the model says, every
link has one primary owner, an owner is in charge, and the audit explains how it came to that.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
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

from adminsite import audit
from adminsite.db import db, transaction
from adminsite.errors import ForbiddenError, InvalidError, MissingError, RuleError
from adminsite.models import (
    Admin,
    ApiToken,
    AuditEvent,
    CreditTransaction,
    Link,
    LinkOwner,
    Subscription,
    User,
    UserSession,
)
from adminsite.operations import admins, links, users
from adminsite.operations.admins import LastOwnerError
from adminsite.operations.links import PrimaryOwnerError
from adminsite.operations.owners import active_owners
from adminsite.operations.users import (
    LinkActionError,
    PlanChangedError,
    SelfChangeError,
    StaffChangeError,
)
from adminsite.permissions import SYSTEM, Actor, Level, level_of
from adminsite.queries import deletion
from tests.database import Database
from tests.factories import CreditTransactionFactory, SubscriptionFactory
from tests.operations.replay import Owners, Told
from tests.operations.stored import count, events, let_in, staff
from tests.people import acting
from tests.rows import link, person

Kind: TypeAlias = type[RuleError]
Made = TypeVar("Made")
PICK = st.integers(0, 10**6)  # one of those there are at the time
# Mostly somebody who may, so that most steps do something.
WHO = ("owner",) * 5 + ("admin",) * 2 + ("system",) * 2 + ("support", "none")
BY = st.tuples(st.sampled_from(WHO), PICK)
ANSWERS = st.sampled_from(users.LINK_ACTIONS * 4 + (None, "burn"))
PLANS = st.sampled_from(("", "true") * 3 + ("false",))
LEVELS = st.sampled_from(Admin.ROLES)
ROLES = st.sampled_from(User.ROLES)
LIMITS = settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "25")), stateful_step_count=20)


@dataclass
class World(Told):
    """All that should be stored.

    Attributes:
        since: at which stroke of the clock somebody became an owner of a link.
        sessions: whose they are, by key.
        tokens: whose they are, by key, and whether they work.
        subscriptions: whose they are, by key.
        ledger: whose entry it is and the address kept with it, by key.
    """

    since: dict[tuple[str, UUID], int] = field(default_factory=dict, compare=False)
    clock: int = field(default=0, compare=False)
    sessions: dict[int, UUID] = field(default_factory=dict)
    tokens: dict[int, tuple[UUID, bool]] = field(default_factory=dict)
    subscriptions: dict[str, UUID] = field(default_factory=dict)
    ledger: dict[int, tuple[UUID | None, str]] = field(default_factory=dict)

    def record_of(self, who: UUID) -> dict[str, Any] | None:
        return next((one for one in self.staff.values() if one["user"] == who), None)

    def level(self, who: UUID) -> Level:
        record = self.record_of(who) or {"role": None, "status": None}
        return level_of(self.people[who]["role"], record["role"], record["status"])

    def in_charge(self) -> list[UUID]:
        return [
            one["user"]
            for one in self.staff.values()
            if (one["role"], one["status"]) == ("owner", "active")
        ]

    def shut_out(self, who: UUID, *, tokens: bool) -> None:
        self.sessions = {key: user for key, user in self.sessions.items() if user != who}
        if tokens:
            self.tokens |= {k: (user, False) for k, (user, _) in self.tokens.items() if user == who}

    def own(self, slug: str, owners: Iterable[UUID]) -> None:
        """Give the link these owners, the first as the primary one."""
        primary, *others = owners
        known = {who: self.since.pop((slug, who), None) for who in [*self.people]}
        for who in (primary, *others):
            self.clock += 1
            self.since[slug, who] = known[who] or self.clock
        self.owners[slug] = (primary, frozenset(others))

    def leave(self, who: UUID, taker: UUID | None) -> None:
        """Follow one deletion; without a taker, links go to a co-owner or away."""
        for slug, (primary, others) in list(self.owners.items()):
            standing = sorted(others, key=lambda one: self.since[slug, one])
            if who == primary and taker is None and not others:
                del self.owners[slug]
            elif who == primary:
                first = taker or standing[0]
                self.own(slug, dict.fromkeys([first, *standing]))
            elif who in others:
                self.own(slug, [primary, *(others - {who})])
        del self.people[who]
        self.shut_out(who, tokens=False)
        self.tokens = {key: one for key, one in self.tokens.items() if one[0] != who}
        self.subscriptions = {k: user for k, user in self.subscriptions.items() if user != who}
        for key, (user, email) in self.ledger.items():
            self.ledger[key] = (None if user == who else user, email)


def stored() -> World:
    """What is stored, in the form of the model; no object of the session is asked."""
    connection = db.session.connection()

    def rows(model: Any, *columns: str) -> list[Any]:
        table = model.__table__
        wanted = [table.c[name] for name in columns]
        return list(connection.execute(select(*wanted).order_by(*table.primary_key)))

    owners: dict[str, Owners] = {}
    shares = select(Link.slug, LinkOwner.user_id, LinkOwner.is_primary).join_from(LinkOwner, Link)
    found = list(connection.execute(shares))
    for (slug,) in rows(Link, "slug"):
        (primary,) = (who for name, who, first in found if name == slug and first)
        others = frozenset(who for name, who, first in found if name == slug and not first)
        owners[slug] = (primary, others)
    return World(
        people={
            key: {"email": email, "display_name": name, "role": role}
            for key, email, name, role in rows(User, "id", "email", "display_name", "role")
        },
        staff={
            key: {"user": user, "role": role, "status": status}
            for key, user, role, status in rows(Admin, "id", "user_id", "role", "status")
        },
        owners=owners,
        sessions=dict(rows(UserSession, "id", "user_id")),
        tokens={
            key: (user, ended is None)
            for key, user, ended in rows(ApiToken, "id", "user_id", "revoked_at")
        },
        subscriptions=dict(rows(Subscription, "id", "user_id")),
        ledger={
            key: (user, email)
            for key, user, email in rows(CreditTransaction, "id", "user_id", "user_email")
        },
    )


def first(*refusals: tuple[Kind, bool]) -> Kind | None:
    """The first refusal that applies."""
    return next((kind for kind, applies in refusals if applies), None)


class People(RuleBasedStateMachine):
    """Staff and others at work, in a world of their own for each run."""

    database: ClassVar[Database]

    def __init__(self) -> None:
        super().__init__()
        db.session.remove()
        self.database.reset()
        self.number = 0
        people = [staff("owner").user, staff("admin").user, *(person() for _ in range(4))]
        boss, _, ann, bob, carl, dora = people
        for owner, *co_owners in (
            [ann],
            [ann, bob, carl],
            [bob, boss, ann],
            [bob, carl],
            [carl, dora, bob, ann],
            [dora, bob],
        ):
            link(slug=self.new_name(), owner=owner, co_owners=co_owners)
        for one in people:
            self.give_things(one)
        self.world = stored()
        self.world.people = {one.id: self.world.people[one.id] for one in people}
        for made in db.session.scalars(select(Link)):
            self.world.own(made.slug, [share.user_id for share in made.owners])
        self.start = self.told()

    def told(self) -> Told:
        return deepcopy(Told(self.world.people, self.world.staff, self.world.owners))

    # ---- who and what ----------------------------------------------------------------------

    def somebody(self, number: int) -> UUID:
        people = list(self.world.people)
        return people[number % len(people)]

    def some_link(self, number: int) -> str:
        slugs = list(self.world.owners)
        return slugs[number % len(slugs)]

    def some_record(self, number: int) -> int:
        keys = list(self.world.staff)
        return keys[number % len(keys)]

    def actor(self, by: tuple[str, int]) -> Actor:
        """Somebody of that level when there is one, else anybody; or the system."""
        level, number = by
        if level == "system":
            return SYSTEM
        able = [who for who in self.world.people if self.world.level(who).label == level]
        who = able[number % len(able)] if able else self.somebody(number)
        actor = acting(db.session.get_one(User, who))
        assert actor.level is self.world.level(who)
        return actor

    def attempt(self, expected: Kind | None, act: Callable[[], Made]) -> Made | None:
        """What it gave; None when it was refused as expected, without an event."""
        before = count(AuditEvent)
        made, refusal = None, None
        try:
            with transaction():
                made = act()
        except RuleError as error:
            refusal = error
        assert refusal is None or count(AuditEvent) == before
        kind = ForbiddenError if isinstance(refusal, ForbiddenError) else refusal and type(refusal)
        assert expected is kind, refusal
        return made

    def new_name(self) -> str:
        self.number += 1
        return f"new-{self.number}"

    # ---- people ----------------------------------------------------------------------------

    @rule(by=BY, role=ROLES)
    def add_person(self, by: tuple[str, int], role: str) -> None:
        actor, name = self.actor(by), self.new_name()
        values = {"email": f"{name}@example.com", "display_name": name, "role": role}
        may = Level.OWNER if role == "admin" else Level.ADMIN

        made = self.attempt(
            first((ForbiddenError, actor.level < may)), lambda: users.create(values, by=actor)
        )

        if made is not None:
            self.world.people[made.id] = values

    @rule(by=BY, who=PICK, other=PICK, field=st.sampled_from(["email", "taken", "display_name"]))
    def edit_person(self, by: tuple[str, int], who: int, other: int, field: str) -> None:
        actor, key, name = self.actor(by), self.somebody(who), self.new_name()
        taken = self.world.people[self.somebody(other)]["email"].upper()
        values = {"taken": {"email": taken}, "email": {"email": f"{name}@example.com"}}.get(
            field, {field: name}
        )
        mine = self.somebody(other) == key
        is_other_staff = self.is_staff(key) and key != actor.id

        made = self.attempt(
            first(
                (ForbiddenError, actor.level < Level.ADMIN),
                (InvalidError, field == "taken" and not mine),
                (ForbiddenError, is_other_staff and actor.level < Level.OWNER),
            ),
            lambda: users.update(db.session.get_one(User, key), values, by=actor),
        )

        if made is not None:
            self.world.people[key] |= values

    @rule(by=BY, who=PICK, role=ROLES)
    def change_role(self, by: tuple[str, int], who: int, role: str) -> None:
        actor, key = self.actor(by), self.somebody(who)
        same = self.world.people[key]["role"] == role

        made = self.attempt(
            first(
                (ForbiddenError, actor.level < Level.ADMIN),
                (ForbiddenError, not same and actor.level < Level.OWNER),
                (SelfChangeError, not same and key == actor.id),
                (StaffChangeError, not same and self.world.record_of(key) is not None),
            ),
            lambda: users.update(db.session.get_one(User, key), {"role": role}, by=actor),
        )

        if made is not None and not same:
            self.world.people[key]["role"] = role
            self.world.shut_out(key, tokens=role == "user")

    @rule(
        by=BY,
        whom=st.lists(PICK, min_size=1, max_size=3),
        members=st.sampled_from([True, True, True, False]),
        answer=ANSWERS,
        plan=PLANS,
    )
    def delete_people(
        self, *, by: tuple[str, int], whom: list[int], members: bool, answer: str | None, plan: str
    ) -> None:
        pool = [key for key in self.world.people if not (members and self.is_staff(key))]
        pool = pool or list(self.world.people)
        actor, keys = self.actor(by), list(dict.fromkeys(pool[n % len(pool)] for n in whom))
        digest = deletion.plan(db.session(), keys).digest if plan == "true" else plan
        person_by_person = [
            pair
            for key in sorted(keys)
            for pair in ((SelfChangeError, key == actor.id), (StaffChangeError, self.is_staff(key)))
        ]

        made = self.attempt(
            first(
                (ForbiddenError, actor.level < Level.ADMIN),
                *person_by_person,
                (LinkActionError, answer not in users.LINK_ACTIONS),
                (LinkActionError, answer == "reassign" and actor.id is None),
                (PlanChangedError, plan == "false"),
            ),
            lambda: users.delete_all(
                [db.session.get_one(User, key) for key in keys],
                by=actor,
                link_action=answer,
                plan=digest,
            ),
        )

        if made is not None:
            for key in keys:
                self.world.leave(key, actor.id if answer == "reassign" else None)

    def is_staff(self, who: UUID) -> bool:
        return self.world.record_of(who) is not None or self.world.people[who]["role"] == "admin"

    # ---- staff -----------------------------------------------------------------------------

    @rule(by=BY, who=PICK, level=LEVELS)
    def appoint(self, by: tuple[str, int], who: int, level: str) -> None:
        actor, key = self.actor(by), self.somebody(who)
        before = self.world.level(key)
        values = {"email": self.world.people[key]["email"], "role": level}

        made = self.attempt(
            first(
                (ForbiddenError, actor.level < Level.OWNER),
                (InvalidError, self.world.record_of(key) is not None),
            ),
            lambda: admins.create(values, by=actor),
        )

        if made is not None:
            self.world.staff[made.id] = {"user": key, "role": level, "status": "active"}
            self.world.people[key]["role"] = "admin"
            self.world.shut_out(key, tokens=self.world.level(key) < before)

    @rule(
        by=BY,
        which=PICK,
        change=st.one_of(
            st.tuples(st.just("role"), LEVELS),
            st.tuples(st.just("status"), st.sampled_from(Admin.STATUSES)),
        ),
    )
    def change_record(self, by: tuple[str, int], which: int, change: tuple[str, str]) -> None:
        actor, key, (field, value) = self.actor(by), self.some_record(which), change
        record = self.world.staff[key]
        before, same = self.world.level(record["user"]), record[field] == value

        made = self.attempt(
            first(
                (ForbiddenError, actor.level < Level.OWNER),
                (SelfChangeError, not same and record["user"] == actor.id),
                (LastOwnerError, not same and self.world.in_charge() == [record["user"]]),
            ),
            lambda: admins.update(db.session.get_one(Admin, key), {field: value}, by=actor),
        )

        if made is not None and not same:
            record[field] = value
            active = record["status"] == "active"
            self.world.people[record["user"]]["role"] = "admin" if active else "user"
            self.world.shut_out(record["user"], tokens=self.world.level(record["user"]) < before)

    @rule(by=BY, which=PICK)
    def remove_record(self, by: tuple[str, int], which: int) -> None:
        actor, key = self.actor(by), self.some_record(which)
        user = self.world.staff[key]["user"]

        self.attempt(
            refusal := first(
                (ForbiddenError, actor.level < Level.OWNER),
                (SelfChangeError, user == actor.id),
                (LastOwnerError, self.world.in_charge() == [user]),
            ),
            lambda: admins.delete(db.session.get_one(Admin, key), by=actor),
        )

        if refusal is None:
            del self.world.staff[key]
            self.world.people[user]["role"] = "user"
            self.world.shut_out(user, tokens=True)

    # ---- links and what else people have ---------------------------------------------------

    @rule(by=BY, owners=st.lists(PICK, min_size=1, max_size=4))
    def add_link(self, by: tuple[str, int], owners: list[int]) -> None:
        actor, slug = self.actor(by), self.new_name()
        keys = list(dict.fromkeys(map(self.somebody, owners)))
        values = {"slug": slug, "url": "https://example.com/", "owners": keys}

        made = self.attempt(
            first((ForbiddenError, actor.level < Level.ADMIN)),
            lambda: links.create(values, by=actor),
        )

        if made is not None:
            self.world.own(slug, keys)

    @precondition(lambda self: self.world.owners)
    @rule(by=BY, which=PICK, who=PICK)
    def add_owner(self, by: tuple[str, int], which: int, who: int) -> None:
        slug, key = self.some_link(which), self.somebody(who)
        primary, others = self.world.owners[slug]

        refusals = [(InvalidError, key in {primary, *others})]

        if self.own(links.add_owner, slug, key, by, refusals):
            self.world.own(slug, [primary, *others, key])

    @precondition(lambda self: self.world.owners)
    @rule(by=BY, which=PICK, who=PICK)
    def remove_owner(self, by: tuple[str, int], which: int, who: int) -> None:
        slug, key = self.some_link(which), self.somebody(who)
        primary, others = self.world.owners[slug]

        refusals = [(PrimaryOwnerError, key == primary), (MissingError, key not in others)]

        if self.own(links.remove_owner, slug, key, by, refusals):
            self.world.own(slug, [primary, *(others - {key})])

    @precondition(lambda self: self.world.owners)
    @rule(by=BY, which=PICK, who=PICK)
    def transfer(self, by: tuple[str, int], which: int, who: int) -> None:
        slug, key = self.some_link(which), self.somebody(who)
        primary, others = self.world.owners[slug]

        if self.own(links.transfer, slug, key, by, [(InvalidError, key == primary)]):
            self.world.own(slug, [key, primary, *(others - {key})])

    def own(
        self,
        operation: Callable[..., Link],
        slug: str,
        who: UUID,
        by: tuple[str, int],
        refusals: Sequence[tuple[Kind, bool]],
    ) -> bool:
        """Whether that was done to the owners of the link."""
        actor = self.actor(by)

        def act() -> Link:
            made = db.session.scalars(select(Link).where(Link.slug == slug)).one()
            return operation(made, db.session.get_one(User, who), by=actor)

        refused = first((ForbiddenError, actor.level < Level.ADMIN), *refusals)
        return self.attempt(refused, act) is not None

    @rule(who=PICK)
    def have_things(self, who: int) -> None:
        self.give_things(db.session.get_one(User, self.somebody(who)))
        found = stored()
        for name in ("sessions", "tokens", "subscriptions", "ledger"):
            setattr(self.world, name, getattr(found, name))

    def give_things(self, user: User) -> None:
        """A session, a token, a subscription and a ledger entry, past the audit."""
        let_in(user, sessions=1, tokens=1)
        SubscriptionFactory(user=user)
        CreditTransactionFactory(user=user)

    # ---- what is always so -----------------------------------------------------------------

    @invariant()
    def nothing_else_changed(self) -> None:
        assert stored() == self.world

    @invariant()
    def somebody_is_in_charge(self) -> None:
        assert active_owners()

    @invariant()
    def the_audit_explains_everything(self) -> None:
        assert self.start.after(events()) == self.told()
        assert audit.first_broken() is None


def test_people_at_random(app: Flask, database: Database) -> None:
    class Here(People): ...

    Here.database = database
    run_state_machine_as_test(Here, settings=LIMITS)
