"""Admins: who is made staff, what their record may become, and who stays in charge."""

import pytest
from flask import Flask

from adminsite import passwords
from adminsite.db import transaction
from adminsite.errors import ConflictError, ForbiddenError, InvalidError, MissingError, RuleError
from adminsite.models import Admin, User
from adminsite.operations import admins, users
from adminsite.operations.admins import LastOwnerError
from adminsite.operations.owners import active_owners
from adminsite.operations.users import SelfChangeError
from adminsite.permissions import SYSTEM, Actor, Level
from tests.factories import UserFactory
from tests.operations.stored import access, actions, events, let_in, refused, staff
from tests.people import acting, make_person

WORDS = "several words apart"
NEW = {"email": "Ann@Example.com", "full_name": "Ann A.", "role": "support"}


def record_of(person: User) -> Admin:
    assert person.staff is not None
    return person.staff


class TestCreate:
    def test_adds_the_person_when_nobody_has_the_address(self, owner: User) -> None:
        with transaction():
            record = admins.create(NEW, by=acting(owner))

        assert (record.email, record.full_name, record.role) == (
            "Ann@Example.com",
            "Ann A.",
            "support",
        )
        assert (record.user.role, record.user.level) == ("admin", Level.SUPPORT)
        assert actions() == ["user.created", "admin.created", "user.role_changed"]

    def test_takes_the_person_who_has_the_address(self, owner: User) -> None:
        ann = UserFactory.create(email="ann@example.com", display_name="Ann B.")

        with transaction():
            record = admins.create(NEW, by=acting(owner))

        assert (record.user, record.full_name) == (ann, "Ann B.")
        assert actions() == ["admin.created", "user.role_changed"]

    def test_tells_level_status_and_address(self, owner: User) -> None:
        with transaction():
            record = admins.create(NEW, by=acting(owner))

        told = events()[1]
        assert (told.subject_type, told.subject_id) == ("admin", str(record.id))
        assert told.changes == {
            "role": [None, "support"],
            "status": [None, "active"],
            "email": [None, "Ann@Example.com"],
        }
        assert (told.actor_email, told.actor_level) == ("owner@example.com", "owner")

    def test_may_begin_suspended(self, owner: User) -> None:
        with transaction():
            record = admins.create({**NEW, "status": "suspended"}, by=acting(owner))

        assert (record.status, record.user.role, record.user.level) == (
            "suspended",
            "user",
            Level.NONE,
        )

    def test_may_say_that_it_is_active(self, owner: User) -> None:
        with transaction():
            assert admins.create({**NEW, "status": "active"}, by=acting(owner)).version == 1

    @pytest.mark.parametrize(
        ("values", "fields"),
        [
            ({"email": "ann"}, {"email"}),
            ({"email": None, "role": None}, {"email", "role"}),
            ({"role": "boss"}, {"role"}),
            ({"status": "away"}, {"status"}),
            ({"full_name": " "}, {"full_name"}),
            ({"full_name": None}, {"full_name"}),
            ({"password": WORDS}, {"password"}),
        ],
    )
    def test_is_refused_for_what_breaks_a_rule(
        self, owner: User, values: dict[str, object], fields: set[str]
    ) -> None:
        with refused(InvalidError) as refusal:
            admins.create({**NEW, **values}, by=acting(owner))

        assert set(refusal.value.fields) == fields

    def test_is_refused_for_staff(self, owner: User, support: User) -> None:
        with refused(InvalidError, "Support Person is staff already"):
            admins.create({**NEW, "email": support.email}, by=acting(owner))

    @pytest.mark.parametrize("level", ["admin", "support", "member"])
    def test_is_refused_to_others(self, app: Flask, level: str) -> None:
        actor = acting(make_person(level))

        with refused(ForbiddenError):
            admins.create(NEW, by=actor)


class TestAppoint:
    def test_gives_a_level(self, owner: User) -> None:
        ann = UserFactory.create()

        with transaction():
            admins.appoint(ann, "support", by=acting(owner))

        assert (ann.level, ann.role) == (Level.SUPPORT, "admin")

    def test_ends_the_sessions_because_the_role_changed(self, owner: User) -> None:
        ann = UserFactory.create()
        let_in(ann, sessions=2, tokens=1)

        with transaction():
            admins.appoint(ann, "support", by=acting(owner))

        assert access(ann) == (0, 1)
        assert events()[0].changes["sessions"] == [2, 0]

    def test_below_the_level_of_the_role_ends_the_tokens(self, owner: User) -> None:
        ann = UserFactory.create(role="admin")  # by SQL, R-002-56
        let_in(ann, sessions=1, tokens=1)

        with transaction():
            admins.appoint(ann, "support", by=acting(owner))

        assert access(ann) == (0, 0)
        assert actions() == ["admin.created"]

    def test_at_the_level_of_the_role_ends_no_tokens(self, owner: User) -> None:
        ann = UserFactory.create(role="admin")
        let_in(ann, sessions=1, tokens=1)

        with transaction():
            admins.appoint(ann, "admin", by=acting(owner))

        assert access(ann) == (0, 1)

    def test_is_refused_for_an_unknown_level(self, owner: User) -> None:
        ann = UserFactory.create()

        with refused(InvalidError, "one of support, admin, owner"):
            admins.appoint(ann, "boss", by=acting(owner))

    def test_is_refused_for_staff(self, owner: User, admin: User) -> None:
        with refused(InvalidError, "staff already"):
            admins.appoint(admin, "owner", by=acting(owner))

    def test_is_refused_to_admins(self, admin: User) -> None:
        ann = UserFactory.create()

        with refused(ForbiddenError):
            admins.appoint(ann, "support", by=acting(admin))

    def test_of_somebody_deleted_meanwhile_is_refused(self, owner: User) -> None:
        ann, actor = UserFactory.create(), acting(owner)
        with transaction():
            users.delete(ann, by=actor, link_action="delete")

        with refused(MissingError, "This user was deleted meanwhile"):
            admins.appoint(ann, "support", by=actor)


class TestMakeOwner:
    def test_adds_the_person(self, app: Flask) -> None:
        with transaction():
            record = admins.make_owner("ann@example.com", "Ann", WORDS, by=SYSTEM)

        assert (record.role, record.status, record.user.level) == ("owner", "active", Level.OWNER)
        assert passwords.matches(record.user.password_hash, WORDS)
        assert actions() == [
            "user.created",
            "password.changed",
            "admin.created",
            "user.role_changed",
        ]

    def test_of_a_member_keeps_name_and_password(self, app: Flask) -> None:
        ann = UserFactory.create(email="ann@example.com", display_name="Ann A.")
        stored = ann.password_hash

        with transaction():
            admins.make_owner("ANN@example.com", "Somebody", None, by=SYSTEM)

        assert (ann.display_name, ann.password_hash, ann.role) == ("Ann A.", stored, "admin")
        assert ann.level is Level.OWNER

    def test_of_suspended_support_changes_level_and_status(self, app: Flask) -> None:
        ann = staff("support", "suspended", email="ann@example.com").user

        with transaction():
            admins.make_owner("ann@example.com", "Ann", None, by=SYSTEM)

        assert ann.level is Level.OWNER
        assert actions() == ["admin.role_changed", "admin.status_changed", "user.role_changed"]

    def test_of_an_owner_changes_nothing(self, owner: User) -> None:
        with transaction():
            admins.make_owner(owner.email, "x", None, by=SYSTEM)

        assert actions() == []

    def test_with_a_new_password_ends_the_sessions(self, owner: User) -> None:
        let_in(owner, sessions=2, tokens=1)

        with transaction():
            admins.make_owner(owner.email, "x", WORDS, by=SYSTEM)

        assert access(owner) == (0, 1)

    @pytest.mark.parametrize(
        ("email", "name", "password", "field"),
        [
            ("ann", "Ann", WORDS, "email"),
            ("ann@example.com", " ", WORDS, "display_name"),
            ("ann@example.com", "Ann", "short", "password"),
            ("ann@example.com", "Ann", "ann@example.com", "password"),
        ],
    )
    def test_is_refused_for_what_breaks_a_rule(
        self, app: Flask, email: str, name: str, password: str, field: str
    ) -> None:
        with refused(InvalidError) as refusal:
            admins.make_owner(email, name, password, by=SYSTEM)

        assert set(refusal.value.fields) == {field}

    def test_is_refused_to_admins(self, admin: User) -> None:
        with refused(ForbiddenError, "needs an owner"):
            admins.make_owner("ann@example.com", "Ann", WORDS, by=acting(admin))


class TestUpdate:
    def test_of_the_level_raises_it(self, owner: User, support: User) -> None:
        let_in(support, sessions=2, tokens=1)

        with transaction():
            record = admins.change_role(record_of(support), "admin", by=acting(owner))

        assert (record.role, record.version, support.level) == ("admin", 2, Level.ADMIN)
        assert access(support) == (0, 1)
        assert [(event.action, event.changes) for event in events()] == [
            ("admin.role_changed", {"role": ["support", "admin"], "sessions": [2, 0]})
        ]

    def test_of_the_level_to_a_lower_one_ends_the_tokens(self, owner: User, admin: User) -> None:
        let_in(admin, sessions=1, tokens=2)

        with transaction():
            admins.change_role(record_of(admin), "support", by=acting(owner))

        assert access(admin) == (0, 0)
        assert events()[0].changes["tokens"] == [2, 0]

    def test_of_the_status_suspends(self, owner: User, admin: User) -> None:
        let_in(admin, sessions=1, tokens=1)

        with transaction():
            record = admins.change_status(record_of(admin), "suspended", by=acting(owner))

        assert (record.status, admin.role, admin.level) == ("suspended", "user", Level.NONE)
        assert access(admin) == (0, 0)
        assert [(event.action, event.changes) for event in events()] == [
            (
                "admin.status_changed",
                {"status": ["active", "suspended"], "sessions": [1, 0], "tokens": [1, 0]},
            ),
            ("user.role_changed", {"role": ["admin", "user"]}),
        ]

    def test_of_the_status_reinstates(self, owner: User) -> None:
        record = staff("support", "suspended")

        with transaction():
            admins.change_status(record, "active", by=acting(owner))

        assert (record.user.role, record.user.level) == ("admin", Level.SUPPORT)

    def test_leaves_everybody_elses_access(self, owner: User, admin: User, member: User) -> None:
        for person in (owner, member):
            let_in(person, sessions=1, tokens=1)

        with transaction():
            admins.change_status(record_of(admin), "suspended", by=acting(owner))

        assert [access(person) for person in (owner, member)] == [(1, 1), (1, 1)]

    def test_of_address_and_name_changes_the_person(self, owner: User, admin: User) -> None:
        values = {"email": "ann@example.com", "full_name": "Ann"}

        with transaction():
            saved = admins.update(record_of(admin), values, by=acting(owner))

        assert saved.changed == ("email", "full_name")
        assert (admin.email, admin.display_name) == ("ann@example.com", "Ann")
        assert [(event.action, event.changes) for event in events()] == [
            (
                "user.updated",
                {
                    "email": ["admin@example.com", "ann@example.com"],
                    "display_name": ["Admin Person", "Ann"],
                },
            ),
            (
                "admin.updated",
                {
                    "email": ["admin@example.com", "ann@example.com"],
                    "full_name": ["Admin Person", "Ann"],
                },
            ),
        ]

    def test_of_everything_at_once_is_told_one_by_one(self, owner: User, admin: User) -> None:
        values = {"full_name": "Ann", "role": "support", "status": "suspended"}

        with transaction():
            admins.update(record_of(admin), values, by=acting(owner))

        assert actions() == [
            "user.updated",
            "admin.updated",
            "admin.role_changed",
            "admin.status_changed",
            "user.role_changed",
        ]

    def test_that_changes_nothing_leaves_no_trace(self, owner: User, admin: User) -> None:
        values = {"email": admin.email, "role": "admin", "status": "active"}

        with transaction():
            saved = admins.update(record_of(admin), values, by=acting(owner))

        assert (saved.changed, actions()) == ((), [])

    def test_of_ones_own_name_is_allowed(self, owner: User) -> None:
        with transaction():
            admins.update(record_of(owner), {"full_name": "Olga"}, by=acting(owner))

        assert owner.display_name == "Olga"

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({"role": "admin"}, "Nobody changes their own level"),
            ({"status": "suspended"}, "Nobody suspends or reinstates themselves"),
            ({"full_name": "Olga", "role": "admin"}, "Nobody changes their own level"),
        ],
    )
    def test_of_ones_own_level_or_status_is_refused(
        self, owner: User, values: dict[str, object], said: str
    ) -> None:
        staff("owner")

        with refused(SelfChangeError, f"{said}. Ask another owner."):
            admins.update(record_of(owner), values, by=acting(owner))

    def test_of_ones_own_level_to_the_same_is_no_change(self, owner: User) -> None:
        with transaction():
            assert admins.change_role(record_of(owner), "owner", by=acting(owner)).version == 1

    @pytest.mark.parametrize(
        "values",
        [{"role": "admin"}, {"status": "suspended"}, {"role": "support", "status": "suspended"}],
    )
    def test_of_the_last_active_owner_is_refused(
        self, owner: User, values: dict[str, object]
    ) -> None:
        staff("owner", "suspended")

        with refused(LastOwnerError, "Owner Person is the last active owner. Make somebody"):
            admins.update(record_of(owner), values, by=SYSTEM)

    def test_of_an_owner_beside_another_is_allowed(self, owner: User) -> None:
        other = staff("owner")

        with transaction():
            admins.change_role(other, "support", by=acting(owner))

        assert active_owners() == {record_of(owner).id: owner.id}

    def test_of_a_suspended_owner_is_allowed(self, owner: User) -> None:
        other = staff("owner", "suspended")

        with transaction():
            admins.change_role(other, "support", by=acting(owner))

        assert other.role == "support"

    @pytest.mark.parametrize("level", ["admin", "support", "member"])
    def test_is_refused_to_others(self, app: Flask, level: str) -> None:
        record, actor = staff("support"), acting(make_person(level))

        with refused(ForbiddenError):
            admins.change_role(record, "admin", by=actor)

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"role": "boss"}, "role"),
            ({"status": "away"}, "status"),
            ({"email": "owner@example.com"}, "email"),
            ({"last_login_at": None}, "last_login_at"),
        ],
    )
    def test_is_refused_for_what_breaks_a_rule(
        self, owner: User, admin: User, values: dict[str, object], field: str
    ) -> None:
        with refused(InvalidError) as refusal:
            admins.update(record_of(admin), {"role": "support", **values}, by=acting(owner))

        assert set(refusal.value.fields) == {field}

    def test_of_what_another_changed_meanwhile_is_refused(self, owner: User, admin: User) -> None:
        record, actor = record_of(admin), acting(owner)
        with transaction():
            admins.change_role(record, "support", by=actor)

        with refused(ConflictError, "owner@example.com changed role while you were editing"):
            admins.update(record, {"role": "owner"}, by=actor, seen=1)

    def test_of_a_name_changed_on_the_users_screen_is_refused(
        self, owner: User, admin: User
    ) -> None:
        record, actor = record_of(admin), acting(owner)
        with transaction():
            users.update(admin, {"display_name": "Theirs"}, by=actor)

        with refused(ConflictError, "changed full name while you were editing"):
            admins.update(record, {"full_name": "Mine"}, by=actor, seen=1)

    def test_of_a_record_removed_meanwhile_is_refused(self, owner: User, admin: User) -> None:
        record, actor = record_of(admin), acting(owner)
        with transaction():
            admins.delete(record, by=actor)

        with refused(MissingError, "This admin was deleted meanwhile"):
            admins.change_role(record, "support", by=actor)


class TestNoLongerOwner:
    """Who was an owner when they asked, and is none when it is done."""

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({"role": "support"}, "you are signed in as support"),
            ({"role": "admin"}, "you are signed in as admin"),
            ({"status": "suspended"}, "Your account is not a staff account"),
        ],
    )
    def test_changes_nobody(
        self, owner: User, admin: User, values: dict[str, object], said: str
    ) -> None:
        other = staff("owner")
        was_owner = acting(other.user)
        with transaction():
            admins.update(other, values, by=acting(owner))

        with refused(ForbiddenError, said):
            admins.change_role(record_of(admin), "owner", by=was_owner)

    def test_appoints_nobody(self, owner: User, member: User) -> None:
        other = staff("owner")
        was_owner = acting(other.user)
        with transaction():
            admins.change_role(other, "admin", by=acting(owner))

        with refused(ForbiddenError):
            admins.appoint(member, "owner", by=was_owner)

    def test_removes_nobody_when_deleted_themselves(self, owner: User, admin: User) -> None:
        other = staff("owner").user
        was_owner, actor = acting(other), acting(owner)
        with transaction():
            admins.delete(record_of(other), by=actor)
        with transaction():
            users.delete(other, by=actor, link_action="delete")

        with refused(ForbiddenError, "Your account is not a staff account"):
            admins.delete(record_of(admin), by=was_owner)


class TestDelete:
    def test_removes_the_record_and_keeps_the_person(self, owner: User, admin: User) -> None:
        let_in(admin, sessions=2, tokens=1)

        with transaction():
            admins.delete(record_of(admin), by=acting(owner))

        assert (admin.staff, admin.role, admin.level) == (None, "user", Level.NONE)
        assert access(admin) == (0, 0)

    def test_tells_what_was_removed(self, owner: User, admin: User) -> None:
        let_in(admin, sessions=2, tokens=1)

        with transaction():
            admins.delete(record_of(admin), by=acting(owner))

        told, followed = events()
        assert (told.action, told.subject_label) == ("admin.deleted", "Admin Person (admin)")
        assert told.changes == {
            "role": ["admin", None],
            "status": ["active", None],
            "email": ["admin@example.com", None],
            "sessions": [2, 0],
            "tokens": [1, 0],
        }
        assert (followed.action, followed.changes) == (
            "user.role_changed",
            {"role": ["admin", "user"]},
        )

    def test_of_a_suspended_one_leaves_the_role_as_it_is(self, owner: User) -> None:
        record = staff("admin", "suspended")

        with transaction():
            admins.delete(record, by=acting(owner))

        assert actions() == ["admin.deleted"]

    def test_lets_the_person_be_appointed_again(self, owner: User, admin: User) -> None:
        with transaction():
            admins.delete(record_of(admin), by=acting(owner))

        with transaction():
            admins.appoint(admin, "owner", by=acting(owner))

        assert admin.level is Level.OWNER

    def test_of_ones_own_is_refused(self, owner: User) -> None:
        staff("owner")

        with refused(SelfChangeError, "Nobody removes themselves. Ask another owner."):
            admins.delete(record_of(owner), by=acting(owner))

    def test_of_the_last_active_owner_is_refused(self, owner: User) -> None:
        staff("owner", "suspended")

        with refused(LastOwnerError):
            admins.delete(record_of(owner), by=SYSTEM)

    def test_of_a_suspended_owner_is_allowed(self, owner: User) -> None:
        other = staff("owner", "suspended")

        with transaction():
            admins.delete(other, by=acting(owner))

        assert other.user.staff is None

    @pytest.mark.parametrize("level", ["admin", "support", "member"])
    def test_is_refused_to_others(self, app: Flask, level: str) -> None:
        record, actor = staff("support"), acting(make_person(level))

        with refused(ForbiddenError):
            admins.delete(record, by=actor)

    def test_of_a_record_removed_meanwhile_is_refused(self, owner: User, admin: User) -> None:
        record, actor = record_of(admin), acting(owner)
        with transaction():
            admins.delete(record, by=actor)

        with refused(MissingError, "This admin was deleted meanwhile"):
            admins.delete(record, by=actor)


class TestGetAllForUpdate:
    def test_gives_those_that_exist_in_the_order_of_their_keys(self, owner: User) -> None:
        records = [staff("support"), staff("admin")]
        keys = [record.id for record in records]

        with transaction():
            found = admins.get_all_for_update([*reversed(keys), 10**6])

        assert list(found) == records


class TestActiveOwners:
    def test_are_neither_suspended_nor_of_another_level(self, owner: User, admin: User) -> None:
        other = staff("owner")
        staff("owner", "suspended")

        found = active_owners()

        assert found == {one.id: one.user_id for one in (record_of(owner), other)}


class TestObjection:
    """What a screen asks before it offers an act."""

    def why(self, record: Admin, verb: str, value: str | None, by: Actor) -> RuleError | None:
        return admins.objection(record, verb, value, by=by, owners=active_owners())

    def test_is_none_against_others(self, owner: User, admin: User) -> None:
        record, actor = record_of(admin), acting(owner)

        for verb, value in (("role", "owner"), ("status", "suspended"), ("delete", None)):
            assert self.why(record, verb, value, actor) is None

    def test_to_oneself_comes_before_the_last_owner(self, owner: User) -> None:
        why = self.why(record_of(owner), "delete", None, acting(owner))

        assert isinstance(why, SelfChangeError)
        assert str(why) == "Nobody removes themselves. Make somebody else an owner first."

    def test_to_what_leaves_the_last_owner_in_charge_is_none(self, owner: User) -> None:
        record = record_of(owner)

        assert self.why(record, "role", "owner", SYSTEM) is None
        assert self.why(record, "status", "active", SYSTEM) is None
        assert isinstance(self.why(record, "role", "admin", SYSTEM), LastOwnerError)

    def test_to_removing_the_last_owner_says_what_to_do(self, owner: User) -> None:
        why = self.why(record_of(owner), "delete", None, SYSTEM)

        assert str(why) == (
            "Owner Person is the last active owner. Make somebody else an owner first."
        )
