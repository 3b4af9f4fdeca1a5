"""The predictor of what is answered at once, as stand-ins do."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.errors import StopgapError
from stopgap.journal.record import encoder
from stopgap.models.model import Model
from stopgap.predicting.guard import Guard
from stopgap.predicting.recording import Recording


@dataclass(frozen=True, kw_only=True)
class InstantModel:
    """A model that answers one contract at once, without waiting for anything."""

    contract: Contract
    name: str  # as clients see it: `stand-in`
    model: Model


class Prediction(NamedTuple):
    """An answer that keeps its contract, and is on record."""

    output: Any
    body: bytes  # the output as compact JSON: `3141`
    release: str


_prediction = partial(tuple.__new__, Prediction)
"""Makes one of its three members in half the time: 0.13 µs."""


class InstantPredictor:
    """Takes one contract's rows to their answers; all that no row changes is made ready.

    Args:
        took: Counts an answer, by its microseconds.
        failed: Counts that there was none to give, by the error.
    """

    def __init__(
        self,
        release: InstantModel,
        guard: Guard,
        *,
        recording: Recording,
        took: Callable[[int], None],
        failed: Callable[[StopgapError], None],
    ) -> None:
        contract = release.contract
        self._took = took
        self._failed = failed
        self._release = release.name
        self._predict = release.model.predict
        self._guarded = guard.body
        self._encode = encoder(
            contract=contract.name, fingerprint=contract.fingerprint, release=release.name
        )
        self._now = recording.now
        self._monotonic = recording.monotonic
        self._keep = recording.keep

    def predict(self, row: Row, request_id: str, caller: str | None) -> Prediction:
        """Answer one request.

        Args:
            row: Its validated inputs.
            request_id: As the client is told it.
            caller: The id of the account or guest that asks; None for nobody known.

        Raises:
            PredictionFailed: the model's answer does not keep the contract.
            SpoolUnwritable: it cannot be put on record, and must be.
        """
        began, since = self._now(), self._monotonic()
        (output,) = self._predict((row,))
        try:
            body = self._guarded(output)
            took = self._keep(self._encode, request_id, began, since, caller, row.json, body)
        except StopgapError as error:
            self._failed(error)
            raise
        self._took(took)
        return _prediction((output, body, self._release))
