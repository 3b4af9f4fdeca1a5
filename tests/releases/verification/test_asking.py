"""Asking: a slot that is starting again is waited for, one that never answers is not."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from stopgap.contracts.madcompany import Sales
from stopgap.contracts.row import Row
from stopgap.models.failures import ModelDied, ModelFailed, ModelLate, ModelUnavailable
from stopgap.models.loaded import Loaded
from stopgap.releases.verification.asking import Asking, TimeOver

ROW = Row.of(Sales(seller_available=5, month="may", customer_visiting_website=7))


class Slot:
    """Does what it is told, one thing after the other; the last again and again."""

    waiting = 0
    memory = 0
    trouble = None

    def __init__(self, *says: Any) -> None:
        self._says = list(says)

    async def start(self) -> Loaded:
        """Be there."""
        return Loaded(seconds=0.0, kind="python")

    async def answer(self, row: Row) -> Any:
        """Answer one."""
        return (await self.answer_batch([row]))[0]

    async def answer_batch(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Answer, fail or hang."""
        said = self._says.pop(0) if len(self._says) > 1 else self._says[0]
        if isinstance(said, ModelFailed):
            raise said
        if said is None:
            await asyncio.sleep(60)
        return [said] * len(rows)

    async def stop(self) -> None:
        """Be gone."""


def asked(slot: Slot, seconds: float = 5.0) -> list[Any]:
    """Ask for two rows."""
    made = Asking(slot, deadline=0.05, until=time.monotonic() + seconds, grace=0.05)
    return [each.output for each in asyncio.run(made.batch([ROW, ROW]))]


def test_a_slot_that_starts_again_is_waited_for() -> None:
    """While a model starts again it is no failure of these inputs."""
    down = ModelUnavailable("starting", 0.1)
    assert asked(Slot(down, down, 3_000)) == [3_000, 3_000]
    with pytest.raises(TimeOver):
        asked(Slot(down), seconds=0.2)


def test_a_failed_call_fails_every_row() -> None:
    """What is raised for a whole call stands in each row's place."""
    died = ModelDied("a crash")
    assert asked(Slot(died)) == [died, died]


def test_a_slot_that_never_answers() -> None:
    """Verification does not hang with a slot that forgets its own deadline."""
    assert all(isinstance(output, ModelLate) for output in asked(Slot(None)))
    made = Asking(Slot(None), deadline=0.05, until=time.monotonic() + 5, grace=0.05)
    burst = asyncio.run(made.burst([ROW] * 3))
    assert all(each.fatal for each in burst)


def test_the_first_that_was_fatal_is_kept() -> None:
    """The process's end is, and a row that is late alone; that many are together is not."""
    died, late = ModelDied("a crash"), ModelLate("too slow")
    for says, rows, kept in (
        ([3_000], [ROW], []),
        ([died, ModelDied("another"), 3_000], [ROW, ROW], [died, died]),
        ([late], [ROW, ROW], []),
        ([late], [ROW], [late]),
    ):
        made = Asking(Slot(*says), deadline=0.05, until=time.monotonic() + 5)
        asyncio.run(made.batch(rows))
        asyncio.run(made.batch(rows))
        assert [each.output for each in made.fatal] == kept
    made = Asking(Slot(3_000, died, late), deadline=0.05, until=time.monotonic() + 5)
    asyncio.run(made.burst([ROW] * 3))
    assert [each.output for each in made.fatal] == [died]
