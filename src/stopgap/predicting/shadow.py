"""The shadow: a release that answers copies of what was asked, and nobody sees what."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.contracts.values import breach, keeper
from stopgap.models.failures import ModelFailed, ModelUnavailable
from stopgap.models.slot import Slot
from stopgap.predicting.failure_log import NO_ANSWER, NOT_PROMISED, FailureLog
from stopgap.predicting.serving import Answer, Instruments
from stopgap.releases.release import Release
from stopgap.releases.tally import outcome_of

PAUSE_SECONDS = 0.05
"""How long after the first copy all are handed over: its client has the answer by then."""

ROOM = 32
"""Copies that may wait; more are dropped. So a shadow has at most 640 copies a second, which cost
the event loop some 3% of its time, however much is asked."""

LAG_SECONDS = 0.02
"""An event loop that is so late has too much to do: what waits is dropped."""

logger = logging.getLogger(__name__)


class Copy(NamedTuple):
    """What was asked, and how it was answered."""

    row: Row
    answer: Answer


Compare = Callable[[Row, int, Any, Any], None]
"""Keeps what a shadow has answered beside what the client was given: inputs, who gave it, what, and
the other. It is not always the live release that answers."""


class Shadow:
    """Copies for one release: off the client's path, few, and dropped before anybody waits.

    Args:
        release: Which one.
        contract: What its answers are held against.
        slot: Where it is loaded; None: it could not be, which is counted with each copy.
        live: Where the live release is; None: it takes no time.
        queue_limit: Rows that may wait for the live one; when there are more, nothing is copied.
        compare: Keeps its answers.
    """

    def __init__(
        self,
        release: Release,
        contract: Contract,
        instruments: Instruments,
        *,
        slot: Slot | None,
        live: Slot | None,
        queue_limit: int,
        compare: Compare,
    ) -> None:
        self._name = release.name
        self._dropped = partial(instruments.metrics.copies_dropped, contract.name, release.name)
        self._kind = contract.output_kind
        self._keeps = keeper(contract.output_kind)
        self._slot = slot
        self._live = live
        self._queue_limit = queue_limit
        self._batch = release.specification.batch if release.specification else ROOM
        self._tally = instruments.tally
        self._compare = compare
        self._monotonic = instruments.monotonic
        self._failures = FailureLog(contract.name, release.name, instruments.monotonic)
        self._waiting: list[Copy] = []
        self._task: asyncio.Task[None] | None = None
        self._due = 0.0
        self._closed = False

    def offer(self, row: Row, answer: Answer) -> None:
        """Take a copy, or drop it; to be called on the event loop."""
        if (
            self._closed
            or len(self._waiting) >= ROOM
            or (self._live is not None and self._live.waiting > self._queue_limit)
        ):
            self._dropped(1)
            return
        self._waiting.append(Copy(row, answer))
        if self._task is None and len(self._waiting) == 1:
            self._due = self._monotonic() + PAUSE_SECONDS
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._begin)

    def close(self) -> None:
        """Take no more, and count nothing of what is under way: its slot may go at any moment."""
        self._closed = True

    def _begin(self) -> None:
        """Hand over what waits, unless the event loop is too busy to be on time."""
        copies, self._waiting = self._waiting, []
        if self._closed or self._monotonic() - self._due > LAG_SECONDS:
            self._dropped(len(copies))
        else:
            self._task = asyncio.get_running_loop().create_task(self._answer(copies))
            self._task.add_done_callback(self._go_on)

    def _go_on(self, done: asyncio.Task[None]) -> None:
        """Begin again, if something has come meanwhile."""
        self._task = None
        if not done.cancelled() and (error := done.exception()):
            logger.error("the shadow %s failed", self._name, exc_info=error)
        if self._waiting and not done.cancelled():
            self._due = self._monotonic() + PAUSE_SECONDS
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._begin)

    async def _answer(self, copies: list[Copy]) -> None:
        """Ask one batch after the other; if all were asked at once, the last could be too late."""
        for at in range(0, len(copies), self._batch):
            await self._compared(copies[at : at + self._batch])

    async def _compared(self, copies: list[Copy]) -> None:
        began = self._monotonic()
        outputs = await asyncio.gather(*(self._output(copy.row) for copy in copies))
        micros = int((self._monotonic() - began) * 1_000_000)
        if self._closed:
            return
        for copy, output in zip(copies, outputs, strict=True):
            if isinstance(output, ModelFailed):
                self._tally.add(outcome_of(output), micros)
                self._failures.tell(NO_ANSWER, output.reason)
            elif not self._keeps(output):
                self._tally.add("breach", micros)
                self._failures.tell(NOT_PROMISED, f"it {breach(self._kind, output)}")
            else:
                self._tally.add("ok", micros)
                giver = copy.answer.serving.number
                self._compare(copy.row, giver, copy.answer.output, output)

    async def _output(self, row: Row) -> Any:
        """Ask as a client's request is asked; a `ModelFailed` in place of an output is its own."""
        try:
            if self._slot is None:
                raise ModelUnavailable("It could not be loaded.", PAUSE_SECONDS)
            return await self._slot.answer(row)
        except ModelFailed as error:
            return error
