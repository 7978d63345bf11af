"""Settings: read from the environment once, checked, and frozen.

Source: contract, section Environment.
"""

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

PREFIX = "ADMINSITE_"
ROOT = Path(__file__).resolve().parent.parent
DEMO_SECRET_KEY = "demo-mode-only-not-a-secret"  # noqa: S105 - refused outside demo mode
KNOWN_DEFAULTS = frozenset(
    {DEMO_SECRET_KEY, "dev", "secret", "changeme", "change-me", "secret-key", "not-a-secret"}
)
MIN_SECRET_LENGTH = 16
RANGES = {  # smallest and largest that make sense
    "proxy_hops": (0, 20),
    "session_hours": (0.01, 24 * 365),
    "session_idle_minutes": (0.1, 60 * 24 * 365),
    "import_max_mb": (1, 10_000),
    "overview_cache_s": (0, 24 * 3600),
}
LEVELS = ("support", "admin", "owner")
TIERS = ("starter", "hobby", "pro", "business")
Amounts = tuple[tuple[str, int], ...]  # by word; hashable, so that settings stay frozen


class ConfigError(RuntimeError):
    """The application refuses to start with these settings; the text says why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default; the README's table is checked against this class.

    Prices are cents a month by tier. Rate limits are in Flask-Limiter's notation. The limit of
    one adjustment is in credits: one for everybody, or by level.
    """

    database_url: str = ""
    secret_key: str = ""
    trusted_hosts: tuple[str, ...] = ()
    proxy_hops: int = 0
    ratelimit_storage_uri: str = "memory://"
    session_hours: float = 12.0
    session_idle_minutes: float = 120.0
    session_cookie_secure: bool = True
    login_rate_limit: str = "10 per minute;100 per hour"
    api_rate_limit: str = "600 per minute"
    adjust_limit: Amounts = ()
    prices: Amounts = ()
    overview_cache_s: float = 30.0
    import_max_mb: int = 64
    smtp_url: str = field(default="", repr=False)  # may hold a password
    mail_from: str = "adminsite@localhost"
    demo: bool = False

    @classmethod
    def load(
        cls, overrides: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
    ) -> Self:
        """Read `ADMINSITE_*` from the environment; `overrides` (same names, prefix optional) win.

        Raises:
            ConfigError: a value makes no sense, or the secret key is missing or well known.
        """
        environ = os.environ if environ is None else environ
        given: dict[str, Any] = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and value.strip()
        }
        known = {field.name for field in fields(cls)}
        for name in sorted(given.keys() - known):
            warnings.warn(f"unknown setting {PREFIX}{name.upper()} is ignored", stacklevel=2)
        given.update(own(overrides or {}))
        debug = environ.get("FLASK_DEBUG", "").lower() not in {"", "0", "false", "no"}
        relaxed = debug or bool((overrides or {}).get("TESTING"))
        return cls(**_checked(cls, {k: v for k, v in given.items() if k in known}, relaxed=relaxed))

    def adjust_cap(self, level: str) -> int | None:
        """How many credits somebody of that level adjusts without a second person; None for any."""
        return dict(self.adjust_limit).get(level)

    def price(self, tier: str | None) -> int | None:
        """Cents a month; None when nobody said."""
        return dict(self.prices).get(tier or "")

    def for_flask(self) -> dict[str, Any]:
        """The settings that Flask and its extensions read under names of their own."""
        return {
            "SECRET_KEY": self.secret_key,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SQLALCHEMY_ENGINE_OPTIONS": {"hide_parameters": True},  # errors are logged
            "SETTINGS": self,
        }

    @staticmethod
    def flask_only(overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Those overrides that are not settings of ours: Flask's own, such as TESTING."""
        mine = own(overrides)
        return {
            key: value
            for key, value in overrides.items()
            if key.removeprefix(PREFIX).lower() not in mine
        }


def own(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Those overrides that are settings of ours, by field name; the rest are Flask's."""
    known = {field.name for field in fields(Settings)}
    named = {key.removeprefix(PREFIX).lower(): value for key, value in overrides.items()}
    return {key: value for key, value in named.items() if key in known}


def _checked(cls: type[Settings], given: dict[str, Any], *, relaxed: bool) -> dict[str, Any]:
    types = {field.name: field.type for field in fields(cls)}
    values = {name: _parsed(name, value, str(types[name])) for name, value in given.items()}
    _check_ranges(values)
    demo = values.get("demo", False)
    if not values.get("database_url"):
        values["database_url"] = f"sqlite:///{ROOT / 'instance' / 'adminsite.db'}"
    if not values.get("secret_key"):
        if not (demo or relaxed):
            message = f"{PREFIX}SECRET_KEY is not set. Set it to a long random text."
            raise ConfigError(message)
        values["secret_key"] = DEMO_SECRET_KEY
    elif not (demo or relaxed) and (
        values["secret_key"] in KNOWN_DEFAULTS or len(values["secret_key"]) < MIN_SECRET_LENGTH
    ):
        message = f"{PREFIX}SECRET_KEY is a known default or too short. Choose a long random text."
        raise ConfigError(message)
    if "session_cookie_secure" not in values:
        values["session_cookie_secure"] = not (demo or relaxed)
    if not (values.get("trusted_hosts") or demo or relaxed):
        warnings.warn(f"{PREFIX}TRUSTED_HOSTS is not set: every Host is answered", stacklevel=3)
    return values


def _check_ranges(values: Mapping[str, Any]) -> None:
    for name, (smallest, largest) in RANGES.items():
        value = values.get(name, smallest)
        if not smallest <= value <= largest:  # so that NaN is refused too
            message = f"{PREFIX}{name.upper()}={value}: from {smallest} to {largest}"
            raise ConfigError(message)


def _parsed(name: str, value: Any, kind: str) -> Any:
    if name in PARSERS:
        value = _written(value)
    if isinstance(value, list):
        return tuple(value)
    if not isinstance(value, str):
        return value
    text = value.strip()
    parse = PARSERS.get(name) or next(
        (parser for word, parser in PARSERS_OF.items() if word in kind), str
    )
    try:
        return parse(text)
    except ValueError as error:
        message = f"{PREFIX}{name.upper()}={value!r}: {error}"
        raise ConfigError(message) from None


def _written(value: Any) -> str:
    """A caller's value as the environment would hold it."""
    if isinstance(value, Mapping):
        return ",".join(f"{word}={amount}" for word, amount in value.items())
    return "" if value is None else str(value)


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _limits(text: str) -> Amounts:
    """One number for every level, or "admin=500,owner=10000"."""
    if "=" in text or not text:
        return _amounts(text, LEVELS)
    return tuple((level, _amount(text)) for level in LEVELS)


def _amounts(text: str, known: tuple[str, ...]) -> Amounts:
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        word, _, amount = (piece.strip() for piece in part.partition("="))
        if word not in known or word in found:
            message = f"each of {', '.join(known)} at most once, as in {known[0]}=900"
            raise ValueError(message)
        found[word] = _amount(amount)
    return tuple(found.items())


def _amount(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:  # noqa: PLR2004 - 32 bits hold nine
        message = f"{text!r} is no whole number"
        raise ValueError(message)
    return int(text)


def _yes(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"": False, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        message = "say 1 or 0"
        raise ValueError(message)
    return words[text.lower()]


PARSERS: dict[str, Callable[[str], Any]] = {
    "adjust_limit": _limits,
    "prices": lambda text: _amounts(text, TIERS),
}
PARSERS_OF: dict[str, Callable[[str], Any]] = {
    "bool": _yes,
    "tuple": _words,
    "int": int,
    "float": float,
}
