"""The role of a member's request: made by the migration, by a DBA, or not at all."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import make_url, text

from adminsite.db import db
from app import create_app
from tests.client import SECRET_KEY, SiteClient
from tests.database import MEMBER
from tests.factories import PASSWORD
from tests.people import make_person
from tests.postgres import running_postgres
from tests.rows import person

OFF = "row-level security is off"
DBA = f"CREATE ROLE {MEMBER} NOLOGIN; GRANT {MEMBER} TO plain"


class Cluster:
    """A server without the role, and databases on it."""

    def __init__(self, superuser_url: str) -> None:
        self.url = make_url(superuser_url)
        self.run("CREATE ROLE plain LOGIN")
        self.run("CREATE ROLE maker LOGIN CREATEROLE")

    def run(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Do something as the superuser."""
        url = self.url.set(drivername="postgresql", database=database)
        with psycopg.connect(url.render_as_string(), autocommit=True) as connection:
            cursor = connection.execute(cast("Any", sql))
            return cursor.fetchall() if cursor.description else []

    def make(self, name: str, owner: str) -> str:
        """The address of a new database."""
        self.run(f"CREATE DATABASE {name} OWNER {owner}")
        return self.url.set(username=owner, database=name).render_as_string()

    @property
    def has_role(self) -> bool:
        """Whether there is the role."""
        return bool(self.run(f"SELECT 1 FROM pg_roles WHERE rolname = '{MEMBER}'"))


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A server of its own, since roles are the whole server's."""
    with running_postgres() as url:
        yield Cluster(url)


@contextmanager
def opened(url: str) -> Iterator[Flask]:
    """An application on this database, with its context."""
    app = create_app({"TESTING": True, "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
    app.test_client_class = SiteClient
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@contextmanager
def migrated(url: str) -> Iterator[Flask]:
    """An application on this database, brought up to date, with a member and somebody else."""
    with opened(url) as app:
        upgrade()
        make_person("member")
        person()
        yield app


def seen_by_a_member(app: Flask) -> int:
    """How many people a member's request finds that forgets to ask for anybody."""
    found = []

    def view() -> str:
        found.append(db.session.execute(text("SELECT count(*) FROM users")).scalar_one())
        return ""

    app.view_functions["account.dashboard"] = view
    tab = cast("SiteClient", app.test_client())
    tab.sign_in("member@example.com", PASSWORD)
    return int(found[-1])


def policies() -> list[str]:
    """What the database has of row-level security, and of rights of the role."""
    queries = (
        "SELECT tablename FROM pg_policies",
        "SELECT relname FROM pg_class WHERE relrowsecurity",
        f"SELECT table_name FROM information_schema.role_column_grants WHERE grantee = '{MEMBER}'",
        "SELECT proname FROM pg_proc WHERE proname = 'grant_member_rights'",
    )
    with db.engine.connect() as connection:
        found = [name for sql in queries for name in connection.execute(text(sql)).scalars()]
    return sorted(found)


class TestWithoutTheRole:
    def test_migrates_and_says_so(self, cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
        with opened(cluster.make("site", "plain")), caplog.at_level(logging.WARNING):
            upgrade()
            downgrade(revision="0015")
            upgrade()

            assert "users" in policies()
        assert OFF in caplog.text
        assert not cluster.has_role

    def test_works_and_says_so_once(
        self, cluster: Cluster, caplog: pytest.LogCaptureFixture
    ) -> None:
        url = cluster.make("site", "plain")
        with migrated(url):
            caplog.clear()

        with opened(url) as app:
            found = [seen_by_a_member(app), seen_by_a_member(app)]

        assert found == [2, 2]
        assert [record.name for record in caplog.records if OFF in record.message] == [
            "adminsite.own_rows"
        ]

    def test_is_the_same_when_it_belongs_to_others(self, cluster: Cluster) -> None:
        cluster.run(f"CREATE ROLE {MEMBER} NOLOGIN")

        with migrated(cluster.make("site", "plain")) as app:
            assert seen_by_a_member(app) == 2

    def test_is_switched_on_by_a_dba(self, cluster: Cluster) -> None:
        with migrated(cluster.make("site", "plain")) as app:
            cluster.run(DBA)
            before = seen_by_a_member(app)
            cluster.run("SET ROLE plain; SELECT grant_member_rights()", "site")

            assert (before, seen_by_a_member(app)) == (2, 1)


class TestWithTheRole:
    def test_is_on_and_silent(self, cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
        cluster.run(DBA)

        with migrated(cluster.make("site", "plain")) as app:
            assert seen_by_a_member(app) == 1
        assert OFF not in caplog.text

    def test_which_the_migration_makes_when_it_may(self, cluster: Cluster) -> None:
        with migrated(cluster.make("site", "maker")) as app:
            assert seen_by_a_member(app) == 1
        assert cluster.has_role

    def test_of_a_dba_stays_on_the_way_down(self, cluster: Cluster) -> None:
        cluster.run(DBA)

        with migrated(cluster.make("site", "plain")) as app:
            full = policies()
            downgrade(revision="0015")
            bare = policies(), seen_by_a_member(app)
            upgrade()

            assert bare == ([], 2)
            assert (policies(), seen_by_a_member(app)) == (full, 1)
        assert cluster.has_role

    def test_goes_on_the_way_down_when_nobody_else_needs_it(self, cluster: Cluster) -> None:
        with opened(cluster.make("site", "maker")):
            upgrade()
            downgrade(revision="0015")

            assert not cluster.has_role
            assert policies() == []
            upgrade()

    def test_stays_while_another_database_needs_it(self, cluster: Cluster) -> None:
        with opened(cluster.make("other", "maker")):
            upgrade()
        with opened(cluster.make("site", "maker")):
            upgrade()
            downgrade(revision="0015")

            assert policies() == []
        assert cluster.has_role


class TestRoleThatOwnsNothing:
    """An application that the tables do not belong to: staff see all, members their own."""

    @pytest.fixture
    def url(self, cluster: Cluster) -> str:
        cluster.run(DBA)
        url = cluster.make("site", "maker")
        with migrated(url):
            make_person("owner")
        cluster.run(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO plain; "
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO plain",
            "site",
        )
        return make_url(url).set(username="plain").render_as_string()

    @pytest.mark.parametrize("spared", ["NOBYPASSRLS", "BYPASSRLS"])
    def test_confines_members(self, cluster: Cluster, url: str, spared: str) -> None:
        cluster.run(f"ALTER ROLE plain {spared}")

        with opened(url) as app:
            assert seen_by_a_member(app) == 1

    def test_shows_staff_everybody(self, url: str) -> None:
        with opened(url) as app:
            tab = cast("SiteClient", app.test_client())
            tab.sign_in("owner@example.com", PASSWORD)

            assert "member@example.com" in tab.get("/admin/users").text
