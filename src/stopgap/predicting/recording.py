"""Recording: an answer is on record before it leaves, or is withheld, or is counted as lost."""

import logging
from typing import Protocol

from stopgap.clock import Clock
from stopgap.errors import StopgapError
from stopgap.journal.record import Encode
from stopgap.telemetry.logs import Seldom
from stopgap.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)

WELL_SECONDS = 1.0
"""How long no record may have failed before it is told that they are kept again."""


class Appender(Protocol):
    """Where an answer's record is safe before the answer leaves."""

    def append(self, body: bytes) -> None:
        """Keep a record; an error means that it was not kept."""


class Recording:
    """Puts answers on record.

    Args:
        spool: Takes the records.
        strict: Whether an answer without a record is withheld, or given and counted as lost.
        clock: Tells when, and for how long.
        metrics: Counts what is lost.
    """

    def __init__(self, spool: Appender, *, strict: bool, clock: Clock, metrics: Metrics) -> None:
        self.now = clock.microseconds
        self.monotonic = clock.monotonic
        self._append = spool.append
        self._strict = strict
        self._metrics = metrics
        self._seldom = Seldom(clock.monotonic)
        self._failed_at: float | None = None

    def keep(  # noqa: PLR0917  # called once an answer, by position, which costs less
        self,
        encode: Encode,
        request_id: str,
        began: int,
        since: float,
        caller: str | None,
        inputs: bytes,
        body: bytes,
    ) -> int:
        """Put an answer on record; tell how long it has taken until here.

        Args:
            encode: Of the release that gave it.
            request_id: As the client is told it.
            began: When the request was taken up, as `now` told it.
            since: The same, as `monotonic` told it: `now` may be set meanwhile.
            caller: The id of the account or guest that asked; None for nobody known.
            inputs: Canonical JSON.
            body: As the client gets it.

        Returns:
            Microseconds.

        Raises:
            SpoolUnwritable: it cannot be kept, and must be.
        """
        now = self.monotonic()
        took = int((now - since) * 1_000_000)
        try:
            self._append(encode(request_id, began, caller, took, inputs, body))
        except StopgapError as error:
            self._failed_at = now
            if self._seldom.take_turn():
                how = "are withheld" if self._strict else "leave without a record"
                told = {"request_id": request_id}
                reason = error.__cause__ or error  # the system's words name the file
                logger.warning("answers %s: %s", how, reason, extra=told)
            if self._strict:
                raise
            self._metrics.journal_lost()
        else:
            if self._failed_at is not None and now - self._failed_at >= WELL_SECONDS:
                self._failed_at = None
                logger.info("answers are put on record again")
        return took
