"""Of slow clients, the oldest makes room for others, and nobody else does."""

import asyncio

import pytest
from tests.front.loops import in_simulated_time

from stopgap.errors import Overloaded
from stopgap.front.slow_clients import TIME_ENOUGH, ProgressTimeout, SlowClients


async def stay(clients: SlowClients, seconds: float = 30) -> ProgressTimeout:
    """Stay until the time is over; tell how it was."""
    mine = ProgressTimeout(seconds)
    with clients.including(mine), pytest.raises(TimeoutError):
        async with mine:
            await asyncio.Event().wait()
    return mine


async def begin(clients: SlowClients) -> asyncio.Task[ProgressTimeout]:
    """Begin to stay."""
    task = asyncio.create_task(stay(clients))
    await asyncio.sleep(0)
    return task


@in_simulated_time
async def test_time_ends() -> None:
    """A time without progress ends."""
    assert not (await stay(SlowClients(1), 0.01)).evicted


@in_simulated_time
async def test_progress_prolongs() -> None:
    """Who gets on may stay."""
    mine = ProgressTimeout(0.1)
    async with mine:
        for _ in range(5):
            await asyncio.sleep(0.05)
            mine.progressed()


@in_simulated_time
async def test_who_is_evicted_goes() -> None:
    """Once somebody is evicted, no progress prolongs the time."""

    async def evicted() -> None:
        mine = ProgressTimeout(30)
        async with mine:
            mine.evict()
            mine.progressed()
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        await evicted()


@in_simulated_time
async def test_a_pause_takes_no_time() -> None:
    """Who waits for us may pause for as long as that takes, and be evicted all the while."""
    mine = ProgressTimeout(0.02)
    async with mine:
        mine.pause()
        await asyncio.sleep(0.1)
        mine.progressed()

    async def evicted() -> None:
        paused = ProgressTimeout(30)
        async with paused:
            paused.pause()
            paused.evict()
            paused.pause()
            await asyncio.sleep(30)

    with pytest.raises(TimeoutError):
        await evicted()


@in_simulated_time
async def test_the_oldest_makes_room() -> None:
    """When all places are taken, the oldest goes, if it has been there for a second."""
    clients = SlowClients(2)
    first, second = [await begin(clients) for _ in range(2)]
    with pytest.raises(Overloaded):
        clients.join(ProgressTimeout(30))
    await asyncio.sleep(TIME_ENOUGH)
    third = await begin(clients)
    assert (await first).evicted
    assert not second.done()
    assert not third.done()
    clients.evict_all()
    assert (await second).evicted
    assert (await third).evicted


@in_simulated_time
async def test_who_has_finished_is_left_alone() -> None:
    """Who has all, and only keeps a place, is not evicted; who leaves gives it back."""
    clients = SlowClients(1)
    mine = ProgressTimeout(30)
    with clients.including(mine):
        async with mine:
            pass
        await asyncio.sleep(TIME_ENOUGH)
        with pytest.raises(Overloaded):
            clients.join(ProgressTimeout(30))
        clients.evict_all()
    assert not mine.evicted
    clients.join(ProgressTimeout(30))
    clients.leave(mine)  # again, and no error
