"""Unrecorded: what becomes of an answer that cannot be put on record."""

import logging

from stopgap.clock import Clock
from stopgap.errors import StopgapError
from stopgap.telemetry.logs import Seldom
from stopgap.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)


class Unrecorded:
    """Withholds answers that have no record, or lets them go and counts them.

    Args:
        strict: Whether they are withheld.
        metrics: Counts those that go.
    """

    def __init__(self, *, strict: bool, clock: Clock, metrics: Metrics) -> None:
        self._strict = strict
        self._metrics = metrics
        self._seldom = Seldom(clock.monotonic)

    def __call__(self, error: StopgapError, request_id: str) -> None:
        """Decide about an answer.

        Raises:
            StopgapError: it is withheld; the error that was handed in.
        """
        if self._strict:
            raise error
        self._metrics.journal_lost()
        if self._seldom.is_due:
            told = {"request_id": request_id}
            logger.warning("answers leave without a record: %s", error, extra=told)
