"""Tests that are coroutines, in real time or in a simulated one."""

import asyncio
import os
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

from stopgap.front.lifespan import Supervisor

P = ParamSpec("P")
Test = Callable[P, Coroutine[Any, Any, None]]


def parent() -> Supervisor:
    """Take this process's parent for who keeps it."""
    return Supervisor(pid=os.getppid(), ready=lambda: None)


def in_a_loop(test: Test[P]) -> Callable[P, None]:
    """Run a test in an event loop of its own."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


def in_simulated_time(test: Test[P]) -> Callable[P, None]:
    """Run a test in a loop where nothing but waiting takes time, and no time really goes by.

    So its times are exact, and the same on a busy machine.
    """

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time moves on, by as much as it would wait, when it would wait."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(Hasty(self._forward))

    def time(self) -> float:
        """Tell the seconds since the start."""
        return self._now

    async def shutdown_default_executor(
        self, timeout: float | None = None  # noqa: ARG002, ASYNC109  # as it is called
    ) -> None:
        """Wait for the threads, however long they take: their time is real."""
        await super().shutdown_default_executor()

    def _forward(self, seconds: float) -> None:
        self._now += seconds


class Hasty(selectors.DefaultSelector):
    """A selector that does not wait for a time to go by, but says so."""

    def __init__(self, forward: Callable[[float], None]) -> None:
        super().__init__()
        self._forward = forward

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Tell what is ready; if nothing is, let the time go by."""
        ready = super().select(timeout and 0)
        if timeout and not ready:
            self._forward(timeout)
        return ready
