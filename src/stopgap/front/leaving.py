"""Leaving: the end of a worker, which its clients are to notice as little as possible."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from stopgap.front import sockets
from stopgap.front.admission import InFlightLimit
from stopgap.front.intake import Intake
from stopgap.front.sending import Sending

NOTICE_SECONDS = 1.0
"""Time in which every answer says `Connection: close`, so that clients that stay connected go."""

LAST_SECONDS = 0.1
"""Time for the connections that are being made, once no more can begin."""

UNREAD_SECONDS = 0.5
"""Time in which those that wait are taken, and what they have sent is read, on a busy machine."""

LEAVE_SECONDS = 1.0
"""Time in which the requests that are inside may end; who waits for a model is refused then."""

LOOK_SECONDS = 0.05
"""How often it is seen whether somebody is still there."""


class Leaving:
    """What happens between SIGTERM and the end.

    The server itself closes connections as soon as it is told to stop, and resets those that it has
    not taken yet. So it is told last, by SIGINT, which it listens to; Ctrl-C ends it at once.

    Args:
        in_flight: In which the requests inside are.
        intake: Waits no more for who sends slowly, in the end.
        sending: Tells clients of the end, and waits no more for who reads slowly then.
        end_models: Refuses who still waits for one.
    """

    def __init__(
        self,
        *,
        in_flight: InFlightLimit,
        intake: Intake,
        sending: Sending,
        end_models: Callable[[], Awaitable[None]],
    ) -> None:
        self._in_flight = in_flight
        self._intake = intake
        self._sending = sending
        self._end_models = end_models
        self._task: asyncio.Task[None] | None = None
        self._begun = False

    def begin(self) -> None:
        """Begin; to be called in the event loop. Whoever is not connected is not waited for."""
        if not self._begun:
            self._begun = True
            self._sending.announce_end()
            self._task = asyncio.get_running_loop().create_task(self._leave())

    async def _leave(self) -> None:
        await _until(lambda: not sockets.has_clients(), NOTICE_SECONDS)
        sockets.turn_deaf()
        await asyncio.sleep(LAST_SECONDS)
        await _until(lambda: not sockets.has_unread(), UNREAD_SECONDS)
        await asyncio.sleep(LOOK_SECONDS)  # what was read last is on its way to us
        self._hurry()
        await self._empty()
        if self._in_flight.taken:  # else the server would wait for them, and be killed
            await self._end_models()
        os.kill(os.getpid(), signal.SIGINT)

    async def finish(self) -> None:
        """Wait for who is inside, unless that has been done; the server closes already."""
        if self._task is not None:
            self._task.cancel()  # it may have been overtaken by Ctrl-C
        if not self._begun:
            self._begun = True
            self._sending.announce_end()
            self._hurry()
            await self._empty()

    def _hurry(self) -> None:
        """Wait no more for who sends or reads slowly."""
        self._intake.stop()
        self._sending.stop()

    async def _empty(self) -> None:
        await _until(lambda: not self._in_flight.taken, LEAVE_SECONDS)


async def _until(reached: Callable[[], bool], seconds: float) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while not reached() and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110  # no event
        await asyncio.sleep(LOOK_SECONDS)
