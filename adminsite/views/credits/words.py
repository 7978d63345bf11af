"""What changes of credits are called: sentences, labels, and entries for scripts."""

from typing import Any

from adminsite import audit
from adminsite.kit.columns import moment, number, signed
from adminsite.models import CreditTransaction, PendingAdjustment
from adminsite.operations.ledger import Batch, Foreseen, reason_of

TOLD = (
    "id",
    "user_id",
    "user_email",
    "amount",
    "balance_after",
    "type",
    "reference_id",
    "description",
    "actor_email",
    "approved_by",
    "reverses_id",
    "created_at",
)
TOLD_WAITING = (
    "id",
    "user_id",
    "amount",
    "reason",
    "reverses_id",
    "status",
    "requested_email",
    "created_at",
    "decided_email",
    "decided_at",
    "note",
    "transaction_id",
)


def label(kind: str) -> str:
    """A type of entry as people read it."""
    return kind.replace("_", " ").capitalize()


def moved(amount: int) -> str:
    """A sum of changes with its sign; nothing has none."""
    return signed(amount) if amount else "0"


def credits_of(amount: int) -> str:
    """How many, in words: 1 credit, 50 credits, whatever the sign."""
    return "1 credit" if abs(amount) == 1 else f"{abs(amount):,} credits"


def will(seen: Foreseen, name: str) -> str:
    """What would happen, in a sentence."""
    verb = "is" if abs(seen.amount) == 1 else "are"
    moved = f"{verb} added to" if seen.amount > 0 else f"{verb} taken from"
    ends = f"the balance goes from {number(seen.before)} to {number(seen.after)}."
    return f"{credits_of(seen.amount)} {moved} {name}: {ends}"


def warnings(seen: Foreseen, name: str, cap: int | None) -> list[str]:
    """What to think of before saying yes."""
    found = []
    if seen.after < 0:
        verb = "stays" if seen.before < 0 else "is then"
        found.append(f"{name} {verb} in debt by {credits_of(seen.after)}.")
    if seen.waits and cap is not None:
        found.append(
            f"More than {credits_of(cap)} need a second person: this becomes a request, and "
            "nothing changes until somebody else approves it."
        )
    return found


def act(seen: Foreseen | None) -> str:
    """What the button that does it says."""
    if seen is None:
        return "Adjust credits"
    if seen.waits:
        return "Ask for approval"
    return f"{'Add' if seen.amount > 0 else 'Take'} {credits_of(seen.amount)}"


def entered(entry: CreditTransaction, name: str) -> str:
    """What was done."""
    verb, side = ("Added", "to") if entry.amount > 0 else ("Took", "from")
    before, after = number(entry.balance_after - entry.amount), number(entry.balance_after)
    return f"{verb} {credits_of(entry.amount)} {side} {name}: {before} → {after}."


def asked(pending: PendingAdjustment, name: str) -> str:
    """What was asked for, and what became of it if that was before."""
    what = f"{signed(pending.amount)} for {name}"
    if pending.status == "pending":
        return f"Asked for {what}. A second person has to approve it first."
    return f"{what} was asked for before, and {pending.decided_email} {pending.status} it."


def batched(batch: Batch) -> str:
    """What a batch did."""
    lines = "1 adjustment" if batch.entries == 1 else f"{batch.entries:,} adjustments"
    people = "1 person" if batch.people == 1 else f"{batch.people:,} people"
    return f"Made {lines} for {people}."


def line(entry: CreditTransaction) -> dict[str, Any]:
    """An entry as a line of a card."""
    return {
        "type": entry.type.replace("_", " "),
        "at": moment(entry.created_at),
        "amount": signed(entry.amount),
        "positive": entry.amount > 0,
        "about": reason_of(entry.description),
    }


def plain_entry(entry: CreditTransaction) -> dict[str, Any]:
    """An entry for a script."""
    return audit.snapshot(entry, TOLD)


def plain_request(pending: PendingAdjustment) -> dict[str, Any]:
    """A request for a script."""
    return audit.snapshot(pending, TOLD_WAITING)
