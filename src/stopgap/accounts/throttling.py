"""Throttling: how many guesses somebody has before a pause.

Only failures count, in fixed windows: for one name from one address, for one address over all
names, and for one name over all addresses. An attempt is counted before its password is checked
and given back when it was right, so guesses that arrive together cannot all slip through.
"""

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.strategies import FixedWindowRateLimiter

from stopgap.accounts.digest import digest
from stopgap.accounts.memory_counts import MemoryCounts

WIDER = 10
"""Times as many failures for one address over all names, and for one name over all addresses."""

GUESTS = 10_000
"""Guests that one address may bring in an hour: far more than people do, few enough to be kept."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An attempt to sign in, counted as a failure until it is taken back."""

    wait: int = 0  # seconds of the pause, if this one was too many
    counted: Sequence[tuple[RateLimitItem, str]] = ()


class Throttle:
    """Counts failures.

    Args:
        counts: Where.
        secret: Names and addresses are counted under digests, never as they are.
        failures: How many of one name from one address are too many...
        seconds: ...in this time.
    """

    def __init__(
        self, counts: MemoryCounts, *, secret: bytes, failures: int, seconds: int = 900
    ) -> None:
        self._limiter = FixedWindowRateLimiter(counts)
        self._lock = threading.Lock()  # an attempt's counts go up or down together
        self._secret = secret
        self._pair = RateLimitItemPerSecond(failures, seconds)
        self._wide = RateLimitItemPerSecond(failures * WIDER, seconds)
        self._guests = RateLimitItemPerSecond(GUESTS, 3600)

    def begin(self, name: str, network: str, *, everywhere: bool) -> Attempt:
        """Count an attempt, unless there were too many.

        Args:
            name: Folded; of an account or not, that makes no difference.
            network: Where it comes from, as `network_of` tells it.
            everywhere: Whether failures from all addresses together count for this one.
        """
        wanted = [(self._wide, self._key("address", network))]
        if everywhere:
            wanted.append((self._wide, self._key("name", name)))
        wanted.append((self._pair, self._key("pair", name, network)))
        return self._count(wanted)

    def succeed(self, attempt: Attempt) -> None:
        """Take an attempt back, and forget the failures of its name from its address."""
        with self._lock:
            self._give_back(attempt.counted)
            self._limiter.clear(*attempt.counted[-1])

    def take_back(self, attempt: Attempt) -> None:
        """Take an attempt back of which nobody could tell whether it was right."""
        with self._lock:
            self._give_back(attempt.counted)

    def welcome(self, network: str) -> Attempt:
        """Count a guest."""
        return self._count([(self._guests, self._key("guest", network))])

    def _count(self, wanted: Sequence[tuple[RateLimitItem, str]]) -> Attempt:
        with self._lock:
            for index, (item, key) in enumerate(wanted):
                if not self._limiter.hit(item, key):
                    self._give_back(wanted[: index + 1])
                    return Attempt(wait=self._wait(item, key))
        return Attempt(counted=wanted)

    def _give_back(self, counted: Sequence[tuple[RateLimitItem, str]]) -> None:
        for item, key in counted:
            self._limiter.hit(item, key, cost=-1)

    def _wait(self, item: RateLimitItem, key: str) -> int:
        """Tell the whole seconds until a window ends, by the clock that the limits go by."""
        end = self._limiter.get_window_stats(item, key).reset_time
        return max(1, math.ceil(end - time.time()))

    def _key(self, kind: str, *parts: str) -> str:
        return digest(self._secret, f"throttle {kind}", *parts)
