"""Of slow clients, the one that is stuck makes room for others, and nobody else does."""

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
async def test_one_timer_for_all() -> None:
    """Each may stay for as long as all others, from when it joined; who has gone is left alone."""
    clients, loop = SlowClients(10, seconds=10), asyncio.get_running_loop()

    async def stayed(seconds: float = 100) -> tuple[float, bool]:
        mine, began = ProgressTimeout(), loop.time()
        with clients.including(mine):
            try:
                async with mine:
                    await asyncio.sleep(seconds)
            except TimeoutError:
                return round(loop.time() - began, 1), True
        return round(loop.time() - began, 1), False

    async def later(after: float, seconds: float = 100) -> tuple[float, bool]:
        await asyncio.sleep(after)
        return await stayed(seconds)

    told = await asyncio.gather(stayed(), stayed(4), later(3), later(3), later(9, 4), later(40))
    assert [*told] == [(10, True), (4, False), (10, True), (10, True), (4, False), (10, True)]


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
async def test_one_makes_room() -> None:
    """When there is no room left, the oldest goes, if it has been there for a second."""
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
async def test_of_equals_the_first_to_join_is_the_first_to_go() -> None:
    """Of many whose last progress was at the same moment, they go in the order they came in."""
    clients = SlowClients(20)
    those = [await begin(clients) for _ in range(20)]
    await asyncio.sleep(TIME_ENOUGH)
    for oldest in those:
        clients.join(ProgressTimeout(30))
        assert (await oldest).evicted


@in_simulated_time
async def test_who_gets_on_is_not_the_first_to_go() -> None:
    """Those go first who have not got on for the longest time, be they there longer or not."""
    clients, steady = SlowClients(2), ProgressTimeout(30)
    with clients.including(steady):
        async with steady:
            stuck = await begin(clients)
            await asyncio.sleep(TIME_ENOUGH)
            steady.progressed()
            third = await begin(clients)
            assert (await stuck).evicted
            await asyncio.sleep(TIME_ENOUGH)
            steady.pause()
            fourth = await begin(clients)
            assert (await third).evicted
            assert not steady.evicted
    clients.evict_all()
    await fourth


@in_simulated_time
async def test_as_many_go_as_take_the_room() -> None:
    """A large one may need the room of several; if that cannot be, nobody goes."""
    clients = SlowClients(4)
    small = [await begin(clients) for _ in range(3)]
    await asyncio.sleep(TIME_ENOUGH)
    young = await begin(clients)
    with pytest.raises(Overloaded):
        clients.join(ProgressTimeout(30, size=4))
    assert not any(each.done() for each in small)
    large = ProgressTimeout(30, size=3)
    with clients.including(large):
        assert [(await each).evicted for each in small] == [True] * 3
        assert not young.done()
    clients.evict_all()
    await young
    clients.join(ProgressTimeout(30, size=9))  # more than there is at all


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
