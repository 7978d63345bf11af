"""Numbers as people read them: whole, short for an axis, as money, as a change."""

from dataclasses import dataclass

SHORT = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k"))
MUCH = 1000  # per cent: beyond it a factor says more


@dataclass(frozen=True, slots=True)
class Change:
    """How a number compares with the one before.

    Attributes:
        direction: "up", "down" or "same".
        text: short, for the eye.
        sentence: in words.
    """

    direction: str
    text: str
    sentence: str


def whole(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}".replace("-", "−")


def short(number: int) -> str:
    """A number for an axis: "12.5k"."""
    for size, unit in SHORT:
        if abs(number) >= size:
            return f"{number / size:.3g}{unit}".replace("-", "−")
    return whole(number)


def money(cents: int) -> str:
    """Cents as dollars; the cents only where there are any."""
    dollars, rest = divmod(cents, 100)
    return f"${dollars:,}.{rest:02}" if rest else f"${dollars:,}"


def short_money(cents: int) -> str:
    """Cents as dollars, for an axis."""
    return f"${short(cents // 100)}" if cents % 100 == 0 else money(cents)


def many(count: int, one: str, more: str | None = None) -> str:
    """A number with its noun."""
    return f"{whole(count)} {one if count == 1 else more or f'{one}s'}"


def change(now: int, before: int, phrase: str) -> Change | None:
    """How a number compares with the one before; None when there was nothing before.

    Args:
        phrase: what it is compared with, as in "than in the 30 days before".
    """
    if before <= 0:
        return None
    if now == before:
        return Change("same", "0%", f"as many as {phrase.removeprefix('than ')}")
    share = round(100 * abs(now - before) / before)
    text = f"{now / before:,.0f}×" if share >= MUCH else f"{share or '<1'}%"
    direction, word = ("up", "more") if now > before else ("down", "less")
    said = f"{now / before:,.0f} times as many as {phrase.removeprefix('than ')}"
    return Change(direction, text, said if share >= MUCH else f"{text} {word} {phrase}")
