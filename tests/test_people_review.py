"""Ways round the rules about people: two at once, links to the wrong mailbox, double answers."""

from collections.abc import Callable

import pytest
from flask import Flask

from adminsite import mail
from adminsite.db import db, transaction
from adminsite.errors import ForbiddenError, RuleError
from adminsite.invitations import deliver
from adminsite.models import AuditEvent, PasswordReset, User
from adminsite.operations import admins, credentials, users
from adminsite.operations.users import StaffChangeError
from adminsite.permissions import Actor
from adminsite.resources import USERS
from tests.beside import Beside
from tests.client import SiteClient
from tests.factories import AdminFactory, UserFactory
from tests.operations.stored import count, events, refused
from tests.operations.stored import staff as made_staff
from tests.people import acting
from tests.rows import link, person

JSON = {"Accept": "application/json"}


@pytest.fixture
def ann(app: Flask) -> User:
    """A person who is no staff."""
    return person(email="ann@example.com", display_name="Ann")


class TestTwoAtOnce:
    """What one person decides while another's change is not committed yet."""

    def test_bulk_role_change_is_refused_when_they_are_appointed_meanwhile(
        self, app: Flask, owner: User, ann: User
    ) -> None:
        key, actor = ann.id, acting(owner)

        def act() -> None:
            for row in USERS.get_all_for_update([key]):
                users.update(row, {"role": "user"}, by=actor)

        with transaction():
            admins.create({"email": "ann@example.com", "role": "admin"}, by=actor)
            beside = Beside(app, act)

        answer = beside.end()
        db.session.expire_all()
        assert isinstance(answer, StaffChangeError)
        assert db.session.get_one(User, key).role == "admin"

    def test_deleting_on_a_screen_and_by_command_ends_without_a_deadlock(
        self, app: Flask, owner: User, ann: User
    ) -> None:
        link(owner=ann)
        key, actor = ann.id, acting(owner)

        def by_command() -> None:
            user = admins.find("ann@example.com")
            assert user is not None
            users.delete(user, by=actor, link_action="delete")

        with transaction():
            shown = USERS.get_for_update(key)  # as a screen reads it
            beside = Beside(app, by_command)
            users.delete(shown, by=actor, link_action="delete")

        answer = beside.end()
        assert isinstance(answer, RuleError | AssertionError)  # nobody is there any more
        assert count(User, User.id == key) == 0


class TestOneTimeLinks:
    """A link that is on its way to somebody ends when it should not work any more."""

    @pytest.fixture
    def bea(self, app: Flask) -> User:
        """A member of staff who has not set a password yet."""
        return made_staff("admin", email="bea@wrong.example", display_name="Bea").user

    def issue(self, user: User, by: Actor) -> None:
        with transaction():
            credentials.issue_reset(user, by=by)

    def test_link_ends_when_the_address_is_corrected(self, owner: User, bea: User) -> None:
        self.issue(bea, acting(owner))

        with transaction():
            users.update(bea, {"email": "bea@example.com"}, by=acting(owner))

        assert count(PasswordReset) == 0
        told: AuditEvent = next(e for e in events() if e.action == "user.updated")
        assert told.changes["one_time_links"] == [1, 0]

    def test_link_stays_when_only_the_name_is_corrected(self, owner: User, bea: User) -> None:
        self.issue(bea, acting(owner))

        with transaction():
            users.update(bea, {"display_name": "Beatrice"}, by=acting(owner))

        assert count(PasswordReset) == 1

    def test_link_ends_when_they_are_suspended(self, owner: User, bea: User) -> None:
        self.issue(bea, acting(owner))
        record = bea.staff
        assert record is not None

        with transaction():
            admins.change_status(record, "suspended", by=acting(owner))

        assert count(PasswordReset) == 0

    def test_link_ends_when_they_are_removed(self, owner: User, bea: User) -> None:
        self.issue(bea, acting(owner))
        record = bea.staff
        assert record is not None

        with transaction():
            admins.delete(record, by=acting(owner))

        assert count(PasswordReset) == 0

    def test_link_stays_when_they_are_promoted(self, owner: User, bea: User) -> None:
        self.issue(bea, acting(owner))
        record = bea.staff
        assert record is not None

        with transaction():
            admins.change_role(record, "owner", by=acting(owner))

        assert count(PasswordReset) == 1


class TestStaffByRoleAlone:
    """Who is level admin by `users.role` alone is staff, too (D-1)."""

    @pytest.fixture
    def cleo(self, app: Flask) -> User:
        """A person whose role says admin, without a staff record."""
        return person(email="cleo@example.com", display_name="Cleo", role="admin")

    @pytest.mark.parametrize("values", [{"email": "me@evil.example"}, {"display_name": "Mallory"}])
    def test_address_and_name_are_refused_to_an_admin(
        self, admin: User, cleo: User, values: dict[str, str]
    ) -> None:
        with refused(ForbiddenError):
            users.update(cleo, values, by=acting(admin))

    def test_address_is_changed_by_an_owner(self, owner: User, cleo: User) -> None:
        with transaction():
            users.update(cleo, {"email": "c@example.com"}, by=acting(owner))

        assert cleo.email == "c@example.com"

    def test_address_is_changed_by_oneself(self, cleo: User) -> None:
        with transaction():
            users.update(cleo, {"email": "c@example.com"}, by=acting(cleo))

        assert cleo.email == "c@example.com"

    def test_row_shows_the_name_closed_to_an_admin(
        self, client_as: Callable[[str], SiteClient], cleo: User
    ) -> None:
        row = client_as("admin").get(f"/admin/users/{cleo.id}", headers={"HX-Request": "true"})

        assert 'data-cell="display_name"' not in row.text
        assert "This needs an owner" in row.text


class TestTwoAnswers:
    """A deletion does nothing when it was told both what to do and something else."""

    def test_is_refused_in_json(self, client_as: Callable[[str], SiteClient], ann: User) -> None:
        body = {"link_action": ["delete", "reassign"]}

        answer = client_as("admin").delete(f"/admin/users/{ann.id}", json=body, headers=JSON)

        assert (answer.status_code, count(User, User.id == ann.id)) == (400, 1)
        assert "link_action" in answer.text

    def test_is_refused_between_form_and_query(
        self, client_as: Callable[[str], SiteClient], ann: User
    ) -> None:
        url = f"/admin/users/{ann.id}?link_action=reassign"

        answer = client_as("admin").delete(url, data={"link_action": "delete"}, headers=JSON)

        assert (answer.status_code, count(User, User.id == ann.id)) == (400, 1)

    def test_the_same_answer_twice_is_one(
        self, client_as: Callable[[str], SiteClient], ann: User
    ) -> None:
        key = ann.id
        url = f"/admin/users/{key}?link_action=delete"

        answer = client_as("admin").delete(url, data={"link_action": "delete"}, headers=JSON)

        assert (answer.status_code, count(User, User.id == key)) == (200, 0)


class TestOneTimeLinksOfAnotherOwner:
    def test_end_with_the_level_of_whoever_issued_them(self, owner: User) -> None:
        other, target = UserFactory.create(role="admin"), UserFactory.create(role="admin")
        record = AdminFactory.create(user=other, role="owner")
        AdminFactory.create(user=target, role="owner")
        with transaction():
            token = credentials.issue_reset(target, by=acting(other))

        with transaction():
            admins.delete(record, by=acting(owner))

        assert credentials.find_reset(token) is None

    def test_are_refused_to_an_owner_who_was_demoted_meanwhile(self, owner: User) -> None:
        other, target = UserFactory.create(role="admin"), UserFactory.create()
        record = AdminFactory.create(user=other, role="owner")
        as_before = acting(other)
        with transaction():
            admins.change_role(record, "admin", by=acting(owner))

        with pytest.raises(ForbiddenError), transaction():
            credentials.issue_reset(target, by=as_before)


class TestHostOfTheMailedLink:
    def test_nothing_is_mailed_where_any_host_is_answered(
        self, app: Flask, member: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mail, "send_set_password", lambda *_told: True)
        monkeypatch.setattr(app, "testing", False)

        with app.test_request_context(base_url="http://evil.example"):
            invitation = deliver(member, "t")

        assert not invitation.mailed
