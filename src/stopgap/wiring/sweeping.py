"""Sweeping: what is too old by this machine's clock is deleted, if a shared database agrees."""

import logging
from collections.abc import Callable
from datetime import datetime

from stopgap.clock import Clock
from stopgap.telemetry.logs import Outage

logger = logging.getLogger(__name__)


class Sweeper:
    """Deletes nothing as long as the database has another time: it has others' rows, too.

    The journal's own doubt is for where nobody else knows the time.

    Args:
        what: What is deleted, for people.
        other_time: Tells the database's time; None: it is the clock's.
        clock: By which sweeps go.
    """

    def __init__(self, what: str, other_time: Callable[[], datetime | None], clock: Clock) -> None:
        self._what = what
        self._other_time = other_time
        self._clock = clock
        self._outage = Outage()

    def do(self, sweep: Callable[[], object]) -> None:
        """Sweep, if the clock is right."""
        other = self._other_time()
        if other is None:
            if self._outage.recovered():
                logger.info("the clock is the database's again: old %s are deleted", self._what)
            sweep()
        elif self._outage.failed():
            logger.warning(
                "no old %s are deleted: it is %s here, and %s in the database; set the clock",
                *(self._what, self._clock.now(), other),
            )
