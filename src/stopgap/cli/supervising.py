"""The supervisor: keeps the workers and the drainer alive until it is told to stop."""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing.resource_tracker import ensure_running
from typing import Any

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server.common import AbstractServer

from stopgap import wiring
from stopgap.front.witness import Asgi
from stopgap.journal.drain import drain_process
from stopgap.settings import Settings
from stopgap.telemetry.logs import StandardOutput, write_last_lines

BACKLOG = 1_024
BACKPRESSURE = 65_536
"""Connections of the server itself, which counts idle ones too: must not be reached."""

STOP_SECONDS = 3
"""Time for a worker to end after it was told to; who needs longer is killed."""

PAUSE_SECONDS = 1.0
"""Before a process is replaced that died so soon after its start."""

DRAIN_SECONDS = 5.0
"""Time for the drainer's end; a database that is locked may hold it for longer."""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"json": {"()": StandardOutput}},
    "loggers": {
        name: {"handlers": ["json"], "propagate": False} for name in ("_granian", __name__)
    },
}
"""What is said of the workers and the drainer, in lines like a worker's own."""

logger = logging.getLogger(__name__)


def supervise(settings: Settings, address: str, port: int) -> None:
    """Serve until a signal comes; then see the workers and, after them, the drainer end."""
    server = Granian(
        "stopgap",
        address=address,
        port=port,
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,  # uvloop, where it is installed, cannot begin tasks at once
        workers=settings.workers,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=LOGGING,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    )
    server.respawned_wrks = Patience()
    server.interrupt_children = Deaths()
    server.main_loop_interrupt = Waking(server)
    birth = Birth()
    os.register_at_fork(
        before=birth.begins, after_in_parent=birth.ends, after_in_child=birth.is_over
    )
    drainer = DrainerKeeper(settings)
    drainer.start()
    try:
        load = partial(build_worker, settings, supervisor=os.getpid())
        server.serve(target_loader=load, wrap_loader=False)
    finally:
        drainer.stop()


def build_worker(settings: Settings, *, supervisor: int) -> Asgi:
    """Build what a worker serves; one that cannot says why, and another is tried.

    Raises:
        SystemExit: it cannot.
    """
    try:
        return wiring.build_door(settings, supervisor=supervisor)
    except Exception as error:
        logger.exception("a worker cannot start; another is tried")
        write_last_lines()
        raise SystemExit(1) from error


class Patience(dict[int, float]):
    """When each worker was replaced last, told to the server as never.

    Else a worker that died twice within seconds would end the whole server. It is replaced however
    often it dies, but not without a pause.
    """

    def get(self, key: int, default: float = 0.0) -> float:  # type: ignore[override]  # as it is called
        """Tell the server that it was long ago, after the pause if it was not."""
        if time.monotonic() - super().get(key, default) < PAUSE_SECONDS:
            time.sleep(PAUSE_SECONDS)
        return 0.0


class Deaths(list[int]):
    """Which workers have died, as the server's threads note them.

    The server copies the list and then clears it: what is noted in between stays for the next time.
    """

    _copied = 0

    def __iter__(self) -> Iterator[int]:
        """Tell those that are known now."""
        copy = self[:]
        self._copied = len(copy)
        return iter(copy)

    def clear(self) -> None:
        """Forget those that have been told, and no others."""
        del self[: self._copied]


class Waking(threading.Event):
    """Wakes the server when a worker has died or a signal has come.

    The server sleeps again once it has replaced workers: not where a signal came meanwhile, which
    would be forgotten, or another worker died.
    """

    def __init__(self, server: AbstractServer[Any]) -> None:
        super().__init__()
        self._server = server

    def clear(self) -> None:
        """Let the server sleep if nothing is left to do."""
        super().clear()
        if self._server.interrupt_signal or len(self._server.interrupt_children):
            self.set()


class DrainerKeeper:
    """Keeps one drainer running: a process of its own, replaced when it dies."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._over = False
        self._lock = threading.Lock()
        self._process = self._spawn()
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
            self._process = self._spawn()
            try:
                self._process.start()
            except OSError:  # no memory, or no room for another process: there may be, in a moment
                logger.exception("the drainer cannot be started; it is tried again")
                return False
            if self._stopping.is_set():
                self._tell()
        self._process.join()
        code = self._process.exitcode
        if code and not self._stopping.is_set():
            logger.warning("the drainer has died; another follows", extra={"exit_code": code})
        return code == 0

    def _tell(self) -> None:
        """Tell the drainer to come to its end."""
        if self._process.is_alive():
            self._process.terminate()

    def _spawn(self) -> multiprocessing.context.SpawnProcess:
        """Make a drainer; spawned, since a fork would take this process's threads' locks along."""
        return multiprocessing.get_context("spawn").Process(
            name="stopgap-drainer",
            target=drain_process,
            args=(wiring.spool_folder(self._settings), self._settings.journal_url or ""),
            kwargs={
                "parent": os.getpid(),
                "durable": self._settings.journal_fsync != "off",
                "log_level": self._settings.log_level,
            },
        )


class Birth:
    """Lets a signal end a worker that is still starting, from its first moment on.

    A worker inherits the supervisor's handlers, which would swallow the signal: it would never
    learn that it has to stop. So signals wait while it is forked, until it has none. Once it
    serves, handlers of its own take their place.
    """

    _SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})

    def __init__(self) -> None:
        self._mask: set[int | signal.Signals] = set()

    def begins(self) -> None:
        """Have signals wait."""
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, self._SIGNALS)

    def ends(self) -> None:
        """Let the supervisor have its signals."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def is_over(self) -> None:
        """Let the worker have its signals, and be ended by them."""
        for number in self._SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
