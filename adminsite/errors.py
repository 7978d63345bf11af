"""Refusals: each says in one sentence, fit for staff, why nothing was changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


class RuleError(Exception):
    """A rule refused a change; nothing was written.

    Attributes:
        message: one sentence for the person who asked.
        fields: messages by field name, when the refusal is about input.
        status: the HTTP status that says it best.
        code: the word for it in JSON answers.
    """

    status = 400
    code = "INVALID"

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})


class UnfitError(RuleError):
    """The record, as it stands, does not take what was asked for."""

    status = 422


class InvalidError(UnfitError):
    """The values given break a rule of their fields; `fields` names each."""

    def __init__(self, fields: Mapping[str, str], message: str | None = None) -> None:
        super().__init__(message or next(iter(fields.values()), "Check the values."), fields)


class ForbiddenError(RuleError):
    """The person's level does not allow this."""

    status = 403
    code = "NOT_ADMIN"


class LevelError(ForbiddenError):
    """The person's level does not reach what is asked for.

    Attributes:
        code: NOT_OWNER where nobody below an owner would do.
    """

    def __init__(self, message: str, *, owner_needed: bool) -> None:
        super().__init__(message)
        if owner_needed:
            self.code = "NOT_OWNER"


class MissingError(RuleError):
    """The record does not exist, or no longer."""

    status = 404
    code = "NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Clash:
    """One field that two people changed: what is yours, what is stored, whose, when."""

    field: str
    mine: object
    theirs: object
    who: str
    when: datetime | None


class OutdatedError(RuleError):
    """What somebody was shown and said yes to is not so any more; nothing was changed."""

    status = 409
    code = "CONFLICT"


class ConflictError(RuleError):
    """Somebody else changed the same fields since this edit began.

    Attributes:
        clashes: the fields to decide on.
        version: the stored version, to send with the decision.
        values: of the fields sent, those not to decide on: yours where only you changed them,
            else as stored.

    Source: R-001-16, S1; flask-admin notes, section 5 (optimistic lock).
    """

    status = 409
    code = "CONFLICT"

    def __init__(
        self,
        clashes: tuple[Clash, ...],
        version: int,
        message: str,
        values: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.clashes = clashes
        self.version = version
        self.values = dict(values or {})
