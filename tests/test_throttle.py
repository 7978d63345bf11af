"""How many failed sign-ins an account and an address have."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from adminsite import throttle
from adminsite.config import ConfigError, Settings
from adminsite.throttle import Attempts, limits_of, login_keys


@pytest.fixture
def attempts() -> Attempts:
    limits = limits_of("LOGIN_RATE_LIMIT", "3 per minute;5 per hour")
    return Attempts(limits, FixedWindowRateLimiter(MemoryStorage()))


@pytest.fixture
def bare_app() -> Iterator[Flask]:
    app = Flask("bare")
    with app.test_request_context(environ_base={"REMOTE_ADDR": "10.0.0.1"}):
        yield app


class TestLimits:
    def test_keep_short_windows(self) -> None:
        assert [
            str(limit) for limit in limits_of("LOGIN_RATE_LIMIT", "10 per minute;2/second")
        ] == [
            "10 per 1 minute",
            "2 per 1 second",
        ]

    @pytest.mark.parametrize("notation", ["100 per hour", "100 per day", "100 per 2 year"])
    def test_cut_long_windows_to_a_quarter_of_an_hour(self, notation: str) -> None:
        [limit] = limits_of("LOGIN_RATE_LIMIT", notation)

        assert (limit.amount, limit.get_expiry()) == (100, 900)

    @pytest.mark.parametrize("notation", ["", "often", "ten per minute", "10 per fortnight"])
    @pytest.mark.parametrize("setting", ["login_rate_limit", "api_rate_limit"])
    def test_must_make_sense(self, setting: str, notation: str) -> None:
        settings = Settings(**{setting: notation})  # type: ignore[arg-type]

        with pytest.raises(ConfigError, match=f"ADMINSITE_{setting.upper()}"):
            throttle.init_app(Flask("bare"), settings)


class TestCount:
    def test_refuses_beyond_the_limit_with_the_time_to_wait(self, attempts: Attempts) -> None:
        for _ in range(3):
            attempts.count("account")

        with pytest.raises(TooManyRequests) as refusal:
            attempts.count("account")
        assert isinstance(refusal.value.retry_after, int)
        assert 1 <= refusal.value.retry_after <= 60

    def test_is_per_key(self, attempts: Attempts) -> None:
        for _ in range(3):
            attempts.count("account")

        attempts.count("other account")

    def test_costs_the_account_nothing_once_the_address_is_refused(
        self, attempts: Attempts
    ) -> None:
        for _ in range(3):
            attempts.count("address")
        for _ in range(5):
            with pytest.raises(TooManyRequests):
                attempts.count("address", "account")

        attempts.count("account")

    def test_is_exact_however_many_try_at_once(self, attempts: Attempts) -> None:
        def attempt(_number: int) -> bool:
            try:
                attempts.count("account")
            except TooManyRequests:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(attempt, range(40)))

        assert sum(taken) == 3

    def test_starts_anew_with_the_next_window(
        self, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            attempts.count("account")
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 61)

        attempts.count("account")

    def test_takes_back_what_was_no_failure(self, attempts: Attempts) -> None:
        for _ in range(50):
            attempts.count("account")
            attempts.forgive("account")

    def test_forgives_one_attempt_not_all(self, attempts: Attempts) -> None:
        attempts.count("account")
        attempts.count("account")
        attempts.count("account")
        attempts.forgive("account")
        attempts.count("account")

        with pytest.raises(TooManyRequests):
            attempts.count("account")

    def test_goes_on_by_itself_when_the_store_fails(
        self, bare_app: Flask, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_args: object, **_kwargs: object) -> None:
            raise StorageError(ConnectionError("gone"))

        monkeypatch.setattr(attempts.counter.storage, "incr", fail)
        for _ in range(3):
            attempts.count("account")

        with pytest.raises(TooManyRequests):
            attempts.count("account")

    def test_never_asks_to_wait_longer_than_a_quarter_of_an_hour(self) -> None:
        attempts = Attempts(
            limits_of("LOGIN_RATE_LIMIT", "1 per day"), FixedWindowRateLimiter(MemoryStorage())
        )
        attempts.count("account")

        with pytest.raises(TooManyRequests) as refusal:
            attempts.count("account")
        assert refusal.value.retry_after == 900
        assert "15 minutes" in str(refusal.value.description)


class TestKeys:
    def test_are_the_address_and_the_account_in_any_spelling(self, bare_app: Flask) -> None:
        assert login_keys(" A@Example.com") == login_keys("a@example.COM ")
        assert login_keys("a@example.com")[0] == "sign-in address 10.0.0.1"

    def test_do_not_hold_the_address_typed(self, bare_app: Flask) -> None:
        assert "secret" not in "".join(login_keys("secret"))


class TestStore:
    def test_must_be_known(self) -> None:
        settings = Settings(ratelimit_storage_uri="nowhere://host")

        with pytest.raises(ConfigError, match="ADMINSITE_RATELIMIT_STORAGE_URI"):
            throttle.init_app(Flask("bare"), settings)

    def test_elsewhere_that_is_gone_refuses_nobody(self, caplog: pytest.LogCaptureFixture) -> None:
        app = Flask("bare")
        throttle.init_app(app, Settings(ratelimit_storage_uri="redis://127.0.0.1:1/0"))

        with app.app_context():
            throttle.attempts().count("account")

        assert "the store of the rate limits does not answer" in caplog.text
