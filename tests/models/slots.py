"""Slots for tests: MadCompany's contract, the models in `hostile`, what a slot leaves behind."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.models.hostile import BAD

from stopgap.contracts.madcompany import Sales, contract
from stopgap.contracts.row import Row
from stopgap.models.failures import ModelFailed
from stopgap.models.slot import Slot, open_slot
from stopgap.models.specification import Specification

HERE = Path(__file__).parent
SOURCE = "stopgap.contracts.madcompany:contract"
DEADLINE = 0.5


def row(sellers: int) -> Row:
    """Make a row of MadCompany's contract."""
    return Row.of(Sales(seller_available=sellers, month="january", customer_visiting_website=7))


def hostile(name: str, **how: Any) -> Specification:
    """Specify one of the models in `hostile`."""
    uri = f"python:{HERE / 'hostile.py'}:{name}"
    return Specification(uri=uri, **({"deadline": DEADLINE} | how))


def waiting(folder: Path, gate: Path, *, deadline: float) -> Specification:
    """Make a model that waits over bad rows until a file is there."""
    model = folder / "waiting.py"
    model.write_text(
        "import os, time\n"
        "def answer(row):\n"
        f"    while row.seller_available == {BAD} and not os.path.exists({str(gate)!r}):\n"
        "        time.sleep(0.01)\n"
        "    return 3000\n"
    )
    return Specification(uri=f"python:{model}:answer", in_process=True, deadline=deadline)


def opened(specification: Specification) -> Slot:
    """Open a slot for MadCompany's contract."""
    return open_slot(specification, contract, contract_source=SOURCE)


@asynccontextmanager
async def started(specification: Specification) -> AsyncIterator[Slot]:
    """Start a slot, and stop it at the end."""
    slot = opened(specification)
    try:
        await slot.start()
        yield slot
    finally:
        await slot.stop()


async def outcome(slot: Slot, asked: Row) -> Any:
    """Ask for one row; a failure is an outcome as well."""
    try:
        return await slot.answer(asked)
    except ModelFailed as failure:
        return failure


async def outcomes(slot: Slot, asked: Sequence[Row]) -> list[Any]:
    """Ask for rows by as many callers at once."""
    return list(await asyncio.gather(*(outcome(slot, each) for each in asked)))


async def back(slot: Slot, seconds: float) -> float:
    """Wait until a model answers again; tell the seconds.

    Raises:
        AssertionError: it does not in time.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    while isinstance(failure := await outcome(slot, row(1)), ModelFailed):
        assert loop.time() - began < seconds, f"it is not back: {failure.reason}"
        await asyncio.sleep(0.02)
    return loop.time() - began


def open_files() -> int:
    """Count this process's open files."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def group(leader: int) -> list[int]:
    """List the processes of a group, zombies too."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            leading = int((folder / "stat").read_text().rpartition(")")[2].split()[2])
        except OSError:
            continue
        if leading == leader:
            found.append(int(folder.name))
    return found


def models() -> list[int]:
    """List this process's children that run a model, and those that nobody has buried."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    found = sorted(int(word) for task in tasks for word in task.read_text().split())
    return [each for each in found if _is_model_or_dead(each)]


def _is_model_or_dead(process: int) -> bool:
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
    return not command or b"stopgap.models.child" in command
