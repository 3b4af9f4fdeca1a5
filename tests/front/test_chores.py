"""Chores: what fails is told, and tried again."""

import asyncio
import itertools

import pytest

from stopgap.front.chores import Chore, do_chores
from stopgap.storage.database import DatabaseUnreachable


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
