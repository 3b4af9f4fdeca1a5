"""The engine: one event loop for what is awaited, and the way to it from other threads."""

import asyncio
import threading

import pytest
from tests.front.loops import in_a_loop

from stopgap.predicting.engine import Engine, nothing


async def where() -> tuple[int, asyncio.AbstractEventLoop]:
    """Tell the thread and the loop that one is on."""
    return threading.get_ident(), asyncio.get_running_loop()


def test_without_a_server_it_has_a_thread_of_its_own() -> None:
    """Whoever asks first starts it; all are on one loop; at the end it is gone."""
    engine = Engine()
    life: list[str] = []

    async def begin() -> None:
        life.append("begun")

    async def end() -> None:
        life.append("ended")

    engine.carry(begin, end)
    engine.ensure()
    engine.ensure()
    first, second = engine.run(where(), 5), engine.run(where(), 5)
    assert first == second
    assert first[0] != threading.get_ident()
    engine.close()
    assert life == ["begun", "ended"]
    assert first[1].is_closed()


def test_what_does_not_begin_is_tried_again() -> None:
    """Whoever asks while it cannot begin is told so, and the next one tries anew."""
    engine = Engine()
    tries: list[int] = []

    async def begin() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ZeroDivisionError

    engine.carry(begin, begin)
    with pytest.raises(ZeroDivisionError):
        engine.ensure()
    engine.ensure()
    engine.close()
    assert len(tries) == 3


@in_a_loop
async def test_the_server_s_loop_is_used() -> None:
    """Where a server has a loop, that is the one; and a call on it would wait for itself."""
    engine = Engine()
    await engine.adopt()
    engine.ensure()
    here = await where()
    assert await asyncio.to_thread(engine.run, where(), 5) == here
    with pytest.raises(RuntimeError):
        engine.run(where(), 5)
    with pytest.raises(RuntimeError):
        await engine.adopt()
    await engine.leave()
    engine.close()


@in_a_loop
async def test_it_ends_once() -> None:
    """Who asks for the end while it comes waits for it, and what is carried ends once."""
    engine, ended, free = Engine(), list[str](), asyncio.Event()

    async def end() -> None:
        await free.wait()
        ended.append("ended")

    engine.carry(nothing, end)
    await engine.adopt()
    first = asyncio.create_task(engine.leave())
    await asyncio.sleep(0)
    first.cancel()  # whoever asked first is gone; the end is not
    asyncio.get_running_loop().call_later(0.01, free.set)
    await engine.leave()
    await engine.leave()
    assert ended == ["ended"]


def test_who_waits_for_too_long_cancels() -> None:
    """After its time the work is cancelled, and nobody waits for it any more."""
    engine = Engine()
    engine.ensure()
    seen: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    with pytest.raises(TimeoutError):
        engine.run(hang(), 0.05)
    engine.run(asyncio.sleep(0), 5)
    assert seen == ["cancelled"]
    engine.close()


def test_nobody_asks_before_it_turns() -> None:
    """Work for a loop that is not there is an error."""
    with pytest.raises(RuntimeError):
        Engine().run(where(), 1)
