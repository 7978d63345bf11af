"""Users and admins: adding people, their role, owners."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite import passwords
from adminsite.db import transaction
from adminsite.errors import ForbiddenError, InvalidError
from adminsite.models import AuditEvent, User, UserSession
from adminsite.operations import admins, sessions, users
from adminsite.operations.users import SelfChangeError, StaffChangeError
from adminsite.permissions import SYSTEM, Level
from tests.factories import AdminFactory, UserFactory
from tests.people import acting

ANN = {"email": "Ann@Example.com", "display_name": "Ann"}
WORDS = "several words apart"


def actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def open_sessions(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(UserSession)) or 0


class TestCreateUser:
    def test_adds_a_member(self, admin: User) -> None:
        with transaction():
            ann = users.create(ANN, by=acting(admin))

        assert (ann.email, ann.email_key, ann.role) == (
            "Ann@Example.com",
            "ann@example.com",
            "user",
        )

    def test_is_refused_for_the_same_address_in_another_case(self, admin: User) -> None:
        UserFactory.create(email="ANN@example.com")

        with pytest.raises(InvalidError, match="exists"), transaction():
            users.create(ANN, by=acting(admin))

    def test_with_a_role_needs_an_owner(self, admin: User, owner: User) -> None:
        values = {**ANN, "role": "admin"}
        with pytest.raises(ForbiddenError, match="needs an owner"), transaction():
            users.create(values, by=acting(admin))

        with transaction():
            assert users.create(values, by=acting(owner)).level is Level.ADMIN

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            users.create(ANN, by=acting(support))


class TestUpdateUser:
    def test_changes_name_and_address(self, admin: User, session: Session) -> None:
        ann = UserFactory.create(email="ann@example.com")

        with transaction():
            users.update(ann, {"email": "ann@example.org", "display_name": "A"}, by=acting(admin))

        assert (ann.email_key, ann.display_name) == ("ann@example.org", "A")
        assert actions(session) == ["user.updated"]

    def test_that_changes_nothing_leaves_no_trace(self, admin: User, session: Session) -> None:
        ann = UserFactory.create(display_name="Ann")

        with transaction():
            users.update(ann, {"display_name": " Ann "}, by=acting(admin))

        assert actions(session) == []

    def test_changes_the_case_of_an_address(self, admin: User) -> None:
        ann = UserFactory.create(email="ann@example.com")

        with transaction():
            saved = users.update(ann, {"email": "Ann@example.com"}, by=acting(admin))

        assert saved.changed == ("email",)

    def test_is_refused_for_a_taken_address(self, admin: User) -> None:
        ann = UserFactory.create()

        with pytest.raises(InvalidError, match="exists"), transaction():
            users.update(ann, {"email": "ADMIN@example.com"}, by=acting(admin))

    def test_of_the_role_ends_the_sessions(self, owner: User, session: Session) -> None:
        ann = UserFactory.create()
        with transaction():
            sessions.sign_in(ann, by=acting(ann), hours=1)

        with transaction():
            users.update(ann, {"role": "admin"}, by=acting(owner))

        assert actions(session)[-1] == "user.role_changed"
        assert open_sessions(session) == 0

    def test_of_the_role_is_refused_to_admins(self, admin: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            users.update(UserFactory.create(), {"role": "admin"}, by=acting(admin))

    def test_of_the_own_role_is_refused(self, app: object) -> None:
        ann = UserFactory.create(role="admin")
        actor = acting(ann)
        boss = type(actor)(id=ann.id, email=ann.email, name="Ann", level=Level.OWNER)

        with pytest.raises(SelfChangeError, match="their own role"), transaction():
            users.update(ann, {"role": "user"}, by=boss)

    def test_of_the_role_of_staff_is_refused(self, owner: User, admin: User) -> None:
        with pytest.raises(StaffChangeError, match="has a staff record"), transaction():
            users.update(admin, {"role": "user"}, by=acting(owner))


class TestMakeOwner:
    def test_adds_the_person(self, app: object, session: Session) -> None:
        with transaction():
            staff = admins.make_owner("ann@example.com", "Ann", WORDS, by=SYSTEM)

        assert (staff.role, staff.status, staff.user.level) == ("owner", "active", Level.OWNER)
        assert passwords.matches(staff.user.password_hash, WORDS)
        assert actions(session) == [
            "user.created",
            "password.changed",
            "admin.created",
            "user.role_changed",
        ]

    def test_of_a_member_keeps_name_and_password(self, app: object) -> None:
        ann = UserFactory.create(email="ann@example.com", display_name="Ann A.")
        stored = ann.password_hash

        with transaction():
            admins.make_owner("ANN@example.com", "Somebody", None, by=SYSTEM)

        assert (ann.display_name, ann.password_hash, ann.role) == ("Ann A.", stored, "admin")
        assert ann.level is Level.OWNER

    def test_of_suspended_support_changes_level_and_status(
        self, app: object, session: Session
    ) -> None:
        ann = UserFactory.create(email="ann@example.com")
        AdminFactory.create(user=ann, role="support", status="suspended")

        with transaction():
            admins.make_owner("ann@example.com", "Ann", None, by=SYSTEM)

        assert ann.level is Level.OWNER
        assert actions(session) == [
            "admin.role_changed",
            "admin.status_changed",
            "user.role_changed",
        ]

    def test_of_an_owner_changes_nothing(self, owner: User, session: Session) -> None:
        with transaction():
            admins.make_owner(owner.email, "x", None, by=SYSTEM)

        assert actions(session) == []

    def test_with_a_new_password_ends_the_sessions(self, owner: User, session: Session) -> None:
        with transaction():
            sessions.sign_in(owner, by=acting(owner), hours=1)

        with transaction():
            admins.make_owner(owner.email, "x", WORDS, by=SYSTEM)

        assert open_sessions(session) == 0

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
        self, app: object, email: str, name: str, password: str, field: str
    ) -> None:
        with pytest.raises(InvalidError) as refused, transaction():
            admins.make_owner(email, name, password, by=SYSTEM)

        assert set(refused.value.fields) == {field}

    def test_is_refused_to_admins(self, admin: User) -> None:
        with pytest.raises(ForbiddenError, match="needs an owner"), transaction():
            admins.make_owner("ann@example.com", "Ann", WORDS, by=acting(admin))


class TestCreateAdmin:
    def test_gives_a_level(self, owner: User) -> None:
        ann = UserFactory.create()

        with transaction():
            admins.appoint(ann, "support", by=acting(owner))

        assert (ann.level, ann.role) == (Level.SUPPORT, "admin")

    def test_is_refused_for_an_unknown_level(self, owner: User) -> None:
        with pytest.raises(InvalidError, match="one of support, admin, owner"), transaction():
            admins.appoint(UserFactory.create(), "boss", by=acting(owner))

    def test_is_refused_for_staff(self, owner: User, admin: User) -> None:
        with pytest.raises(InvalidError, match="staff already"), transaction():
            admins.appoint(admin, "owner", by=acting(owner))

    def test_is_refused_to_admins(self, admin: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            admins.appoint(UserFactory.create(), "support", by=acting(admin))
