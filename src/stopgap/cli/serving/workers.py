"""How workers come and go: replaced whenever that is due, and ended by the first signal.

The server forks them and replaces them; what is here mends what it forgets or does too soon.
"""

import asyncio
import logging
import mmap
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVarTuple

from granian import loops
from granian.server.common import AbstractServer
from granian.server.mp import MPServer, WorkerProcess

from stopgap.models.specification import LOAD_TIMEOUT_MAX

PAUSE_SECONDS = 1.0
"""Before a process is replaced that died so soon after its start."""

PAUSE_SECONDS_MAX = 30.0
"""Before another is tried where none could start: the pause doubles each time."""

TOLD = frozenset({0, -signal.SIGINT, -signal.SIGTERM})
"""How a worker ends that is told to, also while it starts. A terminal tells all at once, ..."""

MOMENT = 0.1
"""... and in so many seconds the server knows, too."""

READY_SECONDS = LOAD_TIMEOUT_MAX + 30.0
"""For a worker to load models and serve, before the one that it replaces is ended for it."""

LOOK_SECONDS = 0.05
"""How often it is seen whether it does."""

logger = logging.getLogger(__name__)

Arguments = TypeVarTuple("Arguments")


class Unfit(Exception):
    """A worker that was to take another's place has ended before it served."""


class Life:
    """What is known of a worker, by its own word or by who waits for its end."""

    def __init__(self) -> None:
        self._said = mmap.mmap(-1, 1)  # shared with the worker, which is forked
        self.helped = False  # whether others answered when it began
        self.ended = threading.Event()
        self.settled = threading.Event()  # whether it takes another's place
        self.settled.set()

    def is_ready(self) -> bool:
        """Tell whether it serves, or has served."""
        return self._said[0] != 0

    def serves(self) -> bool:
        """Tell whether it serves now."""
        return self.is_ready() and not self.ended.is_set()

    def say_ready(self) -> None:
        """Tell so, as the worker itself does."""
        self._said[0] = 1


class Server(MPServer):
    """Tells what ended a worker, and ends no old one before the new one serves.

    The server itself tells only that one has ended, and goes by the clock.
    """

    _replaces = False
    _crowded = False

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._failures = Counter[int]()  # starts of each worker that have failed since the last one

    def end(self) -> None:
        """End the workers that are left: an error has ended the server, and no signal.

        Python would wait for them, and they for a signal.
        """
        self.interrupt_signal = True
        self._stop_workers()  # type: ignore[no-untyped-call]  # the server's own

    def _reload(self, *args: Any, **named: Any) -> None:
        """Replace all workers, one after the other, until one cannot be."""
        self._replaces = True
        try:
            with suppress(Unfit):
                super()._reload(*args, **named)  # type: ignore[no-untyped-call]  # the server's own
        finally:
            self._replaces = False

    def _respawn_workers(self, workers: Sequence[int], *args: Any, **named: Any) -> None:
        """Replace some workers; one that nobody could replace stays."""
        for idx in workers:
            old = self.wrks[idx]
            try:
                super()._respawn_workers([idx], *args, **named)
            except BaseException:
                self.wrks.insert(idx, old)
                raise

    def _spawn_worker(self, *args: Any, **named: Any) -> Any:
        """Make a worker whose beginning and end are awaited as is told here."""
        life = Life()
        load = named["callback_loader"]
        named["callback_loader"] = lambda: load(ready=life.say_ready, helped=life.helped)
        worker: Any = super()._spawn_worker(*args, **named)
        worker.life = life
        worker.start = partial(self._start, worker, worker.start, life)
        worker._watcher = partial(  # noqa: SLF001  # it knows of no other way
            self._await, worker, life
        )
        # Of two threads that wait for one process the system tells one alone; the other would take
        # it for alive, say that it refused to stop, and kill whoever has its number by now.
        worker.join, worker.is_alive = life.ended.wait, lambda: not life.ended.is_set()
        return worker

    def _start(self, worker: Any, start: Callable[[], None], life: Life) -> None:
        """Start a worker; where another is to end for it, see that it serves.

        Raises:
            Unfit: it never will.
        """
        others: list[Any] = self.wrks
        life.helped = self._replaces or any(each.life.serves() for each in others)
        if self._replaces:
            life.settled.clear()
        try:
            begun = self._begin(worker, start, life)
            if self._replaces:
                self._see(worker, life)
            elif not begun:
                self.interrupt_children.append(worker.idx)
                self.main_loop_interrupt.set()
        finally:
            life.settled.set()

    def _see(self, worker: Any, life: Life) -> None:
        """Wait until a worker serves, or for as long as it may take."""
        end = time.monotonic() + READY_SECONDS
        while worker.is_alive() and not life.is_ready():
            if self.interrupt_signal or time.monotonic() > end:
                return
            time.sleep(LOOK_SECONDS)
        if not life.is_ready():
            time.sleep(MOMENT)
            if not self.interrupt_signal:
                worker.interrupt_by_parent = True  # nobody is to take its place
                logger.error("a new worker cannot start; the old ones stay")
                raise Unfit

    def _begin(self, worker: Any, start: Callable[[], None], life: Life) -> bool:
        """Begin a worker's process; tell whether the system has room for it."""
        try:
            if self._crowded:
                fork_in_vain()
            start()
        except (OSError, RuntimeError) as error:  # of a process, or of the thread that waits for it
            logger.warning("there is no room for a worker's process: %s", error)
            self._crowded = True
            if worker.inner.pid:
                worker.inner.kill()
                worker.inner.join()
            worker.terminate = worker.kill = lambda: None  # which need a process
            life.ended.set()
            return False
        self._crowded = False
        return True

    def _await(self, worker: WorkerProcess, life: Life) -> None:
        """Wait for a worker's end; where nobody wanted it, tell the cause, and have it replaced."""
        worker.inner.join()
        life.ended.set()
        life.settled.wait()
        code = worker.inner.exitcode
        if code in TOLD:
            time.sleep(MOMENT)
        if not (worker.interrupt_by_parent or (code in TOLD and self.interrupt_signal)):
            told = {"pid": worker.inner.pid, "exit_code": code}
            if code in TOLD:
                logger.warning("somebody has ended a worker; another follows", extra=told)
            else:
                logger.error("a worker has died; another follows", extra=told)
            if self._pause(worker, life):
                self.interrupt_children.append(worker.idx)
                self.main_loop_interrupt.set()

    def _pause(self, worker: WorkerProcess, life: Life) -> bool:
        """Wait before another is tried if this one has found that it cannot start, and others did.

        Returns:
            Whether another is to be tried: the server has not been told to stop meanwhile.
        """
        if life.is_ready() or (worker.inner.exitcode or 0) <= 0:
            del self._failures[worker.idx]
            return True
        self._failures[worker.idx] += 1
        doublings = min(self._failures[worker.idx] - 1, 10)
        end = time.monotonic() + min(PAUSE_SECONDS * 2**doublings, PAUSE_SECONDS_MAX)
        while time.monotonic() < end and not self.interrupt_signal:
            time.sleep(LOOK_SECONDS)
        return not self.interrupt_signal


def mind(server: AbstractServer[Any]) -> None:
    """Have a server mind its workers as is told here, from the first one on."""
    multiprocessing.set_start_method("fork", force=True)  # else, from Python 3.14 on, another
    server.respawned_wrks = Patience()
    server.interrupt_children = Deaths(server)
    server.main_loop_interrupt = Waking(server)
    loops.register("asyncio")(build_loop)
    birth = Birth()
    os.register_at_fork(
        before=birth.begins, after_in_parent=birth.ends, after_in_child=birth.is_over
    )


def fork_in_vain() -> None:
    """See whether the system has room for a process.

    Raises:
        OSError: it has not. `multiprocessing` would leave four files open each time it learns that.
    """
    if child := os.fork():
        os.waitpid(child, 0)
    else:
        os._exit(0)


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

    def __init__(self, server: AbstractServer[Any]) -> None:
        super().__init__()
        self._server = server
        self._copied = 0

    def __iter__(self) -> Iterator[int]:
        """Tell those that are known now, each once, and whose place no other has taken."""
        copy = self[:]
        self._copied = len(copy)
        workers = self._server.wrks
        return (idx for idx in dict.fromkeys(copy) if not workers[idx].is_alive())

    def clear(self) -> None:
        """Forget those that have been told, and no others."""
        del self[: self._copied]


class Waking(threading.Event):
    """Wakes the server when a worker has died or a signal has come.

    The server sleeps again once it has replaced workers: not where a signal came meanwhile, which
    would be forgotten, or another worker died.

    Signals set it in the very thread that waits for it, and again while they do. An event would
    wait for the lock that it holds itself, for ever; to this kind of queue one may put at any
    moment.
    """

    def __init__(self, server: AbstractServer[Any]) -> None:
        super().__init__()
        self._server = server
        self._calls = SimpleQueue[None]()

    def is_set(self) -> bool:
        """Tell whether something is left to do."""
        return not self._calls.empty()

    def set(self) -> None:
        """Wake the server."""
        self._calls.put(None)

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until there is something to do; tell whether there is."""
        with suppress(Empty):
            self._calls.put(self._calls.get(timeout=timeout))
            return True
        return False

    def clear(self) -> None:
        """Let the server sleep if nothing is left to do."""
        with suppress(Empty):
            while True:
                self._calls.get_nowait()
        if self._server.interrupt_signal or len(self._server.interrupt_children):
            self.set()


class Birth:
    """Lets a signal end a worker that is still starting, from its first moment on.

    A worker inherits the supervisor's handlers, which would swallow the signal: it would never
    learn that it has to stop. So signals wait while it is forked, until it has none. Once it has an
    event loop, handlers of its own take their place.
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


class Loop(asyncio.SelectorEventLoop):
    """A worker's event loop, in which a handler hears one signal, and no more.

    The server's own thread takes one of them. Its handler would wait, with the interpreter held,
    for the second to be taken while a worker starts, and for the third while it leaves: for ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._heard = set[Callable[..., object]]()

    def add_signal_handler(
        self, sig: int, callback: Callable[[*Arguments], object], *args: *Arguments
    ) -> None:
        """Have something called at a signal, unless another signal has called it before."""
        super().add_signal_handler(sig, self._call, callback, *args)

    def _call(self, callback: Callable[[*Arguments], object], *args: *Arguments) -> None:
        if callback not in self._heard:
            self._heard.add(callback)
            callback(*args)


def build_loop() -> asyncio.AbstractEventLoop:
    """Build a worker's event loop, as the server asks for one."""
    loop = Loop()
    asyncio.set_event_loop(loop)
    return loop
