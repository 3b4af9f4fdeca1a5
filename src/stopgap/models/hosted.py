"""Hosted: a model kept running in processes of its own, one life after the other."""

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path

from stopgap.contracts.contract import Contract
from stopgap.models.batched_slot import BatchedSlot
from stopgap.models.batcher import Refusal
from stopgap.models.bringing import bring
from stopgap.models.failures import ModelUnavailable, ModelUnloadable
from stopgap.models.loaded import Loaded
from stopgap.models.loading import Loading
from stopgap.models.process import OWN_PYTHON, Listener, Process
from stopgap.models.refusing_batcher import RefusingBatcher
from stopgap.models.restarting import BACKGROUND, FOR_CLIENTS, Restarts
from stopgap.models.running_model import RunningModel
from stopgap.models.specification import Specification

STOP_SECONDS = 1.0
"""For a process to end by itself, once its connection is closed."""

logger = logging.getLogger(__name__)


class HostedSlot(BatchedSlot):
    """A model in a child process: its hang, crash or leak costs the rows that it was answering.

    Args:
        source: Where the child imports the contract from, as the setting names it.
        path: The model's file; None: where its URI says, or it is none.
        background: Whether its process lets every other on the machine go first.
    """

    def __init__(
        self,
        specification: Specification,
        contract: Contract,
        *,
        source: str,
        path: Path | None,
        background: bool,
    ) -> None:
        super().__init__(RefusingBatcher(_refusal("It has not been started.", 0.0)))
        self._specification = specification
        self._contract = contract
        self._source = source
        self._path = path
        self._background = background
        self._bring = bring(contract.output_kind, specification.bring)
        self._restarts = Restarts(BACKGROUND if background else FOR_CLIENTS)
        self._process: Process | None = None  # the last one; None: none has ever begun
        self._restarting: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def memory(self) -> int:
        """Bytes that the process holds, resident; 0: there is none now."""
        return self._process.memory if self._process else 0

    async def start(self) -> Loaded:
        """Start the process, load the model and warm it up; once more, after a stop.

        Raises:
            ModelUnloadable: it cannot be loaded, or gave no first answer in time.
        """
        self._loop = asyncio.get_running_loop()
        self._stopped = False
        return await self._begin()

    async def stop(self) -> None:
        """End the process."""
        self._stopped = True
        self._refuse("It has been stopped.", 0.0)
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.wait([self._restarting])
        if self._process is not None:
            await self._process.stop(STOP_SECONDS)

    async def _begin(self) -> Loaded:
        """Begin another life, and let callers ask once it is warm."""
        began = time.monotonic()
        loading = Loading(
            self._loop, self._specification, self._contract, source=self._source, path=self._path
        )
        self._process = await self._start_process(loading)
        found = await loading.run(self._process)
        running = RunningModel(
            self._loop, self._process, self._specification, self._bring, ended=self._ended
        )
        self._batcher = running.batcher
        return replace(found, seconds=time.monotonic() - began)

    async def _start_process(self, listener: Listener) -> Process:
        process = Process(
            self._loop,
            model=self._specification.uri,
            background=self._background,
            memory_max=self._specification.memory,
            listener=listener,
        )
        python = self._specification.python or OWN_PYTHON
        try:
            await process.start(python)
        except OSError as error:
            raise ModelUnloadable(f"{python} cannot be started: {error.strerror}.") from error
        return process

    def _ended(self, reason: str, lived: float) -> None:
        """Start again, unless nobody wants it any more."""
        if not self._stopped:
            pause = self._restarts.pause(lived)
            self._refuse(reason, pause)
            self._log("a model has died", reason)
            self._restarting = self._loop.create_task(self._again(pause))

    async def _again(self, pause: float) -> None:
        """Start again, after a pause that grows with each failure."""
        while True:
            await asyncio.sleep(pause)
            try:
                await self._begin()
            except Exception as error:  # noqa: BLE001  # a contract's code may raise anything
                pause = self._restarts.pause(0.0)
                self._refuse(str(error), pause)
                known = isinstance(error, ModelUnloadable | OSError)
                self._log("a model does not start again", str(error), traced=not known)
            else:
                return

    def _log(self, event: str, reason: str, *, traced: bool = False) -> None:
        told = {"model": self._specification.uri, "reason": reason}
        logger.warning(event, exc_info=traced, extra=told)

    def _refuse(self, reason: str, pause: float) -> None:
        """Refuse those who wait, and whoever asks; tell them to come back after so many seconds."""
        refusal = _refusal(reason, pause)
        self._batcher.refuse(refusal)
        self._batcher = RefusingBatcher(refusal)


def _refusal(reason: str, pause: float) -> Refusal:
    back_at = time.monotonic() + pause
    return lambda: ModelUnavailable(reason, back_at - time.monotonic())
