"""Slow clients: a bounded set of them, of which the one that is stuck makes room for a new one."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from stopgap.errors import Overloaded

TIME_ENOUGH = 1.0
"""Seconds within which nobody has to make room for others."""


class ProgressTimeout:
    """A client's time for progress, `async with` this; when it is over, TimeoutError is raised.

    Args:
        seconds: How long it lasts without progress; None: whoever includes the client sees to that.
        size: How much room the client takes.
    """

    def __init__(self, seconds: float | None = None, *, size: int = 1) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._timeout = asyncio.timeout(seconds)
        self.size = size
        self.since = self.progress_at = self._loop.time()
        self.ended = self.evicted = False
        self.over = False

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.over = True
        await self._timeout.__aexit__(kind, error, trace)

    def progressed(self) -> None:
        """Start the seconds again: there was progress."""
        self.progress_at = self._loop.time()
        if self._seconds is not None and not self.ended and not self._timeout.expired():
            self._timeout.reschedule(self.progress_at + self._seconds)

    def pause(self) -> None:
        """Stop the clock until `progressed`: the wait is for something other than the client."""
        self.progress_at = self._loop.time()
        if not self.ended and not self._timeout.expired():
            self._timeout.reschedule(None)

    def end(self) -> None:
        """End it now."""
        if not self.over and not self._timeout.expired():
            self.ended = True
            self._timeout.reschedule(0)

    def evict(self) -> None:
        """End it now, since others need the room."""
        self.end()
        self.evicted = self.ended


class SlowClients:
    """Clients that take no more than so much room together. For a new one, some are evicted.

    Those go first whose last progress was longest ago (of equals, the one that joined first), so
    slow clients keep nobody out; one that takes less than a second is never evicted. One that
    needs more than there is has it alone.

    Args:
        room: In the unit of the clients' sizes; if each is of size 1, how many there may be.
        seconds: For which each may stay, by one timer for all: one of its own costs a request
            10 us. None: for as long as its own time lasts.
    """

    def __init__(self, room: int, *, seconds: float | None = None) -> None:
        self._room = room
        self._seconds = seconds
        self._taken = 0
        self._clients = dict[ProgressTimeout, None]()  # in the order in which they joined
        self._is_timed = False

    @contextmanager
    def including(self, client: ProgressTimeout) -> Iterator[None]:
        """Include a client, `with` this.

        Raises:
            Overloaded: those that have been there for long enough cannot make enough room.
        """
        self.join(client)
        try:
            yield
        finally:
            self.leave(client)

    def join(self, client: ProgressTimeout) -> None:
        """Add a client, as `including` does."""
        for each in self._in_the_way(client.size):
            each.evict()
            self.leave(each)
        self._clients[client] = None
        self._taken += client.size
        if self._seconds is not None and not self._is_timed:
            self._is_timed = True
            asyncio.get_running_loop().call_later(self._seconds, self._end_late, self._seconds)

    def _end_late(self, seconds: float) -> None:
        """End those whose time is over: who joined first is the first. Then wait for the next."""
        loop = asyncio.get_running_loop()
        self._is_timed = False
        for client in self._clients:
            if client.since + seconds > loop.time():
                self._is_timed = True
                loop.call_at(client.since + seconds, self._end_late, seconds)
                return
            client.end()

    def leave(self, client: ProgressTimeout) -> None:
        """Remove a client, whether it had joined or not."""
        if client in self._clients:
            del self._clients[client]
            self._taken -= client.size

    def evict_all(self) -> None:
        """Evict everybody."""
        for client in self._clients:
            client.evict()

    def _in_the_way(self, size: int) -> Sequence[ProgressTimeout]:
        """Choose who makes room for a client of this size."""
        missing = min(size, self._room) - (self._room - self._taken)
        if missing <= 0:
            return ()
        latest = asyncio.get_running_loop().time() - TIME_ENOUGH
        chosen = list[ProgressTimeout]()
        stuck = [each for each in self._clients if not each.over and each.since <= latest]
        for each in sorted(stuck, key=lambda each: each.progress_at):
            if missing > 0:
                chosen.append(each)
                missing -= each.size
        if missing > 0:
            raise Overloaded("Too many requests are being read, or answers sent; ask again soon.")
        return chosen
