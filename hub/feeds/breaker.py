"""This module keeps the hub from asking a feed in trouble again and again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(slots=True)
class _Record:
    failures: int = 0
    closed_until: float = 0.0


class Breaker:
    """After `failures` failures in a row a feed is left alone for `cool_down`; then one try decides.

    `clock` counts seconds.
    """

    def __init__(
        self,
        *,
        failures: int = 3,
        cool_down: timedelta = timedelta(minutes=1),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._cool_down = cool_down.total_seconds()
        self._clock = clock
        self._records: dict[str, _Record] = {}

    def allows(self, feed: str) -> bool:
        """Say whether the feed may be asked now."""
        record = self._records.get(feed)
        return record is None or record.closed_until <= self._clock()

    def succeeded(self, feed: str) -> None:
        """Forget the feed's failures."""
        self._records.pop(feed, None)

    def failed(self, feed: str, retry_after: float | None = None) -> None:
        """Count a failure; `retry_after` is what the feed itself asked for, in seconds."""
        record = self._records.setdefault(feed, _Record())
        record.failures += 1
        pause = self._cool_down if record.failures >= self._limit else 0.0
        record.closed_until = self._clock() + max(pause, retry_after or 0.0)
