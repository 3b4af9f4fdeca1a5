"""The drainer's keeper: runs one drainer beside the workers, for as long as the server lives."""

import logging
import multiprocessing
import os
import signal
import threading
from multiprocessing.context import SpawnProcess
from multiprocessing.resource_tracker import ensure_running

from stopgap.cli.serving.workers import PAUSE_SECONDS
from stopgap.journal.drain_process import drain_process
from stopgap.wiring import Installation

DRAIN_SECONDS = 5.0
"""Time for the drainer's end; a database that is locked may hold it for longer."""

logger = logging.getLogger(__name__)


class DrainerKeeper:
    """Keeps one drainer running: a process of its own, replaced when it dies."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._stopping = threading.Event()
        self._over = False
        self._lock = threading.Lock()
        self._process: SpawnProcess | None = None
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Start the drainer, and watch it."""
        self._keeper.start()

    def stop(self) -> None:
        """Have the drainer move what is left, and end; what it cannot move waits in the spool."""
        self._stopping.set()
        with self._lock:
            self._tell()
        self._keeper.join(DRAIN_SECONDS)
        with self._lock:
            self._over = True
            if self._process:
                self._process.kill()
        self._keeper.join()

    def _keep(self) -> None:
        """Run one drainer after the other; if the last has died, another moves what is left."""
        ensure_running()  # the tracker of `multiprocessing`, whose start would undo the next line
        # A drainer that is still starting is not to be ended by them; it unblocks SIGTERM in time.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        ended_well = False
        while not self._stopping.is_set():
            ended_well = self._run()
            self._stopping.wait(PAUSE_SECONDS)
        if not ended_well:
            self._run()

    def _run(self) -> bool:
        """Run a drainer to its end; tell whether that was a good one."""
        with self._lock:
            if self._over:
                return True
            process = self._spawn()
            try:
                process.start()
            except OSError:  # no memory, or no room for another process: there may be, in a moment
                logger.exception("the drainer cannot be started; it is tried again")
                return False
            self._process = process
            if self._stopping.is_set():
                self._tell()
        process.join()
        code = process.exitcode
        if code and not self._stopping.is_set():
            logger.warning("the drainer has died; another follows", extra={"exit_code": code})
        return code == 0

    def _tell(self) -> None:
        """Tell the drainer to come to its end."""
        if self._process and self._process.is_alive():
            self._process.terminate()

    def _spawn(self) -> SpawnProcess:
        """Make a drainer; spawned, since a fork would take this process's threads' locks along.

        `subprocess` would wait for the end of a pipe, which a worker forked meanwhile holds open.
        """
        at, settings = self._installation.at, self._installation.settings
        return multiprocessing.get_context("spawn").Process(
            name="stopgap-drainer",
            target=drain_process,
            args=(at.spool, at.journal),
            kwargs={
                "parent": os.getpid(),
                "durable": settings.journal_fsync != "off",
                "log_level": settings.log_level,
            },
        )
