"""Signed places in a list: where a page begins, without counting the rows before it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from itsdangerous import BadSignature, URLSafeSerializer

Direction = Literal["next", "prev"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The row a page follows (or precedes), by its sort value and key.

    Attributes:
        direction: "next" for rows after it, "prev" for rows before it.
        value: its value in the sorted column.
        key: its primary key.
        position: how many rows come before the page's first row, for "Showing 51-100".
    """

    direction: Direction
    value: Any
    key: Any
    position: int


def sign(cursor: Cursor, secret: str, scope: str) -> str:
    """The cursor as URL text that only this application, and this list, will take back."""
    value = cursor.value
    kind = "t" if isinstance(value, datetime) else "v"
    value = value.isoformat() if isinstance(value, datetime) else value
    body = [cursor.direction[0], kind, value, str(cursor.key), cursor.position]
    return str(URLSafeSerializer(secret, salt=f"cursor:{scope}").dumps(body))


def read(text: str, secret: str, scope: str) -> Cursor | None:
    """The cursor in this text; None when it is not one of ours for this list."""
    try:
        body = URLSafeSerializer(secret, salt=f"cursor:{scope}").loads(text)
    except BadSignature:
        return None
    direction, kind, value, key, position = body
    if kind == "t":
        value = datetime.fromisoformat(value)
    return Cursor("next" if direction == "n" else "prev", value, key, int(position))
