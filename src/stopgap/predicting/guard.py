"""The guard: what a model answers is held against the contract before a client sees it."""

import json
from collections.abc import Callable
from typing import Any

from stopgap.contracts.contract import Contract
from stopgap.contracts.values import breach, keeper
from stopgap.errors import StopgapError
from stopgap.predicting.failure_log import NOT_PROMISED, FailureLog


class PredictionFailed(StopgapError):
    """The model gave no answer that keeps the contract, so there is none to give."""

    retry_after = 1.0


class Guard:
    """Holds the answers of one release.

    Args:
        contract: What has been promised.
        release: Whose answers they are, as clients see it.
        monotonic: Tells seconds, so that the log has a line in each at most.
    """

    def __init__(self, contract: Contract, release: str, monotonic: Callable[[], float]) -> None:
        self._kind = contract.output_kind
        self._keeps = keeper(contract.output_kind)
        self._release = release
        self._failures = FailureLog(contract.name, release, monotonic)

    def body(self, output: Any) -> bytes:
        """Write an output that keeps the promise as compact JSON, as every answer's body is.

        Raises:
            PredictionFailed: it does not; what it was is for the log alone.
        """
        if not self._keeps(output):
            self._failures.tell(NOT_PROMISED, f"it {breach(self._kind, output)}")
            raise PredictionFailed(f"Release {self._release} gave no valid answer.")
        if type(output) is int:
            return b"%d" % output
        return compact(output)


def compact(output: Any) -> bytes:
    """Write an output as JSON with no spaces, in its own letters."""
    return json.dumps(output, separators=(",", ":"), ensure_ascii=False).encode()
