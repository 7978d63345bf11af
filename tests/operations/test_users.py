"""Users: adding people, changing their address, name and role."""

import pytest
from flask import Flask

from adminsite.db import transaction
from adminsite.errors import ConflictError, ForbiddenError, InvalidError, MissingError
from adminsite.models import User
from adminsite.operations import users
from adminsite.operations.users import SelfChangeError, StaffChangeError
from adminsite.permissions import SYSTEM, Level
from tests.factories import UserFactory
from tests.operations.stored import access, actions, events, let_in, refused, staff
from tests.people import acting, make_person

ANN = {"email": "Ann@Example.com", "display_name": "Ann"}


class TestCreate:
    def test_adds_a_member(self, admin: User) -> None:
        with transaction():
            ann = users.create(ANN, by=acting(admin))

        assert (ann.email, ann.email_key, ann.role) == (
            "Ann@Example.com",
            "ann@example.com",
            "user",
        )

    def test_is_told(self, admin: User) -> None:
        with transaction():
            ann = users.create(ANN, by=acting(admin))

        (told,) = events()
        assert (told.action, told.subject_id, told.subject_label) == (
            "user.created",
            str(ann.id),
            "Ann",
        )
        assert told.changes == {
            "email": [None, "Ann@Example.com"],
            "display_name": [None, "Ann"],
            "role": [None, "user"],
        }

    def test_is_refused_for_the_same_address_in_another_case(self, admin: User) -> None:
        UserFactory.create(email="ANN@example.com")

        with refused(InvalidError, "exists. Edit that person instead"):
            users.create(ANN, by=acting(admin))

    def test_is_refused_for_the_same_address_twice_at_once(self, admin: User) -> None:
        batch = [ANN, {"email": "ann@example.com", "display_name": "Anna"}]

        with refused(InvalidError, "exists"):
            users.create_many(batch, by=acting(admin))

    def test_is_refused_for_what_breaks_a_rule(self, admin: User) -> None:
        values = {"email": "ann", "role": "boss", "password_hash": "x"}

        with refused(InvalidError) as refusal:
            users.create(values, by=acting(admin))

        assert set(refusal.value.fields) == {"email", "display_name", "role", "password_hash"}

    def test_with_a_role_needs_an_owner(self, admin: User, owner: User) -> None:
        values = {**ANN, "role": "admin"}
        with refused(ForbiddenError, "needs an owner"):
            users.create(values, by=acting(admin))

        with transaction():
            assert users.create(values, by=acting(owner)).level is Level.ADMIN

    @pytest.mark.parametrize("level", ["support", "member"])
    def test_is_refused_to_others_than_admins(self, app: Flask, level: str) -> None:
        actor = acting(make_person(level))

        with refused(ForbiddenError):
            users.create(ANN, by=actor)


class TestUpdate:
    def test_changes_name_and_address(self, admin: User) -> None:
        ann = UserFactory.create(email="ann@example.com", display_name="Ann")
        values = {"email": "ann@example.org", "display_name": "Anna"}

        with transaction():
            users.update(ann, values, by=acting(admin))

        assert (ann.email_key, ann.display_name, ann.version) == ("ann@example.org", "Anna", 2)
        assert [(event.action, event.changes) for event in events()] == [
            (
                "user.updated",
                {"email": ["ann@example.com", "ann@example.org"], "display_name": ["Ann", "Anna"]},
            )
        ]

    def test_that_changes_nothing_leaves_no_trace(self, admin: User) -> None:
        ann = UserFactory.create(display_name="Ann")

        with transaction():
            users.update(ann, {"display_name": " Ann "}, by=acting(admin))

        assert (actions(), ann.version) == ([], 1)

    def test_changes_the_case_of_an_address(self, admin: User) -> None:
        ann = UserFactory.create(email="ann@example.com")

        with transaction():
            saved = users.update(ann, {"email": "Ann@example.com"}, by=acting(admin))

        assert saved.changed == ("email",)

    def test_is_refused_for_a_taken_address(self, admin: User) -> None:
        ann = UserFactory.create()

        with refused(InvalidError, "exists"):
            users.update(ann, {"email": "ADMIN@example.com"}, by=acting(admin))

    @pytest.mark.parametrize("level", ["support", "member"])
    def test_is_refused_to_others_than_admins(self, app: Flask, level: str) -> None:
        ann, actor = UserFactory.create(), acting(make_person(level))

        with refused(ForbiddenError):
            users.update(ann, {"display_name": "Ann"}, by=actor)

    def test_of_what_another_changed_meanwhile_is_refused(self, admin: User, owner: User) -> None:
        ann, actor = UserFactory.create(), acting(admin)
        with transaction():
            users.update(ann, {"display_name": "Theirs"}, by=acting(owner))

        with refused(ConflictError, "changed display name while you were editing"):
            users.update(ann, {"display_name": "Mine"}, by=actor, seen=1)

    def test_of_somebody_deleted_meanwhile_is_refused(self, admin: User) -> None:
        ann, actor = UserFactory.create(), acting(admin)
        with transaction():
            users.delete(ann, by=actor, link_action="delete")

        with refused(MissingError, "This user was deleted meanwhile"):
            users.update(ann, {"display_name": "Ann"}, by=actor)


class TestUpdateRole:
    def test_ends_the_sessions(self, owner: User) -> None:
        ann = UserFactory.create()
        let_in(ann, sessions=2, tokens=1)

        with transaction():
            users.update(ann, {"role": "admin"}, by=acting(owner))

        assert (ann.level, ann.version, access(ann)) == (Level.ADMIN, 2, (0, 1))
        assert [(event.action, event.changes) for event in events()] == [
            ("user.role_changed", {"role": ["user", "admin"], "sessions": [2, 0]})
        ]

    def test_to_a_member_ends_the_tokens_too(self, owner: User) -> None:
        ann = UserFactory.create(role="admin")
        let_in(ann, sessions=1, tokens=1)

        with transaction():
            users.update(ann, {"role": "user"}, by=acting(owner))

        assert access(ann) == (0, 0)

    def test_is_refused_to_admins(self, admin: User) -> None:
        ann = UserFactory.create()

        with refused(ForbiddenError, "needs an owner"):
            users.update(ann, {"role": "admin"}, by=acting(admin))

    def test_of_oneself_is_refused(self, owner: User) -> None:
        with refused(SelfChangeError, "Nobody changes their own role. Ask another owner."):
            users.update(owner, {"role": "user"}, by=acting(owner))

    def test_of_staff_is_refused(self, owner: User, admin: User) -> None:
        with refused(StaffChangeError, "has a staff record. Change their level or status there"):
            users.update(admin, {"role": "user"}, by=acting(owner))

    def test_of_the_last_owner_is_refused_to_the_system_too(self, owner: User) -> None:
        with refused(StaffChangeError):
            users.update(owner, {"role": "user"}, by=SYSTEM)

    def test_to_the_same_is_no_change(self, admin: User) -> None:
        with transaction():
            saved = users.update(admin, {"role": "admin"}, by=acting(admin))

        assert saved.changed == ()


class TestUpdateStaff:
    """The address and name of somebody with a staff record."""

    def test_is_refused_to_admins(self, admin: User) -> None:
        other = staff("support").user

        with refused(ForbiddenError, "needs an owner"):
            users.update(other, {"display_name": "Sue"}, by=acting(admin))

    def test_of_ones_own_is_allowed(self, admin: User) -> None:
        with transaction():
            users.update(admin, {"display_name": "Alma"}, by=acting(admin))

        assert admin.display_name == "Alma"

    def test_is_told_by_the_staff_record_too(self, owner: User, admin: User) -> None:
        with transaction():
            users.update(admin, {"display_name": "Alma"}, by=acting(owner))

        assert admin.staff is not None
        assert [(event.action, event.changes) for event in events()] == [
            ("user.updated", {"display_name": ["Admin Person", "Alma"]}),
            ("admin.updated", {"full_name": ["Admin Person", "Alma"]}),
        ]
        assert (admin.version, admin.staff.version) == (2, 2)
