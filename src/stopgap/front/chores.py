"""Chores: what the server does by itself from time to time, beside its requests."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Chore:
    """Something to be done at the start, and again and again."""

    call: Callable[[], object]  # in a thread; may take its time
    every: float  # seconds


async def do_chores(chores: Sequence[Chore]) -> None:
    """Do all chores, one after the other, until cancelled."""
    loop = asyncio.get_running_loop()
    due = dict.fromkeys(range(len(chores)), loop.time())
    while due:
        number = min(due, key=lambda each: due[each])
        await asyncio.sleep(due[number] - loop.time())
        await _do(chores[number])
        due[number] = loop.time() + chores[number].every


async def _do(chore: Chore) -> None:
    try:
        await asyncio.to_thread(chore.call)
    except Exception:
        logger.exception("a chore failed; it will be tried again")
