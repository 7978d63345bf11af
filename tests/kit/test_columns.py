"""What cells are made of."""

import pytest

from adminsite.kit.columns import SHAPES


@pytest.mark.parametrize("kind", ["date", "url", "template"])
def test_nothing_stays_nothing(kind: str) -> None:
    assert SHAPES[kind](None) is None
