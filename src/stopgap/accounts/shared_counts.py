"""Counts that several processes share: each counts by itself, and they tell one another soon.

So nobody waits for another server, and a server that is away costs nothing but the sharing. What
comes to several processes between two exchanges is counted by each without the others'.
"""

import logging
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from stopgap.accounts.digest import digest
from stopgap.accounts.memory_counts import MemoryCounts
from stopgap.telemetry.logs import Outage

EXCHANGE_SECONDS = 0.25
"""Between two exchanges."""

logger = logging.getLogger(__name__)


class CountsUnreachable(Exception):
    """The server that holds everybody's counts does not answer; not for a client to know."""


@dataclass(frozen=True, kw_only=True)
class Increment:
    """What has been counted under one key since it was told last."""

    amount: int
    seconds: float  # until the count ends, where it is new


@dataclass(frozen=True, kw_only=True)
class Total:
    """How a count stands, with everybody's increments in it."""

    count: int
    seconds: float  # until it ends


class CountServer(Protocol):
    """Who holds everybody's counts."""

    def exchange(
        self, forgotten: Collection[str], increments: Mapping[str, Increment]
    ) -> Mapping[str, Total]:
        """Forget counts, then add to others; tell how each of these stands then.

        Raises:
            CountsUnreachable: it does not answer.
        """

    def ping(self) -> None:
        """See that it answers.

        Raises:
            CountsUnreachable: it does not.
        """


class SharedCounts(MemoryCounts):
    """Counts in this process, which are those of all others as soon as they have been exchanged.

    Args:
        server: Who holds everybody's.
        secret: Keys are told to it under digests, since they name accounts and addresses.
    """

    def __init__(self, server: CountServer, secret: bytes) -> None:
        super().__init__()
        self._server = server
        self._secret = secret
        self._added: Counter[str] = Counter()  # since the last exchange
        self._forgotten: set[str] = set()
        self._outage = Outage()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count here, to be told to the others."""
        with self._lock:
            if self.expirations.get(key, 0.0) <= time.time():
                self._added.pop(key, None)  # it has ended by itself, and begins anew
            count = super().incr(key, expiry, amount)
            self._added[key] += amount
        return count

    def clear(self, key: str) -> None:
        """Forget a count here, and then everywhere."""
        with self._lock:
            self._added.pop(key, None)
            self._forgotten.add(key)
            super().clear(key)

    def exchange(self) -> None:
        """Tell what has been counted here, and learn what all have counted of the same."""
        with self._lock:
            added, self._added = self._added, Counter()
            forgotten, self._forgotten = self._forgotten, set()
            ends = {key: self.expirations.get(key, 0.0) for key in added}
        if not added and not forgotten:
            return
        hidden = {key: digest(self._secret, "count", key) for key in added}
        now = time.time()
        increments = {
            hidden[key]: Increment(amount=amount, seconds=ends[key] - now)
            for key, amount in added.items()
            if ends[key] > now  # else the count has ended by itself
        }
        gone = {digest(self._secret, "count", key) for key in forgotten}
        try:
            totals = self._server.exchange(gone, increments)
        except CountsUnreachable as error:
            self._keep_for_later(added, ends, forgotten)
            if self._outage.failed():
                logger.warning("counts are not shared now, each process has its own: %s", error)
        else:
            self._learn({key: totals[told] for key, told in hidden.items() if told in totals})
            if self._outage.recovered():
                logger.info("counts are shared again")

    def ping(self) -> None:
        """See that they can be exchanged.

        Raises:
            CountsUnreachable: they cannot now.
        """
        self._server.ping()

    def _learn(self, totals: Mapping[str, Total]) -> None:
        now = time.time()
        with self._lock:
            for key, total in totals.items():
                if key not in self._forgotten:  # in the meantime
                    self.storage[key] = total.count + self._added[key]
                    self.expirations[key] = now + total.seconds

    def _keep_for_later(
        self, added: Counter[str], ends: Mapping[str, float], forgotten: Collection[str]
    ) -> None:
        now = time.time()
        with self._lock:
            for key, amount in added.items():
                if key not in self._forgotten and ends[key] > now:
                    self._added[key] += amount
            self._forgotten.update(forgotten)
