"""In-process: a model in the worker itself, in one thread of its own.

It costs no process and no pipe. Nothing can end it when it hangs: its callers are told by the
deadline, and it is not asked again before it has come back. Its crash is the worker's.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.models.answering import RETRY_SHARE, Answering, decoded
from stopgap.models.batched_slot import BatchedSlot
from stopgap.models.batcher import Batcher, Refusal
from stopgap.models.bringing import bring
from stopgap.models.failures import ModelRaised, ModelUnavailable, ModelUnloadable
from stopgap.models.kinds import load_model
from stopgap.models.loaded import Loaded, check_unchanged, found_of
from stopgap.models.refusing_batcher import RefusingBatcher
from stopgap.models.specification import Specification

Call = Callable[[], None]

Found = tuple[Answering, dict[str, Any]]
"""A model that has been loaded, and what was found of it."""

HANGS = "It has not come back from a call."


class InProcessSlot(BatchedSlot):
    """A model in a thread of the worker.

    Args:
        path: The model's file; None: where its URI says, or it is none.
    """

    memory = 0  # it has none of its own

    def __init__(
        self, specification: Specification, contract: Contract, *, path: Path | None
    ) -> None:
        self._specification = specification
        super().__init__(RefusingBatcher(self._refusal("It has not been started.")))
        self._contract = contract
        self._path = path
        self._bring = bring(contract.output_kind, specification.bring)
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._stopped = False

    async def start(self) -> Loaded:
        """Load the model, in its thread.

        Raises:
            ModelUnloadable: it cannot be loaded.
        """
        began = time.monotonic()
        self._loop = asyncio.get_running_loop()
        loaded: asyncio.Future[Found] = self._loop.create_future()
        # A daemon, since one that hangs would hold up the worker's end for ever.
        threading.Thread(target=_work, args=(self._calls,), name="model", daemon=True).start()
        self._calls.put(partial(self._load, loaded))
        try:
            async with asyncio.timeout(self._specification.load_timeout):
                self._answering, found = await loaded
                specified, loaded_hash = self._specification, found["file_hash"]
                check_unchanged(specified.uri, specified.file_hash, loaded_hash)
        except TimeoutError as error:
            self._calls.put(None)
            limit = f"{self._specification.load_timeout:g} s; see --load-timeout"
            raise ModelUnloadable(f"It was not loaded within {limit}.") from error
        except BaseException:
            self._calls.put(None)
            raise
        self._open()
        return Loaded.of(found, time.monotonic() - began)

    async def stop(self) -> None:
        """Ask no more; the thread ends when the model comes back, for which nobody waits."""
        self._stopped = True
        self._refuse("It has been stopped.")
        self._calls.put(None)

    def _load(self, loaded: asyncio.Future[Found]) -> None:
        """Load the model; in its thread."""
        try:
            model = load_model(self._specification.uri, self._contract, self._path)
            found = found_of(model, self._specification.uri, self._path)
        except BaseException as error:  # noqa: BLE001  # whatever it is, it must not end the thread
            self._tell(_fail, loaded, error)
        else:
            self._tell(_succeed, loaded, (Answering(model, time.monotonic), found))

    def _open(self) -> None:
        """Let callers ask: the model is free."""
        self._batcher = Batcher(
            self._loop,
            send=self._send,
            overdue=self._hang,
            bring=self._bring,
            most=self._specification.batch,
            deadline=self._specification.deadline,
        )

    def _send(self, rows: Sequence[Row], whole: bool) -> None:  # noqa: FBT001  # as batchers call
        self._calls.put(partial(self._ask, rows, whole))

    def _ask(self, rows: Sequence[Row], whole: bool) -> None:  # noqa: FBT001  # as batchers call
        """Ask the model; in its thread."""
        try:
            if whole:
                body = self._answering.once(rows)
            else:
                body = self._answering.each(rows, self._specification.deadline * RETRY_SHARE)
            outputs = decoded(body, len(rows))
        except BaseException as error:  # noqa: BLE001  # it would end this thread, the only one
            outputs = [ModelRaised(f"{type(error).__name__}: {error}") for _ in rows]
        self._tell(self._answered, outputs)

    def _tell(self, callback: Callable[..., object], *values: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback, *values)

    def _answered(self, outputs: Sequence[Any]) -> None:
        """Give the answers to those who wait for them; if nobody does any more, it is back."""
        if isinstance(self._batcher, Batcher):
            self._batcher.answered(outputs)
        elif not self._stopped:
            self._open()

    def _hang(self) -> None:
        """Ask no more until the model comes back: those who waited for it have been told."""
        self._refuse(HANGS, flying=self._batcher.flying)

    def _refuse(self, reason: str, *, flying: int = 0) -> None:
        """Refuse those who wait and whoever asks."""
        refusal = self._refusal(reason)
        self._batcher.refuse(refusal)
        self._batcher.end(refusal)
        self._batcher = RefusingBatcher(refusal, flying=flying)

    def _refusal(self, reason: str) -> Refusal:
        return partial(ModelUnavailable, reason, self._specification.deadline)


def _work(calls: SimpleQueue[Call | None]) -> None:
    """Do one call after the other, until there are no more."""
    while (call := calls.get()) is not None:
        call()


def _succeed(loaded: asyncio.Future[Found], found: Found) -> None:
    if not loaded.done():
        loaded.set_result(found)


def _fail(loaded: asyncio.Future[Found], error: BaseException) -> None:
    if not loaded.done():
        known = isinstance(error, ModelUnloadable)
        loaded.set_exception(
            error if known else ModelUnloadable(f"{type(error).__name__}: {error}")
        )
