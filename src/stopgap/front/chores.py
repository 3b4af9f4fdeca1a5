"""Chores: what the server does by itself from time to time, beside its requests."""

import asyncio
import logging
from collections.abc import Callable, Sequence
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
    """Do all chores, each in its own time, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for chore in chores:
            tasks.create_task(_repeat(chore))


async def _repeat(chore: Chore) -> None:
    while True:
        done = await _do(chore)
        await asyncio.sleep(chore.every if done else min(chore.every, AGAIN_SECONDS))


async def _do(chore: Chore) -> bool:
    """Do a chore; tell whether it did not fail."""
    try:
        await asyncio.to_thread(chore.call)
    except AWAY as error:
        logger.warning("a chore failed; it will be tried again: %s", error)
    except Exception:
        logger.exception("a chore failed; it will be tried again")
    else:
        return True
    return False
