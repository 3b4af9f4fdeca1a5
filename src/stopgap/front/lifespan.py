"""A worker's life: what is done once at its start, all the while, and once at its end."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stopgap.front import sockets
from stopgap.front.asgi import Receive, Send
from stopgap.front.chores import Chore, do_chores
from stopgap.front.event_loop import quicken
from stopgap.front.leaving import Leaving
from stopgap.models.process import end_at_once
from stopgap.predicting.engine import Engine

LOOK_SECONDS = 0.5
"""How often it is seen whether the supervisor is there."""

LISTEN_SECONDS = 0.05
"""How often it is seen whether the server listens yet."""

LISTEN_LOOKS = 200
"""After so many, nothing can be seen of it: there is no /proc."""


@dataclass(frozen=True, kw_only=True)
class Supervisor:
    """Who keeps the workers, as one of them knows it."""

    pid: int  # the worker ends when it is gone
    ready: Callable[[], object]  # tells it that the worker serves


class Lifespan:
    """One worker's.

    Args:
        engine: The event loop, for whatever else is awaited in it as long as the server lives.
        chores: What to do by itself, from the first moment to the last.
        supervisor: Whose end is this one's.
        leaving: What is between SIGTERM and the end.
        close: Called once, after the last request.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        chores: Sequence[Chore],
        supervisor: Supervisor,
        leaving: Leaving,
        close: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._chores = chores
        self._supervisor = supervisor
        self._leaving = leaving
        self._close = close

    async def live(self, receive: Receive, send: Send) -> None:
        """Live from the server's start to its end, as ASGI's lifespan protocol tells of both."""
        await receive()
        gc.freeze()  # what is there now stays; looking through it all took 70 ms from time to time
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, end_at_once)
        quicken(loop)
        orphaned = asyncio.create_task(end_with(self._supervisor.pid, signal.SIGTERM))
        await self._engine.adopt()
        orphaned.cancel()
        loop.add_signal_handler(signal.SIGTERM, self._leaving.begin)
        chores = asyncio.gather(
            do_chores(self._chores), end_with(self._supervisor.pid), bound_unsent()
        )
        await send({"type": "lifespan.startup.complete"})
        self._supervisor.ready()
        await receive()
        chores.cancel()
        await asyncio.gather(chores, return_exceptions=True)
        await self._leaving.finish()
        await self._engine.leave()
        self._close()
        await send({"type": "lifespan.shutdown.complete"})


async def bound_unsent() -> None:
    """Bound what the system takes of answers; the server only begins to listen after the start."""
    for _ in range(LISTEN_LOOKS):
        if sockets.bound_unsent():
            return
        await asyncio.sleep(LISTEN_SECONDS)


async def end_with(supervisor: int, number: int = signal.SIGINT) -> None:
    """End this process when its supervisor is gone, which would else go on serving for ever.

    As fast as it can: another server may be waiting for the port.
    """
    while os.getppid() == supervisor:  # noqa: ASYNC110  # its end sends no event
        await asyncio.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), number)
