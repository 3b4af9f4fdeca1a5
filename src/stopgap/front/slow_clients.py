"""Slow clients: a bounded set of them, of which the oldest makes room for a new one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from stopgap.errors import Overloaded

TIME_ENOUGH = 1.0
"""Seconds within which nobody has to make room for others."""


class ProgressTimeout:
    """A client's time for progress, `async with` this; when it is over, TimeoutError is raised.

    Args:
        seconds: How long it lasts without progress.
    """

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._timeout = asyncio.timeout(seconds)
        self.since = self._loop.time()
        self.evicted = False
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
        if not self.evicted and not self._timeout.expired():
            self._timeout.reschedule(self._loop.time() + self._seconds)

    def pause(self) -> None:
        """Stop the clock until `progressed`: the wait is for something other than the client."""
        if not self.evicted and not self._timeout.expired():
            self._timeout.reschedule(None)

    def evict(self) -> None:
        """End it now, since others need the place."""
        if not self.over and not self._timeout.expired():
            self.evicted = True
            self._timeout.reschedule(0)


class SlowClients:
    """So many clients at once. When there are too many, the oldest is evicted.

    So slow clients keep nobody out, and one that takes less than a second is never evicted.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._clients: dict[ProgressTimeout, None] = {}  # the oldest first

    @contextmanager
    def including(self, client: ProgressTimeout) -> Iterator[None]:
        """Include a client, `with` this.

        Raises:
            Overloaded: nobody has been there for long enough to make room.
        """
        self.join(client)
        try:
            yield
        finally:
            self.leave(client)

    def join(self, client: ProgressTimeout) -> None:
        """Add a client, as `including` does."""
        if len(self._clients) >= self._places:
            self._make_room()
        self._clients[client] = None

    def leave(self, client: ProgressTimeout) -> None:
        """Remove a client, whether it had joined or not."""
        self._clients.pop(client, None)

    def evict_all(self) -> None:
        """Evict everybody."""
        for client in self._clients:
            client.evict()

    def _make_room(self) -> None:
        oldest = next((client for client in self._clients if not client.over), None)
        latest = asyncio.get_running_loop().time() - TIME_ENOUGH
        if oldest is None or oldest.since > latest:
            raise Overloaded("Too many requests are being read, or answers sent; ask again soon.")
        oldest.evict()
        self.leave(oldest)
