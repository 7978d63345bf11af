"""Limits on guessing passwords, per account and per address, and on the requests of a token.

Of sign-ins only failures count. A window longer than a quarter of an hour is cut to that, so
nobody is locked out longer.
Source: contract, section Environment.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from math import ceil

from flask import Flask, current_app, request
from flask_limiter import Limiter
from limits import RateLimitItem, RateLimitItemPerSecond, parse_many
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, RateLimiter
from werkzeug.exceptions import TooManyRequests

from adminsite.config import PREFIX, ConfigError, Settings

LONGEST_S = 15 * 60
STORE_S = 1.0
KEY, API_KEY, DENIAL_KEY = "adminsite_throttle", "adminsite_throttle_api", "adminsite_throttle_403"
DENIALS = "20 per minute"
SENTENCE = "Too many tries to {act}. Wait {wait}, then try again."
API_SENTENCE = "Too many requests with this token. Wait {wait}, then try again."


class Attempts:
    """Counts attempts and refuses those beyond the limits."""

    def __init__(
        self, limits: Sequence[RateLimitItem], counter: RateLimiter, sentence: str = SENTENCE
    ) -> None:
        self.limits = limits
        self.counter = counter
        self.sentence = sentence
        self.spare = FixedWindowRateLimiter(MemoryStorage())

    def count(self, *keys: str, act: str = "sign in") -> None:
        """Count one attempt under each key; a refused one costs the later keys nothing.

        Args:
            act: what was tried, for the sentence of the refusal.

        Raises:
            TooManyRequests: with the whole seconds to wait.
        """
        for key in keys:
            if wait_s := self._reliably(self._hit, key):
                said = self.sentence.format(act=act, wait=_words(wait_s))
                raise TooManyRequests(said, retry_after=wait_s)

    def has_room(self, key: str) -> bool:
        """Count one attempt under the key, and tell whether it was within the limits."""
        return not self._reliably(self._hit, key)

    def forgive(self, *keys: str) -> None:
        """Take back the attempt that was counted: it was no failure."""
        for key in keys:
            self._reliably(self._unhit, key)

    def _reliably(self, act: Callable[[RateLimiter, str], int], key: str) -> int:
        try:
            return act(self.counter, key)
        except StorageError:  # better counted by this process alone than not at all
            current_app.logger.exception("the store of the rate limits does not answer")
            return act(self.spare, key)

    def _hit(self, counter: RateLimiter, key: str) -> int:
        now = time.time()
        over = [limit for limit in self.limits if not counter.hit(limit, key)]
        waits = (counter.get_window_stats(limit, key).reset_time - now for limit in over)
        return max((min(LONGEST_S, max(1, ceil(wait))) for wait in waits), default=0)

    def _unhit(self, counter: RateLimiter, key: str) -> int:
        for limit in self.limits:
            counter.storage.incr(limit.key_for(key), limit.get_expiry(), amount=-1)
        return 0


def init_app(app: Flask, settings: Settings) -> None:
    """Set the limits up in the store that the settings name.

    Raises:
        ConfigError: the limits make no sense, or nobody knows the store.
    """
    uri = settings.ratelimit_storage_uri
    app.config.update(
        RATELIMIT_STORAGE_URI=uri,
        RATELIMIT_STORAGE_OPTIONS={"wrap_exceptions": True, **_timeouts(uri)},
        RATELIMIT_STRATEGY="fixed-window",
    )
    try:
        limiter = Limiter(_address, app=app)
    except ConfigurationError as error:
        raise ConfigError("ADMINSITE_RATELIMIT_STORAGE_URI: " + str(error).split(":")[0]) from None
    limiter.enabled = False  # no route has a decorator of its: spare every request the search
    sign_ins = limits_of("LOGIN_RATE_LIMIT", settings.login_rate_limit)
    scripts = limits_of("API_RATE_LIMIT", settings.api_rate_limit)
    app.extensions[KEY] = Attempts(sign_ins, limiter.limiter)
    app.extensions[API_KEY] = Attempts(scripts, limiter.limiter, API_SENTENCE)
    app.extensions[DENIAL_KEY] = Attempts(parse_many(DENIALS), limiter.limiter)


def limits_of(setting: str, notation: str) -> list[RateLimitItem]:
    """The limits as they are applied: no window longer than a quarter of an hour.

    Raises:
        ConfigError: the notation cannot be read.
    """
    try:
        given = parse_many(notation)
    except ValueError as error:
        raise ConfigError(f"{PREFIX}{setting}={notation!r}: {error}") from None
    return [
        limit
        if limit.get_expiry() <= LONGEST_S
        else RateLimitItemPerSecond(limit.amount, LONGEST_S)
        for limit in given
    ]


def attempts() -> Attempts:
    """The application's counter of sign-ins."""
    found: Attempts = current_app.extensions[KEY]
    return found


def count_request(token_id: int) -> None:
    """Count one request that an API token signed in.

    Raises:
        TooManyRequests: with the whole seconds to wait.

    Source: contract, section Environment (API_RATE_LIMIT).
    """
    scripts: Attempts = current_app.extensions[API_KEY]
    scripts.count(f"api token {token_id}")


def counts_denial(user_id: str) -> bool:
    """Whether a refusal of that person is still worth a line: nobody floods the audit."""
    denials: Attempts = current_app.extensions[DENIAL_KEY]
    return denials.has_room(f"denials of {user_id}")


def login_keys(email: str) -> tuple[str, str]:
    """What an attempt is counted under: the address first, then the account."""
    account = hashlib.sha256(email.strip().lower().encode(errors="replace")).hexdigest()
    return f"sign-in address {_address()}", f"sign-in account {account}"


def password_key(user_id: str) -> str:
    """What a wrong current password is counted under when somebody changes theirs."""
    return f"password of {user_id}"


def _timeouts(uri: str) -> dict[str, float]:
    """How long a sign-in waits for a store elsewhere before it is counted here."""
    remote = uri.startswith(("redis", "valkey"))
    return {"socket_timeout": STORE_S, "socket_connect_timeout": STORE_S} if remote else {}


def _address() -> str:
    return request.remote_addr or "unknown"


def _words(wait_s: int) -> str:
    minutes = ceil(wait_s / 60)
    if wait_s < 60:  # noqa: PLR2004
        return "a minute" if wait_s > 30 else f"{wait_s} seconds"  # noqa: PLR2004
    return "a minute" if minutes == 1 else f"{minutes} minutes"
