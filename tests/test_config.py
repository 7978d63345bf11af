"""Settings: what the application refuses to start with, and what it warns about."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from adminsite.config import (
    DEMO_SECRET_KEY,
    KNOWN_DEFAULTS,
    LEVELS,
    TIERS,
    ConfigError,
    Settings,
)
from adminsite.models import Admin, User
from adminsite.permissions import Level

SECRET = "a long random text for this test"
HOST = {"ADMINSITE_TRUSTED_HOSTS": "go.example.com"}


def load(overrides: dict[str, Any] | None = None, **environ: str) -> Settings:
    given = {f"ADMINSITE_{name}": value for name, value in environ.items()}
    return Settings.load(overrides, {"ADMINSITE_SECRET_KEY": SECRET, **HOST, **given})


class TestSecretKey:
    def test_must_be_given(self) -> None:
        with pytest.raises(ConfigError, match="ADMINSITE_SECRET_KEY is not set"):
            Settings.load({}, HOST)

    @pytest.mark.parametrize("key", [*sorted(KNOWN_DEFAULTS), "too short"])
    def test_must_not_be_known_or_short(self, key: str) -> None:
        with pytest.raises(ConfigError, match="known default or too short"):
            load(SECRET_KEY=key)

    @pytest.mark.parametrize(
        "relaxed", [{"ADMINSITE_DEMO": "1"}, {"FLASK_DEBUG": "1"}, {"FLASK_DEBUG": "true"}]
    )
    def test_may_be_missing_in_demo_and_debug(self, relaxed: dict[str, str]) -> None:
        assert Settings.load({}, relaxed).secret_key == DEMO_SECRET_KEY

    def test_may_be_missing_in_tests(self) -> None:
        assert Settings.load({"TESTING": True}, {}).secret_key == DEMO_SECRET_KEY

    @pytest.mark.parametrize("debug", ["0", "", "false", "no"])
    def test_must_be_given_when_debug_is_off(self, debug: str) -> None:
        with pytest.raises(ConfigError):
            Settings.load({}, {**HOST, "FLASK_DEBUG": debug})


class TestDefaults:
    def test_are_the_contracts(self) -> None:
        settings = load()

        assert settings.session_hours == 12
        assert settings.login_rate_limit == "10 per minute;100 per hour"
        assert Path(settings.database_url.removeprefix("sqlite:///")).parent.name == "instance"

    def test_cookie_is_secure(self) -> None:
        assert load().session_cookie_secure

    @pytest.mark.parametrize("relaxed", [{"ADMINSITE_DEMO": "1"}, {"FLASK_DEBUG": "1"}])
    def test_cookie_is_plain_in_demo_and_debug(self, relaxed: dict[str, str]) -> None:
        assert not Settings.load({}, relaxed).session_cookie_secure

    def test_cookie_may_be_plain_by_choice(self) -> None:
        assert not load(SESSION_COOKIE_SECURE="0").session_cookie_secure


class TestValues:
    def test_are_read_by_their_type(self) -> None:
        settings = load(
            TRUSTED_HOSTS=" a.example.com, b.example.com ,", PROXY_HOPS="2", SESSION_HOURS="0.5"
        )

        assert settings.trusted_hosts == ("a.example.com", "b.example.com")
        assert (settings.proxy_hops, settings.session_hours) == (2, 0.5)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PROXY_HOPS", "two"),
            ("PROXY_HOPS", "-1"),
            ("SESSION_HOURS", "long"),
            ("SESSION_HOURS", "0"),
            ("SESSION_HOURS", "nan"),
            ("SESSION_IDLE_MINUTES", "-5"),
            ("SESSION_COOKIE_SECURE", "maybe"),
            ("DEMO", "perhaps"),
            ("IMPORT_MAX_MB", "0"),
            ("SESSION_HOURS", "inf"),
            ("OVERVIEW_CACHE_S", "-1"),
            ("OVERVIEW_CACHE_S", "nan"),
            ("OVERVIEW_CACHE_S", "86401"),
            ("OVERVIEW_CACHE_S", "soon"),
        ],
    )
    def test_that_make_no_sense_are_refused_by_name(self, name: str, value: str) -> None:
        with pytest.raises(ConfigError, match=f"ADMINSITE_{name}"):
            load(None, **{name: value})

    def test_that_are_blank_count_as_missing(self) -> None:
        assert load(PROXY_HOPS="", SESSION_HOURS=" ") == load()

    def test_of_the_caller_win(self) -> None:
        settings = load({"SESSION_HOURS": 3, "ADMINSITE_PROXY_HOPS": "1"}, SESSION_HOURS="5")

        assert (settings.session_hours, settings.proxy_hops) == (3, 1)


class TestAdjustLimit:
    def test_is_none_when_nothing_is_said(self) -> None:
        assert [load().adjust_cap(level) for level in LEVELS] == [None, None, None]

    def test_may_be_one_number_for_everybody(self) -> None:
        settings = load(ADJUST_LIMIT=" 500 ")

        assert [settings.adjust_cap(level) for level in LEVELS] == [500, 500, 500]

    def test_may_be_a_number_by_level(self) -> None:
        settings = load(ADJUST_LIMIT="admin = 500, owner=10000,")

        assert [settings.adjust_cap(level) for level in LEVELS] == [None, 500, 10000]

    def test_may_let_everything_wait(self) -> None:
        assert load(ADJUST_LIMIT="0").adjust_cap("owner") == 0

    @pytest.mark.parametrize("given", [500, "500", dict.fromkeys(LEVELS, 500)], ids=repr)
    def test_may_come_from_the_caller(self, given: object) -> None:
        settings = load({"ADJUST_LIMIT": given}, ADJUST_LIMIT="7")

        assert settings.adjust_cap("admin") == 500

    @pytest.mark.parametrize("nothing", [None, "", {}], ids=repr)
    def test_may_be_taken_away_by_the_caller(self, nothing: object) -> None:
        assert load({"ADJUST_LIMIT": nothing}, ADJUST_LIMIT="7").adjust_cap("admin") is None

    @pytest.mark.parametrize(
        "value",
        [
            *("many", "-5", "1.5", "1e3", "5,6", "1 000", "1,000", "1234567890", "٥", "=", "=5"),
            *("admin", "admin=", "admin=x", "admin=-1", "boss=5", "admin=5=6", "admin=5,admin=6"),
        ],
    )
    def test_that_makes_no_sense_is_refused_by_name(self, value: str) -> None:
        with pytest.raises(ConfigError, match="ADMINSITE_ADJUST_LIMIT"):
            load(ADJUST_LIMIT=value)

    @pytest.mark.parametrize("value", [True, -5, 1.5, {"boss": 5}, {"admin": None}], ids=repr)
    def test_of_the_caller_that_makes_no_sense_is_refused(self, value: object) -> None:
        with pytest.raises(ConfigError, match="ADMINSITE_ADJUST_LIMIT"):
            load({"ADJUST_LIMIT": value})

    def test_knows_the_levels_there_are(self) -> None:
        assert LEVELS == Admin.ROLES == tuple(level.label for level in Level if level)


class TestPrices:
    def test_are_unknown_when_nothing_is_said(self) -> None:
        assert [load().price(tier) for tier in TIERS] == [None] * 4

    def test_are_cents_a_month_by_plan(self) -> None:
        settings = load(PRICES="starter=900, hobby=1900,pro=0")

        assert [settings.price(tier) for tier in TIERS] == [900, 1900, 0, None]

    def test_of_no_plan_are_unknown(self) -> None:
        assert load(PRICES="starter=900").price(None) is None

    def test_may_come_from_the_caller(self) -> None:
        assert load({"PRICES": {"pro": 4900}}).price("pro") == 4900

    @pytest.mark.parametrize(
        "value",
        [
            *("900", "gold=900", "starter", "starter=", "starter=-1", "starter=9.00", "starter=$9"),
            *("starter=1,starter=2", "starter=900 hobby=1900", "Starter=900", "starter=1234567890"),
        ],
    )
    def test_that_make_no_sense_are_refused_by_name(self, value: str) -> None:
        with pytest.raises(ConfigError, match="ADMINSITE_PRICES"):
            load(PRICES=value)

    def test_know_the_plans_there_are(self) -> None:
        assert TIERS == User.TIERS


class TestOverviewCache:
    @pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("0.5", 0.5), ("86400", 86400)])
    def test_is_some_time(self, text: str, seconds: float) -> None:
        assert load(OVERVIEW_CACHE_S=text).overview_cache_s == seconds

    def test_is_half_a_minute_when_nothing_is_said(self) -> None:
        assert load().overview_cache_s == 30


class TestWarnings:
    def test_name_unknown_settings(self) -> None:
        with pytest.warns(UserWarning, match="unknown setting ADMINSITE_SECRET_KEI"):
            load(SECRET_KEI="x")

    def test_say_that_every_host_is_answered(self) -> None:
        with pytest.warns(UserWarning, match="ADMINSITE_TRUSTED_HOSTS is not set"):
            Settings.load({}, {"ADMINSITE_SECRET_KEY": SECRET})

    @pytest.mark.parametrize("relaxed", [{"ADMINSITE_DEMO": "1"}, {"FLASK_DEBUG": "1"}])
    def test_keep_quiet_in_demo_and_debug(self, relaxed: dict[str, str]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Settings.load({}, relaxed)
