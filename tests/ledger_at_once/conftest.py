"""Eight processes beside the tests' own, started once for each database."""

from collections.abc import Iterator

import pytest
from flask import Flask

from adminsite.models import User
from tests.database import Database
from tests.ledger_at_once.worker import Crew
from tests.operations.money import assert_it_adds_up
from tests.rows import person

SIZE = 8


@pytest.fixture(scope="package")
def crew(application: Flask, database: Database) -> Iterator[Crew]:
    """Processes with the database of the tests, which is migrated."""
    with Crew(database.url, SIZE) as made:
        yield made


@pytest.fixture
def people(app: Flask) -> Iterator[list[User]]:
    """Four people without credits; in the end the ledger adds up."""
    yield [person(email=f"{name}@example.com") for name in ("ann", "bob", "carl", "dora")]
    assert_it_adds_up()
