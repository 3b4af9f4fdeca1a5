"""Opening: a release's model is fetched, started and warm; or there is a reason why not."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.acceptance.processes import children
from tests.front.loops import in_a_loop
from tests.predicting.slots import row

from stopgap.contracts.madcompany import contract
from stopgap.models.artifacts import ArtifactMissing, Artifacts
from stopgap.models.failures import ModelUnloadable
from stopgap.models.specification import Specification
from stopgap.releases.opening import Opener, check_openable
from stopgap.releases.plan import SlotKey
from stopgap.storage.object_stores import open_objects, prepare_objects

SOURCE = "stopgap.contracts.madcompany:contract"
MODEL = "def predict(row):\n    return 3000 + row.seller_available\n"
HANGING = "import time\ntime.sleep(1_000)\n"


def opener(folder: Path) -> Opener:
    """Make one with no artifacts."""
    prepare_objects(str(folder / "o"))
    return Opener({contract.name: SOURCE}, Artifacts(open_objects(str(folder / "o")), folder / "c"))


def key(folder: Path, model: str = MODEL, *, background: bool = False, **told: object) -> SlotKey:
    """Say what is to be loaded."""
    file = folder / "model.py"
    file.write_text(model)
    return SlotKey(
        number=7,
        fingerprint=contract.fingerprint,
        specification=Specification.of({"uri": f"python:{file}:predict", **told}),
        background=background,
    )


@pytest.mark.parametrize("background", [False, True])
@in_a_loop
async def test_what_is_opened_answers(tmp_path: Path, background: bool) -> None:
    """A slot is started when it is handed over, a shadow's too."""
    slot = await opener(tmp_path)(contract, key(tmp_path, background=background))
    try:
        assert await slot.answer(row()) == 3005
    finally:
        await slot.stop()


@pytest.mark.parametrize("fingerprint", ["0" * 16, ""])
@in_a_loop
async def test_what_has_not_passed(tmp_path: Path, fingerprint: str) -> None:
    """A release that has passed for another contract alone, or none, is not loaded for this one."""
    other = replace(key(tmp_path), fingerprint=fingerprint)
    told = "Release 7 has not passed verification for madcompany.*stopgap release verify 7"
    with pytest.raises(ModelUnloadable, match=told):
        await opener(tmp_path)(contract, other)
    with pytest.raises(ModelUnloadable, match=told):
        check_openable(contract, other)


def test_what_could_be_opened(tmp_path: Path) -> None:
    """Whether it could be is told without running it, also of a model that would hang."""
    hanging = key(tmp_path, HANGING)
    check_openable(contract, hanging)
    (tmp_path / "model.py").unlink()
    with pytest.raises(ModelUnloadable, match="There is no file"):
        check_openable(contract, hanging)


@in_a_loop
async def test_a_missing_file(tmp_path: Path) -> None:
    """Without its artifact a model is not loaded."""
    with pytest.raises(ArtifactMissing):
        await opener(tmp_path)(contract, key(tmp_path, artifact="0" * 64))


@in_a_loop
async def test_what_is_wanted_no_more_is_not_loaded_further(tmp_path: Path) -> None:
    """Who is cancelled while a model is loaded leaves no process behind."""
    before = children(os.getpid())
    opening = asyncio.create_task(opener(tmp_path)(contract, key(tmp_path, HANGING)))
    await asyncio.sleep(0.5)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert children(os.getpid()) == before
