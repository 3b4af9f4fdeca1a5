"""Predicting: for every contract, the predictor that answers now, at once or awaited."""

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from stopgap.clock import Clock
from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.errors import StopgapError
from stopgap.models.failures import ModelLate, ModelUnavailable
from stopgap.predicting.awaited import AwaitedPredictor
from stopgap.predicting.engine import Engine
from stopgap.predicting.guard import Guard
from stopgap.predicting.instant import InstantModel, InstantPredictor, Prediction
from stopgap.predicting.recording import Appender, Recording
from stopgap.predicting.serving import (
    AbsentServing,
    InstantServing,
    Instruments,
    Serving,
    SlotServing,
)
from stopgap.predicting.shadow import Shadow
from stopgap.releases.plan import Plan
from stopgap.releases.release import STAND_IN_NUMBER, Release, stand_in_release
from stopgap.releases.reporting import OutcomeCounter, Reporter
from stopgap.telemetry.metrics import Metrics

SWITCH_SECONDS = 0.000_5
"""How long a model that computes in the worker itself may hold the interpreter while the event loop
waits. With Python's 5 ms, four threads that compute leave a refusal waiting for 40 ms, with this
for 14. Where none does, it only costs: a third of all predictions."""

QUEUED_BATCHES = 2
"""Batches that may wait for a live model; when there are more, shadows get no copies."""

PATIENCE_SECONDS = 65.0
"""How long a thread waits for the event loop: longer than any deadline, which ends first."""


class Predicting:
    """Predicts for every contract that is served.

    Args:
        stand_ins: The stand-ins, one for each contract.
        clock: Tells the time.
        spool: Takes the record of each answer.
        strict: Whether an answer without a record is withheld, or given and counted as lost.
        metrics: Counts answers, failures and losses.
        engine: Where models are awaited.
        reporter: Counts what releases are judged by.
    """

    def __init__(
        self,
        stand_ins: Sequence[InstantModel],
        *,
        clock: Clock,
        spool: Appender,
        strict: bool,
        metrics: Metrics,
        engine: Engine,
        reporter: Reporter,
    ) -> None:
        self._stand_ins = {instant.contract.name: instant for instant in stand_ins}
        recording = Recording(spool, strict=strict, clock=clock, metrics=metrics)
        self._make_awaited = partial(AwaitedPredictor, recording=recording, metrics=metrics)
        self._recording = recording
        self._clock = clock
        self._metrics = metrics
        self._engine = engine
        self._reporter = reporter
        self._instant_predictors = {
            name: self._instant_predictor(
                instant, self._count(instant), self._count_failure(instant)
            )
            for name, instant in self._stand_ins.items()
        }
        self._plans: dict[str, Plan] = {}
        self._ready: set[str] = set()  # contracts for which somebody could answer, now or before
        self._awaited_predictors: dict[str, AwaitedPredictor] = {}
        self._on_change: list[Callable[[], None]] = []
        self._usual_switch_seconds = sys.getswitchinterval()

    def express_predictor(self, contract: Contract, route: str, method: str) -> InstantPredictor:
        """Return a contract's predictor for the event loop's thread, which counts without a lock.

        Args:
            contract: Whose predictions.
            route: The rule of the requests that nothing else than this answers.
            method: Theirs.
        """
        instant = self._stand_ins[contract.name]
        series = self._metrics.express_series(contract.name, instant.name, route, method)
        return self._instant_predictor(instant, series.took, _left_to_the_view)

    def awaited(self, contract: Contract) -> AwaitedPredictor | None:
        """Return who answers on the event loop; None: the stand-in does, at once."""
        return self._awaited_predictors.get(contract.name)

    def predict(
        self, contract: Contract, row: Row, request_id: str, caller: str | None
    ) -> Prediction:
        """Answer one request, from a thread that may wait; see the two predictors.

        Raises:
            ModelLate: the event loop did not come to it at all.
        """
        self._engine.ensure()
        awaited = self._awaited_predictors.get(contract.name)
        if awaited is None:
            return self._instant_predictors[contract.name].predict(row, request_id, caller)
        try:
            return self._engine.run(awaited.answer(row, request_id, caller), PATIENCE_SECONDS)
        except TimeoutError as error:
            raise ModelLate(f"nothing for {PATIENCE_SECONDS:g} s") from error

    def on_change(self, call: Callable[[], None]) -> None:
        """Have something called after each change of who answers, on the event loop."""
        self._on_change.append(call)

    def apply(self, contract: Contract, plan: Plan) -> None:
        """Let a contract's next predictions go by another plan; those that are under way go on."""
        name = contract.name
        before = self._awaited_predictors.get(name)
        self._plans[name] = plan
        if plan.can_answer:
            self._ready.add(name)
        if _is_instant(plan):
            self._awaited_predictors.pop(name, None)
        else:
            self._awaited_predictors[name] = self._awaited_predictor(contract, plan)
        if before:
            before.close()
        if plan.routing:
            self._reporter.follow(plan.routing)
        self._share_interpreter()
        for call in self._on_change:
            call()

    def _share_interpreter(self) -> None:
        """Have threads take turns more often, as long as a model computes in one of them."""
        keys = (key for plan in self._plans.values() for key in plan.slots)
        computing = any(key.specification.in_process for key in keys)
        sys.setswitchinterval(SWITCH_SECONDS if computing else self._usual_switch_seconds)

    def check_ready(self) -> None:
        """See whether since the start there has been somebody to answer for every contract.

        A model that fails later does not count: it fails on all servers alike, and a load balancer
        would take all of them out, with what else they serve.

        Raises:
            ModelUnavailable: whoever has to answer has never been loaded here.
        """
        if missing := self._plans.keys() - self._ready:
            raise ModelUnavailable(f"nobody answers for {', '.join(sorted(missing))} yet", 1.0)

    def stages(self) -> Iterator[tuple[str, str, str]]:
        """List who serves: contract, release as clients see it, stage."""
        for name in self._stand_ins:
            plan = self._plans.get(name)
            for release in _on_duty(plan) if plan else (_stand_in(self._stand_ins[name].contract),):
                yield name, release.name, release.stage

    def _instant_predictor(
        self,
        instant: InstantModel,
        took: Callable[[int], None],
        failed: Callable[[StopgapError], None],
    ) -> InstantPredictor:
        guard = Guard(instant.contract, instant.name, self._clock.monotonic)
        return InstantPredictor(instant, guard, recording=self._recording, took=took, failed=failed)

    def _awaited_predictor(self, contract: Contract, plan: Plan) -> AwaitedPredictor:
        routing = plan.routing
        if routing is None:
            stand_in = _stand_in(contract)
            instruments = self._instruments(contract, stand_in)
            nobody = AbsentServing(stand_in, contract, instruments, name="unknown")
            return self._make_awaited(plan, live=nobody, canary=None, others=(), shadows=())
        live = self._serving(contract, plan, routing.live)
        others = []
        if routing.previous and routing.live.number != STAND_IN_NUMBER:
            others.append(self._serving(contract, plan, routing.previous))
        if routing.stand_in_fallback and routing.live.number != STAND_IN_NUMBER:
            others.append(self._serving(contract, plan, _stand_in(contract)))
        canary = self._serving(contract, plan, routing.canary) if routing.canary else None
        return self._make_awaited(
            plan,
            live=live,
            canary=canary,
            others=others,
            shadows=tuple(self._shadows(contract, plan)),
        )

    def _serving(self, contract: Contract, plan: Plan, release: Release) -> Serving:
        instruments = self._instruments(contract, release)
        if release.number == STAND_IN_NUMBER:
            model = self._stand_ins[contract.name].model
            return InstantServing(release, contract, instruments, model=model)
        if slot := plan.slot(release):
            return SlotServing(release, contract, instruments, slot=slot)
        return AbsentServing(release, contract, instruments)

    def _shadows(self, contract: Contract, plan: Plan) -> Iterator[Shadow]:
        if plan.routing is None:
            return
        live = plan.slot(plan.routing.live)
        specification = plan.routing.live.specification
        queue_limit = QUEUED_BATCHES * specification.batch if specification else 0
        for release in plan.routing.shadows:
            yield Shadow(
                release,
                contract,
                self._instruments(contract, release),
                slot=plan.slot(release, background=True),
                live=live,
                queue_limit=queue_limit,
                compare=self._reporter.comparer(contract, release.number),
            )

    def _instruments(self, contract: Contract, release: Release) -> Instruments:
        """Give what counts a release; who was verified for another contract is not judged by this.

        Servers of two contracts run side by side while one takes the other's place. But who has
        failed for this contract is.
        """
        counter = self._reporter.counter
        if release.fingerprint not in ("", contract.fingerprint):
            counter = OutcomeCounter  # which nobody hands over
        tally = counter(contract.name, release.number)
        return Instruments(tally, self._metrics, self._clock.monotonic)

    def _count(self, instant: InstantModel) -> Callable[[int], None]:
        def took(micros: int) -> None:
            seconds = micros / 1_000_000
            self._metrics.prediction(instant.contract.name, instant.name, "ok", seconds)

        return took

    def _count_failure(self, instant: InstantModel) -> Callable[[StopgapError], None]:
        def failed(error: StopgapError) -> None:
            self._metrics.prediction(instant.contract.name, instant.name, error.code, 0.0)

        return failed


def _left_to_the_view(_error: StopgapError) -> None:
    """Count no failure: the view asks once more, and what comes of that is what counts."""


def _is_instant(plan: Plan) -> bool:
    """Tell whether the stand-in answers alone, with nobody beside it."""
    routing = plan.routing
    return (
        routing is not None
        and routing.live.number == STAND_IN_NUMBER
        and routing.canary is None
        and not routing.shadows
    )


def _on_duty(plan: Plan) -> Iterator[Release]:
    """List the releases of a plan that get requests, or copies of them."""
    routing = plan.routing
    if routing is not None:
        for release in (routing.live, routing.canary, *routing.shadows):
            if release is not None:
                yield release


def _stand_in(contract: Contract) -> Release:
    return stand_in_release(contract.name, contract.fingerprint, "live")
