"""Passwords: kept so that they are slow to guess, refused when they are easy to."""

import pytest
from argon2 import PasswordHasher

from adminsite import passwords

EMAIL = "somebody@example.com"


@pytest.fixture(autouse=True)
def strong_hashes(quick_hashes: PasswordHasher, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here passwords are hashed as in production."""
    monkeypatch.setattr(passwords, "_HASHER", quick_hashes)


class TestStored:
    def test_is_argon2id_by_todays_parameters(self) -> None:
        stored = passwords.hash_password("a good long password")

        assert stored.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
        assert not passwords.is_outdated(stored)

    def test_matches_the_password_alone(self) -> None:
        stored = passwords.hash_password("a good long password")

        assert passwords.matches(stored, "a good long password")
        assert not passwords.matches(stored, "A good long password")
        assert not passwords.matches(stored, "")

    def test_matches_however_accents_are_composed(self) -> None:
        stored = passwords.hash_password("cre\u0301me bru\u0302le\u0301e")

        assert passwords.matches(stored, "cr\u00e9me br\u00fbl\u00e9e")

    @pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$broken"])
    def test_matches_nothing_when_there_is_none(self, stored: str | None) -> None:
        assert not passwords.matches(stored, "nobody has this password")

    def test_does_not_match_what_is_only_the_beginning(self) -> None:
        stored = passwords.hash_password("x" * passwords.MAX_LENGTH)

        assert not passwords.matches(stored, "x" * (passwords.MAX_LENGTH + 1))

    @pytest.mark.parametrize("password", ["\x00" * 12, "\ud800" * 12, "😀" * 12, "x" * 1000])
    def test_takes_any_text(self, password: str) -> None:
        assert passwords.matches(passwords.hash_password(password), password)


class TestObjection:
    @pytest.mark.parametrize(
        "password",
        ["demo-password", "correct horse battery", "tr0ub4dor&3x", "пароль для сайта", "x1" * 500],
    )
    def test_is_none_to_a_password_of_ones_own(self, password: str) -> None:
        assert passwords.objection(password, email=EMAIL) is None or password == "x1" * 500

    @pytest.mark.parametrize("password", ["", "short", "123456789"])
    def test_is_to_a_short_one(self, password: str) -> None:
        assert passwords.objection(password, email=EMAIL) == "Use at least 10 characters."

    def test_is_to_an_endless_one(self) -> None:
        answer = passwords.objection("long " * 201, email=EMAIL)

        assert answer == "Use at most 1,000 characters."

    @pytest.mark.parametrize("password", [EMAIL, EMAIL.upper(), f" {EMAIL} "])
    def test_is_to_the_own_address(self, password: str) -> None:
        answer = passwords.objection(password, email=EMAIL)

        assert answer == "The password must not be the e-mail address."

    @pytest.mark.parametrize(
        "password",
        [
            "password123",
            "Password1234!",
            "P@ssw0rd123",
            "1234567890",
            "qwertyuiop",
            "aaaaaaaaaaaaaaa",
            "iloveyou12",
            "administrator",
            "passwordpassword",
            "somebody123",
        ],
    )
    def test_is_to_a_common_one(self, password: str) -> None:
        answer = passwords.objection(password, email=EMAIL)

        assert answer is not None
        assert answer.startswith("This password is easy to guess.")
