"""Checking: each rule is held against what was observed; some ask the model once more."""

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.contracts.values import breach
from stopgap.models.failures import ModelFailed
from stopgap.models.specification import Specification
from stopgap.releases.verification.asking import Answered, Asking, TimeOver
from stopgap.releases.verification.blaming import Blame
from stopgap.releases.verification.observing import Observed, breach_of
from stopgap.releases.verification.report import FAILURES, Failure, Finding
from stopgap.releases.verification.sameness import differing, within
from stopgap.releases.verification.shrinking import Breaks, shrink

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

OTHERWISE = "another process answers otherwise (the order of a set, hash(), weights without a seed)"

COMPARED = 64
"""Inputs that are asked again, alone and in their batch."""

CALLS = 5
"""Full batches that are timed."""

Check = Callable[[], Awaitable[Finding]]


@dataclass(frozen=True, kw_only=True)
class Checks:
    """The rules that follow once a model is loaded."""

    observed: Observed
    asking: Asking
    contract: Contract
    specification: Specification

    def of(self, rule: str) -> Check:
        """Tell how a rule is checked."""
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
        return checks[rule]

    @property
    def died(self) -> bool:
        """Whether a call was fatal, of whichever step."""
        return self.observed.blame.fatal is not None or bool(self.asking.fatal)

    async def _survives(self) -> Finding:
        """Tell of what was fatal while it was observed, or in any step since."""
        blame = self.observed.blame
        if blame.fatal is None and self.asking.fatal:
            with suppress(TimeOver):  # that it was fatal is told, if not which row it was
                await blame.find(self.asking, self.asking.fatal)
        fatal = blame.fatal
        if fatal is None:
            asked = _inputs(len(self.observed.answered))
            return Finding.held("survives", f"{asked}, none of them fatal")
        if blame.fatal_batch:
            return self._batch_fatal(blame, fatal)

        async def is_fatal(row: Row) -> bool:
            return (await self.asking.alone(row)).fatal

        row = await self._shrunk(fatal.row, is_fatal, tries=FATAL_TRIES)
        failure = self._failure(row, fatal.output)
        return Finding.broken("survives", f"1 of {_inputs(self.asking.asked)}", [failure])

    def _batch_fatal(self, blame: Blame, fatal: Answered) -> Finding:
        """Tell of a call that was fatal, though none of its rows is sure to be."""
        fit, batch = blame.survived, _inputs(blame.fatal_batch)
        figures = {
            True: f"not {batch} at once, but {fit} of them; try --batch {fit}",
            False: f"it ended over {batch} that it answered the next time",
            None: f"it ended over {batch}",
        }
        more = f"; {blame.fatal_batch} at once" if blame.fatal_batch > 1 else ""
        if more and blame.again is not None:
            more += ", never alone"
        failure = self._failure(fatal.row, fatal.output, more)
        return Finding.broken("survives", figures[blame.again], [failure])

    async def _answers(self) -> Finding:
        held = f"{_inputs(len(self.observed.answered))}, all of them answered"
        failed = self.observed.failed
        return await self._judged("answers", failed, held, "no answer to", lambda it: it.failed)

    async def _keeps(self) -> Finding:
        def breaks(answered: Answered) -> bool:
            return breach_of(self.contract, answered) is not None

        good = self.observed.good
        if not good:
            return Finding.unchecked("contract", NO_ANSWERS)
        wrong = [each for each in good if breaks(each)]
        held = f"{len(good):,} answers, all of them"
        return await self._judged("contract", wrong, held, "outside of the contract for", breaks)

    async def _judged(
        self,
        rule: str,
        wrong: Sequence[Answered],
        held: str,
        words: str,
        breaks: Callable[[Answered], bool],
    ) -> Finding:
        """Tell of the rows that broke a rule, the first of them as simple as can be."""
        if not wrong:
            return Finding.held(rule, held)
        first = wrong[0]

        async def still(row: Row) -> bool:
            return breaks(await self.asking.alone(row))

        with suppress(TimeOver):  # what was seen is told, as simple as it could be made until then
            again = await self.asking.alone(await self._shrunk(first.row, still, tries=TRIES))
            first = again if breaks(again) else first  # it may answer otherwise each time
        others = [each for each in wrong[1:] if each.row.json != first.row.json]
        shown = [first, *others[: FAILURES - 1]]
        failures = [self._failure(each.row, each.output) for each in shown]
        figure = f"{words} {len(wrong):,} of {_inputs(len(self.observed.answered))}"
        return Finding.broken(rule, figure, failures)

    async def _shrunk(self, row: Row, breaks: Breaks, *, tries: int) -> Row:
        """Shrink as far as time allows."""
        best = [row]

        async def still(candidate: Row) -> bool:
            if found := await breaks(candidate):
                best.append(candidate)
            return found

        try:
            return await shrink(self.contract, row, still, tries=tries)
        except TimeOver:
            return best[-1]

    async def _examples(self) -> Finding:
        examples = self.contract.examples
        if not examples:
            return Finding.held("examples", "the contract has none")
        wrong = []
        for example in examples:
            model = self.contract.inputs
            row = Row.of(model.model_validate(example.inputs, by_alias=False, by_name=True))
            answered = await self.asking.alone(row)
            kept = not answered.failed and breach_of(self.contract, answered) is None
            if not (kept and within(example.output, answered.output, example.tolerance)):
                room = f" ± {example.tolerance:g}" if example.tolerance else ""
                expected = f"; it should be {example.output!r}{room}"
                wrong.append(self._failure(row, answered.output, expected))
        if not wrong:
            return Finding.held("examples", f"{len(examples)} of {len(examples)}")
        return Finding.broken("examples", f"{len(wrong)} of {len(examples)} missed", wrong)

    async def _batches(self) -> Finding:
        spoiled = self.observed.spoiled or self.observed.spoiled_first
        if not spoiled:
            return await self._compared("batches", 1)
        together = self.specification.batch
        failures = [
            self._failure(each.row, each.output, f"; {together} at once, never alone")
            for each in spoiled[:FAILURES]
        ]
        asked = _inputs(len(self.observed.answered))
        return Finding.broken(
            "batches", f"{len(spoiled):,} of {asked} answered only alone", failures
        )

    async def _repeats(self) -> Finding:
        """Ask again, and in another process, too: each worker of the server has its own."""
        size = self.specification.batch
        found = await self._compared("repeats", size)
        if found.outcome != "held" or self.specification.in_process:
            return found
        await self.asking.start_anew()
        again = await self._compared("repeats", size)
        if again.outcome == "held":
            return Finding.held("repeats", f"{again.figure}, in another process, too")
        return replace(again, figure=f"{OTHERWISE}: {again.figure}")

    async def _compared(self, rule: str, size: int) -> Finding:
        """Ask the last rows that had an answer again, in calls of a size, and compare."""
        first = self.observed.good[-COMPARED:]
        if not first:
            return Finding.unchecked(rule, NO_ANSWERS)
        again: list[Answered] = []
        for at in range(0, len(first), size):
            again += await self.asking.batch([each.row for each in first[at : at + size]])
        pairs = [(one.output, other.output) for one, other in zip(first, again, strict=True)]
        wrong = [(first[at], again[at]) for at in differing(pairs, self.specification.bring)]
        asked = _inputs(len(first))
        if not wrong:
            return Finding.held(rule, f"{len(first)} of {asked} the same")
        lost = sum(other.failed for _, other in wrong)
        figures = {"differ": len(wrong) - lost, "had no answer this time": lost}
        told = (f"{count} of {asked} {words}" for words, count in figures.items() if count)
        failures = [
            self._failure(other.row, other.output, f", and was {one.output!r:.100}")
            for one, other in wrong
        ]
        return Finding.broken(rule, ", ".join(told), failures)

    async def _latency(self) -> Finding:
        """Time full batches, then let two batches' worth of clients come at once."""
        size, deadline = self.specification.batch, self.specification.deadline
        rows = [each.row for each in self.observed.good[-size:]]
        if not rows:
            return Finding.unchecked("latency", NO_ANSWERS)
        calls = [await self.asking.batch(rows) for _ in range(CALLS)]
        burst = await self.asking.burst((rows * 2)[: 2 * size])
        corners = self.observed.answered[: self.observed.corners]
        alone = sorted(each.seconds for each in corners if not each.failed)
        slowest = max(each.seconds for call in calls for each in call)
        unanswered = [each for each in burst if each.failed]
        failed = [each for call in calls for each in call if each.failed]
        median = f"{alone[len(alone) // 2] * 1000:.1f} ms" if alone else "an unknown time"
        figure = (
            f"a row alone {median} (median), a full batch of {len(rows)} {slowest * 1000:.1f} ms "
            f"at most, which may take {deadline * SHARE_OF_DEADLINE * 1000:.0f} ms; "
            f"{len(burst) - len(unanswered)} of {len(burst)} at once were answered in time"
        )
        if failed:
            lost = sum(any(each.failed for each in call) for call in calls)
            figure += f"; {lost} of {CALLS} full batches had no answer to all"
        if slowest > deadline * SHARE_OF_DEADLINE or unanswered or failed:
            if alone and (fit := int(deadline * SHARE_OF_DEADLINE / alone[len(alone) // 2])) < size:
                figure += f"; try --batch {max(1, fit)}"
            failures = [self._failure(each.row, each.output) for each in failed + unanswered]
            return Finding.broken("latency", figure, failures)
        return Finding.held("latency", figure)

    async def _remembers(self) -> Finding:
        """Hold the process's memory against what it may have, and against what it had."""
        known = [size for size in self.observed.memory if size]
        if self.specification.in_process:
            return Finding.held("memory", "it has no process of its own, so nobody can tell")
        if len(known) < 2:  # noqa: PLR2004  # before and after
            return Finding.unchecked("memory", "it was not asked long enough to tell")
        before, after = known[0], known[-1]
        allowed = self.specification.memory
        figure = f"{after >> 20} MiB, {(after - before) / 2**20:+.1f} in the second half of inputs"
        grown = after - before > max(GROWTH_BYTES, GROWTH_SHARE * before)
        if after > allowed or grown:
            limits = f"it may have {allowed >> 20} and not grow"
            return Finding.broken("memory", f"{figure}; {limits}", [])
        return Finding.held("memory", figure)

    def _failure(self, row: Row, output: object, more: str = "") -> Failure:
        if isinstance(output, ModelFailed):
            said = f"{type(output).title}: {output.reason}"
        else:
            said = breach(self.contract.output_kind, output) or f"{output!r:.100}"
        return Failure.make(json.loads(row.json), said + more)


def _inputs(count: int) -> str:
    return f"{count:,} input{'' if count == 1 else 's'}"
