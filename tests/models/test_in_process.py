"""A model in the worker: the same answers as in a process, and callers are told in time too."""

import asyncio
from pathlib import Path

import pytest
from tests.front.loops import in_a_loop
from tests.models.hostile import BAD, GOOD
from tests.models.slots import hostile, opened, outcome, outcomes, row, started, waiting

from stopgap.models.failures import ModelRaised, ModelUnavailable, ModelUnloadable
from stopgap.models.specification import Specification


@in_a_loop
async def test_answers_as_a_process_does() -> None:
    """Rows are batched, brought and failed one by one, as in a process of its own."""
    async with started(hostile("raises", in_process=True)) as slot:
        found = await outcomes(slot, [*map(row, range(5)), row(BAD)])
        assert found[:5] == [GOOD + each for each in range(5)]
        assert isinstance(found[5], ModelRaised)
        batch = await slot.answer_batch([row(1), row(BAD)])
        assert [type(each) for each in batch] == [ModelRaised] * 2
        assert slot.memory == 0
        assert slot.waiting == 0


@in_a_loop
async def test_says_why_it_cannot_be_loaded() -> None:
    """A model that cannot be loaded is refused with the reason."""
    slot = opened(hostile("NotMade", in_process=True))
    with pytest.raises(ModelUnloadable, match="weights are missing"):
        await slot.start()
    await slot.stop()


@in_a_loop
async def test_one_that_takes_too_long_is_given_up(gate: Path, tmp_path: Path) -> None:
    """It is not waited for beyond its limit, and whoever handed it in is told what to change."""
    module = tmp_path / "patient.py"
    module.write_text(
        f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.01)\n"
    )
    uri = f"python:{module}:predict"
    slot = opened(Specification(uri=uri, in_process=True, load_timeout=0.2))
    with pytest.raises(ModelUnloadable, match=r"within 0\.2 s; see --load-timeout"):
        await slot.start()
    await slot.stop()


@in_a_loop
@pytest.mark.parametrize("name", ["exits", "panics"])
async def test_an_exit_is_no_end(name: str) -> None:
    """Code that wants to end the whole process has only failed, and is asked again."""
    async with started(hostile(name, in_process=True)) as slot:
        assert isinstance(await outcome(slot, row(BAD)), ModelRaised)
        assert await slot.answer(row(1)) == GOOD + 1


@in_a_loop
async def test_an_exit_at_its_import_is_told(tmp_path: Path) -> None:
    """A module that ends at its import is refused with the reason, at once."""
    module = tmp_path / "leaving.py"
    module.write_text("import sys\nsys.exit('no licence')\n")
    slot = opened(Specification(uri=f"python:{module}:predict", in_process=True))
    with pytest.raises(ModelUnloadable, match="no licence"):
        await slot.start()
    await slot.stop()


@in_a_loop
async def test_nobody_waits_for_one_that_was_stopped(tmp_path: Path, gate: Path) -> None:
    """Whoever waits for a model that hangs is told as soon as it is stopped."""
    slot = opened(waiting(tmp_path, gate, deadline=60))
    await slot.start()
    caller = asyncio.ensure_future(outcome(slot, row(BAD)))
    await asyncio.sleep(0.05)
    await slot.stop()
    assert isinstance(await caller, ModelUnavailable)
