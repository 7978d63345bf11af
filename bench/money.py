"""Members with subscriptions and a long ledger, up to today, the same for the same seed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from bench.dataset import FAMILY_NAMES, GIVEN_NAMES, Batch, Row, user_row

MEMBERS = 25_000
SUBSCRIPTIONS = 20_000
FEWEST_ENTRIES = 100
DAYS = 730
BATCH_ROWS = 100_000
STATUSES = (("active", 60), ("canceled", 30), ("past_due", 4), ("trialing", 4), ("unpaid", 2))
TIERS = (("starter", 40), ("hobby", 30), ("pro", 20), ("business", 10))
KINDS = (  # type, share, and the smallest and largest amount
    ("usage", 700, -90, -1),
    ("subscription", 150, 500, 5000),
    ("purchase", 100, 100, 2000),
    ("bonus", 30, 10, 100),
    ("expiration", 20, -200, -10),
)


class Money:
    """Rows that come on top of a `Dataset`.

    Attributes:
        entries: how many entries the ledger has; the members and subscriptions are in
            proportion, `MEMBERS` and `SUBSCRIPTIONS` to a million.
    """

    def __init__(self, entries: int, today: datetime | None = None, seed: int = 12) -> None:
        self.entries = max(FEWEST_ENTRIES, entries)
        self._now = today or datetime.now(UTC)
        self._random = Random(seed)

    def batches(self) -> Iterator[Batch]:
        """Tables and rows, in the order in which foreign keys allow them."""
        share = self.entries / 1_000_000
        people = [self._member(number) for number in range(max(10, round(MEMBERS * share)))]
        yield "users", people
        count = max(8, round(SUBSCRIPTIONS * share))
        yield "subscriptions", [self._subscription(n, people) for n in range(count)]
        for first in range(0, self.entries, BATCH_ROWS):
            numbers = range(first, min(first + BATCH_ROWS, self.entries))
            yield "credit_transactions", self._entries(numbers, people)

    def _member(self, number: int) -> Row:
        given, family = self._random.choice(GIVEN_NAMES), self._random.choice(FAMILY_NAMES)
        email = f"member.{given}.{family}.{number}@example.org"
        key = UUID(int=self._random.getrandbits(128), version=4)
        return user_row(key, email, f"{given} {family}", self._some_time())

    def _subscription(self, number: int, people: list[Row]) -> Row:
        person, began = people[number % len(people)], self._some_time()
        status, tier = self._one_of(STATUSES), self._one_of(TIERS)
        ended = None
        if status == "canceled":
            ended = began + (self._now - began) * self._random.random()
        changed = ended or began
        return (f"sub_{number:08}", person[0], status, tier, False, ended, began, changed)

    def _entries(self, numbers: range, people: list[Row]) -> Iterator[Row]:
        kinds = self._random.choices(KINDS, [kind[1] for kind in KINDS], k=len(numbers))
        gap = timedelta(days=DAYS) / self.entries
        first = self._now - timedelta(days=DAYS)
        for number, (kind, _, low, high) in zip(numbers, kinds, strict=True):
            person = people[int(self._random.random() * len(people))]
            amount = low + int(self._random.random() * (high - low + 1))
            at = first + gap * number
            yield number + 1, person[0], person[1], amount, amount, kind, at

    def _some_time(self) -> datetime:
        return self._now - timedelta(days=DAYS) * self._random.random()

    def _one_of(self, weighted: tuple[tuple[str, int], ...]) -> str:
        words, weights = zip(*weighted, strict=True)
        return str(self._random.choices(words, weights)[0])
