"""Serving: one release that answers, whatever it is, held against the promise each time."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.errors import StopgapError
from stopgap.journal.record import encoder
from stopgap.models.failures import ModelFailed, ModelLate, ModelUnavailable
from stopgap.models.model import Model
from stopgap.models.slot import Slot
from stopgap.predicting.failure_log import NO_ANSWER, FailureLog
from stopgap.predicting.guard import Guard, PredictionFailed
from stopgap.predicting.pace import Pace
from stopgap.releases.release import Release
from stopgap.releases.reporting import OutcomeCounter
from stopgap.releases.tally import Outcome, outcome_of
from stopgap.telemetry.metrics import Metrics
from stopgap.telemetry.tracing import step

FIRST_SHARE = 0.9
"""The share of its deadline that a release has where another can answer in its place. The rest is
the other's, so that the client has an answer by the deadline either way."""

WAIT_SHARE = 0.5
"""The share of its deadline that a prediction may be expected to wait; what would take longer is
refused at once. The rest allows for a wrong guess."""


class ModelBusy(StopgapError):
    """So many predictions wait for the model already that one more would come too late."""

    retry_after = 1.0

    def __init__(self, release: str) -> None:
        super().__init__(f"Too many predictions wait for release {release} already. Ask again.")


def judged(error: StopgapError) -> Outcome:
    """Tell how a release is judged by an error; one that has too much to do is late."""
    if isinstance(error, ModelFailed):
        return outcome_of(error)
    return "breach" if isinstance(error, PredictionFailed) else "late"


class Answer(NamedTuple):
    """What a release has answered, and the promise allows."""

    output: Any
    body: bytes
    serving: "Serving"


class Instruments(NamedTuple):
    """What counts how a release does."""

    tally: OutcomeCounter  # counts its outcomes, by which it is judged
    metrics: Metrics  # count them for operators
    monotonic: Callable[[], float]  # tells seconds


class Serving:
    """One release, ready to answer rows of its contract.

    Args:
        release: Which one.
        contract: What it has promised.
        name: By which it is counted, if that is not the release's.
    """

    def __init__(
        self,
        release: Release,
        contract: Contract,
        instruments: Instruments,
        *,
        name: str | None = None,
    ) -> None:
        self.number = release.number
        self.name = name or release.name
        self.deadline = release.specification.deadline if release.specification else 0.0
        self.encode = encoder(
            contract=contract.name, fingerprint=contract.fingerprint, release=self.name
        )
        self.took = instruments.metrics.prediction_series(contract.name, self.name).took
        self._body = Guard(contract, self.name, instruments.monotonic).body
        self._contract = contract.name
        self._tally = instruments.tally
        self._metrics = instruments.metrics

    async def answer(self, row: Row, seconds: float | None = None) -> Answer:
        """Answer a row.

        Args:
            row: The inputs.
            seconds: When to give it up, if that is before the release's own deadline.

        Raises:
            ModelFailed, PredictionFailed: there is no answer, or none that keeps the promise.
            ModelBusy: it would come too late.
        """
        raise NotImplementedError

    def withheld(self, error: StopgapError) -> None:
        """Count that an answer was not given for what is no fault of this release's."""
        self._metrics.prediction(self._contract, self.name, error.code, 0.0)

    def _guarded(self, output: Any) -> Answer:
        """Hold an output against the promise.

        Raises:
            PredictionFailed: it does not keep it.
        """
        return Answer(output, self._body(output), self)

    def _failed(self, error: StopgapError, seconds: float) -> None:
        self._tally.add(judged(error), int(seconds * 1_000_000))
        self._metrics.prediction(self._contract, self.name, error.code, seconds)


class InstantServing(Serving):
    """A release that needs no waiting for: the stand-in."""

    def __init__(
        self, release: Release, contract: Contract, instruments: Instruments, *, model: Model
    ) -> None:
        super().__init__(release, contract, instruments)
        self._predict = model.predict

    async def answer(
        self, row: Row, seconds: float | None = None  # noqa: ARG002  # it takes microseconds
    ) -> Answer:
        """Answer a row at once."""
        (output,) = self._predict((row,))
        try:
            return self._guarded(output)
        except PredictionFailed as error:
            self._failed(error, 0.0)
            raise


class SlotServing(Serving):
    """A release whose model has been loaded into a slot."""

    def __init__(
        self, release: Release, contract: Contract, instruments: Instruments, *, slot: Slot
    ) -> None:
        super().__init__(release, contract, instruments)
        self._longest = self.deadline * WAIT_SHARE
        self._least = self.deadline * FIRST_SHARE
        self._ask = slot.answer
        batch = release.specification.batch if release.specification else 1
        self._pace = Pace(batch, instruments.monotonic)
        self._traced = {"stopgap.contract": contract.name, "stopgap.release": self.name}
        self._failures = FailureLog(contract.name, self.name, instruments.monotonic)

    async def answer(self, row: Row, seconds: float | None = None) -> Answer:
        """Answer a row; see `Serving`."""
        if self._pace.wait() > self._longest:
            busy = ModelBusy(self.name)
            self._failed(busy, 0.0)
            raise busy
        entered = self._pace.enter()
        took: float | None = None
        try:
            with step("model", self._traced):
                output = await (self._ask(row) if seconds is None else self._in_time(row, seconds))
            took = self._pace.leave(entered)
            answer = self._guarded(output)
        except (ModelFailed, PredictionFailed) as error:
            took = self._pace.leave(entered, answered=False) if took is None else took
            had_its_time = seconds is None or seconds >= self._least
            if had_its_time or not isinstance(error, ModelLate):
                self._failed(error, took)
                if isinstance(error, ModelFailed):
                    self._failures.tell(NO_ANSWER, error.reason)
            raise
        except BaseException:  # cancelled, or nothing that a slot may raise
            if took is None:
                self._pace.leave(entered, answered=False)
            raise
        self._tally.add("ok", int(took * 1_000_000))
        return answer

    async def _in_time(self, row: Row, seconds: float) -> Any:
        """Ask the slot, for so many seconds.

        Raises:
            ModelFailed: there is no output.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._ask(row)
        except TimeoutError as error:
            raise ModelLate(f"no answer in {seconds:g} s") from error


class AbsentServing(Serving):
    """A release that cannot be loaded, or one that nobody knows: whoever asks has no answer."""

    async def answer(
        self, row: Row, seconds: float | None = None  # noqa: ARG002  # there is none anyway
    ) -> Answer:
        """Refuse.

        Raises:
            ModelUnavailable: always.
        """
        absent = ModelUnavailable("it is not loaded here", 1.0)
        self._failed(absent, 0.0)
        raise absent
