"""The rules of single fields: each takes what was typed and gives back what is stored.

A rule knows no other field, no record and no database. What it refuses it says in one
sentence, as a ValueError; `check` gathers those by field.

Source: D-22, D-23; docs/rules.md.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

import ada_url

from adminsite.errors import InvalidError
from adminsite.models import Admin, ApiToken, User

Rule = Callable[[object], Any]

RESERVED_SLUGS = frozenset({"admin", "api", "auth", "dashboard", "links", "static", "u"})
SLUG_LENGTH = 100
KEYWORD_LENGTH = 64
URL_LENGTH = 8192
TITLE_LENGTH = 200
DESCRIPTION_LENGTH = 2000
TAG_LENGTH = 100
TAGS_PER_LINK = 30
OWNERS_PER_LINK = 50
EMAIL_LENGTH = 254
NAME_LENGTH = 200
TOKEN_NAME_LENGTH = 100
TOKEN_DAYS = 3650
REASON_LENGTH = 500
KEY_LENGTH = 255
LARGEST = 2**31 - 1  # of what an amount or a balance can be
PLACEHOLDER = "{slug}"
# Separates tags and owners in a CSV cell, so neither may hold it.
SEPARATOR = ";"

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.ASCII)
_KEYWORD = re.compile(r"[a-z0-9][a-z0-9._-]*", re.ASCII)
# No database keeps NUL, no encoding a lone surrogate, no screen shows the others.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_CONTROL = re.compile("[\t\n\r\u2028\u2029]")
_URL_SPACE = re.compile("[\\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.ASCII | re.IGNORECASE)
_AUTHORITY = re.compile(r"https?://([^/\\?#]+)", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
EMAIL_FORM = re.compile(r"[^\s@;,<>\"]+@[^\s@;,<>\"]+")


def check(values: Mapping[str, object], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """The values as they are stored, or every refusal at once.

    Raises:
        InvalidError: a field breaks its rule, or is not one of these fields.
    """
    clean: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, value in values.items():
        if name not in rules:
            problems[name] = f"There is no field called `{name}` here."
            continue
        try:
            clean[name] = rules[name](value)
        except ValueError as refusal:
            problems[name] = str(refusal)
    if problems:
        raise InvalidError(problems)
    return clean


def complete(values: Mapping[str, object], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Like `check`, for a new record: a field that is not given is an empty one.

    Raises:
        InvalidError: a field breaks its rule, is missing, or is not one of these fields.
    """
    return check({**dict.fromkeys(rules), **values}, rules)


def fixed(name: str, stored: str) -> Rule:
    """The rule of a field that never changes once the record exists."""

    def rule(value: object) -> str:
        if value != stored:
            raise ValueError(f"The {name} is fixed. Delete `{stored}` and make a new one instead.")
        return stored

    return rule


def slug(value: object) -> str:
    """The name of a link.

    Raises:
        ValueError: empty, too long, other characters than allowed, or a route of the service.

    Source: D-23.
    """
    text = _text(value, "slug")
    if not text:
        raise ValueError("Give a slug: the word people type after the host.")
    if len(text) > SLUG_LENGTH:
        raise ValueError(_too_long("slug", len(text), SLUG_LENGTH))
    if not _SLUG.fullmatch(text):
        raise ValueError(
            "A slug is made of lower-case letters a to z, digits and hyphens, "
            "and begins and ends with a letter or digit."
        )
    if text in RESERVED_SLUGS:
        raise ValueError(f"`{text}` is a route of the go-links service itself. Choose another.")
    return text


def keyword(value: object) -> str:
    """The word that a keyword is called by.

    Raises:
        ValueError: empty, too long, or other characters than allowed.

    Source: D-23.
    """
    text = _text(value, "keyword")
    if not text:
        raise ValueError("Give a keyword: the word people type before what they look for.")
    if len(text) > KEYWORD_LENGTH:
        raise ValueError(_too_long("keyword", len(text), KEYWORD_LENGTH))
    if not _KEYWORD.fullmatch(text):
        raise ValueError(
            "A keyword is made of lower-case letters a to z, digits, dots, underscores and "
            "hyphens, and begins with a letter or digit."
        )
    return text


def url(value: object) -> str:
    """An absolute http or https address, kept exactly as given.

    Raises:
        ValueError: anything that a browser would reject, guess at or send a password to.

    Source: D-23.
    """
    text = value if isinstance(value, str) else ""
    if not text:
        raise ValueError("Give a URL, for example https://example.com/.")
    if len(text) > URL_LENGTH:
        raise ValueError(_too_long("URL", len(text), URL_LENGTH))
    if _URL_SPACE.search(text):
        raise ValueError("The URL holds white space or a control character; write a space as %20.")
    _check_scheme(text)
    _check_authority(text)
    if not ada_url.check_url(text):
        raise ValueError("This is not a valid URL: check its host and port.")
    return text


def url_template(value: object) -> str:
    """A URL with `{slug}` where the text people type goes.

    Raises:
        ValueError: it breaks the rules of a URL, or has no `{slug}`.

    Source: D-23, R-001-29, R-001-34.
    """
    if isinstance(value, str) and value and PLACEHOLDER not in value:
        raise ValueError("The URL template must contain {slug}, where the typed text goes.")
    return url(value)


def expand(template: str, text: str) -> str:
    """The address a keyword leads to for this text.

    Templates hold other braces too, so the placeholder is replaced and nothing formatted.
    """
    return template.replace(PLACEHOLDER, quote(text, safe=""))


def title(value: object) -> str | None:
    """One line that says what a link is; empty is none.

    Raises:
        ValueError: too long, several lines, or a control character.

    Source: D-23.
    """
    return _line(value, "title", TITLE_LENGTH) or None


def description(value: object) -> str | None:
    """Text of several lines; empty is none, and line ends become plain ones.

    Raises:
        ValueError: too long, or a control character.

    Source: D-23.
    """
    return plain_text(value, "description", DESCRIPTION_LENGTH) or None


def tag(value: object) -> str:
    """The name of a tag, with single spaces.

    Raises:
        ValueError: nothing visible, too long, a semicolon, or a control character.

    Source: D-23.
    """
    text = " ".join(_line(value, "tag", TAG_LENGTH).split())
    if not _visible(text):
        raise ValueError("Give the tag a name.")
    if SEPARATOR in text:
        raise ValueError("A tag cannot hold a semicolon: it separates tags.")
    return text


def fold(name: str) -> str:
    """What two tag names are compared by.

    Source: D-23.
    """
    return " ".join(name.split()).casefold()


def tags(value: object) -> list[str]:
    """The tags of a link in the order given; of names that fold together the first stays.

    Args:
        value: names, or one text with semicolons between them.

    Raises:
        ValueError: a name breaks its rule, or there are too many.

    Source: D-23.
    """
    names: dict[str, str] = {}
    for part in split(value):
        name = tag(part)
        names.setdefault(fold(name), name)
    if len(names) > TAGS_PER_LINK:
        raise ValueError(f"A link has at most {TAGS_PER_LINK} tags; these are {len(names)}.")
    return list(names.values())


def split(value: object) -> list[str]:
    """The parts of a list that may have come as one text; blank ones are dropped."""
    parts = value if isinstance(value, list | tuple) else [value]
    texts = [piece for part in parts for piece in _text(part, "list").split(SEPARATOR)]
    return [text for text in texts if text.strip()]


def owners(value: object) -> list[UUID]:
    """The owners of a link, each once; the first is the primary one.

    Raises:
        ValueError: none, too many, or something that is no person's id.

    Source: R-001-7, D-16.
    """
    ids = value if isinstance(value, Iterable) and not isinstance(value, str) else ()
    try:
        people = [one if isinstance(one, UUID) else UUID(str(one)) for one in ids]
    except ValueError:
        raise ValueError("An owner is a person of this service; choose one.") from None
    if not people:
        raise ValueError("A link needs at least one owner.")
    if len(people) > OWNERS_PER_LINK:
        raise ValueError(f"A link has at most {OWNERS_PER_LINK} owners; these are {len(people)}.")
    return list(dict.fromkeys(people))


def email(value: object) -> str:
    """An e-mail address, as given.

    Raises:
        ValueError: empty, too long, or not of the form name@host.

    Source: D-22.
    """
    text = _line(value, "e-mail address", EMAIL_LENGTH)
    if not text:
        raise ValueError("Give an e-mail address.")
    # Lower case may be longer ("İ"), and that is what is compared and kept beside it.
    if not EMAIL_FORM.fullmatch(text) or len(text.lower()) > EMAIL_LENGTH:
        raise ValueError(f"`{text}` is not an e-mail address.")
    return text


def display_name(value: object) -> str:
    """The name of a person.

    Raises:
        ValueError: nothing visible, too long, or a control character.
    """
    text = _line(value, "name", NAME_LENGTH)
    if not _visible(text):
        raise ValueError("Give a name.")
    return text


def role(value: object) -> str:
    """The role of a person; "user" when none is given.

    Raises:
        ValueError: not one of the roles.

    Source: R-002-2.
    """
    return _word(value, "role", User.ROLES, default=User.ROLES[0])


def level(value: object) -> str:
    """The level of a member of staff.

    Raises:
        ValueError: not one of the levels.

    Source: D-2, R-000-6.
    """
    return _word(value, "level", Admin.ROLES)


def status(value: object) -> str:
    """The status of a member of staff; "active" when none is given.

    Raises:
        ValueError: not one of the statuses.

    Source: R-000-7.
    """
    return _word(value, "status", Admin.STATUSES, default=Admin.STATUSES[0])


def token_name(value: object) -> str:
    """What a token is for.

    Raises:
        ValueError: nothing visible, too long, or a control character.
    """
    text = _line(value, "name", TOKEN_NAME_LENGTH)
    if not _visible(text):
        raise ValueError("Give the token a name that says what uses it.")
    return text


def scope(value: object) -> str:
    """What a token may do; "write" when nothing is said.

    Raises:
        ValueError: not one of the scopes.

    Source: contract, Commands (tokens create).
    """
    return _word(value, "scope", ApiToken.SCOPES, default="write")


def days(value: object) -> int | None:
    """After how many days a token expires; none for never.

    Raises:
        ValueError: not a whole number from 1 to 3,650.
    """
    text = _text(value, "number of days").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) <= TOKEN_DAYS):  # noqa: PLR2004
        raise ValueError(f"Give the days as a whole number from 1 to {TOKEN_DAYS:,}.")
    return int(text)


def credits_amount(value: object) -> int:
    """A change of credits: a whole number with its sign, not 0.

    Raises:
        ValueError: no whole number, 0, or beyond 32 bits.

    Source: D-13.
    """
    amount = _whole(value, "amount")
    if amount == 0:
        raise ValueError("The amount cannot be 0: a plus adds credits, a minus removes them.")
    return amount


def balance(value: object) -> int:
    """What a balance is set to: a whole number, a debt below zero (D-11).

    Raises:
        ValueError: no whole number, or beyond 32 bits.

    Source: D-13.
    """
    return _whole(value, "balance")


def reason(value: object) -> str:
    """Why something is done: 1 to 500 characters without outer white space.

    Raises:
        ValueError: nothing visible, too long, or a control character.

    Source: D-14.
    """
    return _said(value, "reason", "Give a reason: whoever reads this later will ask.")


def note(value: object) -> str:
    """What whoever decides on a request has to say; like a reason.

    Raises:
        ValueError: nothing visible, too long, or a control character.
    """
    return _said(value, "note", "Give a note that says why you decide so.")


def idempotency_key(value: object) -> str:
    """The word a caller names one request by: 1 to 255 printable ASCII characters.

    Raises:
        ValueError: empty, too long, or something else in it.

    Source: contract, JSON (`Idempotency-Key`).
    """
    text = _text(value, "idempotency key")
    if not (0 < len(text) <= KEY_LENGTH and text.isascii() and text.isprintable()):
        raise ValueError(
            f"An idempotency key has 1 to {KEY_LENGTH} characters: letters, digits and signs."
        )
    return text


def tier(value: object) -> str | None:
    """The plan of a subscription; None for none.

    Raises:
        ValueError: not one of the tiers.

    Source: D-25.
    """
    return _word(value, "tier", User.TIERS) if value not in (None, "") else None


def subscription_status(value: object) -> str | None:
    """The status of a subscription; None for none.

    Raises:
        ValueError: not one of the statuses.

    Source: D-25.
    """
    return _word(value, "status", User.STATUSES) if value not in (None, "") else None


def _said(value: object, what: str, ask: str) -> str:
    text = plain_text(value, what, REASON_LENGTH)
    if not _visible(text):
        raise ValueError(ask)
    return text


def _whole(value: object, what: str) -> int:
    """A whole number of 32 bits, from JSON or as people type it."""
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        text = _text(value, what).strip().replace("\N{MINUS SIGN}", "-")
        if not _NUMBER.fullmatch(text):
            raise ValueError(f"The {what} is a whole number, such as 50 or -50.")
        number = int(text)
    if abs(number) > LARGEST:
        raise ValueError(f"The {what} lies between {-LARGEST:,} and {LARGEST:,}.")
    return number


def _word(value: object, what: str, known: tuple[str, ...], default: str = "") -> str:
    text = _text(value, what).strip() or default
    if text not in known:
        raise ValueError(f"The {what} is one of {', '.join(known)}.")
    return text


def plain_text(value: object, what: str, length: int | None) -> str:
    """Text of several lines without outer white space.

    Raises:
        ValueError: too long, or a control character.
    """
    text = _text(value, what).replace("\r\n", "\n").replace("\r", "\n").strip()
    if length is not None and len(text) > length:
        raise ValueError(_too_long(what, len(text), length))
    return text


def _text(value: object, what: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"The {what} must be text.")  # noqa: TRY004 - a refusal like the others
    if _CONTROL.search(value):
        raise ValueError(f"The {what} holds a control character, which cannot be shown.")
    return value


def _line(value: object, what: str, length: int) -> str:
    text = _text(value, what).strip()
    if _LINE_CONTROL.search(text):
        raise ValueError(f"The {what} is one line, without tabs or line breaks.")
    if len(text) > length:
        raise ValueError(_too_long(what, len(text), length))
    return text


def _visible(text: str) -> bool:
    return any(unicodedata.category(letter)[0] not in "CZ" for letter in text)


def _too_long(what: str, length: int, limit: int) -> str:
    return f"The {what} has {length:,} characters; {limit:,} is the limit."


def _check_scheme(text: str) -> None:
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise ValueError("The URL is not absolute: begin it with https:// or http://.")
    if scheme[1].lower() not in {"http", "https"}:
        raise ValueError(f"Only http and https lead somewhere; this URL begins with {scheme[0]}")


def _check_authority(text: str) -> None:
    """Refuse what the standard would repair, such as "http:host" and "http:///host"."""
    authority = _AUTHORITY.match(text)
    host = authority[1].rpartition("@")[2] if authority else ""
    if authority is None or not host or host.startswith(":"):
        raise ValueError("The URL has no host: write it as https://host/path.")
    if "@" in authority[1]:
        raise ValueError("The URL holds a user name or password; everybody could read it here.")
