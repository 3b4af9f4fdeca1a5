"""The engine: the event loop on which models are awaited, and how other threads get there."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

Step = Callable[[], Coroutine[Any, Any, None]]

START_SECONDS = 120.0
"""How long a thread waits for the engine to have started; models are loaded meanwhile."""

STOP_SECONDS = 10.0

logger = logging.getLogger(__name__)


async def nothing() -> None:
    """Do nothing: what an engine begins and ends with unless it is told otherwise."""


class Engine:
    """The server's event loop; or, where there is none, one in a thread of its own.

    So `create_app().test_client()` and the command line have every release, as the server does. The
    thread is made when it is first needed, hence after any fork.
    """

    def __init__(self) -> None:
        self._begin: Step = nothing
        self._end: Step = nothing
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._starting = threading.Lock()

    def carry(self, begin: Step, end: Step) -> None:
        """Say what is awaited at the loop's start, and what at its end."""
        self._begin, self._end = begin, end

    async def adopt(self) -> None:
        """Use the event loop that runs now, the server's; `leave` it at the end.

        Raises:
            RuntimeError: there is a loop already; what it carries would begin twice.
        """
        if self._loop is not None:
            raise RuntimeError("The engine turns already.")
        self._loop = asyncio.get_running_loop()
        await self._begin()

    async def leave(self) -> None:
        """End what the server's loop carries; whoever asks again waits for the same end."""
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._end())
        await asyncio.shield(self._leaving)

    def ensure(self) -> None:
        """See that there is a loop: the server's, else one in a thread, which is started now.

        Raises:
            TimeoutError: it has not started in time; what it carries may be slow.
        """
        if self._loop is not None:
            return
        with self._starting:
            if self._loop is not None:  # another thread was here
                return
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=_run, args=(loop,), name="engine", daemon=True)
            thread.start()
            try:
                asyncio.run_coroutine_threadsafe(self._begin(), loop).result(START_SECONDS)
            except BaseException:
                loop.call_soon_threadsafe(loop.stop)
                thread.join()
                raise
            self._loop, self._thread = loop, thread

    def run(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Do some work on the loop, and wait for its result.

        Raises:
            TimeoutError: it is not done after so many seconds; it has been cancelled.
            RuntimeError: asked for on the loop itself, which would wait for itself; or there is no
                loop.
        """
        if self._loop is None or _running() is self._loop:
            work.close()
            raise RuntimeError("The event loop would wait for itself; await this instead.")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise

    def close(self) -> None:
        """End the thread, if there is one, and what it carries."""
        with self._starting:
            loop, thread = self._loop, self._thread
            if loop is None or thread is None:
                return
            self._thread = None
            try:
                asyncio.run_coroutine_threadsafe(self._end(), loop).result(STOP_SECONDS)
            except Exception:
                logger.exception("the engine did not end well")
            loop.call_soon_threadsafe(loop.stop)
            thread.join()


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped; what is still under way then is cancelled."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()
