"""In a crowd, who is slow makes room for others, and nobody else does."""

import asyncio

import pytest
from tests.front.loops import in_simulated_time

from stopgap.errors import Overloaded
from stopgap.front.crowd import TIME_ENOUGH, Crowd, Stay


async def stay(crowd: Crowd, seconds: float = 30) -> Stay:
    """Stay until the time is over; tell how it was."""
    mine = Stay(seconds)
    with crowd.including(mine), pytest.raises(TimeoutError):
        async with mine:
            await asyncio.Event().wait()
    return mine


async def begin(crowd: Crowd) -> asyncio.Task[Stay]:
    """Begin to stay."""
    task = asyncio.create_task(stay(crowd))
    await asyncio.sleep(0)
    return task


@in_simulated_time
async def test_time_ends() -> None:
    """A stay ends after its time."""
    assert not (await stay(Crowd(1), 0.01)).sent_away


@in_simulated_time
async def test_progress_prolongs() -> None:
    """Who gets on may stay."""
    mine = Stay(0.1)
    async with mine:
        for _ in range(5):
            await asyncio.sleep(0.05)
            mine.go_on()


@in_simulated_time
async def test_who_is_sent_away_goes() -> None:
    """Once somebody is sent away, no progress prolongs the stay."""

    async def sent_away() -> None:
        mine = Stay(30)
        async with mine:
            mine.send_away()
            mine.go_on()
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        await sent_away()


@in_simulated_time
async def test_rest_takes_no_time() -> None:
    """Who waits for us may rest for as long as that takes, and be sent away all the while."""
    mine = Stay(0.02)
    async with mine:
        mine.rest()
        await asyncio.sleep(0.1)
        mine.go_on()

    async def sent_away() -> None:
        resting = Stay(30)
        async with resting:
            resting.rest()
            resting.send_away()
            resting.rest()
            await asyncio.sleep(30)

    with pytest.raises(TimeoutError):
        await sent_away()


@in_simulated_time
async def test_the_oldest_makes_room() -> None:
    """When all places are taken, the oldest goes, if it has been there for a second."""
    crowd = Crowd(2)
    first, second = [await begin(crowd) for _ in range(2)]
    with pytest.raises(Overloaded):
        crowd.join(Stay(30))
    await asyncio.sleep(TIME_ENOUGH)
    third = await begin(crowd)
    assert (await first).sent_away
    assert not second.done()
    assert not third.done()
    crowd.disperse()
    assert (await second).sent_away
    assert (await third).sent_away


@in_simulated_time
async def test_who_has_finished_is_left_alone() -> None:
    """Who has all, and only keeps a place, is not sent away; who leaves gives it back."""
    crowd = Crowd(1)
    mine = Stay(30)
    with crowd.including(mine):
        async with mine:
            pass
        await asyncio.sleep(TIME_ENOUGH)
        with pytest.raises(Overloaded):
            crowd.join(Stay(30))
        crowd.disperse()
    assert not mine.sent_away
    crowd.join(Stay(30))
    crowd.leave(mine)  # again, and no error
