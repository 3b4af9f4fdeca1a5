"""Downloads: exports of any size, made by a process beside the worker as fast as they are read."""

import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from stopgap.errors import StopgapError
from stopgap.journal.export import Form
from stopgap.journal.exporter import Order, command
from stopgap.journal.filters import Filters

AT_ONCE = 2
"""Exports at one time in a worker: each is a process of 70 MB."""

GRACE_SECONDS = 30.0
SLOW_BYTES = 65_536
"""Who reads fewer bytes a second makes room for others, after this grace."""


class DownloadsBusy(StopgapError):
    """As many downloads are being made as there may be at once; soon there is room again."""

    retry_after = 10.0

    def __init__(self) -> None:
        super().__init__("Other downloads are being made; try again in ten seconds.")


class Download:
    """An export to be read, once; closing it before its end ends the process that makes it.

    The process writes into a pipe, and waits while that is full. So there is no file to be removed,
    and neither memory nor disk grows with the export.
    """

    def __init__(self, order: Order, leave: Callable[["Download"], None]) -> None:
        self._leave = leave
        self._began = time.monotonic()
        self._count = 0
        self._closed = False
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter, our own module
            command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C is the server's; a session of its own would not give way
        )
        with suppress(BrokenPipeError):  # it has ended already, which the first read tells
            self._pipe(self._process.stdin).write(order.line())
            self._pipe(self._process.stdin).flush()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None  # noqa: S101  # both have been asked for
        return pipe

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, as soon as they are made; fewer are the last.

        Raises:
            OSError: the export has broken off.
        """
        piece = self._pipe(self._process.stdout).read(size)
        self._count += len(piece)
        if len(piece) != size and (code := self._process.wait()):
            raise OSError(f"an export has ended early, with exit code {code}")
        return piece

    def is_slow(self) -> bool:
        """Tell whether it is read so slowly that it has to make room for others."""
        seconds = time.monotonic() - self._began
        return seconds > GRACE_SECONDS and self._count < SLOW_BYTES * seconds

    def end(self) -> None:
        """End the process, whoever still reads."""
        self._process.kill()

    def close(self) -> None:
        """Read no more. Does not wait for the process, which has to find a processor to end on."""
        if self._closed:
            return
        self._closed = True
        self.end()
        self._leave(self)
        threading.Thread(target=self._tidy).start()

    def _tidy(self) -> None:
        """Wait for the end; only then nobody waits in a read of what is closed here."""
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                self._pipe(pipe).close()


class Downloads:
    """The downloads of one worker.

    Args:
        database_url: The journal's.
    """

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._start_lock = threading.Lock()  # held while a process is begun
        self._lock = threading.Lock()  # held for a moment, on the event loop as well
        self._open: list[Download] = []

    def start(self, form: Form, filters: Filters) -> Download:
        """Begin an export; who asks for it closes it.

        Raises:
            DownloadsBusy: too many are being made, and nobody reads slowly enough to make room.
        """
        order = Order(database_url=self._database_url, form=form, filters=filters)
        with self._start_lock:
            with self._lock:
                if len(self._open) >= AT_ONCE:
                    self._make_room()
            download = Download(order, self._leave)
            with self._lock:
                self._open.append(download)
        return download

    def close(self) -> None:
        """End all that are being made."""
        for download in tuple(self._open):
            download.end()

    def _make_room(self) -> None:
        slow = next((each for each in self._open if each.is_slow()), None)
        if slow is None:
            raise DownloadsBusy
        slow.end()
        self._open.remove(slow)

    def _leave(self, download: Download) -> None:
        with self._lock:
            if download in self._open:
                self._open.remove(download)
