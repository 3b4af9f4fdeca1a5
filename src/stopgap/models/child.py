"""The child: the main program of a model's process. It answers its worker, and ends with it.

It runs in a fresh interpreter, perhaps of another Python with other libraries: what it imports is
the standard library, pydantic, and of Stopgap what these two are enough for.
"""

import ctypes
import gc
import json
import os
import resource
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from stopgap.contracts.contract import Contract
from stopgap.contracts.loading import load_contract
from stopgap.contracts.row import Row
from stopgap.errors import StopgapError
from stopgap.models.answering import RETRY_SHARE, Answering
from stopgap.models.failures import ModelUnloadable
from stopgap.models.frames import ANSWER, ASK_ONCE, LOADED, REFUSED, Frame, pack, read_frame
from stopgap.models.kinds import load_model
from stopgap.models.loaded import found_of

PR_SET_PDEATHSIG = 1
"""From Linux' prctl(2): the signal that comes when the parent ends, whatever this process does."""

LOOK_SECONDS = 0.5
"""From one look whether the parent is still there to the next, where the system cannot tell."""

forking = threading.local()
"""Whether the thread that forks is the `main` one."""


def main(descriptor: int, parent: int) -> None:
    """Serve one worker until its end of the connection closes.

    Args:
        descriptor: Our end of the connection.
        parent: The worker's process id.
    """
    if os.getppid() != parent:
        sys.exit(f"Another program has started it; name the Python itself: {sys.executable}")
    end_with(parent)
    # A platform that ends a server may signal all its processes at once; the worker ends this one
    # when the last answer is given. As a handler it does not reach what the model starts by exec.
    signal.signal(signal.SIGTERM, lambda *_: None)
    os.register_at_fork(before=note_thread, after_in_child=end_with_parent)
    give_way()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a real file
    with socket.socket(fileno=descriptor) as connection:
        connection.set_inheritable(False)
        # Where the worker has hung up in the middle of a call, nobody waits for the answer.
        with suppress(ConnectionError), connection.makefile("rb") as stream:
            serve(connection, stream)


def serve(connection: socket.socket, stream: BinaryIO) -> None:
    """Load the model that the worker names, and answer until there is no more to answer.

    Raises:
        ConnectionError: the worker has hung up.
    """
    first = read_frame(stream)
    if first is None:
        return
    try:
        served = Served(json.loads(first.body))
    except Exception as error:  # noqa: BLE001  # a model's module may raise anything
        connection.sendall(pack(0, REFUSED, _refusal(error).encode()))
        return
    gc.freeze()  # what is there now stays; looking through it all took 40 ms in a call
    connection.sendall(pack(0, LOADED, json.dumps(served.found).encode()))
    served.answer_all(connection, stream)


def end_with(parent: int) -> None:
    """Have the system end this process when its parent does, even while it hangs in C code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def note_thread() -> None:
    """Note who forks: to the system a fork's parent is the thread, and only the main one stays."""
    forking.main = threading.current_thread() is threading.main_thread()


def end_with_parent() -> None:
    """Have a fork end with the process that it was forked from, or by a signal."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = os.getppid()
    if forking.main:
        end_with(parent)
    else:
        threading.Thread(target=look_after, args=[parent], daemon=True).start()


def look_after(parent: int) -> None:
    """End this process when its parent does."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def give_way() -> None:
    """Leave no memory image after a crash, and go first when the machine's memory ends."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text("1000", encoding="ascii")


class Served:
    """A model and its contract, loaded as the worker has told.

    Raises:
        Exception: whatever the model's own code raises when it is imported or made.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        contract = _contract(told["contract"], told["fingerprint"])
        path = Path(told["path"]) if told["path"] else None
        model = load_model(told["uri"], contract, path)
        self._inputs = contract.inputs
        self._answering = Answering(model, time.monotonic)
        self._retry = told["deadline"] * RETRY_SHARE
        self.found = found_of(model, told["uri"], path)

    def answer_all(self, connection: socket.socket, stream: BinaryIO) -> None:
        """Answer call after call, until there are no more."""
        ourselves = os.getpid()
        while (frame := read_frame(stream)) is not None:
            body = self._answer(frame)
            if os.getpid() != ourselves:
                os._exit(0)  # the model has forked, and both come back; one answer is enough
            connection.sendall(pack(frame.number, ANSWER, body))

    def _answer(self, frame: Frame) -> bytes:
        rows = [Row(self._inputs, line) for line in frame.body.split(b"\n")]
        if frame.sort == ASK_ONCE:
            return self._answering.once(rows)
        return self._answering.each(rows, self._retry)


def _contract(source: str, fingerprint: str) -> Contract:
    contract = load_contract(source)
    if contract.fingerprint != fingerprint:
        raise ModelUnloadable(
            f"The contract {source} is another here ({contract.fingerprint}) than in the server "
            f"({fingerprint}): has its file been changed since the server's start?"
        )
    return contract


def _refusal(error: Exception) -> str:
    if isinstance(error, StopgapError):
        return error.detail
    return f"{type(error).__name__}: {error}"
