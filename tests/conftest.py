"""What every test may ask for; tests that touch the database run on SQLite and PostgreSQL."""

import contextvars
import os
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from argon2 import PasswordHasher
from click.testing import Result
from flask import Flask
from flask_migrate import upgrade
from hypothesis import HealthCheck, settings
from sqlalchemy.orm import Session

from adminsite import passwords
from adminsite.db import db, transaction
from adminsite.demo import loading
from app import create_app
from tests.client import SECRET_KEY, SiteClient
from tests.database import ENGINES, Database, SqliteDatabase, postgres_database
from tests.postgres import running_postgres

pytest_plugins = ["tests.people", "tests.mailbox"]

# The caller's own settings are not the tests'.
for name in [name for name in os.environ if name.startswith(("ADMINSITE_", "FLASK_"))]:
    del os.environ[name]

# Every example of a property runs on the same database, which is put back after the last.
settings.register_profile(
    "project",
    deadline=None,
    derandomize="FUZZ_SEED" not in os.environ,  # "make fuzz" looks for what nobody thought of
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("project")

# Slow on purpose, thousands of times: tests hash in a moment, all but those of hashing itself.
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that needs a database on both; a browser test on SQLite."""
    if "database" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("engine")
        engines = marker.args if marker else ENGINES
        if "live_server" in metafunc.fixturenames:
            engines = ("sqlite",)
        metafunc.parametrize("database", engines, indirect=True, scope="session")


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[PasswordHasher]:
    """Passwords are hashed with little work; gives the hasher of production."""
    strong = vars(passwords)["_HASHER"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", QUICK)
        yield strong


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server's superuser URL; started when first asked for."""
    with running_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """An empty database."""
    if request.param == "sqlite":
        yield SqliteDatabase(tmp_path_factory.mktemp("sqlite"))
        return
    with postgres_database(request.getfixturevalue("postgres_url"), "adminsite_tests") as made:
        yield made


@pytest.fixture(scope="session")
def application(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a migrated database, made once per engine; tests ask for `app`."""
    made = create_app(
        {
            "TESTING": True,
            "DATABASE_URL": database.url,
            "SECRET_KEY": SECRET_KEY,
            "OVERVIEW_CACHE_S": 0,
        }
    )
    made.instance_path = str(tmp_path_factory.mktemp("instance"))  # not this installation's
    made.test_client_class = SiteClient
    with made.app_context():
        upgrade()
        database.freeze()
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def app(application: Flask, database: Database) -> Iterator[Flask]:
    """The application, with its context open and the database as migrated."""
    with application.app_context():
        yield application
        db.session.remove()
    database.reset()
    for limiter in application.extensions.get("limiter", ()):
        limiter.reset()


@pytest.fixture
def demo_data(app: Flask, database: Database) -> None:
    """The demo's data is there: loaded once for each database, which takes its time."""
    if database.has("demo"):
        database.put("demo")
        return
    with transaction():
        loading.load()
    db.session.remove()
    database.keep("demo")


@pytest.fixture
def database_url(database: Database, app: Flask) -> str:
    """The address of the database that `app` uses."""
    return database.url


@pytest.fixture
def session(app: Flask) -> Session:
    """The test's own database session; a request never shares it."""
    return db.session()


@pytest.fixture
def client(app: Flask) -> SiteClient:
    """A browser tab that nobody has signed in with."""
    return cast("SiteClient", app.test_client())


@pytest.fixture
def cli(app: Flask) -> Callable[..., Result]:
    """Run a command: `cli("staff", "suspend", "a@example.com", input=None)`."""

    def run(*args: str, **options: Any) -> Result:
        runner = app.test_cli_runner()
        return contextvars.Context().run(runner.invoke, args=args, **options)

    return run
