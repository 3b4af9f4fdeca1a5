"""The loop is woken once for all that other threads bring, and nothing of it is lost."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import Any

import pytest
from tests.front.loops import in_a_loop

from stopgap.front.event_loop import Mailbox, quicken

who = ContextVar("who", default="nobody")
HERE = copy_context()


class Waking:
    """A loop that counts how often it is woken."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.times = 0
        self._wake = self.loop.call_soon_threadsafe
        counted = self._count
        self.loop.call_soon_threadsafe = counted  # type: ignore[method-assign,assignment]  # to spy

    def _count(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        self.times += 1
        return self._wake(callback, *args, context=context)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 cannot")
@in_a_loop
async def test_a_task_begins_at_once() -> None:
    """A task that waits for nothing has ended when it is there; another goes on as tasks do."""
    seen, loop = list[str](), asyncio.get_running_loop()
    quicken(loop)

    async def work(name: str, pause: float | None) -> str:
        seen.append(name)
        if pause is not None:
            await asyncio.sleep(pause)
        return name

    short = asyncio.create_task(work("short", None), name="a task")
    assert (short.done(), seen, short.get_name()) == (True, ["short"], "a task")
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        longer = [group.create_task(work(name, 0.01)) for name in ("b", "c")]
        assert seen == ["short", "b", "c"]
    assert [await task for task in (short, *longer)] == ["short", "b", "c"]


@in_a_loop
async def test_one_waking_for_many() -> None:
    """What comes before the loop looks is called in its order, after a single waking."""
    waking, seen = Waking(), list[int]()
    mailbox = Mailbox(waking.loop)
    for _ in range(2):
        for number in range(5):
            mailbox.post(seen.append, number, context=HERE)
        assert seen == []
        await asyncio.sleep(0)
        assert seen == [0, 1, 2, 3, 4]
        seen.clear()
    assert waking.times == 2


@in_a_loop
async def test_what_a_callback_posts() -> None:
    """What is posted while the loop looks is called in its next turn, so others have theirs."""
    turns, loop = list[str](), asyncio.get_running_loop()
    mailbox = Mailbox(loop)

    def first() -> None:
        loop.call_soon(turns.append, "another's")
        mailbox.post(turns.append, "the second", context=HERE)

    mailbox.post(first, context=HERE)
    await asyncio.sleep(0.01)
    assert turns == ["another's", "the second"]


@in_a_loop
async def test_a_callback_that_fails() -> None:
    """An exception is told to the loop's handler, and those behind it are called."""
    told, seen = list[dict[str, Any]](), list[str]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    mailbox = Mailbox(loop)
    mailbox.post(lambda: 1 // 0, context=HERE)
    mailbox.post(seen.append, "the next", context=HERE)
    await asyncio.sleep(0)
    assert isinstance(told[0]["exception"], ZeroDivisionError)
    assert seen == ["the next"]


@in_a_loop
async def test_the_context() -> None:
    """A callback runs in the context that came with it."""
    seen, context = list[str](), copy_context()
    context.run(who.set, "orhan")
    mailbox = Mailbox(asyncio.get_running_loop())
    mailbox.post(lambda: seen.append(who.get()), context=context)
    await asyncio.sleep(0)
    assert seen == ["orhan"]


@in_a_loop
async def test_without_a_context() -> None:
    """Who brings no context has asyncio's own way, and can cancel."""
    seen = list[str]()
    loop = asyncio.get_running_loop()
    quicken(loop)
    loop.call_soon_threadsafe(seen.append, "called")
    loop.call_soon_threadsafe(seen.append, "cancelled").cancel()
    await asyncio.sleep(0.01)
    assert seen == ["called"]


@in_a_loop
async def test_many_threads() -> None:
    """However many threads post while the loop sleeps and wakes, all of it is called, once."""
    each, threads, seen = 5_000, 4, list[int]()
    loop = asyncio.get_running_loop()
    quicken(loop)

    def post(first: int) -> None:
        for number in range(first, first + each):
            loop.call_soon_threadsafe(seen.append, number, context=HERE)

    with ThreadPoolExecutor(threads) as pool:
        work = [loop.run_in_executor(pool, post, each * thread) for thread in range(threads)]
        await asyncio.wait_for(asyncio.gather(*work), 30)
    await asyncio.sleep(0.01)
    assert sorted(seen) == list(range(each * threads))
