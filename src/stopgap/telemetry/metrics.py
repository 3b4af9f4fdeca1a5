"""Metrics: each worker counts for itself; whoever is asked tells the sum of all.

Counting is adding to plain integers: 60 ns for an answer and its duration (`timeit` on
`Series.took`), where Prometheus' own client takes 2.6 µs in its multi-process mode. Twice a second
a worker publishes its counts (0.3 ms for 60 series), so a killed one loses half a second of them,
and never more.
"""

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from stopgap.telemetry.logs import Outage
from stopgap.telemetry.shards import Counts, Key, Published, Shard, gather

logger = logging.getLogger(__name__)

REQUESTS = "stopgap_requests_total"
PREDICTIONS = "stopgap_predictions_total"
JOURNAL_LOST = "stopgap_journal_lost_total"
SHED = "stopgap_shed_total"
LOGIN_FAILURES = "stopgap_login_failures_total"
COPIES_DROPPED = "stopgap_shadow_copies_dropped_total"

LABELS = {
    REQUESTS: ("route", "method", "status"),
    PREDICTIONS: ("contract", "release", "outcome"),
    JOURNAL_LOST: (),
    SHED: ("reason",),
    LOGIN_FAILURES: ("reason",),
    COPIES_DROPPED: ("contract", "release"),
}
"""What is counted, and how its labels are called."""

PUBLISH_SECONDS = 0.5
"""How often `publish` is to be called; so old may be what another worker tells of this one."""

SHORTEST, LONGEST = 5, 24
"""Durations are told apart by powers of two, from 2^5 to 2^24 microseconds (16.8 s): the number of
an integer's bits costs half of what a search among bounds does."""

FORM = json.dumps([SHORTEST, LONGEST, LABELS])
"""What another version has counted in another form cannot be added to what is counted here."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""A client may send any word for a method; only these become labels."""


class Series:
    """How often one thing happened, and how long it took.

    One writer at a time, so it has no lock of its own: the thread of the event loop, or any thread
    that holds the metrics' lock.
    """

    __slots__ = ("_micros", "_spans")

    def __init__(self) -> None:
        self._spans = [0] * 64  # by the number of bits that the microseconds have
        self._micros = 0

    def took(self, micros: int) -> None:
        """Count one more, which took so many microseconds."""
        self._spans[micros.bit_length()] += 1
        self._micros += micros

    def counts(self) -> Counts:
        """Tell what has been counted; from any thread."""
        spans = self._spans[:]
        short, long = spans[: SHORTEST + 1], spans[LONGEST + 1 :]
        return [sum(short), *spans[SHORTEST + 1 : LONGEST + 1], sum(long), self._micros]


def times(counts: Counts) -> int:
    """Tell how often it happened in all."""
    return counts[0] if len(counts) == 1 else sum(counts[:-1])


class Metrics:
    """What one worker counts; made after its fork. Any thread may call anything here.

    What happens with every prediction is counted in series, which are asked for once and written by
    the event loop's thread alone.

    Args:
        folder: Where all workers of this server publish. None: nobody is told.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._shard: Shard | None = None
        self._before = Published()  # what the shard's last holder had counted
        self._lock = threading.Lock()
        self._series: dict[tuple[Key, ...], Series] = {}  # the event loop's; by what each counts
        self._times: dict[Key, Series] = {}  # everybody's, under the lock
        self._tallies: Counter[Key] = Counter()  # the same
        self._gauges: dict[str, Callable[[], float]] = {}
        self._publishing = threading.Lock()
        self._outage = Outage()
        self.publish()

    def prediction_series(self, contract: str, release: str) -> Series:
        """Give the series in which a release's good answers are counted."""
        return self._one((PREDICTIONS, contract, release, "ok"))

    def express_series(self, contract: str, release: str, route: str, method: str) -> Series:
        """Give the series of good answers that are the whole of their requests.

        What is counted in it counts for both; the few microseconds around the prediction are not
        in the request's duration.
        """
        request = (REQUESTS, route, method, "200")
        return self._one((PREDICTIONS, contract, release, "ok"), request)

    def request_series(self, route: str, method: str) -> Series:
        """Give the series in which a route's good answers are counted."""
        return self._one((REQUESTS, route, method, "200"))

    def prediction(self, contract: str, release: str, outcome: str, seconds: float) -> None:
        """Count a prediction: `ok`, or the code of the error that it ended in."""
        self._time((PREDICTIONS, contract, release, outcome), seconds)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered; the route is a rule's template, or `other`."""
        known = method if method in METHODS else "other"
        self._time((REQUESTS, route, known, str(status)), seconds)

    def shed(self, reason: str) -> None:
        """Count a request that was refused because there were too many."""
        self._count((SHED, reason))

    def login_failed(self, reason: str) -> None:
        """Count a sign-in that was refused."""
        self._count((LOGIN_FAILURES, reason))

    def copies_dropped(self, contract: str, release: str, number: int) -> None:
        """Count copies of requests that a shadow was not asked."""
        self._count((COPIES_DROPPED, contract, release), number)

    def journal_lost(self) -> None:
        """Count an answer that left without a record."""
        self._count((JOURNAL_LOST,))

    def gauge(self, name: str, read: Callable[[], float]) -> None:
        """Publish a gauge of this worker; those of all that live are summed."""
        self._gauges[name] = read

    def publish(self) -> None:
        """Write down what has been counted.

        To be called every half second. A folder that cannot be written is tried again the next
        time; nothing is lost but the news.
        """
        with self._publishing:
            try:
                self._publish()
                if self._outage.recovered():
                    logger.info("metrics are published again")
            except OSError as error:
                if self._outage.failed():
                    logger.warning("metrics cannot be published: %s", error)

    def of_all(self) -> Published:
        """Tell what all workers of this server have counted, this one until now."""
        self.publish()
        with self._publishing:
            total = gather(self._folder, FORM, but=self._shard) if self._folder else Published()
            own = self._published()
        total.add(own.counts.items())
        total.add_gauges(own.gauges)
        return total

    def close(self) -> None:
        """Publish a last time, and leave the counts to whoever comes next."""
        self.publish()
        with self._publishing:
            self._folder = None
            if self._shard:
                self._shard.leave()

    def _publish(self) -> None:
        if self._folder is None:
            return
        if self._shard is None:
            shard = Shard(self._folder, FORM)
            self._before = shard.read()
            self._shard = shard
        self._shard.write(self._published())

    def _published(self) -> Published:
        published = Published(gauges={name: read() for name, read in self._gauges.items()})
        published.add(self._before.counts.items())
        with self._lock:
            for keys, series in self._series.items():
                counts = series.counts()
                published.add((key, counts) for key in keys)
            published.add((key, series.counts()) for key, series in self._times.items())
            published.add((key, [number]) for key, number in self._tallies.items())
        return published

    def _one(self, *keys: Key) -> Series:
        with self._lock:
            return self._series.setdefault(keys, Series())

    def _time(self, key: Key, seconds: float) -> None:
        with self._lock:
            self._times.setdefault(key, Series()).took(int(seconds * 1_000_000))

    def _count(self, key: Key, number: int = 1) -> None:
        with self._lock:
            self._tallies[key] += number
