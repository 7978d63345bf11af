"""What an address names a record by, in the type of its key."""

from typing import Any

import pytest

from adminsite.kit.keys import coerced
from adminsite.models import AuditEvent, Link, Subscription


@pytest.mark.parametrize(
    ("column", "text", "key"),
    [
        (Link.__table__.c.id, "2147483647", 2**31 - 1),
        (Link.__table__.c.id, "2147483648", None),
        (AuditEvent.__table__.c.id, "2147483648", 2**31),
        (AuditEvent.__table__.c.id, str(2**63), None),
        (Subscription.__table__.c.id, "x" * 256, None),
    ],
)
def test_a_key_that_the_column_cannot_hold_is_none(column: Any, text: str, key: Any) -> None:
    assert coerced(column, text) == key
