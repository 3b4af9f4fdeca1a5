"""Chores: what the server does by itself from time to time, beside its requests."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

from stopgap.storage import database_faults
from stopgap.storage.objects import ObjectsUnavailable

AGAIN_SECONDS = 600.0
"""After a failure the next try is this much later at most, however seldom a chore is done."""

AWAY = (*database_faults.AWAY, ObjectsUnavailable)
"""What is nobody's mistake here, and what six chores may meet at once."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Chore:
    """Something to be done at the start, and again and again."""

    call: Callable[[], object]  # in a thread; may take its time
    every: float  # seconds


async def do_chores(chores: Sequence[Chore]) -> None:
    """Do all chores until cancelled, each in its own time and thread: one that hangs delays none.

    At the end, those that are being done are not waited for.
    """
    threads = ThreadPoolExecutor(len(chores) or 1, thread_name_prefix="chores")
    try:
        async with asyncio.TaskGroup() as tasks:
            for chore in chores:
                tasks.create_task(_repeat(chore, threads))
    finally:
        threads.shutdown(wait=False)


async def _repeat(chore: Chore, threads: Executor) -> None:
    while True:
        done = await _do(chore, threads)
        await asyncio.sleep(chore.every if done else min(chore.every, AGAIN_SECONDS))


async def _do(chore: Chore, threads: Executor) -> bool:
    """Do a chore; tell whether it did not fail."""
    try:
        await asyncio.get_running_loop().run_in_executor(threads, chore.call)
    except AWAY as error:
        logger.warning("a chore failed; it will be tried again: %s", error)
    except Exception:
        logger.exception("a chore failed; it will be tried again")
    else:
        return True
    return False
