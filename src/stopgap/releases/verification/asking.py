"""Asking a model in verification: bounded in time, and patient while it starts again."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stopgap.contracts.row import Row
from stopgap.models.failures import (
    ModelDied,
    ModelFailed,
    ModelLate,
    ModelUnavailable,
    ModelUnloadable,
)
from stopgap.models.slot import Slot

GRACE_SECONDS = 2.0
"""Past the deadline, by which a slot has given up itself; nothing here waits for ever."""

PAUSE_SECONDS = 0.05
"""Between two tries while the model starts again."""

LATE = "It kept its caller waiting past the deadline."


class TimeOver(Exception):
    """The verification has taken as long as it may."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came of one row."""

    row: Row
    output: Any  # a ModelFailed, where there was no answer
    seconds: float  # that the call took which it was a row of

    @property
    def failed(self) -> bool:
        """Whether there was no answer."""
        return isinstance(self.output, ModelFailed)

    @property
    def died(self) -> bool:
        """Whether the model's process ended over it."""
        return isinstance(self.output, ModelDied)

    @property
    def fatal(self) -> bool:
        """Whether the model's process ended over it, or would have had to be ended."""
        return self.died or isinstance(self.output, ModelLate)


class Asking:
    """Puts questions to a slot, and counts and times them.

    Args:
        deadline: Seconds in which the slot itself promises to answer or fail.
        until: When no more may be asked, by `time.monotonic`.
        grace: Seconds past the deadline after which a slot that still says nothing has failed.
    """

    def __init__(
        self, slot: Slot, *, deadline: float, until: float, grace: float = GRACE_SECONDS
    ) -> None:
        self._slot = slot
        self._patience = deadline + grace
        self._until = until
        self.asked = 0
        self.fatal: list[Answered] = []  # the rows of the first call that the process has ended in

    async def batch(self, rows: Sequence[Row]) -> list[Answered]:
        """Ask some rows in one call.

        Raises:
            TimeOver: there is no time left.
        """
        while True:
            began = time.monotonic()
            if began > self._until:
                raise TimeOver
            outputs = await self._outputs(rows)
            if not all(isinstance(output, ModelUnavailable) for output in outputs):
                break
            await asyncio.sleep(PAUSE_SECONDS)  # it is starting again
        self.asked += len(rows)
        seconds = time.monotonic() - began
        answered = [
            Answered(row=row, output=output, seconds=seconds)
            for row, output in zip(rows, outputs, strict=True)
        ]
        self._note(answered)
        return answered

    async def alone(self, row: Row) -> Answered:
        """Ask one row in a call of its own.

        Raises:
            TimeOver: there is no time left.
        """
        (answered,) = await self.batch([row])
        return answered

    async def burst(self, rows: Sequence[Row]) -> list[Answered]:
        """Ask rows at once, each for itself, as as many clients do."""

        async def one(row: Row) -> Answered:
            began = time.monotonic()
            try:
                async with asyncio.timeout(self._patience):
                    output = await self._slot.answer(row)
            except ModelFailed as failure:
                output = failure
            except TimeoutError:
                output = ModelLate(LATE)
            return Answered(row=row, output=output, seconds=time.monotonic() - began)

        self.asked += len(rows)
        answered = list(await asyncio.gather(*map(one, rows)))
        self._note([each for each in answered if each.died])
        return answered

    async def start_anew(self) -> None:
        """Have a process answer that has seen nothing yet; what its start takes is not counted.

        Raises:
            ModelUnloadable: it cannot be loaded once more.
            TimeOver: there is no time left to ask it.
        """
        began = time.monotonic()
        if began > self._until:
            raise TimeOver
        await self._slot.stop()
        try:
            await self._slot.start()
        except ModelUnloadable as error:
            raise ModelUnloadable(f"It was loaded, but not once more: {error.detail}") from error
        self._until += time.monotonic() - began

    def _note(self, answered: list[Answered]) -> None:
        """Keep the rows of a call if they are the first that the process did not survive.

        Many rows may take their time together; one that keeps it past the deadline has ended it.
        """
        died = any(each.died for each in answered)
        if not self.fatal and (died or (len(answered) == 1 and answered[0].fatal)):
            self.fatal = answered

    async def _outputs(self, rows: Sequence[Row]) -> Sequence[Any]:
        try:
            async with asyncio.timeout(self._patience):
                return await self._slot.answer_batch(rows)
        except ModelFailed as failure:
            return [failure] * len(rows)
        except TimeoutError:
            return [ModelLate(LATE)] * len(rows)
