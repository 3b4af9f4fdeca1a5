"""The predictor of what has to be awaited: a release is chosen, asked, guarded, put on record."""

import logging
from collections.abc import Sequence

from stopgap.contracts.row import Row
from stopgap.errors import StopgapError
from stopgap.models.failures import ModelFailed
from stopgap.predicting.guard import PredictionFailed
from stopgap.predicting.instant import Prediction
from stopgap.predicting.recording import Recording
from stopgap.predicting.serving import FIRST_SHARE, Answer, ModelBusy, Serving
from stopgap.predicting.shadow import Shadow
from stopgap.releases.plan import Plan
from stopgap.releases.routing import chosen, sticky_key
from stopgap.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)


class AwaitedPredictor:
    """Takes one contract's rows to their answers, by one plan. All of it on the event loop.

    Args:
        plan: Who answers.
        live: The live release.
        canary: The one that answers a part of the requests.
        others: Who answers for a live release that cannot, the first that can.
        shadows: Who answers too, for nobody to see.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        live: Serving,
        canary: Serving | None,
        others: Sequence[Serving],
        shadows: Sequence[Shadow],
        recording: Recording,
        metrics: Metrics,
    ) -> None:
        self._plan = plan
        self._live = (live, *others)
        self._canary = (canary, live, *others) if canary else None
        self._shadows = shadows
        self._now = recording.now
        self._keep = recording.keep
        self._monotonic = recording.monotonic
        self._metrics = metrics

    async def answer(self, row: Row, request_id: str, caller: str | None) -> Prediction:
        """Answer one request.

        Args:
            row: Its validated inputs.
            request_id: As the client is told it.
            caller: The id of the account or guest that asks; None for nobody known.

        Raises:
            ModelFailed, PredictionFailed: no release that may answer has a valid answer.
            ModelBusy: it would come too late.
            SpoolUnwritable: it cannot be put on record, and must be.
        """
        began, since = self._now(), self._monotonic()
        self._plan.inside += 1
        try:
            first, *others = self._order(row, caller)
            answer = await (self._answered(first, others, row) if others else first.answer(row))
        except ModelBusy as error:
            self._metrics.shed(error.code)
            raise
        finally:
            self._plan.inside -= 1
        serving = answer.serving
        try:
            took = self._keep(
                serving.encode, request_id, began, since, caller, row.json, answer.body
            )
        except StopgapError as error:
            serving.withheld(error)
            raise
        serving.took(took)
        for shadow in self._shadows:
            shadow.offer(row, answer)
        return Prediction(answer.output, answer.body, serving.name)

    def close(self) -> None:
        """Go on with what is under way, but have the shadows take no more copies of it."""
        for shadow in self._shadows:
            shadow.close()

    def _order(self, row: Row, caller: str | None) -> Sequence[Serving]:
        """Tell who answers, and who does if that one cannot."""
        routing = self._plan.routing
        if self._canary is None or routing is None or routing.canary is None:
            return self._live
        key = sticky_key(routing.canary, caller, row.json)
        return self._canary if chosen(routing, key) is routing.canary else self._live

    async def _answered(self, first: Serving, others: Sequence[Serving], row: Row) -> Answer:
        """Ask one release after the other until one answers, all by the first one's deadline.

        Raises:
            ModelFailed, PredictionFailed, ModelBusy: none does; what the first has said.
        """
        end = self._monotonic() + first.deadline
        try:
            return await first.answer(row, first.deadline * FIRST_SHARE)
        except (ModelFailed, PredictionFailed, ModelBusy) as error:
            if isinstance(error, ModelBusy) and first is self._live[0]:
                raise  # too much for one is too much for the other, and both would be late
            return await self._rescued(others, row, end, error)

    async def _rescued(
        self, others: Sequence[Serving], row: Row, end: float, error: StopgapError
    ) -> Answer:
        """Have others answer for one that could not, by the end of its time.

        Raises:
            StopgapError: none can in time; the error that was handed in.
        """
        for other in others:
            try:
                return await other.answer(row, max(end - self._monotonic(), 0.0))
            except (ModelFailed, PredictionFailed, ModelBusy) as another:
                logger.debug("release %s cannot answer either: %s", other.name, another.detail)
        raise error
