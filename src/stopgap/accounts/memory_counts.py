"""Counts in memory, by the library of limits."""

import math
import threading
import time
from contextlib import suppress

from limits.storage import MemoryStorage

FORGET_SECONDS = 1.0
"""From one look for counts that have expired to the next: of 65,000, each takes 14 ms."""


class MemoryCounts(MemoryStorage):
    """Counts in this process alone, for all of its threads.

    The library loses counts that come together, hence the lock. What has expired it forgets in a
    thread of its own, and finds that thread's work undone by another's (limits 5.8): the thread
    then ends with an error. It is started anew by a later count, so nothing is lost if it just
    ends. The library starts it with each count, of which many made it a fifth of a core's work.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()  # the count of a clock that was set back is cleared
        self._looked = -math.inf

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, from the beginning where the count would end later than it ever can.

        So it is after the clock was set back: what was counted before would stay for as long.
        """
        with self._lock:
            if self.expirations.get(key, 0.0) - time.time() > expiry:
                self.clear(key)
            return super().incr(key, expiry, amount)

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802  # the library's name
        now = time.monotonic()
        if now - self._looked >= FORGET_SECONDS:
            self._looked = now
            super()._MemoryStorage__schedule_expiry()  # type: ignore[misc]  # private to the library

    def _MemoryStorage__expire_events(self) -> None:  # noqa: N802  # the library's name
        with suppress(KeyError):
            super()._MemoryStorage__expire_events()  # type: ignore[misc]  # private to the library
