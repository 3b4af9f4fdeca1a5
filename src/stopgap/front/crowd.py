"""The crowd: a bounded set of slow clients, of which the oldest makes room for a new one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from stopgap.errors import Overloaded

TIME_ENOUGH = 1.0
"""Seconds within which nobody has to make room for others."""


class Stay:
    """A client's time in a crowd, `async with` this; when it is over, TimeoutError is raised.

    Args:
        seconds: How long it lasts without progress.
    """

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._timeout = asyncio.timeout(seconds)
        self.since = self._loop.time()
        self.sent_away = False
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

    def go_on(self) -> None:
        """Start the seconds again: there was progress."""
        if not self.sent_away and not self._timeout.expired():
            self._timeout.reschedule(self._loop.time() + self._seconds)

    def rest(self) -> None:
        """Stop the clock until `go_on`: the wait is for something other than the client."""
        if not self.sent_away and not self._timeout.expired():
            self._timeout.reschedule(None)

    def send_away(self) -> None:
        """End it now."""
        if not self.over and not self._timeout.expired():
            self.sent_away = True
            self._timeout.reschedule(0)


class Crowd:
    """So many stays at once. When there are too many, the oldest is sent away.

    So slow clients keep nobody out, and one that takes less than a second is never sent away.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._stays: dict[Stay, None] = {}  # the oldest first

    @contextmanager
    def including(self, stay: Stay) -> Iterator[None]:
        """Include a stay, `with` this.

        Raises:
            Overloaded: nobody has been there for long enough to make room.
        """
        self.join(stay)
        try:
            yield
        finally:
            self.leave(stay)

    def join(self, stay: Stay) -> None:
        """Add a stay, as `including` does."""
        if len(self._stays) >= self._places:
            self._make_room()
        self._stays[stay] = None

    def leave(self, stay: Stay) -> None:
        """Remove a stay, whether it had joined or not."""
        self._stays.pop(stay, None)

    def disperse(self) -> None:
        """Send everybody away."""
        for stay in self._stays:
            stay.send_away()

    def _make_room(self) -> None:
        oldest = next((stay for stay in self._stays if not stay.over), None)
        latest = asyncio.get_running_loop().time() - TIME_ENOUGH
        if oldest is None or oldest.since > latest:
            raise Overloaded("Too many requests are being read, or answers sent; ask again soon.")
        oldest.send_away()
        self.leave(oldest)
