"""The failure log: why a release has no answer to give, for operators; clients are not told."""

import logging
from collections.abc import Callable

from stopgap.models.answering import REASON_MAX
from stopgap.telemetry.logs import Seldom

logger = logging.getLogger(__name__)

NO_ANSWER = "a model gave no answer"
NOT_PROMISED = "an answer was not the promised one, and is withheld"


class FailureLog:
    """Tells of one release's failures.

    Args:
        contract: Whose promise it is to keep.
        release: Which one, as clients see it.
        monotonic: Tells seconds, so that the log has a line in each at most.
    """

    def __init__(self, contract: str, release: str, monotonic: Callable[[], float]) -> None:
        self._whose = {"contract": contract, "release": release}
        self._seldom = Seldom(monotonic)

    def tell(self, event: str, reason: str) -> None:
        """Log a failure, unless another has just been."""
        if self._seldom.take_turn():
            logger.warning(event, extra={**self._whose, "reason": reason[:REASON_MAX]})
