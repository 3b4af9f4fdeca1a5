"""Chores: what fails is told, and tried again."""

import asyncio
import itertools
import threading
from contextlib import suppress
from functools import partial

import pytest

from stopgap.front import chores
from stopgap.front.chores import Chore, do_chores
from stopgap.storage.database_faults import DatabaseUnreachable


@pytest.mark.parametrize(
    ("error", "traced"),
    [(DatabaseUnreachable("database", "it is away"), False), (KeyError("x"), True)],
)
def test_a_failure(caplog: pytest.LogCaptureFixture, error: Exception, *, traced: bool) -> None:
    """A database that is away is told in one line; only what nobody foresaw has a traceback."""
    times = itertools.count()

    async def do_twice() -> None:
        loop, again = asyncio.get_running_loop(), asyncio.Event()

        def fail_once() -> None:
            if not next(times):
                raise error
            loop.call_soon_threadsafe(again.set)

        doing = asyncio.create_task(do_chores([Chore(call=fail_once, every=0.01)]))
        await asyncio.wait_for(again.wait(), 5)
        doing.cancel()

    asyncio.run(do_twice())
    (record,) = [each for each in caplog.records if "will be tried again" in each.getMessage()]
    assert bool(record.exc_info) is traced


def test_what_fails_is_not_left_for_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chore that is done seldom is tried again soon after it has failed, and then seldom."""
    monkeypatch.setattr(chores, "AGAIN_SECONDS", 0.01)
    times = itertools.count()

    def fail_twice() -> None:
        if next(times) < 2:
            raise DatabaseUnreachable("database", "it is away")

    async def do_for_a_moment() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(do_chores([Chore(call=fail_twice, every=86_400)]), 0.5)

    asyncio.run(do_for_a_moment())
    assert next(times) == 3


def test_none_waits_for_another() -> None:
    """However many chores hang, another is done in its time; and the end waits for none of them."""
    let_go = threading.Event()
    hanging = [Chore(call=partial(let_go.wait, 20), every=60)] * 40

    async def do_beside_them() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        quick = Chore(call=partial(loop.call_soon_threadsafe, done.set), every=60)
        doing = asyncio.create_task(do_chores([*hanging, quick]))
        try:
            await asyncio.wait_for(done.wait(), 5)
            doing.cancel()
            began = loop.time()
            await asyncio.wait([doing])
            assert loop.time() - began < 5
        finally:
            let_go.set()

    asyncio.run(do_beside_them())
