"""The process: one that runs a model outside of the worker, from its start to its end."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol

import stopgap
from stopgap.models.frames import Frame, FrameBroken, Frames
from stopgap.models.output_capture import PIECE, REST, OutputCapture
from stopgap.settings import environment_of_others

BEGINNING = """
import sys
if sys.version_info < (3, 11):
    sys.exit("It is Python %d.%d, and 3.11 or newer is needed." % sys.version_info[:2])
import contextlib, importlib.util, os
init, descriptor, parent, *background = sys.argv[1:]
if background:
    os.nice(19)
    with contextlib.suppress(AttributeError, OSError):  # it is not everywhere
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
spec = importlib.util.spec_from_file_location("stopgap", init)
sys.modules["stopgap"] = module = importlib.util.module_from_spec(spec)
try:
    import pydantic
    if [*map(int, pydantic.VERSION.split(".")[:2])] < [2, 11]:
        sys.exit(f"Its pydantic is too old: {sys.executable} -m {'pip'} install -U pydantic")
    spec.loader.exec_module(module)
    from stopgap.models.child import main
except ModuleNotFoundError as error:
    top = str(error.name).partition(".")[0]
    sys.exit(f"{error.name} is missing: {sys.executable} -m {'pip'} install {top}")
main(int(descriptor), int(parent))
"""
"""What the process runs first. It finds this very `stopgap`, and nothing of what lies beside it:
another Python has libraries of its own, of which `pydantic` alone is needed, 2.11 for its
`by_name`. One for the background goes there before it imports anything: that takes half a second
of a core's time. `-m` and `pip` stand apart, since pyenv takes what has them side by side for pip,
and runs a program between."""

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Keeps the folder in which the server was started off the path, also of the model's own processes.
`-P` would do so, too, but a Python before 3.11 would say no more than that it does not know it."""

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Numeric libraries take every core for one row, if they are let; batches use them better."""

CLOSING_SECONDS = 0.1
"""From the end of the connection to that of the process; one that stays has closed its files."""

OWN_PYTHON = sys.executable
PAGE = os.sysconf("SC_PAGE_SIZE")

WATCH_SECONDS = 0.1
"""Between two looks at its memory; a look takes 16 µs."""


RUNNING: set[int] = set()
"""The groups of those that run here."""


def end_at_once(number: int = signal.SIGTERM) -> None:
    """End this process by a signal, as who may that serves nobody, and all that its models started.

    To be called on the thread on which they were begun.
    """
    for process in RUNNING:
        _kill_group(process)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


class Listener(Protocol):
    """Whoever talks with a process."""

    def received(self, frame: Frame) -> None:
        """Take what has arrived."""

    def gone(self, reason: str, last_words: str) -> None:
        """Learn that the process is no more; called once.

        Args:
            last_words: The last lines that it has printed.
        """


class Process:
    """One process that runs a model, in a group of its own: it is ended with all its children.

    Not in a session of its own: Linux shares the time out by sessions first (autogroups), so that
    one in the background would have as much as all of the server.

    Args:
        model: Which model it is, for the log.
        background: Whether every other process on the machine comes before it.
        memory_max: Bytes that it may hold, resident; it is ended when it holds more.
        listener: Who is told what it sends, and of its end; may be replaced by another.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        model: str,
        background: bool,
        memory_max: int,
        listener: Listener,
    ) -> None:
        self._loop = loop
        self._model = model
        self._background = background
        self._memory_max = memory_max
        self.listener = listener
        self._process: subprocess.Popen[bytes] | None = None
        self._reason: str | None = None
        self._stopping = False
        self._ended = loop.create_future()

    async def start(self, python: str) -> None:
        """Start it, on the event loop's own thread: it ends when that thread does.

        Raises:
            OSError: there is no such program, or no room for another process.
        """
        with ExitStack() as undone:
            ours, theirs = socket.socketpair()
            undone.callback(ours.close)
            with theirs:
                await self._connect(ours)  # first: one that ends at once must find all in its place
                undone.callback(self._transport.abort)
                said, says = os.pipe()
                undone.callback(os.close, said)
                with os.fdopen(says, "wb"):
                    process = _spawn(python, theirs.fileno(), says, background=self._background)
            undone.callback(process.wait)
            undone.callback(process.kill)
            self._watch = os.pidfd_open(process.pid)
            undone.pop_all()
        self._process = process
        RUNNING.add(process.pid)
        self._output = OutputCapture(self._loop, self._model, said)
        self._loop.add_reader(self._watch, self._end, process)
        self._look()

    async def _connect(self, ours: socket.socket) -> None:
        ours.setblocking(False)  # noqa: FBT003  # the socket's own signature
        self._transport, _ = await self._loop.create_unix_connection(
            lambda: Connection(self._received, self.kill, self._lost), sock=ours
        )

    def send(self, frame: bytes) -> None:
        """Send a frame; to a process that is gone, nothing is sent."""
        self._transport.write(frame)

    @property
    def memory(self) -> int:
        """Bytes that it holds, resident; 0 once it has ended."""
        if self._process is None or self._ended.done():
            return 0
        with suppress(OSError, IndexError):
            statm = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii")
            return int(statm.split()[1]) * PAGE
        return 0

    @property
    def burden(self) -> str:
        """What holds it up now, as a sentence; nothing: what it prints does not."""
        if self._output.holds_up:
            rate = f"{PIECE / REST / 1e6:.1f} MB a second"
            return f"It prints more than is read, {rate}, which holds it up."
        return ""

    def kill(self, reason: str) -> None:
        """End it at once, with all its children."""
        if self._reason is None:
            self._reason = reason
        if self._process is not None and not self._ended.done():
            _kill_group(self._process.pid)

    async def kill_and_wait(self, reason: str) -> None:
        """End it at once, and see that it has ended; one that never began has."""
        self.kill(reason)
        if self._process is not None:
            await asyncio.shield(self._ended)

    async def stop(self, seconds: float) -> None:
        """Let it end by itself, and kill it if that takes longer."""
        self._stopping = True
        self._transport.abort()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._ended)
                return
        await self.kill_and_wait("It was stopped.")

    def _look(self) -> None:
        """Hold its memory against what it may have."""
        held, allowed = self.memory, self._memory_max
        if held > allowed:
            self.kill(
                f"It held {held >> 20} MiB of memory, and may hold {allowed >> 20}; see --memory."
            )
        self._looking = self._loop.call_later(WATCH_SECONDS, self._look)

    def _received(self, frame: Frame) -> None:
        self.listener.received(frame)

    def _lost(self) -> None:
        """See the connection end, which a process may outlive that closes its files."""
        if not (self._stopping or self._ended.done()):
            self._loop.call_later(CLOSING_SECONDS, self.kill, "It closed its connection.")

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Bury it: what it has left behind is ended while its number cannot be another's."""
        self._loop.remove_reader(self._watch)
        self._looking.cancel()
        _kill_group(process.pid)
        RUNNING.discard(process.pid)
        code = process.wait()
        os.close(self._watch)
        self._output.close()
        self._transport.abort()
        self._ended.set_result(None)
        killed = self._reason is not None and code == -signal.SIGKILL
        reason = self._reason if killed and self._reason else _described(code)
        self.listener.gone(reason, self._output.last)


class Connection(asyncio.Protocol):
    """The worker's end of the pipe."""

    def __init__(
        self,
        received: Callable[[Frame], None],
        unreadable: Callable[[str], None],
        lost: Callable[[], None],
    ) -> None:
        self._received = received
        self._unreadable = unreadable
        self._lost = lost
        self._frames = Frames()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand over the frames that have arrived whole."""
        try:
            for frame in self._frames.feed(data):
                self._received(frame)
        except FrameBroken as error:
            self._unreadable(f"It sent what cannot be read: {error}")
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell that nothing more will arrive."""
        self._lost()


def _spawn(python: str, descriptor: int, says: int, *, background: bool) -> subprocess.Popen[bytes]:
    """Start a fresh interpreter: a fork of the worker would have its secrets and its locks."""
    own = dict.fromkeys(ONE_THREAD, "1")
    told = (stopgap.__file__, descriptor, os.getpid())
    beginning = ["-X", "faulthandler", "-c", BEGINNING]
    return subprocess.Popen(  # noqa: S603  # the operator has named the program
        [python, *beginning, *map(str, told), *(["background"] if background else [])],
        stdin=subprocess.DEVNULL,
        stdout=says,
        stderr=says,
        pass_fds=[descriptor],
        env=own | environment_of_others() | SAFE_PATH,
        process_group=0,
    )


def _kill_group(process: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


def _described(code: int) -> str:
    if code >= 0:
        return f"Its process ended with exit code {code}."
    with suppress(ValueError):
        return f"Its process was ended by {signal.Signals(-code).name}."
    return f"Its process was ended by signal {-code}."
