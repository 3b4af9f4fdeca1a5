"""Natural batching: while the model is busy, rows wait; when it is free, they go together.

There is no waiting window, so a quiet server adds no time: what arrives in one turn of the event
loop goes at its end. Only right after a batch are the next requests of those who have just been
answered awaited for a moment. All of it runs on that loop, so there are no locks.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from stopgap.contracts.row import Row
from stopgap.models.bringing import Bringing
from stopgap.models.failures import ModelFailed, ModelLate

GAP = 0.3
"""After a batch, who was just answered may join the next one. That one goes when all have, or when
nobody has for this share of the last call's duration ..."""

BREATH = 1.0
"""... or when this share of it is over. Else those who wait go without those who are just about to
ask again, and batches are half as large as they could be, though full ones take hardly longer: with
32 callers of a pipeline that takes 3 ms they had 16 rows, and have 31. With 0.6, one batch in
twelve went too early, and the slowest hundredth waited for 15.5 ms instead of 13.7. To measure
again: `make bench-models`."""

EARLY = 0.002
"""Seconds by which a timer of the event loop may ring too early."""

Fault = Callable[[], ModelFailed]
"""Makes a failure: each caller's own, since a raised one takes a traceback along."""


class Ask:
    """Rows that go together, and whom their outputs are for: one row's caller, or a batch's."""

    __slots__ = ("due", "future", "rows", "whole")

    def __init__(
        self, rows: Sequence[Row], future: asyncio.Future[Any], due: float, *, whole: bool
    ) -> None:
        self.rows = rows
        self.future = future
        self.due = due
        self.whole = whole  # one call for exactly these


class Batching:
    """What waits for one model, and what it is answering.

    Args:
        send: Hands rows over to the model; True: to be asked in one call, and never again.
        overdue: Called when a call has taken the whole deadline: nobody waits for it any more.
        most: Rows in one call, at most.
        deadline: Seconds until a row's caller is told that there is no answer, from its arrival.
    """

    _loop: asyncio.AbstractEventLoop  # that on which it was opened

    def __init__(
        self,
        *,
        send: Callable[[Sequence[Row], bool], None],
        overdue: Callable[[], None],
        bring: Bringing,
        most: int,
        deadline: float,
    ) -> None:
        self._send = send
        self._overdue = overdue
        self._bring = bring
        self._most = most
        self._deadline = deadline
        self._late = f"There was no answer after {deadline:g} s."
        self._queue: deque[Ask] = deque()
        self._flight: list[Ask] = []
        self._rows_in_flight = 0
        self._sent = 0.0
        self._took = 0.0  # by the last call
        self._enough = 0  # asks that are expected after a batch
        self._until = 0.0  # when they are not awaited any more
        self._seen = 0  # of them, when it was last looked
        self._open = False
        self._going: asyncio.Handle | None = None
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Asks that wait, and rows that are being answered."""
        return len(self._queue) + self._rows_in_flight

    @property
    def flying(self) -> bool:
        """Whether the model is being asked."""
        return bool(self._flight)

    def ask(self, rows: Sequence[Row], *, whole: bool) -> asyncio.Future[Any]:
        """Put rows in the queue; the future gets their outputs, as a list if they are a whole."""
        ask = Ask(rows, self._loop.create_future(), self._loop.time() + self._deadline, whole=whole)
        self._queue.append(ask)
        if not self._flight:
            if self._going is None:
                self._gather()
            elif len(self._queue) == self._enough:
                self._go_now()
        if self._alarm is None:
            self._alarm = self._loop.call_at(ask.due, self._expire)
        return ask.future

    def open(self) -> None:
        """Let rows go, on this event loop: there is a model, and it is free."""
        self._loop = asyncio.get_running_loop()
        self._open = True
        if self._queue and self._going is None:
            self._gather()

    def answered(self, outputs: Sequence[Any]) -> None:
        """Give the outputs of the rows in flight to their callers; the model is free."""
        flight = self._land()
        bring = self._bring
        place = 0
        for ask in flight:
            if ask.whole:
                found = [each if _failed(each) else bring(each) for each in outputs]
                _give(ask.future, found)
                continue
            output = outputs[place]
            place += 1
            if ask.future.done():
                continue
            if _failed(output):
                ask.future.set_exception(output)
            else:
                ask.future.set_result(bring(output))
        self._enough = min(self._most, len(self._queue) + len(flight))
        self._until = self._loop.time() + BREATH * self._took
        if len(self._queue) >= self._enough:
            self._go()  # before those who were answered go on, which takes each some time
        elif self._queue:
            self._gather()

    def failed(self, fault: Fault) -> None:
        """Fail the rows in flight; the model is gone, or free again."""
        for ask in self._land():
            if not ask.future.done():
                ask.future.set_exception(fault())

    def refuse(self, fault: Fault) -> None:
        """Fail what waits, and let nothing go until there is a model again."""
        self._open = False
        while self._queue:
            ask = self._queue.popleft()
            if not ask.future.done():
                ask.future.set_exception(fault())

    def close(self) -> None:
        """Ring no more."""
        for handle in (self._going, self._alarm):
            if handle is not None:
                handle.cancel()

    def _land(self) -> list[Ask]:
        flight, self._flight = self._flight, []
        self._took = self._loop.time() - self._sent
        self._rows_in_flight = 0
        return flight

    def _gather(self) -> None:
        """Let those who wait go: at once if no more are expected, else when they are there."""
        now = self._loop.time()
        if len(self._queue) >= self._enough or now >= self._until:
            self._going = self._loop.call_soon(self._go)
        else:
            self._seen = len(self._queue)
            self._going = self._loop.call_at(min(now + GAP * self._took, self._until), self._look)

    def _look(self) -> None:
        """See whether somebody has joined; else nobody is awaited any more."""
        if len(self._queue) > self._seen:
            self._gather()
        else:
            self._go()

    def _go_now(self) -> None:
        if self._going is not None:
            self._going.cancel()
        self._go()

    def _go(self) -> None:
        """Send the next batch."""
        self._going = None
        self._enough = 0  # whoever comes now has not been awaited
        if self._flight or not self._open:
            return
        batch = self._flight
        queue = self._queue
        while queue and len(batch) < self._most:
            ask = queue[0]
            if ask.whole and batch:
                break
            queue.popleft()
            if ask.future.done():
                continue
            batch.append(ask)
            if ask.whole:
                break
        if batch:
            whole = batch[0].whole
            rows = batch[0].rows if whole else [ask.rows[0] for ask in batch]
            self._rows_in_flight = len(rows)
            self._sent = self._loop.time()
            self._send(rows, whole)

    def _expire(self) -> None:
        """Tell whoever has waited for the whole deadline; see to a call that has taken as long."""
        self._alarm = None
        now = self._loop.time() + EARLY
        for ask in self._flight:
            self._tell_late(ask, now)
        while self._queue and (self._queue[0].future.done() or self._queue[0].due <= now):
            self._tell_late(self._queue.popleft(), now)
        ends = [ask.due for ask in self._flight if not ask.future.done()]
        if self._flight:
            ends.append(self._sent + self._deadline)
        if self._queue:
            ends.append(self._queue[0].due)
        if self._flight and self._sent + self._deadline <= now:
            self._overdue()
        if left := [end for end in ends if end > now]:
            self._alarm = self._loop.call_at(min(left), self._expire)

    def _tell_late(self, ask: Ask, now: float) -> None:
        if ask.due <= now and not ask.future.done():
            ask.future.set_exception(ModelLate(self._late))


def _failed(output: object) -> bool:
    return isinstance(output, ModelFailed)


def _give(future: asyncio.Future[Any], found: list[Any]) -> None:
    if not future.done():
        future.set_result(found)
