"""The outlet: standard output, written by a thread of its own, so that nobody waits for its reader.

A pipe takes 64 KiB; if nobody reads it any more, the next line would hold whoever writes it for
ever: the event loop, or the supervisor, which could then neither replace a worker nor end.
"""

import logging
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache

ROOM = 16 * 1024 * 1024
"""Bytes that wait to be written; what is more is only counted."""

PATIENCE = 10.0
"""Seconds for which a full pipe is waited for, where writing to it does not wait by itself."""

logger = logging.getLogger(__name__)


class LinesRefused(OSError):
    """Not all lines could be written."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Outlet:
    """Keeps what is to be written, and writes it as fast as it is read.

    Args:
        write: Takes bytes, and may block for ever. An OSError: they are lost, or so many lines of
            them as a LinesRefused tells.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """Begin anew: a fork has neither the thread nor what it was about to write."""
        self._turn = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._lost = 0
        self._thread: threading.Thread | None = None

    def put(self, lines: bytes) -> None:
        """Have lines written soon; from any thread, at once."""
        with self._turn:
            if self._size + len(lines) > ROOM:
                self._lost += lines.count(b"\n")
                return
            self._waiting.append(lines)
            self._size += len(lines)
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="outlet", daemon=True)
                with suppress(RuntimeError):  # where there is no room for one, the next line tries
                    thread.start()
                    self._thread = thread
            self._turn.notify_all()

    def settle(self, seconds: float) -> None:
        """Wait until all is written, for so long at most."""
        with self._turn:
            self._turn.wait_for(lambda: not self._size, seconds)

    def _run(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._waiting)
                lines = self._waiting.popleft()
            refused = self._refused(lines)
            with self._turn:
                self._size -= len(lines)
                lost = self._lost + refused
                self._lost = lost if refused else 0
                self._turn.notify_all()
            if lost and not refused:
                logger.warning("standard output did not take %d lines", lost)

    def _refused(self, lines: bytes) -> int:
        """Write lines; tell how many could not be: their reader has gone, or the disk is full."""
        try:
            self._write(lines)
        except LinesRefused as refused:
            return refused.number
        except OSError:
            return lines.count(b"\n")
        return 0


class Descriptor:
    """An open file of which every line begins anew, also after one that was cut off."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._ending = b""  # of the last line, where it has none

    def write(self, lines: bytes) -> None:
        """Write lines.

        Raises:
            LinesRefused: not all could be.
        """
        left = self._ending + lines
        try:
            while left:
                taken = self._taken(left)
                self._ending = b"" if left[:taken].endswith(b"\n") else b"\n"
                left = left[taken:]
        except OSError as error:
            raise LinesRefused(min(left.count(b"\n"), lines.count(b"\n"))) from error

    def _taken(self, left: bytes) -> int:
        """Write what there is room for, and wait for some where the system does not."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return os.write(self._descriptor, left)
            except BlockingIOError:
                if (seconds := deadline - time.monotonic()) <= 0:
                    raise
            select.select([], [self._descriptor], [], seconds)


@cache
def standard_output() -> Outlet:
    """Give this process's outlet; without a standard output it leads nowhere."""
    if sys.stdout is None:
        return Outlet(lambda _lines: None)
    return Outlet(Descriptor(sys.stdout.fileno()).write)
