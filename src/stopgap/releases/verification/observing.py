"""Observing: a model is asked all inputs, until enough is wrong, and what it does is noted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.contracts.values import breach
from stopgap.models.slot import Slot
from stopgap.releases.verification.asking import Answered, Asking, TimeOver
from stopgap.releases.verification.blaming import Blame
from stopgap.releases.verification.report import FAILURES

LEAST = 300
"""Inputs without which, if time runs out, what was seen says too little."""

ENOUGH = 100 * FAILURES
"""Inputs that break a rule, after which more of them would tell nothing."""

Progress = Callable[[int, int], None]
"""Told how many inputs were asked, of how many."""


@dataclass(kw_only=True)
class Observed:
    """What a model has done; what there was no time for is missing."""

    inputs: int  # that it was to be asked
    corners: int  # of those, the first, each of which is asked alone
    answered: list[Answered] = field(default_factory=list)
    spoiled: list[Answered] = field(default_factory=list)  # failed together, none of them alone
    spoiled_first: list[Answered] = field(default_factory=list)  # of the batch that is not counted
    blame: Blame = field(default_factory=Blame)
    memory: list[int] = field(default_factory=list)  # after the first half of inputs, and the last
    in_time: bool = True

    @property
    def says_enough(self) -> bool:
        """Whether rules can be held against it."""
        return self.in_time or len(self.answered) >= min(LEAST, self.inputs)

    @property
    def failed(self) -> list[Answered]:
        """Those that had no answer."""
        return [each for each in self.answered if each.failed]

    @property
    def good(self) -> list[Answered]:
        """Those that had an answer, whatever it was."""
        return [each for each in self.answered if not each.failed]


def breach_of(contract: Contract, answered: Answered) -> str | None:
    """Tell in what an answer breaks a contract; None: it keeps it, or there is none."""
    return None if answered.failed else breach(contract.output_kind, answered.output)


async def observe(
    slot: Slot,
    asking: Asking,
    contract: Contract,
    rows: Sequence[Row],
    *,
    corners: int,
    batch: int,
    progress: Progress,
) -> Observed:
    """Ask a model all rows: corners one by one, then the others in batches.

    Args:
        slot: Tells how much memory the model holds.
        corners: How many of the rows, the first, are such.
        batch: Rows in one call, at most.
    """
    observer = Observer(slot, asking, contract, Observed(inputs=len(rows), corners=corners))
    batches = [rows[at : at + 1] for at in range(corners)]
    batches += [rows[at : at + batch] for at in range(corners, len(rows), batch)]
    try:
        await observer.warm_up(rows[:batch])
        if not observer.observed.blame.fatal:
            await observer.observe(batches, progress)
    except TimeOver:
        observer.observed.in_time = False
    return observer.observed


class Observer:
    """Asks batch after batch, and finds out which row it is if one of many goes wrong."""

    def __init__(self, slot: Slot, asking: Asking, contract: Contract, observed: Observed) -> None:
        self._slot = slot
        self._asking = asking
        self._contract = contract
        self._wrong = 0  # of what was answered; not counted anew, which takes the longer the more
        self.observed = observed

    async def warm_up(self, batch: Sequence[Row]) -> None:
        """Ask a full batch before all, so that what a library keeps for one is there.

        Its answers are not counted; what goes wrong over it is.

        Raises:
            TimeOver: there is no time for more.
        """
        answered = await self._asking.batch(batch)
        self._asking.asked -= len(batch)
        await self._judged(answered)
        self.observed.spoiled_first, self.observed.spoiled = self.observed.spoiled, []

    async def observe(self, batches: Sequence[Sequence[Row]], progress: Progress) -> None:
        """Ask until all is asked, or enough is wrong.

        Raises:
            TimeOver: there is no time for more.
        """
        seen = self.observed
        for number, batch in enumerate(batches):
            answered, goes_on = await self._judged(await self._asking.batch(batch))
            if seen.blame.fatal:
                return
            seen.answered += answered
            self._wrong += sum(map(self._is_wrong, answered))
            progress(len(seen.answered), seen.inputs)
            if number in {(len(batches) - 1) // 2, len(batches) - 1}:
                seen.memory.append(self._slot.memory)
            if not goes_on or self._wrong >= ENOUGH:
                return

    async def _judged(self, answered: list[Answered]) -> tuple[list[Answered], bool]:
        """Find out what went wrong over a batch; tell its answers, and whether it goes on."""
        seen, overlong = self.observed, False
        if answered[0].fatal:
            if await seen.blame.find(self._asking, answered):
                return answered, False
            overlong = True
        if any(each.failed for each in answered) and len(answered) > 1:
            answered = await self._one_by_one(answered)
            # The batch did not come to one that is fatal if another row had raised first.
            if fatal := next((each for each in answered if each.fatal), None):
                await seen.blame.find(self._asking, [fatal])
        return answered, not overlong

    async def _one_by_one(self, failed: Sequence[Answered]) -> list[Answered]:
        """Ask the rows of a failed batch alone; if all are answered, the batch was at fault."""
        answered = [await self._asking.alone(each.row) for each in failed]
        if not any(each.failed for each in answered):
            self.observed.spoiled += failed
        return answered

    def _is_wrong(self, answered: Answered) -> bool:
        return answered.failed or breach_of(self._contract, answered) is not None
