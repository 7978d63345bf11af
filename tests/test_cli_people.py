"""The commands about people: staff, users, tokens."""

from collections.abc import Callable

import pytest
from click.testing import Result
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.models import Admin, ApiToken, AuditEvent, Link, LinkOwner, User
from adminsite.operations.sessions import digest
from adminsite.permissions import Level
from tests.client import SiteClient, forget
from tests.factories import LinkFactory

Cli = Callable[..., Result]
OWNER, ADMIN, MEMBER = "owner@example.com", "admin@example.com", "member@example.com"


def last_line(result: Result) -> str:
    return result.stdout.splitlines()[-1]


def refused(result: Result) -> str:
    """What a refusal says; it leaves standard output alone and ends with 1."""
    assert (result.exit_code, result.stdout) == (1, "")
    assert isinstance(result.exception, SystemExit)
    return result.stderr


def count(session: Session, model: type) -> int:
    forget()
    return session.scalar(select(func.count()).select_from(model)) or 0


def level(session: Session, email: str) -> Level:
    forget()
    return session.scalars(select(User).where(User.email == email)).one().level


class TestStaff:
    @pytest.fixture(autouse=True)
    def people(self, owner: User, admin: User) -> None:
        """An owner and an admin."""

    @pytest.mark.parametrize(
        ("command", "said", "state"),
        [
            (("suspend", "Admin@Example.com"), "is suspended.", ("admin", "suspended")),
            (("reinstate", "admin@example.com"), "is active.", ("admin", "active")),
            (("set-role", "admin@example.com", "support"), "support.", ("support", "active")),
        ],
    )
    def test_changes_the_staff_record(
        self, cli: Cli, session: Session, command: tuple[str, ...], said: str, state: object
    ) -> None:
        result = cli("staff", *command)

        forget()
        staff = session.scalars(select(Admin).join(User).where(User.email == ADMIN)).one()
        assert result.exit_code == 0
        assert result.stdout.startswith(f"{command[1]} ")
        assert result.stdout.endswith(f"{said}\n")
        assert (staff.role, staff.status) == state

    def test_remove_leaves_the_person(self, cli: Cli, session: Session) -> None:
        result = cli("staff", "remove", ADMIN)

        assert (result.exit_code, result.stdout) == (0, f"{ADMIN} is no staff any more.\n")
        assert level(session, ADMIN) is Level.NONE

    def test_is_done_by_the_system(self, cli: Cli, session: Session) -> None:
        cli("staff", "suspend", ADMIN)

        told = session.execute(select(AuditEvent.action, AuditEvent.actor_email)).all()
        assert ("admin.status_changed", "system") in [tuple(row) for row in told]

    def test_ends_the_sessions(
        self, cli: Cli, session: Session, client_as: Callable[[str], SiteClient]
    ) -> None:
        client = client_as("admin")

        cli("staff", "suspend", ADMIN)

        assert client.get("/admin").status_code == 302

    @pytest.mark.parametrize(
        "command", [("suspend",), ("remove",), ("set-role", "admin")], ids=lambda words: words[0]
    )
    def test_keeps_the_last_owner(
        self, cli: Cli, session: Session, command: tuple[str, ...]
    ) -> None:
        result = cli("staff", command[0], OWNER, *command[1:])

        assert "is the last active owner. Make somebody else an owner first." in refused(result)
        assert level(session, OWNER) is Level.OWNER

    @pytest.mark.parametrize(
        "command",
        [("suspend",), ("reinstate",), ("remove",), ("set-role", "owner")],
        ids=lambda words: words[0],
    )
    @pytest.mark.parametrize(
        ("email", "why"),
        [
            ("nobody@example.com", "Nobody has the address nobody@example.com."),
            ("member@example.com", "member@example.com is not staff"),
            ("", "Nobody has the address"),
            ("x" * 10_000, "Nobody has the address"),
            ("\udcff@example.com", "Nobody has the address"),  # what is no UTF-8 arrives so
        ],
    )
    def test_says_who_is_no_staff(
        self, cli: Cli, member: User, command: tuple[str, ...], email: str, why: str
    ) -> None:
        result = cli("staff", command[0], email, *command[1:])

        assert why in refused(result)

    def test_knows_three_levels(self, cli: Cli) -> None:
        assert cli("staff", "set-role", ADMIN, "king").exit_code == 2


class TestDeleteUser:
    @pytest.fixture(autouse=True)
    def links(self, owner: User, member: User) -> None:
        """Three links of the member: alone, with the owner, and as the owner's co-owner."""
        LinkFactory(slug="alone", owner=member)
        LinkFactory(slug="shared", owner=member, co_owners=[owner])
        LinkFactory(slug="theirs", owner=owner, co_owners=[member])

    def delete(self, cli: Cli, action: str, by: str = OWNER, email: str = MEMBER) -> Result:
        return cli("users", "delete", email, "--link-action", action, "--as", by)

    def test_gives_the_links_to_who_deletes(self, cli: Cli, session: Session, owner: User) -> None:
        result = self.delete(cli, "reassign")

        owned = select(func.count()).where(LinkOwner.user_id == owner.id, LinkOwner.is_primary)
        assert result.exit_code == 0
        assert result.stdout.splitlines() == [
            "member@example.com was deleted.",
            "Links: 2 reassigned, 0 deleted, 0 left to a co-owner, 1 left to their primary owner.",
        ]
        assert session.scalar(owned) == 3

    def test_deletes_the_links_that_nobody_else_owns(self, cli: Cli, session: Session) -> None:
        result = self.delete(cli, "delete")

        slugs = session.scalars(select(Link.slug).order_by(Link.slug)).all()
        assert last_line(result) == (
            "Links: 0 reassigned, 1 deleted, 1 left to a co-owner, 1 left to their primary owner."
        )
        assert slugs == ["shared", "theirs"]

    def test_is_done_in_the_name_of_that_person(
        self, cli: Cli, session: Session, owner: User
    ) -> None:
        self.delete(cli, "delete")

        [event] = session.scalars(select(AuditEvent).where(AuditEvent.action == "user.deleted"))
        assert (event.actor_id, event.actor_level) == (owner.id, "owner")

    @pytest.mark.parametrize(
        ("by_and_email", "why"),
        [
            (("support@example.com", MEMBER), "support@example.com may not delete users."),
            ((MEMBER, MEMBER), "member@example.com may not delete users."),
            (("nobody@example.com", MEMBER), "Nobody has the address nobody@example.com."),
            ((OWNER, "nobody@example.com"), "Nobody has the address nobody@example.com."),
            ((OWNER, OWNER), "Nobody deletes themselves."),
            ((OWNER, "support@example.com"), "Remove staff access first."),
        ],
    )
    def test_is_refused_with_a_sentence(
        self, cli: Cli, session: Session, support: User, by_and_email: tuple[str, str], why: str
    ) -> None:
        before = count(session, User)

        result = self.delete(cli, "delete", *by_and_email)

        assert why in refused(result)
        assert count(session, User) == before

    def test_is_refused_to_who_is_suspended(self, cli: Cli, session: Session, admin: User) -> None:
        cli("staff", "suspend", ADMIN)

        result = self.delete(cli, "delete", ADMIN)

        assert refused(result) == "Error: admin@example.com may not delete users.\n"
        assert count(session, Link) == 3

    @pytest.mark.parametrize("options", [(), ("--link-action", "keep", "--as", OWNER)])
    def test_needs_an_answer(self, cli: Cli, options: tuple[str, ...]) -> None:
        result = cli("users", "delete", MEMBER, *options)

        assert result.exit_code == 2
        assert "--link-action" in result.stderr


class TestCreateToken:
    def test_prints_the_token_alone_on_the_last_line(
        self, cli: Cli, session: Session, member: User
    ) -> None:
        result = cli("tokens", "create", "Member@example.com", "--name", "Nightly")

        token = session.scalars(select(ApiToken)).one()
        assert result.exit_code == 0
        assert digest(last_line(result)) == token.token_hash
        assert result.output.splitlines()[-1] == last_line(result)
        assert (token.user_id, token.name, token.scopes) == (member.id, "Nightly", "write")

    def test_may_be_for_reading(self, cli: Cli, session: Session, member: User) -> None:
        cli("tokens", "create", MEMBER, "--name", "Nightly", "--scope", "read")

        assert session.scalars(select(ApiToken.scopes)).one() == "read"

    @pytest.mark.parametrize(
        ("email_and_name", "why"),
        [
            (("nobody@example.com", "Nightly"), "Nobody has the address nobody@example.com."),
            ((MEMBER, " "), "name: Give the token a name that says what uses it."),
            ((MEMBER, "n" * 101), "name: "),
        ],
    )
    def test_is_refused_with_a_sentence(
        self, cli: Cli, session: Session, member: User, email_and_name: tuple[str, str], why: str
    ) -> None:
        email, name = email_and_name

        result = cli("tokens", "create", email, "--name", name)

        assert why in refused(result)
        assert count(session, ApiToken) == 0

    @pytest.mark.parametrize("options", [(), ("--name", "Nightly", "--scope", "all")])
    def test_needs_a_name_and_a_known_scope(self, cli: Cli, options: tuple[str, ...]) -> None:
        assert cli("tokens", "create", MEMBER, *options).exit_code == 2
