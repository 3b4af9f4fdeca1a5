"""Loading: what is said between the worker and a model's process until the model is warm."""

import asyncio
import json
import random
from pathlib import Path

from stopgap.contracts.contract import Contract
from stopgap.contracts.drawing import SampleNotFound
from stopgap.contracts.row import Row
from stopgap.contracts.sampling import sample_inputs
from stopgap.models.failures import ModelUnloadable
from stopgap.models.frames import ASK, LOAD, LOADED, Frame, pack
from stopgap.models.loaded import Loaded, check_unchanged
from stopgap.models.process import Process
from stopgap.models.running_model import shown
from stopgap.models.specification import Specification

WARM_ROWS = (1, 8)
"""Rows of the first calls, whose answers nobody sees: libraries do much on their first call."""

REFUSAL_MAX = 2_000  # characters of what a model's process says against its loading


class Loading:
    """Listens to a process that is not ready: what it sends replies to what it was told last.

    Args:
        source: Where the process imports the contract from, as the setting names it.
        path: The model's file; None: where its URI says, or it is none.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        specification: Specification,
        contract: Contract,
        *,
        source: str,
        path: Path | None,
    ) -> None:
        self._loop = loop
        self._specification = specification
        self._contract = contract
        self._source = source
        self._path = path
        self._reply: asyncio.Future[Frame] | None = None  # it has been told nothing
        self._end: str | None = None  # it lives
        self._last_words = ""

    async def run(self, process: Process) -> Loaded:
        """Have a process load the model and answer its first calls; else see that it has ended.

        Returns:
            What was found of the model; how long it took until it was warm, its caller knows.

        Raises:
            ModelUnloadable: it cannot be loaded, or gave no first answer in time.
        """
        seconds = self._specification.load_timeout
        try:
            async with asyncio.timeout(seconds):
                found = await self._load(process)
                specified = self._specification
                check_unchanged(specified.uri, specified.file_hash, found.file_hash)
                for rows in _warm_rows(self._contract):
                    await self._first_call(process, rows)
                self._see_that_it_lives()
        except TimeoutError as error:
            reason = f"It gave no first answer within {seconds:g} s; see --load-timeout."
            await process.kill_and_wait(reason)
            raise ModelUnloadable(self._end or reason) from error
        except BaseException:
            await process.kill_and_wait("Its start was given up.")
            raise
        return found

    def received(self, frame: Frame) -> None:
        """Take the reply; another one is of no meaning."""
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(frame)

    def gone(self, reason: str, last_words: str) -> None:
        """Give up: it has ended before it was ready."""
        self._end = f"{reason} {last_words}".strip()
        self._last_words = last_words
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(ModelUnloadable(self._end))

    async def _load(self, process: Process) -> Loaded:
        """Name the model to the process; tell what it has found of it."""
        told = {
            "uri": self._specification.uri,
            "path": str(self._path.absolute()) if self._path else None,
            "contract": self._source,
            "fingerprint": self._contract.fingerprint,
            "deadline": self._specification.deadline,
        }
        frame = await self._exchange(process, LOAD, json.dumps(told).encode())
        if frame.sort != LOADED:
            raise await self._refused(process, frame.body.decode(errors="replace")[:REFUSAL_MAX])
        try:
            return Loaded.of(json.loads(frame.body), 0.0)
        except (ValueError, RecursionError) as error:
            raise ModelUnloadable("What it tells of itself cannot be read.") from error

    async def _refused(self, process: Process, said: str) -> ModelUnloadable:
        """Make the error of a refusal; the number by which a module ends tells nothing."""
        await process.kill_and_wait("It could not load the model.")
        words = shown(self._last_words) if SystemExit.__name__ in said else ""
        return ModelUnloadable(f"{said} It said last: {words}" if words else said)

    async def _first_call(self, process: Process, rows: bytes) -> None:
        """Ask some rows whose answers nobody sees.

        Raises:
            ModelUnloadable: the process has ended over them; it is told which they were.
        """
        try:
            await self._exchange(process, ASK, rows)
        except ModelUnloadable as error:
            first, *others = rows.decode().split("\n")
            asked = f"{first} and {len(others)} more" if others else first
            raise ModelUnloadable(f"{error.detail} It had been asked {asked}.") from error

    async def _exchange(self, process: Process, sort: int, body: bytes) -> Frame:
        """Send a frame, and wait for the one that replies to it.

        Raises:
            ModelUnloadable: the process has ended.
        """
        self._see_that_it_lives()
        self._reply = self._loop.create_future()
        process.send(pack(0, sort, body))
        return await self._reply  # a process that says why it cannot go on, and ends, is heard

    def _see_that_it_lives(self) -> None:
        """Hold that the process is there.

        Raises:
            ModelUnloadable: it has ended.
        """
        if self._end is not None:
            raise ModelUnloadable(self._end)


def _warm_rows(contract: Contract) -> list[bytes]:
    """Draw the rows of the first calls; what is answered is for verification and the guard."""
    source = random.Random(0)  # noqa: S311  # any inputs will do
    try:
        rows = [Row.of(sample_inputs(contract, source)) for _ in range(max(WARM_ROWS))]
    except SampleNotFound:
        return []
    return [b"\n".join(row.json for row in rows[:count]) for count in WARM_ROWS]
