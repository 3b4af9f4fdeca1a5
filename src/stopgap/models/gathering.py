"""Gathering: when those who wait for a model that is free go to it together.

They go at the end of the event loop's turn in which the first of them came; right after a batch,
the next requests of those who were in it are awaited for a moment.
"""

import asyncio
from collections.abc import Callable, Sized

GAP = 0.3
"""After a batch, who was just answered may join the next one. That one goes when all have, or when
nobody has for this share of the last call's duration ..."""

BREATH = 1.0
"""... or when this share of it is over. Else those who wait go without those who are just about to
ask again, and batches are half as large as they could be, though full ones take hardly longer: with
32 callers of a pipeline that takes 3 ms they had 16 rows, and have 31. With 0.6, one batch in
twelve went too early, and the slowest hundredth waited for 15.5 ms instead of 13.7. To measure
again: `make bench-models`."""


class Gathering:
    """Who is expected to join the next batch, and until when.

    Args:
        queue: Those who wait.
        go: Sends them. It is called while the model is free, and never once it is closed.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, queue: Sized, go: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._queue = queue
        self._go = go
        self._expected = 0  # asks, of those who were just answered and those who wait
        self._gap = 0.0  # seconds without another ask after which nobody is awaited any more
        self._until = 0.0  # when nobody is in any case
        self._going: asyncio.Handle | None = None  # None: nobody waits, or the model is busy

    def after(self, *, expected: int, took: float) -> None:
        """Gather after a batch.

        Args:
            expected: Asks that make the next batch complete.
            took: Seconds for which the last call has lasted.
        """
        self._expected = expected
        self._gap = GAP * took
        self._until = self._loop.time() + BREATH * took
        if len(self._queue) >= expected:
            self._end()  # before those who were answered go on, which takes each some time
        elif self._queue:
            self._gather()

    def joined(self) -> None:
        """See to one more who waits."""
        if self._going is None:
            self._gather()
        elif len(self._queue) == self._expected:
            self._going.cancel()
            self._end()

    def close(self) -> None:
        """Let nobody go any more."""
        if self._going is not None:
            self._going.cancel()

    def _gather(self) -> None:
        """Let those who wait go: at once if no more are expected, else when they are there."""
        waiting = len(self._queue)
        if waiting >= self._expected or (now := self._loop.time()) >= self._until:
            self._going = self._loop.call_soon(self._end)
        else:
            until = min(now + self._gap, self._until)
            self._going = self._loop.call_at(until, self._look, waiting)

    def _look(self, before: int) -> None:
        """See whether somebody has joined; else nobody is awaited any more."""
        if len(self._queue) > before:
            self._gather()
        else:
            self._end()

    def _end(self) -> None:
        self._going = None
        self._expected = 0  # whoever comes now has not been awaited
        self._go()
