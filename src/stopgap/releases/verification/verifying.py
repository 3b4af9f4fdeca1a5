"""Verifying: a model is asked thousands of inputs, and held against every rule."""

import json
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict

from stopgap.clock import Clock
from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.contracts.values import breach
from stopgap.models.failures import ModelFailed, ModelLate
from stopgap.models.slot import Slot
from stopgap.models.specification import Specification
from stopgap.releases.verification.asking import Answered, Asking, TimeOver
from stopgap.releases.verification.report import FAILURES, RULES, Failure, Finding, Report
from stopgap.releases.verification.rows import corner_rows, sampled_rows
from stopgap.releases.verification.sameness import same, within
from stopgap.releases.verification.shrinking import shrink

SAMPLES = 3_000
"""Sampled inputs: a model that fails at one input in a thousand is found in 95 runs of 100."""

LEAST = 300
"""Inputs without which, if time runs out, what was seen says too little."""

SECONDS = 60.0
"""For a verification, once the model is loaded; one that takes 15 ms for a row is done by then."""

SHARE_OF_DEADLINE = 0.5
"""What a full batch may take of the deadline: who comes late waits for one before its own."""

GROWTH_BYTES = 16 * 1024 * 1024
GROWTH_SHARE = 0.1
"""By how much the process may grow after the first half of all inputs; what a library keeps for
its first calls is there by then."""

TRIES = 200
FATAL_TRIES = 5
"""Questions for shrinking; one that is fatal costs a deadline and a new start, each longer."""

NO_ANSWERS = "there was no answer"

COMPARED = 64
"""Inputs that are asked again, alone and in their batch."""

Progress = Callable[[int, int], None]


async def verify(
    slot: Slot,
    contract: Contract,
    specification: Specification,
    *,
    clock: Clock,
    source: random.Random,
    samples: int = SAMPLES,
    seconds: float = SECONDS,
    progress: Progress = lambda done, of: None,  # noqa: ARG005  # nobody looks
) -> Report:
    """Start a model, hold it against every rule, and stop it.

    Args:
        slot: Not started yet.
        specification: What the release says of the model.
        samples: Inputs besides the corners.
        seconds: From when it is loaded; then it ends, with what was seen until then.
        progress: Told how many inputs were asked, of how many.

    Raises:
        ModelUnloadable: it cannot be loaded; there is nothing to report on.
        SampleNotFound: the contract gives no inputs to ask with.
    """
    began = time.monotonic()
    rows = corner_rows(contract)
    drawn = sampled_rows(contract, source)
    rows += [next(drawn) for _ in range(samples)]
    try:
        loaded = await slot.start()
        until = time.monotonic() + seconds
        asking = Asking(slot, deadline=specification.deadline, until=until)
        checks = Checks(slot, asking, contract, specification, progress)
        findings = await checks.run(rows, corners=len(rows) - samples)
    finally:
        await slot.stop()
    return Report(
        contract=contract.name,
        fingerprint=contract.fingerprint,
        at=clock.now(),
        seconds=round(time.monotonic() - began, 3),
        findings=(_held("loads", f"ready after {loaded.seconds:.2f} s"), *findings),
        loaded=asdict(loaded) | {"packages": dict(loaded.packages)},
    )


class Checks:
    """The rules that follow once a model is loaded, in their order."""

    def __init__(
        self,
        slot: Slot,
        asking: Asking,
        contract: Contract,
        specification: Specification,
        progress: Progress,
    ) -> None:
        self._slot = slot
        self._asking = asking
        self._contract = contract
        self._specification = specification
        self._progress = progress
        self._answered: list[Answered] = []
        self._spoiled: list[Answered] = []  # failed together, each of them answered alone
        self._fatal: Answered | None = None
        self._is_overlong = False  # a batch was late, and none of its rows alone is
        self._corners = 0  # of those, the first, which were asked alone
        self._memory: list[int] = []  # after the first half of all inputs, and after the last

    async def run(self, rows: Sequence[Row], corners: int) -> list[Finding]:
        """Ask everything, and tell what became of each rule but the first."""
        late = ""
        try:
            await self._ask(rows, corners)
        except TimeOver:
            late = "there was no time for more"
        checks = {
            "survives": self._survives,
            "answers": self._answers,
            "contract": self._keeps,
            "examples": self._examples,
            "batches": self._batches,
            "repeats": self._repeats,
            "latency": self._latency,
            "memory": self._remembers,
        }
        findings = []
        for rule in RULES[1:]:
            known = self._fatal is not None and rule.name == "survives"
            few = len(self._answered) < min(LEAST, len(rows))
            if self._fatal is not None and not known:
                findings.append(_unchecked(rule.name, "its process did not survive"))
            elif few and late and not known:
                findings.append(_unchecked(rule.name, late))
            else:
                findings.append(await self._found(rule.name, checks[rule.name]))
        return findings

    async def _found(self, rule: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
        try:
            return await check()
        except TimeOver:
            return _unchecked(rule, "there was no time for it")

    async def _ask(self, rows: Sequence[Row], corners: int) -> None:
        """Ask corners one by one, then batches, until enough is wrong."""
        size = self._specification.batch
        self._corners = corners
        batches = [[row] for row in rows[:corners]]
        batches += [list(rows[at : at + size]) for at in range(corners, len(rows), size)]
        for number, batch in enumerate(batches):
            answered = await self._asking.batch(batch)
            if answered[0].fatal:
                self._fatal = answered[0]  # in case that there is no time to find out which it is
                self._fatal = await self._culprit(answered)
                if not self._is_overlong:
                    return
                self._fatal = None
            if any(each.failed for each in answered) and len(answered) > 1:
                answered = await self._one_by_one(answered)
                if culprit := next((each for each in answered if each.fatal), None):
                    self._fatal = culprit  # which the batch did not come to, as another row raised
                    return
            self._answered += answered
            self._progress(len(self._answered), len(rows))
            if number in {(len(batches) - 1) // 2, len(batches) - 1}:
                self._memory.append(self._slot.memory)
            if self._enough() or self._is_overlong:
                return

    async def _one_by_one(self, failed: Sequence[Answered]) -> list[Answered]:
        """Ask the rows of a failed batch alone; if all are answered, the batch was at fault."""
        answered = [await self._asking.alone(each.row) for each in failed]
        if not any(each.failed for each in answered):
            self._spoiled += failed
        return answered

    def _enough(self) -> bool:
        """Tell whether the last rows have broken a rule so often that more would tell nothing."""
        wrong = sum(each.failed or self._breach(each) is not None for each in self._answered)
        return wrong >= 100 * FAILURES

    async def _culprit(self, answered: Sequence[Answered]) -> Answered:
        """Find the row among some that is fatal alone; where there is none, one of them."""
        late, several = isinstance(answered[0].output, ModelLate), len(answered) > 1
        while len(answered) > 1:
            half = [each.row for each in answered[: len(answered) // 2]]
            again = await self._asking.batch(half)
            answered = again if again[0].fatal else answered[len(half) :]
        if late and several:
            self._is_overlong = not (await self._asking.alone(answered[0].row)).fatal
        return answered[0]

    async def _survives(self) -> Finding:
        if self._fatal is None:
            return _held("survives", f"{_inputs(self._asking.asked)}, none of them fatal")

        async def fatal(row: Row) -> bool:
            return (await self._asking.alone(row)).fatal

        row = await self._shrunk(self._fatal.row, fatal, tries=FATAL_TRIES)
        failure = self._failure(row, self._fatal.output)
        return _broken("survives", f"1 of {_inputs(self._asking.asked)}", [failure])

    async def _answers(self) -> Finding:
        async def fails(row: Row) -> bool:
            return (await self._asking.alone(row)).failed

        failed = [each for each in self._answered if each.failed]
        held = f"{_inputs(len(self._answered))}, all of them answered"
        return await self._judged("answers", failed, held, "no answer to", fails)

    async def _keeps(self) -> Finding:
        async def breaks(row: Row) -> bool:
            answered = await self._asking.alone(row)
            return not answered.failed and self._breach(answered) is not None

        broken = [each for each in self._answered if self._breach(each) is not None]
        answers = sum(not each.failed for each in self._answered)
        if not answers:
            return _unchecked("contract", NO_ANSWERS)
        held = f"{answers:,} answers, all of them"
        return await self._judged("contract", broken, held, "outside of the contract for", breaks)

    async def _judged(
        self,
        rule: str,
        wrong: Sequence[Answered],
        held: str,
        words: str,
        breaks: Callable[[Row], Awaitable[bool]],
    ) -> Finding:
        """Tell of the rows that broke a rule, the first of them as simple as can be."""
        if not wrong:
            return _held(rule, held)
        first = wrong[0]
        with suppress(TimeOver):  # what was seen is told, as simple as it could be made until then
            first = await self._asking.alone(await self._shrunk(first.row, breaks, tries=TRIES))
        shown = [first, *wrong[1:FAILURES]]
        failures = [self._failure(each.row, each.output) for each in shown]
        return _broken(rule, f"{words} {len(wrong)} of {_inputs(len(self._answered))}", failures)

    async def _shrunk(
        self, row: Row, breaks: Callable[[Row], Awaitable[bool]], *, tries: int
    ) -> Row:
        """Shrink as far as time allows."""
        best = [row]

        async def still(candidate: Row) -> bool:
            if found := await breaks(candidate):
                best.append(candidate)
            return found

        try:
            return await shrink(self._contract, row, still, tries=tries)
        except TimeOver:
            return best[-1]

    async def _examples(self) -> Finding:
        examples = self._contract.examples
        if not examples:
            return _held("examples", "the contract has none")
        wrong = []
        for example in examples:
            model = self._contract.inputs
            row = Row.of(model.model_validate(example.inputs, by_alias=False, by_name=True))
            answered = await self._asking.alone(row)
            kept = not answered.failed and self._breach(answered) is None
            if not (kept and within(example.output, answered.output, example.tolerance)):
                expected = f"; it should be {example.output!r} ± {example.tolerance:g}"
                wrong.append(self._failure(row, answered.output, expected))
        if not wrong:
            return _held("examples", f"{len(examples)} of {len(examples)}")
        return _broken("examples", f"{len(wrong)} of {len(examples)} missed", wrong)

    async def _batches(self) -> Finding:
        if self._spoiled:
            together = self._specification.batch
            failures = [
                self._failure(each.row, each.output, f"; {together} at once, never alone")
                for each in self._spoiled[:FAILURES]
            ]
            figure = f"{len(self._spoiled)} of {_inputs(len(self._answered))} answered only alone"
            return _broken("batches", figure, failures)
        return await self._compared("batches", 1)

    async def _repeats(self) -> Finding:
        return await self._compared("repeats", self._specification.batch)

    async def _compared(self, rule: str, size: int) -> Finding:
        """Ask the last rows again, in calls of a size, and compare."""
        first = self._good(COMPARED)
        if not first:
            return _unchecked(rule, NO_ANSWERS)
        wrong, alike = [], 0
        for at in range(0, len(first), size):
            part = first[at : at + size]
            again = await self._asking.batch([each.row for each in part])
            for one, other in zip(part, again, strict=True):
                if same(one.output, other.output, self._specification.bring):
                    alike += 1
                else:
                    then = f", and was {one.output!r:.100}"
                    wrong.append(self._failure(other.row, other.output, then))
        if not wrong:
            return _held(rule, f"{alike} of {_inputs(len(first))} the same")
        return _broken(rule, f"{len(wrong)} of {_inputs(len(first))} differ", wrong)

    async def _latency(self) -> Finding:
        """Time full batches, then let two batches' worth of clients come at once."""
        size, deadline = self._specification.batch, self._specification.deadline
        rows = [each.row for each in self._good(size)]
        if not rows:
            return _unchecked("latency", NO_ANSWERS)
        times = sorted([(await self._asking.batch(rows))[0].seconds for _ in range(5)])
        crowd = await self._asking.crowd((rows * 2)[: 2 * size])
        alone = sorted(each.seconds for each in self._answered[: self._corners] if not each.failed)
        unanswered = [each for each in crowd if each.failed]
        median = f"{alone[len(alone) // 2] * 1000:.1f} ms" if alone else "an unknown time"
        figure = (
            f"a row alone {median} (median), a full batch of {len(rows)} {times[-1] * 1000:.1f} ms "
            f"at most, which may take {deadline * SHARE_OF_DEADLINE * 1000:.0f} ms; "
            f"{len(crowd) - len(unanswered)} of {len(crowd)} at once were answered in time"
        )
        if times[-1] > deadline * SHARE_OF_DEADLINE or unanswered:
            if alone and (fit := int(deadline * SHARE_OF_DEADLINE / alone[len(alone) // 2])) < size:
                figure += f"; try --batch {max(1, fit)}"
            failures = [self._failure(each.row, each.output) for each in unanswered]
            return _broken("latency", figure, failures)
        return _held("latency", figure)

    async def _remembers(self) -> Finding:
        """Hold the process's memory against what it may have, and against what it had."""
        known = [size for size in self._memory if size]
        if self._specification.in_process:
            return _held("memory", "it has no process of its own, so nobody can tell")
        if len(known) < 2:  # noqa: PLR2004  # before and after
            return _unchecked("memory", "it was not asked long enough to tell")
        before, after = known[0], known[-1]
        allowed = self._specification.memory
        figure = f"{after >> 20} MiB, {(after - before) / 2**20:+.1f} in the second half of inputs"
        grown = after - before > max(GROWTH_BYTES, GROWTH_SHARE * before)
        if after > allowed or grown:
            return _broken("memory", f"{figure}; it may have {allowed >> 20} and not grow", [])
        return _held("memory", figure)

    def _good(self, most: int) -> list[Answered]:
        """List the last rows that had an answer, of those that were asked among others."""
        return [each for each in self._answered if not each.failed][-most:]

    def _breach(self, answered: Answered) -> str | None:
        if answered.failed:
            return None
        return breach(self._contract.output_kind, answered.output)

    def _failure(self, row: Row, output: object, more: str = "") -> Failure:
        if isinstance(output, ModelFailed):
            said = f"{type(output).title}: {output.reason}"
        else:
            said = breach(self._contract.output_kind, output) or f"{output!r:.100}"
        return Failure.make(json.loads(row.json), said + more)


def _inputs(count: int) -> str:
    return f"{count:,} input{'' if count == 1 else 's'}"


def _held(rule: str, figure: str) -> Finding:
    return Finding(rule=rule, outcome="held", figure=figure)


def _broken(rule: str, figure: str, failures: Sequence[Failure]) -> Finding:
    return Finding(rule=rule, outcome="broken", figure=figure, failures=tuple(failures[:FAILURES]))


def _unchecked(rule: str, reason: str) -> Finding:
    return Finding(rule=rule, outcome="not checked", figure=reason)
