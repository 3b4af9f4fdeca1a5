"""The trace queue: traces that are over wait here until a collector has taken them."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from stopgap.telemetry.logs import Seldom
from stopgap.telemetry.tracing import Trace

SEND_SECONDS = 1.0
"""How often `send` is to be called."""

AGAIN_SECONDS = 15.0
"""After a failure it is not tried for so long."""

BATCH = 500
"""Traces that are sent at once."""

WAITING_MAX = 2_000
"""Traces that wait; when more come, the oldest are lost."""

TELL_SECONDS = 60.0
"""Between two lines that say so, at least."""

logger = logging.getLogger(__name__)


class CollectorUnreachable(Exception):
    """The collector does not answer, or refuses; not for a client to know."""


class Collector(Protocol):
    """Who keeps traces."""

    def take(self, traces: Sequence[Trace]) -> None:
        """Take some traces; an empty list only asks whether it would.

        Raises:
            CollectorUnreachable: it does not.
        """


class TraceQueue:
    """Holds traces in memory, so that no request waits for the collector.

    Args:
        monotonic: Tells seconds.
    """

    def __init__(self, collector: Collector, monotonic: Callable[[], float]) -> None:
        self._collector = collector
        self._monotonic = monotonic
        self._waiting: deque[Trace] = deque()  # whose two ends need no lock
        self._lost = 0
        self._sending = threading.Lock()
        self._again: float | None = None  # when to try again; None: it has not failed
        self._telling = Seldom(monotonic, TELL_SECONDS)

    def keep(self, trace: Trace) -> None:
        """Have a trace sent soon; from one thread, that of the event loop."""
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(trace)

    def send(self) -> None:
        """Send what waits; from any thread."""
        with self._sending:
            self._send()

    def _send(self) -> None:
        if self._again is not None and self._monotonic() < self._again:
            return
        while batch := self._batch():
            try:
                self._collector.take(batch)
            except CollectorUnreachable as error:
                self._lost += len(batch)
                if self._again is None:
                    logger.warning("traces are not taken now, and will be lost: %s", error)
                self._again = self._monotonic() + AGAIN_SECONDS
                return
            self._tell()

    def _batch(self) -> list[Trace]:
        """Take the next ones out."""
        batch: list[Trace] = []
        while self._waiting and len(batch) < BATCH:
            batch.append(self._waiting.popleft())
        return batch

    def _tell(self) -> None:
        """Tell how many were lost: at the end of an outage, or where there are too many."""
        lost, self._lost = self._lost, 0
        if self._again is not None:
            logger.warning("traces are taken again; those of %d requests were lost", lost)
        elif lost and self._telling.take_turn():
            logger.warning("there are more traces than can be sent; %d were lost just now", lost)
        self._again = None
