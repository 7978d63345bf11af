"""What the JSON families take and give: every field of every body, in one place.

A contract says the shape, which the edge checks, and describes the rest, which the rules of
`adminsite/operations` check; what is missing is theirs to say, too. Answers are made by it and
the OpenAPI document is read from it.

Source: contract, JSON; R-002-71.
"""

import re
from typing import Any
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields

from adminsite.models import Admin, CreditTransaction, PendingAdjustment, User
from adminsite.operations import rules
from adminsite.web import refusals

NOBODY = "User not found"  # the words of R-002-27
CODES = tuple(dict.fromkeys((*refusals.CODES.values(), "INVALID", "NOT_OWNER")))
MANY = 100  # of a page of `/api/admin`
MANY_ADMINS = 200
EXAMPLE_USER = "5f0c1f9e-2c7b-4d53-9f0a-0c6a4f1f9b57"
EXAMPLE_TIME = "2026-01-05T09:30:00+00:00"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class Text(fields.String):
    """A text that is not blank."""

    default_error_messages = {"null": "This must be text."}  # noqa: RUF012 - marshmallow's own form

    def _deserialize(self, value: Any, attr: str | None, *_rest: Any, **_how: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(f"The field {attr} must be text.")
        if not value.strip():
            raise ValidationError(f"The field {attr} is blank.")
        return value


class Whole(fields.Integer):
    """A JSON integer: 10.0, true and "10" are none (contract, JSON)."""

    default_error_messages = {"null": "This must be a whole number."}  # noqa: RUF012 - marshmallow's own form

    def _deserialize(self, value: Any, attr: str | None, *_rest: Any, **_how: Any) -> int:
        if type(value) is not int:
            raise ValidationError(f"The field {attr} must be a whole number.")
        return value


class Key(fields.UUID):
    """The id of a person, in its usual form."""

    default_error_messages = {"null": "This must be the id of a person."}  # noqa: RUF012 - marshmallow's own form

    def _deserialize(self, value: Any, attr: str | None, *_rest: Any, **_how: Any) -> UUID:
        found = person_key(value)
        if found is None:
            raise ValidationError(f"The field {attr} must be the id of a person.")
        return found


class Contract(Schema):
    """Fields that are all there is: a body with others is refused."""

    class Meta:
        """How the shape is checked."""

        unknown = RAISE


def person_key(value: object) -> UUID | None:
    """The id of a person in its usual form; None for anything else."""
    return UUID(value) if isinstance(value, str) and _UUID.fullmatch(value) else None


def trimmed(longest: int) -> str:
    """The pattern of a text with so many characters between its outer white space."""
    return rf"^\s*\S([\s\S]{{0,{longest - 2}}}\S)?\s*$"


def about(description: str = "", **more: Any) -> dict[str, Any]:
    """What the document says of a field beside its type."""
    return ({"description": description} if description else {}) | more


def words(
    known: tuple[str | None, ...], description: str = "", example: str = ""
) -> dict[str, Any]:
    """What the document says of a field with a few values."""
    return about(description, enum=list(known), example=example or known[0])


def _moment(description: str, *, none: bool = False) -> fields.AwareDateTime:
    said = about(description, example=EXAMPLE_TIME)
    return fields.AwareDateTime(required=True, allow_none=none, metadata=said)


def _text(example: str, description: str = "", *, none: bool = False) -> fields.String:
    said = about(description, example=example)
    return fields.String(required=True, allow_none=none, metadata=said)


def _number(example: int, description: str = "", *, none: bool = False) -> fields.Integer:
    said = about(description, example=example)
    return fields.Integer(required=True, allow_none=none, metadata=said)


def _user_id(description: str, *, none: bool = False) -> fields.UUID:
    said = about(description, example=EXAMPLE_USER)
    return fields.UUID(required=True, allow_none=none, metadata=said)


def _word(known: tuple[str, ...], description: str = "", *, none: bool = False) -> fields.String:
    said = about(description, enum=[*known, *([None] if none else ())], example=known[0])
    return fields.String(required=True, allow_none=none, metadata=said)


# ---- what is asked with an address -----------------------------------------------------------

_NONSENSE = "Anything else counts as the default."


def _count(description: str, default: int) -> fields.Raw:
    """A number of the query, which is never refused (D-10)."""
    said = about(f"{description} {_NONSENSE}", type=["integer", "string"], default=default)
    return fields.Raw(metadata=said)


def _search(description: str) -> fields.String:
    return fields.String(metadata=about(description, example="ann"))


def _filter(known: tuple[str, ...], description: str) -> fields.String:
    return fields.String(metadata=about(f"{description} Empty for any.", enum=[*known, ""]))


class AdminQuery(Contract):
    """Which of the staff."""

    limit = _count(f"How many, at most {MANY_ADMINS}.", 50)
    offset = _count("How many to leave out before.", 0)
    search = _search("A part of the address or the name, whatever its case.")
    role = _filter(Admin.ROLES, "Only this level.")
    status = _filter(Admin.STATUSES, "Only this status.")


class UserQuery(Contract):
    """Which of the people."""

    page = _count("Which page; one past the end is empty.", 1)
    limit = _count(f"How many on a page; over {MANY} is {MANY}.", 20)
    search = _search("A part of the address or the name, whatever its case.")
    role = _filter(User.ROLES, "Only this role.")
    subscription_status = _filter(User.STATUSES, "Only this subscription status.")


# ---- what is sent ----------------------------------------------------------------------------


def _email(*, required: bool = False) -> Text:
    said = about(
        "Where they are reached; unique whatever its case, at most "
        f"{rules.EMAIL_LENGTH} characters.",
        pattern=rf"^\s*{rules.EMAIL_FORM.pattern}\s*$",
        example="ann@example.com",
    )
    return Text(required=required, metadata=said)


def _name(*, required: bool = False) -> Text:
    said = about(
        f"Their name, at most {rules.NAME_LENGTH} characters.",
        pattern=trimmed(rules.NAME_LENGTH),
        example="Ann Archer",
    )
    return Text(required=required, metadata=said)


def _level(*, required: bool = False) -> Text:
    return Text(required=required, metadata=words(Admin.ROLES, "How far they may go."))


def _status(*, required: bool = False) -> Text:
    return Text(
        required=required,
        metadata=words(Admin.STATUSES, "Suspended staff may do nothing.", "suspended"),
    )


class NewAdmin(Contract):
    """Somebody to be made staff."""

    email = _email(required=True)
    full_name = _name(required=True)
    role = _level(required=True)


class AdminChange(Contract):
    """What to change of a member of staff: at least one field."""

    email = _email()
    full_name = _name()
    role = _level()
    status = _status()


class LevelChange(Contract):
    """Another level."""

    role = _level(required=True)


class StatusChange(Contract):
    """Another status."""

    status = _status(required=True)


class UserChange(Contract):
    """What to change of a person: at least one field; null clears a plan or status."""

    role = Text(metadata=words(User.ROLES, "Needs an owner.", "user"))
    subscription_tier = Text(
        allow_none=True,
        metadata=words((*User.TIERS, None), "The plan; the newest subscription follows.", "pro"),
    )
    subscription_status = Text(
        allow_none=True,
        metadata=words((*User.STATUSES, None), "Likewise, where the moves allow it.", "active"),
    )


class Adjustment(Contract):
    """A change of somebody's credits."""

    userId = Key(required=True, metadata=about("Whose credits.", example=EXAMPLE_USER))  # noqa: N815 - S2's name
    amount = Whole(
        required=True,
        metadata=about(
            "Whole credits: a plus adds, a minus removes, also below zero. Not 0.",
            minimum=-rules.LARGEST,
            maximum=rules.LARGEST,
            example=100,
        ),
    )
    reason = Text(
        required=True,
        metadata=about(
            f"Why, in at most {rules.REASON_LENGTH} characters; kept with the entry.",
            pattern=trimmed(rules.REASON_LENGTH),
            example="Goodwill for the outage",
        ),
    )


# ---- what is given ---------------------------------------------------------------------------


class AdminAnswer(Contract):
    """A member of staff."""

    id = _number(7, "Of the staff record.")
    user_id = _user_id("Of the person.")
    email = _text("ann@example.com")
    full_name = _text("Ann Archer")
    role = _word(Admin.ROLES)
    status = _word(Admin.STATUSES)
    last_login_at = _moment("Null before the first sign-in.", none=True)
    created_at = _moment("When they were made staff.")
    updated_at = _moment("When the record last changed.")


class NewAdminAnswer(AdminAnswer):
    """A new member of staff, with the link that lets them in."""

    set_password_url = _text(
        "https://admin.example.com/set-password/…", "Works once, for an hour. Shown only here."
    )
    mailed = fields.Boolean(required=True, metadata=about("Whether it was sent by mail as well."))


class AdminPage(Contract):
    """A page of the staff."""

    admins = fields.List(fields.Nested(AdminAnswer), required=True)
    total = _number(1, "How many there are in all.")
    limit = _number(50)
    offset = _number(0)


class RemovedAdmin(Contract):
    """The staff record that is gone; the person stays."""

    id = _number(7)


class UserAnswer(Contract):
    """A person."""

    id = _user_id("Of the person.")
    email = _text("ann@example.com")
    role = _word(User.ROLES)
    stripe_customer_id = _text("cus_N1", "Null when not connected.", none=True)
    credits_balance = _number(120, "Below zero it is a debt.")
    subscription_status = _word(User.STATUSES, none=True)
    subscription_tier = _word(User.TIERS, "Null is Free.", none=True)
    created_at = _moment("When they joined.")
    updated_at = _moment("When the record last changed.")


class UserPage(Contract):
    """A page of the people, the newest first."""

    users = fields.List(fields.Nested(UserAnswer), required=True)
    total = _number(1, "How many there are in all.")
    page = _number(1)
    limit = _number(20)


class SubscriptionAnswer(Contract):
    """The subscription that counts: the newest."""

    id = _text("sub_N1")
    user_id = _user_id("Whose it is.")
    status = _word(User.STATUSES)
    tier = _word(User.TIERS, none=True)
    price_id = _text("price_pro", none=True)
    current_period_start = _moment("Null when there is none.", none=True)
    current_period_end = _moment("Null when there is none.", none=True)
    cancel_at_period_end = fields.Boolean(required=True)
    canceled_at = _moment("Null while it runs.", none=True)
    created_at = _moment("When it began.")
    updated_at = _moment("When it last changed.")


class TransactionAnswer(Contract):
    """An entry of the ledger; it never changes."""

    id = _number(431)
    user_id = _user_id("Whose credits; null once they are deleted.", none=True)
    amount = _number(100, "Signed, never 0.")
    balance_after = _number(120, "The balance once it was made.")
    type = _word(CreditTransaction.TYPES)
    reference_id = _text(
        f"admin_{EXAMPLE_USER}_20260105T093000.000000Z", "Who and when, or an invoice.", none=True
    )
    description = _text(
        f"[Admin: {EXAMPLE_USER}] Goodwill for the outage", "Who and why.", none=True
    )
    created_at = _moment("When it was made.")


class UserDetails(Contract):
    """A person with what staff look for first."""

    profile = fields.Nested(UserAnswer, required=True)
    subscription = fields.Nested(SubscriptionAnswer, required=True, allow_none=True)
    recentTransactions = fields.List(  # noqa: N815 - S2's name
        fields.Nested(TransactionAnswer),
        required=True,
        metadata=about("The 20 newest.", maxItems=20),
    )


class AdjustedAnswer(Contract):
    """What an adjustment did."""

    newBalance = _number(120, "The balance once the entry was made.")  # noqa: N815 - S2's name
    transaction = fields.Nested(TransactionAnswer, required=True)


class PendingAnswer(Contract):
    """A change of credits that waits for a second person; nothing has changed yet."""

    id = _number(3)
    user_id = _user_id("Whose credits.")
    amount = _number(50_000)
    reason = _text("Refund of the year")
    status = _word(PendingAdjustment.STATUSES)
    requested_by = _user_id("Who asked for it.", none=True)
    created_at = _moment("When it was asked for.")


class AskedAnswer(Contract):
    """What is beyond `ADJUST_LIMIT` waits."""

    pending = fields.Nested(PendingAnswer, required=True)


class StatsAnswer(Contract):
    """The totals of now."""

    totalUsers = _number(1204, "Everybody with an account.")  # noqa: N815 - S2's names
    activeSubscriptions = _number(310, "Subscriptions whose status is active.")  # noqa: N815
    totalCreditsIssued = _number(90_500, "Everything that was added.")  # noqa: N815
    totalCreditsUsed = _number(41_200, "What was used, without its sign.")  # noqa: N815
    revenueThisMonth = _number(  # noqa: N815
        589_000,
        "Cents a month of the active subscriptions; null when a price is unknown.",
        none=True,
    )


# ---- how each family refuses (D-9) -----------------------------------------------------------


def _said(name: str) -> fields.Dict:
    said = about("A sentence for each field that is wrong.", example={})
    return fields.Dict(
        fields.String(), fields.String(), data_key=name, required=True, metadata=said
    )


class Message(Contract):
    """Why not."""

    message = _text("There is no such admin.", "A sentence for people.")
    by_field = _said("fields")


class MessageRefusal(Contract):
    """How `/admin/api` refuses."""

    success = fields.Boolean(required=True, metadata=about(const=False))
    error = fields.Nested(Message, required=True)


class MessageFault(MessageRefusal):
    """The same when the fault is ours."""

    reference = _text("4f6b0c2d9e1a4d7b8c3f5a6e7d8c9b0a", "What the log calls this request.")


class CodeRefusal(Contract):
    """How `/api/admin` refuses."""

    error = _text(NOBODY, "A sentence for people.")
    code = fields.String(
        required=True,
        metadata=words(CODES, "The same for scripts.", "NOT_FOUND"),
    )
    details = _said("details")


class CodeFault(CodeRefusal):
    """The same when the fault is ours."""

    reference = _text("4f6b0c2d9e1a4d7b8c3f5a6e7d8c9b0a", "What the log calls this request.")
