"""What was counted a moment ago, kept for a few seconds in this process."""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Place:
    """Where one result is kept; its lock lets one request count while the others wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    made_at: float | None = None
    value: Any = None


class Kept:
    """Results by what they depend on, each made anew when it is too old.

    Args:
        for_s: how long a result is good, in seconds; 0 makes every one anew.
        clock: seconds that never go back.
    """

    def __init__(self, for_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.for_s = for_s
        self.clock = clock
        self._places: dict[Hashable, _Place] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T], *, anew: bool = False) -> T:
        """The result kept for this key, or a new one.

        Nothing is kept when `make` raises.

        Args:
            key: everything the result depends on.
            anew: make a new one in any case.
        """
        if self.for_s <= 0:
            return make()
        place = self._place(key)
        asked_at = self.clock()
        with place.lock:
            made_at = place.made_at
            fresh = made_at is not None and self.clock() - made_at < self.for_s
            if not fresh or (anew and made_at is not None and made_at < asked_at):
                place.value, place.made_at = make(), self.clock()
            value: T = place.value
            return value

    def __len__(self) -> int:
        """How many results are kept, some of them too old perhaps."""
        return len(self._places)

    def _place(self, key: Hashable) -> _Place:
        with self._lock:
            now = self.clock()
            for old, place in list(self._places.items()):
                too_old = place.made_at is not None and now - place.made_at >= self.for_s
                if old != key and too_old and not place.lock.locked():
                    del self._places[old]
            return self._places.setdefault(key, _Place())
