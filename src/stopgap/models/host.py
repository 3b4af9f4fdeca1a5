"""The host: keeps one model running in a process of its own, and batches what it is asked.

Measured, of the worker's own time: 6 to 8 µs a row with 32 or 128 callers of a model that takes
3 ms a batch, and 120 µs for a row that goes alone. To measure it again, compare `time.process_time`
before and after some thousands of `answer`.
"""

import asyncio
import json
import logging
import math
import random
import time
from collections.abc import Awaitable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.contracts.sampling import SampleNotFound, sample_inputs
from stopgap.models.answering import decoded
from stopgap.models.batching import Batching
from stopgap.models.bringing import bring
from stopgap.models.failures import ModelDied, ModelUnavailable, ModelUnloadable
from stopgap.models.frames import ANSWER, ASK, ASK_ONCE, LOAD, LOADED, Frame, pack
from stopgap.models.loaded import Loaded, check_unchanged
from stopgap.models.process import OWN_PYTHON, Process
from stopgap.models.restarting import ASIDE, FOR_CLIENTS, Restarts
from stopgap.models.specification import Specification

WATCH_SECONDS = 0.1
"""Between two looks at its memory; a look takes 16 µs."""

STOP_SECONDS = 1.0
"""For a process to end by itself, once its connection is closed."""

WARM_ROWS = (1, 8)
"""Rows of the first calls, whose answers nobody sees: libraries do much on their first call."""

REFUSAL_MAX = 2_000  # characters of what a model's process says against its loading

logger = logging.getLogger(__name__)


class HostedSlot:
    """A model in a child process: its hang, crash or leak costs the rows that it was answering.

    Args:
        source: Where the child imports the contract from, as the setting names it.
        path: The model's file; None: where its URI says, or it is none.
        aside: Whether its process stands aside for every other on the machine.
        load_seconds: From its start to its first answer, at most.
    """

    def __init__(
        self,
        specification: Specification,
        contract: Contract,
        *,
        source: str,
        path: Path | None,
        aside: bool,
        load_seconds: float,
    ) -> None:
        self._specification = specification
        self._contract = contract
        self._aside = aside
        self._load_seconds = load_seconds
        self._told = {
            "uri": specification.uri,
            "path": str(path.absolute()) if path else None,
            "contract": source,
            "fingerprint": contract.fingerprint,
            "deadline": specification.deadline,
        }
        self._batching = Batching(
            send=self._send,
            overdue=partial(self._kill, f"It hung for {specification.deadline:g} s."),
            bring=bring(contract.output_kind, specification.bring),
            most=specification.batch,
            deadline=specification.deadline,
        )
        self._restarts = Restarts(ASIDE if aside else FOR_CLIENTS)
        self._process: Process | None = None
        self._reply: asyncio.Future[Frame] | None = None  # while it is loading
        self._ready_since: float | None = None
        self._down = "It has not been started."
        self._back_at = 0.0
        self._number = 0  # of the call that it is answering
        self._rows = 0  # of that call; 0: it is free
        self._stopped = False
        self._restarting: asyncio.Task[None] | None = None
        self._looking: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Rows that wait or are being answered."""
        return self._batching.waiting

    @property
    def memory(self) -> int:
        """Bytes that the process holds, resident; 0: there is none now."""
        return self._process.memory if self._process else 0

    async def start(self) -> Loaded:
        """Start the process, load the model and warm it up.

        Raises:
            ModelUnloadable: it cannot be loaded, or gave no first answer in time.
        """
        self._loop = asyncio.get_running_loop()
        return await self._begin()

    def answer(self, row: Row) -> Awaitable[Any]:
        """Answer one row, in a batch with those that wait.

        Raises:
            ModelFailed: there is no answer, by the deadline.
        """
        if self._ready_since is None:
            raise self._unavailable()
        return self._batching.ask((row,), whole=False)

    async def answer_batch(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Ask for exactly these rows in one call.

        Raises:
            ModelFailed: the whole call has no answer.
        """
        if self._ready_since is None:
            raise self._unavailable()
        outputs: Sequence[Any] = await self._batching.ask(rows, whole=True) if rows else []
        return outputs

    async def stop(self) -> None:
        """End the process."""
        self._stopped = True
        self._refuse("It has been stopped.", 0.0)
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.wait([self._restarting])
        if self._process is not None:
            await self._process.stop(STOP_SECONDS)
        self._batching.close()

    async def _begin(self) -> Loaded:
        """Live once more: until it is warm, and from then on."""
        began = time.monotonic()
        process = Process(
            self._loop,
            model=self._specification.uri,
            aside=self._aside,
            received=self._received,
            gone=self._gone,
        )
        try:
            async with asyncio.timeout(self._load_seconds):
                found = await self._ready(process)
        except TimeoutError as error:
            limit = f"{self._load_seconds:g} s"
            await process.kill_and_wait(f"It gave no first answer within {limit}.")
            raise ModelUnloadable(self._down) from error
        except BaseException:
            await process.kill_and_wait("Its start was given up.")
            raise
        finally:
            self._reply = None
        self._ready_since = time.monotonic()
        self._batching.open()
        return Loaded.of(found, self._ready_since - began)

    async def _ready(self, process: Process) -> Any:
        """Start a process, have it load the model, and ask it a few rows; tell what was found."""
        python = self._specification.python or OWN_PYTHON
        try:
            await process.start(python)
        except OSError as error:
            raise ModelUnloadable(f"{python} cannot be started: {error.strerror}.") from error
        self._process = process
        self._look()
        frame = await self._exchange(process, LOAD, json.dumps(self._told).encode())
        if frame.sort != LOADED:
            raise ModelUnloadable(frame.body.decode(errors="replace")[:REFUSAL_MAX])
        try:
            found = json.loads(frame.body)
            Loaded.of(found, 0.0)
        except (ValueError, RecursionError) as error:
            raise ModelUnloadable("What it tells of itself cannot be read.") from error
        check_unchanged(self._specification.uri, self._specification.file_hash)
        for rows in self._warm_rows():
            await self._first_call(process, rows)
        self._see_that_it_lives()
        return found

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

    def _see_that_it_lives(self) -> None:
        """Hold that the process is there.

        Raises:
            ModelUnloadable: it has ended.
        """
        if self._process is None:
            raise ModelUnloadable(self._down)

    def _warm_rows(self) -> list[bytes]:
        """Draw the rows of the first calls; what is answered is for verification and the guard."""
        source = random.Random(0)  # noqa: S311  # any inputs will do
        try:
            rows = [Row.of(sample_inputs(self._contract, source)) for _ in range(max(WARM_ROWS))]
        except SampleNotFound:
            return []
        return [b"\n".join(row.json for row in rows[:count]) for count in WARM_ROWS]

    async def _exchange(self, process: Process, sort: int, body: bytes) -> Frame:
        """Send a frame before the model is ready, and wait for the one that answers it.

        Raises:
            ModelUnloadable: the process has ended.
        """
        self._see_that_it_lives()
        self._reply = self._loop.create_future()
        process.send(pack(0, sort, body))
        return await self._reply  # a process that says why it cannot go on, and ends, is heard

    def _send(self, rows: Sequence[Row], whole: bool) -> None:  # noqa: FBT001  # as batching calls
        self._number = (self._number + 1) & 0xFFFF_FFFF
        self._rows = len(rows)
        body = b"\n".join([row.json for row in rows])
        if self._process is not None:  # else `_gone` has failed these rows already
            self._process.send(pack(self._number, ASK_ONCE if whole else ASK, body))

    def _received(self, frame: Frame) -> None:
        if self._reply is not None:
            if not self._reply.done():
                self._reply.set_result(frame)
            return
        if frame.sort != ANSWER or frame.number != self._number or not self._rows:
            self._kill("It answered what it had not been asked.")
            return
        try:
            outputs = decoded(frame.body, self._rows)
        except ValueError:
            self._kill("It sent an answer that cannot be read.")
            return
        self._rows = 0
        self._batching.answered(outputs)

    def _kill(self, reason: str) -> None:
        if self._process is not None:
            self._process.kill(reason)

    def _gone(self, reason: str) -> None:
        """Tell everybody who waits, and start again, unless nobody wants it any more."""
        process, self._process = self._process, None
        self._rows = 0
        if self._looking is not None:
            self._looking.cancel()
        if self._reply is not None:
            self._down = f"{reason} {process.last_words if process else ''}".strip()
            if not self._reply.done():
                self._reply.set_exception(ModelUnloadable(self._down))
            return
        self._batching.failed(partial(ModelDied, reason))
        if not self._stopped:
            self._start_again(reason)

    def _start_again(self, reason: str) -> None:
        pause = self._restarts.pause(time.monotonic() - (self._ready_since or math.inf))
        self._refuse(reason, pause)
        self._log("a model has died", reason)
        self._restarting = self._loop.create_task(self._again(pause))

    async def _again(self, pause: float) -> None:
        """Start again, after a pause that grows with each failure."""
        while True:
            await asyncio.sleep(pause)
            try:
                await self._begin()
            except (ModelUnloadable, OSError) as error:
                pause = self._restarts.pause(0.0)
                self._refuse(str(error), pause)
                self._log("a model does not start again", str(error))
            else:
                return

    def _log(self, event: str, reason: str) -> None:
        logger.warning(event, extra={"model": self._specification.uri, "reason": reason})

    def _refuse(self, reason: str, pause: float) -> None:
        self._ready_since = None
        self._down = reason
        self._back_at = time.monotonic() + pause
        self._batching.refuse(self._unavailable)

    def _unavailable(self) -> ModelUnavailable:
        return ModelUnavailable(self._down, self._back_at - time.monotonic())

    def _look(self) -> None:
        """Hold its memory against what it may have."""
        held, allowed = self.memory, self._specification.memory
        if held > allowed:
            self._kill(f"It held {held >> 20} MiB of memory, and may hold {allowed >> 20}.")
            return
        self._looking = self._loop.call_later(WATCH_SECONDS, self._look)
