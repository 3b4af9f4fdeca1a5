"""The outlet: standard output, written by a thread of its own, so that nobody waits for its reader.

A pipe takes 64 KiB; if nobody reads it any more, the next line would hold whoever writes it for
ever: the event loop, or the supervisor, which could then neither replace a worker nor end.
"""

import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial

ROOM = 16 * 1024 * 1024
"""Bytes that wait to be written; what is more is only counted."""

logger = logging.getLogger(__name__)


class Outlet:
    """Keeps what is to be written, and writes it as fast as it is read.

    Args:
        write: Takes bytes, and may block for ever.
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
            with suppress(OSError):  # its reader has gone, or its disk is full
                self._write(lines)
            with self._turn:
                self._size -= len(lines)
                lost, self._lost = self._lost, 0
                self._turn.notify_all()
            if lost:
                logger.warning("standard output was too slow for %d lines", lost)


@cache
def standard_output() -> Outlet:
    """Give this process's outlet; without a standard output it leads nowhere."""
    if sys.stdout is None:
        return Outlet(lambda _lines: None)
    return Outlet(partial(_write_whole, sys.stdout.fileno()))


def _write_whole(descriptor: int, lines: bytes) -> None:
    while lines:
        lines = lines[os.write(descriptor, lines) :]
