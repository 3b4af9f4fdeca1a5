"""The drainer's process: drains beside the workers until it is told to stop, or they are gone."""

import gc
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import FrameType

from stopgap.clock import SystemClock
from stopgap.journal.backlog import backlog
from stopgap.journal.drain import POLL_SECONDS, Drainer
from stopgap.journal.effort import Effort
from stopgap.storage.database import Database, open_database
from stopgap.telemetry.logs import log_to_stdout, write_last_lines

OBJECTS = 50_000
"""Made before Python looks for cycles: more than a batch has, and all of them live until its end.
With Python's 700, looking took an eighth of the drainer's time."""


def drain_process(
    folder: Path, database_url: str, *, parent: int, durable: bool, log_level: str
) -> None:
    """Be the drainer: a process beside the workers, until SIGTERM or the parent's end.

    Args:
        folder: Where the workers' segments are.
        database_url: The journal's database, migrated.
        parent: The server's process id. When this process has another parent, the server is gone.
        durable: Whether what is moved must survive a power cut: when `fsync` is not `off`.
        log_level: The least important event that is logged.
    """
    stop = threading.Event()  # this thread does not wait for it, since it sets it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which sends SIGTERM
    signal.signal(signal.SIGTERM, _once(stop.set))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # one may have come before
    log_to_stdout(log_level)
    gc.freeze()  # what is there now stays; there is nothing to be found in it
    gc.set_threshold(OBJECTS)

    threading.Thread(target=_stop_with, args=(parent, stop), daemon=True).start()
    with closing(open_database(database_url)) as database:
        _drain(folder, database, stop, durable=durable)
    write_last_lines()


def _once(call: Callable[[], None]) -> Callable[[int, FrameType | None], None]:
    """Make the handler of a signal that may come again while it is handled.

    The server's group gets one, and the drainer another: called anew, `set` would wait for the lock
    that it holds itself, for ever.
    """
    called = False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal called
        if not called:
            called = True
            call()

    return handle


def _stop_with(parent: int, stop: threading.Event) -> None:
    """Come to the end when the server is gone."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    stop.set()


def _drain(folder: Path, database: Database, stop: threading.Event, *, durable: bool) -> None:
    """Drain until it is over; then what is left."""
    with (
        closing(Effort(lambda: backlog(folder).bytes)) as effort,
        ThreadPoolExecutor(1) as executor,
    ):
        settled = database.settle if durable else lambda: None
        drainer = Drainer(folder, database, SystemClock(), settle=settled, effort=effort)
        executor.submit(drainer.run, stop).result()
