"""Callers of a model that hangs, dies or is too slow are told in time."""

import asyncio
import time
from pathlib import Path

import pytest
from tests.front.loops import in_a_loop
from tests.models.hostile import BAD, GOOD
from tests.models.slots import (
    DEADLINE,
    back,
    hostile,
    models,
    open_files,
    opened,
    outcome,
    outcomes,
    row,
    started,
    waiting,
)

from stopgap.models.failures import ModelDied, ModelFailed, ModelLate, ModelUnavailable

pytestmark = pytest.mark.alone

TOLERANCE = 0.25
"""Seconds by which a machine that others use may be late itself."""

FATAL: dict[str, type[ModelFailed]] = {
    "hangs": ModelLate,
    "hangs_in_c": ModelLate,
    "spins": ModelLate,
    "stops": ModelLate,
    "segfaults": ModelDied,
    "aborts": ModelDied,
    "exits": ModelDied,
    "exits_at_once": ModelDied,
    "kills_itself": ModelDied,
    "closes_files": ModelDied,
    "garbles": ModelDied,
}
"""Models that cost their process, and what the caller of the bad row is told."""


@pytest.mark.parametrize("name", FATAL)
@in_a_loop
async def test_a_fatal_row_costs_its_own_answer(name: str) -> None:
    """The caller is told by the deadline; the model comes back; nothing is left of the old one."""
    files = open_files()
    slot = opened(hostile(name, memory=2**28))
    await slot.start()
    began = time.monotonic()
    found = await outcome(slot, row(BAD))
    seconds = time.monotonic() - began
    try:
        assert type(found) is FATAL[name], getattr(found, "reason", found)
        assert seconds < DEADLINE + TOLERANCE
        await back(slot, 20)
        assert await slot.answer(row(2)) == GOOD + 2
    finally:
        await slot.stop()
    assert open_files() <= files
    assert models() == []


@in_a_loop
async def test_slow_under_load() -> None:
    """A model that is too slow for its callers answers some; the others are told in time."""
    async with started(hostile("Slow", batch=4)) as slot:
        began = time.monotonic()
        found = await outcomes(slot, list(map(row, range(40))))
        assert time.monotonic() - began < DEADLINE + TOLERANCE
        late = [each for each in found if isinstance(each, ModelLate)]
        assert 0 < len(late) < 40
        assert {type(each) for each in found} == {int, ModelLate}
        await asyncio.sleep(0.3)
        assert await slot.answer(row(1)) == GOOD


@in_a_loop
async def test_callers_behind_a_dead_model_are_refused_at_once() -> None:
    """While it starts again, nobody waits: each is told so, and when to come back."""
    async with started(hostile("exits_at_once", batch=1)) as slot:
        first, second = await outcomes(slot, [row(BAD), row(1)])
        assert (type(first), type(second)) == (ModelDied, ModelUnavailable)
        began = time.monotonic()
        third = await outcome(slot, row(1))
        assert type(third) is ModelUnavailable
        assert time.monotonic() - began < 0.05
        assert third.retry_after is not None
        assert 0 <= third.retry_after < 5


@in_a_loop
async def test_a_hang_is_told_in_time(tmp_path: Path, gate: Path) -> None:
    """Callers of a model that hangs are told by the deadline, then at once, until it is back."""
    async with started(waiting(tmp_path, gate, deadline=0.2)) as slot:
        began = time.monotonic()
        assert isinstance(await outcome(slot, row(BAD)), ModelLate)
        assert time.monotonic() - began < 0.4
        await asyncio.sleep(0.02)
        began = time.monotonic()
        assert isinstance(await outcome(slot, row(1)), ModelUnavailable)
        assert time.monotonic() - began < 0.1
        gate.touch()  # noqa: ASYNC240  # as fast as any call
        await asyncio.sleep(0.2)
        assert await slot.answer(row(1)) == 3000


@in_a_loop
async def test_it_comes_back_free(tmp_path: Path, gate: Path) -> None:
    """Once it is back, nobody waits for those who had asked it before, however long it hung."""
    async with started(waiting(tmp_path, gate, deadline=0.4)) as slot:
        assert {type(each) for each in await outcomes(slot, [row(BAD), row(BAD)])} == {ModelLate}
        await asyncio.sleep(1.5)
        assert slot.waiting == 2
        gate.touch()  # noqa: ASYNC240  # as fast as any call
        await asyncio.sleep(0.2)
        assert slot.waiting == 0
        assert await slot.answer(row(1)) == 3000
