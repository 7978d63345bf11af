"""Passwords: how they are kept, checked, and which are refused.

Source: D-22.
"""

import os
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 10
MAX_LENGTH = 1000
GUESSABLE = 2  # zxcvbn's scores 0 and 1: fewer than a million guesses
JUDGED_LENGTH = 72  # zxcvbn takes no more, and more would not change its mind

# OWASP's first choice for argon2id: 46 MiB, one pass, one lane; about 50 ms.
_HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
_TURNS = threading.BoundedSemaphore(os.cpu_count() or 1)  # a flood of sign-ins takes no more memory


def hash_password(password: str) -> str:
    """The form in which a password is stored."""
    with _TURNS:
        return _HASHER.hash(_prepared(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether this is the password; takes as long when there is none to compare with."""
    try:
        with _TURNS:
            _HASHER.verify(stored or _decoy(), _prepared(password))
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored) and len(password) <= MAX_LENGTH


def is_outdated(stored: str) -> bool:
    """Whether it was stored with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def objection(password: str, *, email: str, name: str = "") -> str | None:
    """Why this password is refused for that person, in a sentence; None when it is fine."""
    if len(password) < MIN_LENGTH:
        return f"Use at least {MIN_LENGTH} characters."
    if len(password) > MAX_LENGTH:
        return f"Use at most {MAX_LENGTH:,} characters."
    if password.strip().lower() == email.strip().lower():
        return "The password must not be the e-mail address."
    if _is_guessable(password, [part for part in (email, *email.split("@"), name) if part]):
        return "This password is easy to guess. Use several words that do not belong together."
    return None


def _is_guessable(password: str, about: list[str]) -> bool:
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its word lists take time to load

    verdict = zxcvbn(password[:JUDGED_LENGTH], user_inputs=about, max_length=JUDGED_LENGTH)
    return bool(verdict["score"] < GUESSABLE)


@cache
def _decoy() -> str:
    return _HASHER.hash("nobody has this password")


def _prepared(password: str) -> bytes:
    """The same bytes however the keyboard composes accents; never more than are hashed."""
    return unicodedata.normalize("NFC", password[:MAX_LENGTH]).encode(errors="surrogatepass")
