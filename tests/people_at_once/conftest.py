"""Two processes beside the tests' own, started once for each database."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.database import Database
from tests.people_at_once.worker import Pair


@pytest.fixture(scope="module")
def pair(application: Flask, database: Database) -> Iterator[Pair]:
    """Two processes with the database of the tests, which is migrated."""
    with Pair(database.url) as made:
        yield made
