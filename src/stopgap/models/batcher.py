"""Natural batching: while the model is busy, rows wait; when it is free, they go together.

A row that finds the model idle goes at once, so a quiet server adds no time. All of it runs on one
event loop, so there are no locks.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from stopgap.contracts.row import Row
from stopgap.models.bringing import Bringing
from stopgap.models.failures import ModelFailed, ModelLate
from stopgap.models.gathering import Gathering
from stopgap.telemetry.tracing import current

EARLY = 0.002
"""Seconds by which a timer of the event loop may ring too early."""

Refusal = Callable[[], ModelFailed]
"""Makes a failure: each caller's own, since a raised one takes a traceback along."""


class Ask:
    """Rows that go together, and whom their outputs are for: one row's caller, or a batch's."""

    __slots__ = ("due", "future", "rows", "span", "whole")

    def __init__(
        self, rows: Sequence[Row], future: asyncio.Future[Any], due: float, *, whole: bool
    ) -> None:
        self.rows = rows
        self.future = future
        self.due = due
        self.whole = whole  # one call for exactly these
        self.span = current()  # None where the request is not traced


class Flight:
    """One call of the model, from when it is sent until there are outputs, or will be none."""

    __slots__ = ("asks", "rows", "sent")

    def __init__(self, asks: list[Ask], rows: Sequence[Row], sent: float) -> None:
        self.asks = asks  # one that is a whole, or as many as rows
        self.rows = rows
        self.sent = sent  # by the event loop's clock


class Batcher:
    """What waits for a model that has been loaded, and what it is answering.

    Args:
        loop: On which all of it is called.
        send: Hands rows over to the model; True: to be asked in one call, and never again.
        overdue: Called when a call has taken the whole deadline: nobody waits for it any more.
        most: Rows in one call, at most.
        deadline: Seconds until a row's caller is told that there is no answer, from its arrival.
        burden: Tells what holds the model up when a caller is told so; nothing, if it is unknown.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        send: Callable[[Sequence[Row], bool], None],
        overdue: Callable[[], None],
        bring: Bringing,
        most: int,
        deadline: float,
        burden: Callable[[], str] = str,
    ) -> None:
        self._loop = loop
        self._send = send
        self._overdue = overdue
        self._bring = bring
        self._most = most
        self._deadline = deadline
        self._burden = burden
        self._late = f"There was no answer after {deadline:g} s."
        self._queue: deque[Ask] = deque()
        self._flight: Flight | None = None  # the model is free
        self._gathering = Gathering(loop, self._queue, self._go)
        self._alarm: asyncio.TimerHandle | None = None  # nobody can be late

    trouble = None  # there is a model to ask

    @property
    def waiting(self) -> int:
        """Asks that wait, and rows that are being answered."""
        return len(self._queue) + self.flying

    @property
    def flying(self) -> int:
        """Rows that are being answered."""
        return len(self._flight.rows) if self._flight else 0

    def ask(self, rows: Sequence[Row], *, whole: bool) -> asyncio.Future[Any]:
        """Put rows in the queue; the future gets their outputs, as a list if they are a whole."""
        ask = Ask(rows, self._loop.create_future(), self._loop.time() + self._deadline, whole=whole)
        self._queue.append(ask)
        if self._flight is None:
            self._gathering.joined()
        if self._alarm is None:
            self._alarm = self._loop.call_at(ask.due, self._expire)
        return ask.future

    def answered(self, outputs: Sequence[Any]) -> None:
        """Give the outputs of the rows in flight to their callers; the model is free."""
        flight, self._flight = self._flight, None
        if flight is None:
            return
        took = self._loop.time() - flight.sent
        bring = self._bring
        if flight.asks[0].whole:
            (ask,) = flight.asks
            if not ask.future.done():
                ask.future.set_result([_brought(output, bring) for output in outputs])
        else:
            for ask, output in zip(flight.asks, outputs, strict=True):
                if ask.future.done():
                    continue
                if isinstance(output, ModelFailed):
                    ask.future.set_exception(output)
                else:
                    ask.future.set_result(bring(output))
        expected = min(self._most, len(self._queue) + len(flight.asks))
        self._gathering.after(expected=expected, took=took)

    def refuse(self, refusal: Refusal) -> None:
        """Fail what waits."""
        while self._queue:
            _fail(self._queue.popleft(), refusal)

    def end(self, refusal: Refusal) -> None:
        """Fail what is in flight, and ring no more: the model is gone."""
        flight, self._flight = self._flight, None
        for ask in flight.asks if flight else ():
            _fail(ask, refusal)
        self._gathering.close()
        if self._alarm is not None:
            self._alarm.cancel()

    def _go(self) -> None:
        """Send the next batch."""
        if asks := self._next():
            whole = asks[0].whole
            rows = asks[0].rows if whole else [ask.rows[0] for ask in asks]
            self._flight = Flight(asks, rows, self._loop.time())
            for ask in asks:
                if ask.span:
                    ask.span.note("asked", {"stopgap.rows": len(rows)})
            self._send(rows, whole)

    def _next(self) -> list[Ask]:
        """Take from the queue what goes together: a whole, or rows up to the next one."""
        asks: list[Ask] = []
        queue = self._queue
        while queue and len(asks) < self._most:
            ask = queue[0]
            if ask.whole and asks:
                break
            queue.popleft()
            if ask.future.done():
                continue
            asks.append(ask)
            if ask.whole:
                break
        return asks

    def _expire(self) -> None:
        """Tell whoever has waited for the whole deadline; see to a call that has taken as long."""
        self._alarm = None
        now = self._loop.time() + EARLY
        flight, queue = self._flight, self._queue
        for ask in flight.asks if flight else ():
            self._tell_late(ask, now)
        while queue and (queue[0].future.done() or queue[0].due <= now):
            self._tell_late(queue.popleft(), now)
        ends = [queue[0].due] if queue else []
        if flight:
            ends += [ask.due for ask in flight.asks if not ask.future.done()]
            ends.append(flight.sent + self._deadline)
        if left := [end for end in ends if end > now]:
            self._alarm = self._loop.call_at(min(left), self._expire)
        if flight and flight.sent + self._deadline <= now:
            self._overdue()

    def _tell_late(self, ask: Ask, now: float) -> None:
        if ask.due <= now and not ask.future.done():
            ask.future.set_exception(ModelLate(f"{self._late} {self._burden()}".rstrip()))


def _fail(ask: Ask, refusal: Refusal) -> None:
    if not ask.future.done():
        ask.future.set_exception(refusal())


def _brought(output: Any, bring: Bringing) -> Any:
    return output if isinstance(output, ModelFailed) else bring(output)
