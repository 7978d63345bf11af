"""Keys: what an address or a form names a record by, in the type of its primary key."""

from typing import Any

from sqlalchemy import BigInteger

from adminsite.kit.filters import UNSTORABLE

CONVERTERS = {"UUID": "uuid", "str": "string"}  # of keys in URLs, by type; else numbers
LONGEST = 255  # of text, where its column sets no limit


def converter(column: Any) -> str:
    """How an address holds such a key."""
    return CONVERTERS.get(column.type.python_type.__name__, "int")


def coerced(column: Any, value: Any) -> Any | None:
    """The key in its column's type; None when it can be no key."""
    kind = column.type.python_type
    if kind is str:
        text, longest = str(value), column.type.length or LONGEST
        return text if 0 < len(text) <= longest and not UNSTORABLE.search(text) else None
    key = value if isinstance(value, kind) else _parsed(kind, str(value))
    beyond = 2**63 if isinstance(column.type, BigInteger) else 2**31
    return key if not isinstance(key, int) or 0 <= key < beyond else None


def _parsed(kind: type, text: str) -> Any | None:
    if kind is int and not (text.isascii() and text.isdigit()):
        return None
    try:
        return kind(text)
    except ValueError:
        return None
