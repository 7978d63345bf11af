"""Deleting people: what becomes of their links, what goes with them, and who is refused."""

from collections.abc import Callable, Sequence

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.db import db, transaction
from adminsite.errors import ForbiddenError, MissingError
from adminsite.models import (
    Admin,
    ApiToken,
    CreditTransaction,
    Link,
    LinkOwner,
    LinkTag,
    PasswordReset,
    Subscription,
    User,
    UserSession,
)
from adminsite.operations import admins, credentials, links, users
from adminsite.operations.users import (
    LinkActionError,
    PlanChangedError,
    SelfChangeError,
    StaffChangeError,
)
from adminsite.permissions import SYSTEM, Actor
from adminsite.queries import deletion
from tests.beside import Beside
from tests.factories import (
    CreditTransactionFactory,
    SubscriptionFactory,
    TagFactory,
    save,
)
from tests.lists import statements
from tests.operations.stored import (
    actions,
    count,
    events,
    everything,
    let_in,
    own_many,
    owners,
    refused,
    staff,
)
from tests.people import acting, make_person
from tests.rows import link, person

BOTH = pytest.mark.parametrize("link_action", users.LINK_ACTIONS)
MANY = 10_000
MOST_STATEMENTS = 12


def called(name: str) -> User:
    """Somebody saved with that name, and the address that goes with it."""
    return person(name, email=f"{name.lower()}@example.com")


@pytest.fixture
def ann(app: Flask) -> User:
    return called("Ann")


@pytest.fixture
def bob(app: Flask) -> User:
    return called("Bob")


@pytest.fixture
def carl(app: Flask) -> User:
    return called("Carl")


def delete(*people: User, by: User | Actor, link_action: str, plan: str | None = None) -> None:
    actor = acting(by) if isinstance(by, User) else by
    with transaction():
        users.delete_all(people, by=actor, link_action=link_action, plan=plan)


class TestDeleteLinks:
    """`link_action=delete`."""

    def test_takes_the_links_that_only_they_own(self, admin: User, ann: User, bob: User) -> None:
        link(slug="mine", owner=ann, tags=[TagFactory()])
        link(slug="other", owner=bob)

        delete(ann, by=admin, link_action="delete")

        assert list(db.session.scalars(select(Link.slug))) == ["other"]
        assert (count(LinkOwner), count(LinkTag)) == (1, 0)

    def test_leaves_shared_ones_to_the_longest_standing_co_owner(
        self, admin: User, ann: User, bob: User, carl: User
    ) -> None:
        link(slug="shared", owner=ann, co_owners=[carl, bob])

        delete(ann, by=admin, link_action="delete")

        assert owners("shared") == ["carl@example.com", "bob@example.com"]

    def test_decides_between_equal_standing_by_key(
        self, admin: User, ann: User, bob: User, carl: User
    ) -> None:
        made = link(slug="shared", owner=ann, co_owners=[bob, carl])
        for share in made.owners:
            share.created_at = made.created_at
        save()
        first, then = sorted((bob, carl), key=lambda one: one.id)

        delete(ann, by=admin, link_action="delete")

        assert owners("shared") == [first.email, then.email]

    def test_leaves_what_they_co_owned_to_its_owner(
        self, admin: User, ann: User, bob: User
    ) -> None:
        link(slug="his", owner=bob, co_owners=[ann])

        delete(ann, by=admin, link_action="delete")

        assert owners("his") == ["bob@example.com"]

    def test_leaves_the_links_of_others_as_they_were(
        self, admin: User, ann: User, bob: User, carl: User
    ) -> None:
        link(owner=bob, co_owners=[carl], tags=[TagFactory()])
        before = everything()
        link(owner=ann)

        delete(ann, by=admin, link_action="delete")

        after = everything()
        for table in ("links", "link_owners", "link_tags", "tags"):
            assert after[table] == before[table]

    def test_is_what_the_system_may_do(self, ann: User) -> None:
        link(slug="mine", owner=ann)

        delete(ann, by=SYSTEM, link_action="delete")

        assert count(Link) == 0

    def test_tells_of_every_link(self, admin: User, ann: User, bob: User, carl: User) -> None:
        link(slug="b-mine", owner=ann)
        link(slug="a-mine", owner=ann)
        link(slug="to-bob", owner=ann, co_owners=[bob, carl])
        link(slug="to-carl", owner=ann, co_owners=[carl])
        link(slug="his", owner=bob, co_owners=[ann])

        delete(ann, by=admin, link_action="delete")

        (told,) = events()
        assert told.changes == {
            "email": ["ann@example.com", None],
            "display_name": ["Ann", None],
            "role": ["user", None],
            "credits_balance": [0, None],
            "links_deleted": [["b-mine", "a-mine"], None],
            "links_left_to": [
                ["to-bob", "to-carl"],
                ["bob@example.com", "carl@example.com"],
            ],
            "co_owned_links": [["his"], None],
        }


class TestReassignLinks:
    """`link_action=reassign`."""

    def test_makes_the_actor_primary_owner(self, admin: User, ann: User, bob: User) -> None:
        link(slug="mine", owner=ann)
        link(slug="shared", owner=ann, co_owners=[bob])

        delete(ann, by=admin, link_action="reassign")

        assert owners("mine") == ["admin@example.com"]
        assert owners("shared") == ["admin@example.com", "bob@example.com"]

    def test_onto_one_who_co_owns_already_keeps_one_share(
        self, admin: User, ann: User, bob: User
    ) -> None:
        made = link(slug="shared", owner=ann, co_owners=[bob, admin])
        since = made.owners[2].created_at

        delete(ann, by=admin, link_action="reassign")

        assert owners("shared") == ["admin@example.com", "bob@example.com"]
        shares = select(LinkOwner.created_at).where(LinkOwner.user_id == admin.id)
        assert list(db.session.scalars(shares)) == [since]

    def test_drops_their_shares_as_co_owner(self, admin: User, ann: User, bob: User) -> None:
        link(slug="his", owner=bob, co_owners=[ann])

        delete(ann, by=admin, link_action="reassign")

        assert owners("his") == ["bob@example.com"]

    def test_deletes_no_link_and_takes_no_tag(self, admin: User, ann: User) -> None:
        link(owner=ann, tags=[TagFactory()])
        before = everything()

        delete(ann, by=admin, link_action="reassign")

        after = everything()
        assert (after["links"], after["link_tags"]) == (before["links"], before["link_tags"])

    def test_tells_of_every_link(self, admin: User, ann: User, bob: User) -> None:
        link(slug="shared", owner=ann, co_owners=[bob])
        link(slug="mine", owner=ann)
        link(slug="his", owner=bob, co_owners=[ann])

        delete(ann, by=admin, link_action="reassign")

        (told,) = events()
        assert told.changes["links_reassigned"] == [["mine", "shared"], "admin@example.com"]
        assert told.changes["co_owned_links"] == [["his"], None]
        assert not {"links_deleted", "links_left_to"} & told.changes.keys()

    def test_needs_a_person_to_take_over(self, ann: User) -> None:
        with refused(LinkActionError, "Only a person can take links over"):
            users.delete(ann, by=SYSTEM, link_action="reassign")


class TestWhatGoesWithThem:
    @BOTH
    def test_is_every_way_in(self, admin: User, owner: User, ann: User, link_action: str) -> None:
        let_in(ann, sessions=2, tokens=2)
        let_in(admin, sessions=1, tokens=1)
        with transaction():
            credentials.issue_reset(ann, by=acting(owner))

        delete(ann, by=admin, link_action=link_action)

        assert [count(model) for model in (UserSession, ApiToken, PasswordReset)] == [1, 1, 0]

    @BOTH
    def test_is_the_subscription_but_not_the_ledger(
        self, admin: User, ann: User, link_action: str
    ) -> None:
        SubscriptionFactory(user=ann)
        CreditTransactionFactory(user=ann, amount=25)

        delete(ann, by=admin, link_action=link_action)

        kept = db.session.scalars(select(CreditTransaction)).one()
        assert (kept.user_id, kept.user_email, kept.amount) == (None, "ann@example.com", 25)
        assert (count(Subscription), count(User)) == (0, 1)

    @BOTH
    def test_is_nothing_of_anybody_else(
        self, admin: User, ann: User, bob: User, link_action: str
    ) -> None:
        for one in (ann, bob):
            let_in(one, sessions=1, tokens=1)
            SubscriptionFactory(user=one)
            CreditTransactionFactory(user=one)
        before = everything()

        delete(ann, by=admin, link_action=link_action)

        after = everything()
        for table in ("sessions", "api_tokens", "subscriptions"):
            assert after[table] == [row for row in before[table] if ann.id not in row]
        assert after["credit_transactions"][1:] == before["credit_transactions"][1:]

    def test_is_told_with_the_balance(self, admin: User, ann: User) -> None:
        ann.credits_balance = -40
        save()

        delete(ann, by=admin, link_action="delete")

        (told,) = events()
        assert (told.action, told.subject_type) == ("user.deleted", "user")
        assert (told.subject_id, told.subject_label) == (str(ann.id), "Ann")
        assert told.changes["credits_balance"] == [-40, None]

    def test_leaves_the_address_free(self, admin: User, ann: User) -> None:
        delete(ann, by=admin, link_action="delete")

        with transaction():
            values = {"email": "ann@example.com", "display_name": "Another"}
            users.create(values, by=acting(admin))

        assert count(User, User.email == "ann@example.com") == 1


class TestRefusals:
    @pytest.mark.parametrize("level", ["support", "member"])
    def test_of_others_than_admins(self, ann: User, level: str) -> None:
        actor = acting(make_person(level))

        with refused(ForbiddenError, "needs an admin|for staff"):
            users.delete(ann, by=actor, link_action="delete")

    def test_of_admins_by_role_alone_is_none(self, ann: User) -> None:
        delete(ann, by=person("Boss", role="admin"), link_action="delete")

        assert actions() == ["user.deleted"]

    def test_of_oneself(self, app: Flask) -> None:
        boss = person("Boss", role="admin")

        with refused(SelfChangeError, "Nobody deletes themselves. Ask another admin."):
            users.delete(boss, by=acting(boss), link_action="delete")

    @pytest.mark.parametrize("status", ["active", "suspended"])
    def test_of_staff(self, admin: User, status: str) -> None:
        other = staff("support", status, email="sue@example.com").user

        with refused(StaffChangeError, "sue@example.com is staff. Remove staff access first."):
            users.delete(other, by=acting(admin), link_action="delete")

    def test_of_staff_by_role_alone(self, admin: User) -> None:
        other = person("Sue", role="admin")

        with refused(StaffChangeError):
            users.delete(other, by=acting(admin), link_action="delete")

    @pytest.mark.parametrize("link_action", [None, ""])
    def test_without_an_answer(self, admin: User, ann: User, link_action: str | None) -> None:
        with refused(LinkActionError) as refusal:
            users.delete(ann, by=acting(admin), link_action=link_action)

        assert str(refusal.value) == "link_action is required: say reassign or delete."

    def test_with_another_answer(self, admin: User, ann: User) -> None:
        with refused(LinkActionError, "^link_action cannot be “burn{37}”: say reassign or delete"):
            users.delete(ann, by=acting(admin), link_action="bur" + "n" * 90)

    def test_of_somebody_deleted_meanwhile(self, admin: User, ann: User) -> None:
        actor = acting(admin)
        delete(ann, by=actor, link_action="delete")

        with refused(MissingError, "This user was deleted meanwhile"):
            users.delete(ann, by=actor, link_action="delete")

    def test_of_one_refuse_all(self, admin: User, ann: User, bob: User) -> None:
        link(owner=ann)
        sue = staff("support").user

        with refused(StaffChangeError):
            users.delete_all([ann, sue, bob], by=acting(admin), link_action="delete")

    def test_of_one_who_is_gone_refuse_all(self, admin: User, ann: User, bob: User) -> None:
        delete(bob, by=admin, link_action="delete")

        with refused(MissingError):
            users.delete_all([ann, bob], by=acting(admin), link_action="delete")


class TestOrderOfRefusals:
    """Unknown, oneself, staff, link_action (D-15)."""

    def test_unknown_comes_before_everything_else(self, admin: User, ann: User) -> None:
        actor = acting(admin)
        delete(ann, by=actor, link_action="delete")

        with refused(MissingError):
            users.delete_all([admin, ann], by=actor, link_action=None)

    def test_oneself_comes_before_staff(self, admin: User) -> None:
        with refused(SelfChangeError):
            users.delete(admin, by=acting(admin), link_action=None)

    def test_staff_comes_before_link_action(self, admin: User, support: User) -> None:
        with refused(StaffChangeError):
            users.delete(support, by=acting(admin), link_action=None)

    def test_link_action_comes_before_the_plan(self, admin: User, ann: User) -> None:
        with refused(LinkActionError):
            users.delete(ann, by=acting(admin), link_action=None, plan="of another day")

    def test_all_but_the_first_are_400(self) -> None:
        kinds = (MissingError, SelfChangeError, StaffChangeError, LinkActionError)

        assert [kind.status for kind in kinds] == [404, 400, 400, 400]


def first_link() -> Link:
    return db.session.scalars(select(Link).where(Link.slug == "first")).one()


def more_links(ann: User, _bob: User) -> None:
    link(owner=ann)


def fewer_links(_ann: User, _bob: User) -> None:
    with transaction():
        links.delete(first_link(), by=SYSTEM)


def another_co_owner(_ann: User, bob: User) -> None:
    with transaction():
        links.add_owner(first_link(), bob, by=SYSTEM)


def another_primary_owner(_ann: User, bob: User) -> None:
    with transaction():
        links.transfer(first_link(), bob, by=SYSTEM)


def another_balance(ann: User, _bob: User) -> None:
    ann.credits_balance += 1
    save()


def a_subscription(ann: User, _bob: User) -> None:
    SubscriptionFactory(user=ann)


class TestPlanThatWasShown:
    def test_is_carried_out_while_it_is_true(
        self, session: Session, admin: User, ann: User, bob: User
    ) -> None:
        link(owner=ann, co_owners=[bob])
        shown = deletion.plan(session, [ann.id]).digest

        delete(ann, by=admin, link_action="reassign", plan=shown)

        assert actions() == ["user.deleted"]

    def test_is_not_needed(self, admin: User, ann: User) -> None:
        delete(ann, by=admin, link_action="reassign", plan="")

        assert actions() == ["user.deleted"]

    @pytest.mark.parametrize(
        "change",
        [
            more_links,
            fewer_links,
            another_co_owner,
            another_primary_owner,
            another_balance,
            a_subscription,
        ],
    )
    @BOTH
    def test_is_dropped_once_the_facts_moved(
        self, admin: User, ann: User, change: Callable[[User, User], None], link_action: str
    ) -> None:
        link(slug="first", owner=ann)
        shown = deletion.plan(db.session(), [ann.id]).digest
        change(ann, called("Bob"))

        with refused(PlanChangedError, "Nothing was deleted: look at it again") as refusal:
            users.delete(ann, by=acting(admin), link_action=link_action, plan=shown)

        assert (refusal.value.status, refusal.value.code) == (409, "CONFLICT")
        assert refusal.value.plan == deletion.plan(db.session(), [ann.id])

    def test_that_follows_the_refusal_is_carried_out(
        self, session: Session, admin: User, ann: User
    ) -> None:
        shown = deletion.plan(session, [ann.id]).digest
        link(owner=ann)
        with refused(PlanChangedError) as refusal:
            users.delete(ann, by=acting(admin), link_action="delete", plan=shown)

        delete(ann, by=admin, link_action="delete", plan=refusal.value.plan.digest)

        assert count(Link) == 0

    def test_does_not_mind_what_it_did_not_show(
        self, session: Session, admin: User, ann: User, bob: User
    ) -> None:
        made = link(owner=ann)
        shown = deletion.plan(session, [ann.id]).digest
        link(owner=bob)
        with transaction():
            links.update(made, {"title": "New"}, by=SYSTEM)

        delete(ann, by=admin, link_action="delete", plan=shown)

        assert count(User, User.id == ann.id) == 0


class TestDeleteSeveral:
    """Three who own links with each other, with one who stays, and with the actor."""

    def leavers(self, world: str, admin: User) -> list[User]:
        leaving = [called(world + name) for name in ("ann", "bob", "carl")]
        stays = called(world + "dora")
        for first in leaving:
            one, other = (person for person in leaving if person is not first)
            sets: Sequence[list[User]] = (
                [],
                [one],
                [other, one],
                [stays],
                [one, stays, other],
                [other, admin],
                [admin],
            )
            for others in sets:
                link(slug=f"{world}-{count(Link)}", owner=first, co_owners=others)
        link(slug=f"{world}-{count(Link)}", owner=stays, co_owners=[*leaving, admin])
        return leaving

    def left(self, world: str) -> list[list[str]]:
        slugs = select(Link.slug).where(Link.slug.startswith(world)).order_by(Link.id)
        return [
            [email.removeprefix(world) for email in owners(slug)]
            for slug in db.session.scalars(slugs)
        ]

    @BOTH
    def test_equals_one_after_another(self, admin: User, link_action: str) -> None:
        at_once, in_turn = self.leavers("x", admin), self.leavers("y", admin)

        delete(*at_once, by=admin, link_action=link_action)
        for one in in_turn:
            delete(one, by=admin, link_action=link_action)

        assert self.left("x") == self.left("y")
        assert len(self.left("x")) == (22 if link_action == "reassign" else 13)

    def test_is_one_event_each_that_names_their_own_links(
        self, admin: User, ann: User, bob: User, carl: User
    ) -> None:
        link(slug="both", owner=ann, co_owners=[bob])
        link(slug="three", owner=bob, co_owners=[ann, carl])

        delete(ann, bob, by=admin, link_action="delete")

        told = {event.subject_label: event.changes for event in events()}
        assert told["Ann"]["links_deleted"] == [["both"], None]
        assert told["Ann"]["co_owned_links"] == [["three"], None]
        assert told["Bob"]["links_left_to"] == [["three"], ["carl@example.com"]]
        assert told["Bob"]["co_owned_links"] == [["both"], None]

    def test_of_none_is_nothing(self, admin: User) -> None:
        delete(by=admin, link_action="delete")

        assert (actions(), count(User)) == ([], 1)


class TestStatements:
    """Ten thousand links, as few statements as one."""

    @BOTH
    def test_are_twelve_at_most_for_ten_thousand_links(
        self, admin: User, ann: User, bob: User, link_action: str
    ) -> None:
        own_many(ann, bob, MANY)
        actor, plan = acting(admin), deletion.plan(db.session(), [ann.id]).digest

        with statements() as sent:
            delete(ann, by=actor, link_action=link_action, plan=plan)

        assert len(sent) <= MOST_STATEMENTS
        left = MANY if link_action == "reassign" else MANY // 2
        assert count(Link) == count(LinkOwner, LinkOwner.is_primary) == left

    @BOTH
    def test_are_no_more_for_several_people(
        self, admin: User, ann: User, bob: User, link_action: str
    ) -> None:
        own_many(ann, bob, 20)
        actor, people = acting(admin), [ann, bob, *(person() for _ in range(8))]

        with statements() as sent:
            delete(*people, by=actor, link_action=link_action)

        assert len(sent) <= MOST_STATEMENTS


class TestMeanwhile:
    """What others commit while a deletion waits for them."""

    def delete(self, who: User, by: User) -> Callable[[], object]:
        key, actor = who.id, acting(by)

        def act() -> None:
            user = db.session.get_one(User, key)
            users.delete(user, by=actor, link_action="delete")

        return act

    def test_somebody_appointed_and_suspended_is_staff(
        self, app: Flask, owner: User, admin: User, ann: User
    ) -> None:
        act, actor = self.delete(ann, admin), acting(owner)
        with transaction():
            values = {"email": ann.email, "role": "support", "status": "suspended"}
            admins.create(values, by=actor)
            beside = Beside(app, act)

        assert isinstance(beside.end(), StaffChangeError)
        assert count(Admin, Admin.user_id == ann.id) == 1

    def test_the_event_tells_what_was_there_at_the_end(
        self, app: Flask, admin: User, ann: User
    ) -> None:
        act, actor = self.delete(ann, admin), acting(admin)
        with transaction():
            users.update(ann, {"display_name": "Anna"}, by=actor)
            beside = Beside(app, act)

        assert beside.end() == "done"
        told = events()[-1]
        assert (told.subject_label, told.changes["display_name"]) == ("Anna", ["Anna", None])

    def test_a_link_that_came_in_between_is_asked_about(
        self, app: Flask, admin: User, ann: User
    ) -> None:
        act, actor = self.delete(ann, admin), acting(admin)
        with transaction():
            values = {"slug": "new", "url": "https://example.com/", "owners": [ann.id]}
            links.create(values, by=actor)
            beside = Beside(app, act)

        answer = beside.end()
        if db.engine.dialect.name == "sqlite":  # it began after the link was there
            assert (answer, count(Link)) == ("done", 0)
        else:
            assert isinstance(answer, PlanChangedError)
            assert [share.slug for share in answer.plan.sole] == ["new"]
