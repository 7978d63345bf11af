"""The commands: what they print, where, and how they end."""

from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from adminsite import audit, passwords
from adminsite.cli.edge import sentences
from adminsite.config import Settings
from adminsite.demo import loading
from adminsite.models import AuditEvent, AuditHead, Keyword, Link, User
from adminsite.permissions import Level
from tests.factories import KeywordFactory, UserFactory

Cli = Callable[..., Result]
WORDS = "keyword,url_template,description\n"
GH = "gh,https://code.example.com/?q={slug},Code\n"
BAD = "GH,/search?q={slug},\n"
PASSWORD = "several words apart"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "words.csv"
    made.write_text(WORDS + GH + BAD)
    return made


def last_line(result: Result) -> str:
    return result.stdout.splitlines()[-1]


def count(session: Session, model: type) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


class TestImport:
    def test_counts_on_its_last_line_and_ends_with_3(
        self, cli: Cli, file: Path, session: Session
    ) -> None:
        result = cli("data", "import", "keywords", str(file))

        assert result.exit_code == 3
        assert last_line(result) == "inserted=1 updated=0 unchanged=0 refused=1"
        assert "line 3, keyword: A keyword is made of" in result.stderr
        assert count(session, Keyword) == 1

    def test_ends_with_0_when_all_rows_were_taken(self, cli: Cli, file: Path) -> None:
        file.write_text(WORDS + GH)

        assert cli("data", "import", "keywords", str(file)).exit_code == 0

    def test_writes_nothing_when_dry(
        self, cli: Cli, file: Path, tmp_path: Path, session: Session
    ) -> None:
        errors = tmp_path / "errors.csv"

        result = cli("data", "import", "keywords", str(file), "--dry-run", "--errors", str(errors))

        assert last_line(result) == "inserted=1 updated=0 unchanged=0 refused=1"
        assert count(session, Keyword) + count(session, AuditEvent) == 0
        assert errors.read_text().startswith('"keyword","url_template","description","why"\n"GH"')

    def test_may_write_refused_rows_over_the_file_it_read(self, cli: Cli, file: Path) -> None:
        cli("data", "import", "keywords", str(file), "--errors", str(file))

        assert file.read_text().count("\n") == 2

    def test_updates_when_told_to(self, cli: Cli, file: Path, session: Session) -> None:
        KeywordFactory.create(keyword="gh")

        result = cli("data", "import", "keywords", str(file), "--update")

        assert last_line(result) == "inserted=0 updated=1 unchanged=0 refused=1"
        assert session.scalars(select(Keyword.description)).one() == "Code"

    def test_shows_the_first_refusals_only(self, cli: Cli, file: Path) -> None:
        file.write_text(WORDS + BAD * 50)

        result = cli("data", "import", "keywords", str(file))

        assert "and more; --errors FILE" in result.stderr
        assert len(result.stderr.splitlines()) == 21

    def test_ends_with_1_when_nothing_can_be_read(
        self, cli: Cli, file: Path, session: Session
    ) -> None:
        file.write_bytes((WORDS + GH).encode() + b"\xe9,,\n")

        result = cli("data", "import", "keywords", str(file))

        assert (result.exit_code, result.stdout) == (1, "")
        assert "not UTF-8" in result.stderr
        assert count(session, Keyword) == 0

    def test_ends_with_1_without_a_file(self, cli: Cli, tmp_path: Path) -> None:
        result = cli("data", "import", "keywords", str(tmp_path / "none.csv"))

        assert result.exit_code == 1
        assert "none.csv: No such file" in result.stderr

    def test_takes_nothing_when_refused_rows_cannot_be_kept(
        self, cli: Cli, file: Path, tmp_path: Path, session: Session
    ) -> None:
        result = cli("data", "import", "keywords", str(file), "--errors", str(tmp_path))

        assert result.exit_code == 1
        assert count(session, Keyword) == 0

    def test_knows_three_kinds(self, cli: Cli, file: Path) -> None:
        assert cli("data", "import", "admins", str(file)).exit_code == 2


class TestExport:
    def test_prints_what_import_takes_back(self, cli: Cli, file: Path) -> None:
        cli("data", "import", "keywords", str(file))

        result = cli("data", "export", "keywords")

        assert result.stdout == WORDS + GH

    def test_writes_to_a_file(self, cli: Cli, tmp_path: Path, session: Session) -> None:
        UserFactory.create(email="ann@example.com", display_name="Ann Ö")
        output = tmp_path / "users.csv"

        result = cli("data", "export", "users", "--output", str(output))

        assert (result.exit_code, result.stdout) == (0, "")
        assert "ann@example.com,Ann Ö,user\n" in output.read_text(encoding="utf-8")
        assert session.scalars(select(AuditEvent.action)).all() == ["data.exported"]

    def test_ends_with_1_when_it_cannot_write(self, cli: Cli, tmp_path: Path) -> None:
        result = cli("data", "export", "users", "--output", str(tmp_path / "no" / "users.csv"))

        assert result.exit_code == 1
        assert "No such file or directory" in result.stderr


class TestCreateOwner:
    def test_adds_an_owner_with_the_password_of_standard_input(
        self, cli: Cli, session: Session
    ) -> None:
        wanted = ("staff", "create-owner", "ann@example.com", "--name", "Ann", "--password-stdin")

        result = cli(*wanted, input=f"{PASSWORD}\n")

        ann = session.scalars(select(User)).one()
        assert (result.exit_code, result.stdout) == (0, "ann@example.com is an owner.\n")
        assert ann.level is Level.OWNER
        assert passwords.matches(ann.password_hash, PASSWORD)

    def test_asks_on_a_terminal(
        self, cli: Cli, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adminsite.cli.staff.is_terminal", lambda: True)

        result = cli(
            *("staff", "create-owner", "ann@example.com", "--name", "Ann"),
            input=f"{PASSWORD}\n{PASSWORD}\n",
        )

        assert result.exit_code == 0
        assert PASSWORD not in result.stdout

    def test_needs_a_way_to_get_a_password(self, cli: Cli) -> None:
        result = cli("staff", "create-owner", "ann@example.com", "--name", "Ann")

        assert result.exit_code == 1
        assert "--password-stdin" in result.stderr

    def test_keeps_the_password_of_who_has_one(self, cli: Cli, session: Session) -> None:
        ann = UserFactory.create(email="ann@example.com")

        result = cli("staff", "create-owner", "Ann@Example.com", "--name", "Ann")

        session.refresh(ann)
        assert result.exit_code == 0
        assert ann.level is Level.OWNER

    def test_is_refused_for_an_address_that_is_no_text(self, cli: Cli) -> None:
        wanted = ("staff", "create-owner", "\udcff@example.com", "--name", "Ann")

        result = cli(*wanted, "--password-stdin", input=f"{PASSWORD}\n")
        asked = cli(*wanted)

        assert (result.exit_code, asked.exit_code) == (1, 1)
        assert "email: " in result.stderr
        assert "--password-stdin" in asked.stderr

    def test_is_refused_for_a_bad_password(self, cli: Cli, session: Session) -> None:
        wanted = ("staff", "create-owner", "ann@example.com", "--name", "Ann", "--password-stdin")

        result = cli(*wanted, input="short\n")

        assert result.exit_code == 1
        assert "password: Use at least 10 characters." in result.stderr
        assert count(session, User) == 0


class TestAuditVerify:
    @pytest.fixture(autouse=True)
    def filled(self, cli: Cli, file: Path) -> None:
        file.write_text(WORDS + GH + GH.replace("gh", "lab") + GH.replace("gh", "hub"))
        cli("data", "import", "keywords", str(file))

    def test_says_that_the_chain_holds(self, cli: Cli) -> None:
        result = cli("audit", "verify")

        assert (result.exit_code, result.stdout) == (0, "The audit's chain holds.\n")

    def test_names_where_the_end_was_cut_off(self, cli: Cli, session: Session) -> None:
        session.execute(
            update(AuditHead).values(event_id=AuditHead.event_id + 1),
            execution_options={audit.AUDITED_DML: True},
        )
        session.commit()

        result = cli("audit", "verify")

        assert result.exit_code == 1
        assert result.stdout.endswith("the event with id 5.\n")

    def test_finds_an_end_that_was_replaced(self, cli: Cli, session: Session) -> None:
        session.execute(
            update(AuditHead).values(hash="x" * 64), execution_options={audit.AUDITED_DML: True}
        )
        session.commit()

        assert cli("audit", "verify").stdout.endswith("the event with id 4.\n")


class TestDemo:
    @pytest.fixture(autouse=True)
    def demo(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(app.config, "SETTINGS", Settings(demo=True))

    def test_loads_once_and_prints_the_sign_ins(self, cli: Cli, session: Session) -> None:
        first, second = cli("demo", "load"), cli("demo", "load")

        assert (first.exit_code, second.exit_code) == (0, 0)
        assert first.stdout.startswith("Loaded the demo data.\nOpen http://127.0.0.1:8000 ")
        assert second.stdout.startswith("The demo data is there already.\n")
        for email in loading.SIGN_INS:
            assert email in second.stdout
        assert "demo-password" in second.stdout

    def test_has_a_person_of_each_level(self, demo_data: None, session: Session) -> None:
        levels = {
            user.email.partition("@")[0]: user.level.label
            for user in session.scalars(select(User))
            if user.email in loading.SIGN_INS
        }
        assert levels == {
            "owner": "owner", "admin": "admin", "support": "support", "member": "none"
        }  # fmt: skip

    def test_looks_like_a_year_and_a_half_of_work(self, demo_data: None, session: Session) -> None:
        ends = session.execute(select(func.min(Link.created_at), func.max(Link.created_at))).one()
        assert (ends[1] - ends[0]).days > 500
        assert count(session, Link) > 300
        assert count(session, AuditEvent) > 400
        assert audit.first_broken() is None

    def test_prints_the_port_it_is_served_on(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PORT", "8123")

        assert "http://127.0.0.1:8123 " in cli("demo", "load").stdout

    def test_is_refused_outside_demo_mode(
        self, app: Flask, cli: Cli, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "SETTINGS", Settings())

        result = cli("demo", "load")

        assert result.exit_code == 1
        assert "set ADMINSITE_DEMO=1" in result.stderr
        assert count(session, User) == 0


class TestSentences:
    def test_says_what_a_known_constraint_means(self) -> None:
        error = IntegrityError("", None, ValueError("UNIQUE constraint failed: links.slug"))

        with pytest.raises(click.ClickException, match="A link with this slug"), sentences():
            raise error

    def test_says_that_the_database_cannot_be_used(self) -> None:
        error = OperationalError("SELECT secrets", None, ValueError("no connection"))

        with pytest.raises(click.ClickException) as said, sentences():
            raise error

        assert said.value.message == "The database cannot be used: no connection"

    def test_leaves_other_errors_alone(self) -> None:
        error = IntegrityError("", None, ValueError("something else"))

        with pytest.raises(IntegrityError), sentences():
            raise error
