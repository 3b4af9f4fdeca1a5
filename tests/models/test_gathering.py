"""Those who were just answered may join the next batch; nobody else is awaited."""

import asyncio

import pytest
from tests.front.loops import in_simulated_time

from stopgap.models.gathering import BREATH, GAP, Gathering

TOOK = 1.0
"""Seconds of the last call."""


class Stop:
    """A queue, and when it went: seconds from the beginning, and how many waited."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._queue: list[None] = []
        self.went: list[tuple[float, int]] = []
        self.gathering = Gathering(self._loop, self._queue, self._go)

    def _go(self) -> None:
        self.went.append((round(self._loop.time() - self._began, 6), len(self._queue)))
        self._queue.clear()

    def queue(self, count: int = 1) -> None:
        """Have some wait who have come while the model was busy."""
        self._queue.extend([None] * count)

    def join(self) -> None:
        """Have one more come while the model is free."""
        self.queue()
        self.gathering.joined()


@in_simulated_time
async def test_without_a_batch_before_nobody_is_awaited() -> None:
    """All who come in one turn go at its end."""
    stop = Stop()
    stop.join()
    stop.join()
    assert stop.went == []
    await asyncio.sleep(0)
    assert stop.went == [(0, 2)]


@in_simulated_time
async def test_they_go_at_once_when_all_are_there() -> None:
    """The last one who was expected takes the others along, in the same turn."""
    stop = Stop()
    stop.queue(2)
    stop.gathering.after(expected=4, took=TOOK)
    stop.join()
    assert stop.went == []
    stop.join()
    assert stop.went == [(0, 4)]


@in_simulated_time
async def test_a_full_batch_does_not_wait() -> None:
    """Where as many wait as may go, they go before anybody else is heard."""
    stop = Stop()
    stop.queue(3)
    stop.gathering.after(expected=2, took=TOOK)
    assert stop.went == [(0, 3)]


@pytest.mark.parametrize(
    ("joining", "went"),
    [([], GAP), ([0.2], 2 * GAP), ([0.2, 0.5, 0.8], BREATH), ([GAP + 0.1], GAP)],
)
@in_simulated_time
async def test_nobody_is_awaited_for_long(joining: list[float], went: float) -> None:
    """They go when for a while nobody has joined, and soon in any case."""
    stop = Stop()
    loop = asyncio.get_running_loop()
    began = loop.time()
    stop.queue()
    stop.gathering.after(expected=20, took=TOOK)
    for at in joining:
        loop.call_at(began + at, stop.join)
    await asyncio.sleep(2 * TOOK)
    assert stop.went[0][0] == went


@in_simulated_time
async def test_who_was_awaited_once_is_not_awaited_again() -> None:
    """What was expected after one batch is forgotten with the next."""
    stop = Stop()
    stop.queue()
    stop.gathering.after(expected=3, took=TOOK)
    await asyncio.sleep(TOOK / 2)
    stop.join()
    await asyncio.sleep(0)
    assert stop.went == [(GAP, 1), (TOOK / 2, 1)]


@in_simulated_time
async def test_nobody_goes_once_it_is_closed() -> None:
    """Neither those of this turn nor those who wait for others."""
    stop = Stop()
    stop.join()
    stop.gathering.close()
    stop.queue()
    other = Stop()
    other.queue()
    other.gathering.after(expected=3, took=TOOK)
    other.gathering.close()
    await asyncio.sleep(2 * TOOK)
    assert stop.went == other.went == []
