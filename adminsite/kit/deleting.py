"""What people are asked before something is deleted, and what they are told once."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer.

    Attributes:
        value: as the operation takes it.
        about: what it would do, in numbers.
        sample: the first names of what it touches.
        more: how many there are beyond those.
    """

    value: str
    label: str
    about: str = ""
    sample: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """What a confirmation says and asks.

    Attributes:
        facts: what is known of the record, by label.
        lines: sentences on what goes with it.
        warning: what cannot be undone.
        name: the parameter that the choices answer.
        legend: the question to them.
        choices: the answers there are; none when there is nothing to ask.
        fields: what the answer carries back to the server unseen.
    """

    facts: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    warning: str = ""
    name: str = ""
    legend: str = ""
    choices: tuple[Choice, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Once:
    """Something that is shown a single time, to be copied.

    Attributes:
        name: what it is called in JSON.
        value: the text to copy.
        about: what to do with it.
    """

    name: str
    title: str
    value: str
    about: str
